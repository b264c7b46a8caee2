/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quantities: times, sizes and speeds as text, and back.
 *
 * There is one set of units, for scenario files, for options and for what the program prints, so
 * that whatever it prints can be typed back.  All arithmetic is exact and in integers: 1.5KiB is
 * 1536 bytes, and what is no whole number of the smallest unit is no quantity.
 */
#ifndef MIRRORSIM_SIM_BASE_QUANTITY_H
#define MIRRORSIM_SIM_BASE_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

struct unit {
    const char *suffix; /* NULL ends a table; "" stands for a number without a unit */
    int64_t factor;     /* in the smallest unit; never 0 */
    bool is_common;     /* proposed to those who give no unit */
};

/* The greatest first. */
extern const struct unit quantity_size_units[];  /* bytes: EiB to B */
extern const struct unit quantity_time_units[];  /* nanoseconds: h to ns */
extern const struct unit quantity_speed_units[]; /* bytes per second: TiB/s to B/s */

/* ---- As text ---- */

/* By value, so that a call can stand among the arguments of printf(): quantity_time(ns).text. */
struct quantity_text {
    char text[32];
};

/* A virtual time, "12.3ms", "800us", "90s": in seconds or less, exact, as short as can be. */
struct quantity_text quantity_time(uint64_t ns);

/* "642KiB", "513B": in the greatest unit up to TiB that divides it. */
struct quantity_text quantity_size(uint64_t bytes);

/* The same for files and options, where a number of bytes needs no unit: "642KiB", "513", "0". */
struct quantity_text quantity_bytes(uint64_t bytes);

/*
 * As a scenario file has it: in the greatest unit of the table that divides it, "1h", "513"; if
 * none does, with decimals in the last one, whose factor is then a power of ten.
 */
struct quantity_text quantity_plain(const struct unit *units, int64_t value);

/* ---- From text ---- */

/* Text as a number and its unit, "-1.5KiB". */
struct quantity {
    const char *suffix;      /* what follows the number, in the text */
    const struct unit *unit; /* of that suffix; NULL = there is none */
    bool negative;           /* begins with a minus sign */
    uint64_t value;          /* without its sign, in the smallest unit; UINT64_MAX if too large */
};

enum quantity_fault {
    QUANTITY_GOOD,
    QUANTITY_NO_NUMBER,    /* does not begin with a digit */
    QUANTITY_UNKNOWN_UNIT, /* what follows the number is not in the table */
    QUANTITY_NOT_WHOLE,    /* no whole number of the smallest unit */
    QUANTITY_TOO_LARGE,    /* does not fit 64 bits */
};

/* Reads all of a text.  Sets every member of *quantity up to where the fault is. */
enum quantity_fault quantity_read(const struct unit *units, const char *text,
                                  struct quantity *quantity);

/* What options take: no sign.  A time needs its unit unless it is 0; a size may go without. */
bool quantity_read_time(const char *text, uint64_t *ns);
bool quantity_read_size(const char *text, uint64_t *bytes);

/* A factor with at most three decimals ("10", "0.5"), in thousandths. */
bool quantity_read_thousandths(const char *text, uint64_t *thousandths);

#endif
