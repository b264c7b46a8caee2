/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The values of scenario files: sizes, times, speeds, counts, errors, words.
 *
 * A type says how a value is written and what it may be; all values fit an
 * int64_t.  A value may be left to a choice: {choose: [...]}, {range: [a, b]}.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_VALUE_H
#define MIRRORSIM_SIM_SCENARIO_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/base/quantity.h"

struct loader;
struct yaml_node;

struct word {
    const char *text; /* NULL ends a table */
    int64_t value;
};

struct value_type {
    const char *name;         /* its own: "disk_bytes" of type_disk_bytes */
    const char *what;         /* "size" */
    const char *example;      /* "64KiB or 512" */
    const struct unit *units; /* for numbers, the greatest first; NULL: no number */
    const struct word *words; /* words that stand for a value; NULL: none */
    bool (*parse)(const char *text, int64_t *value); /* words not in a table; may be NULL */
    const char *(*word_at)(uint32_t i);              /* lists them; NULL past the last */
    uint64_t only_modern; /* bit per value whose word only today's generation has, ... */
    uint64_t only_2_2;    /* ... or only 2.2 */
    bool needs_unit;      /* except 0 */
    bool power_of_two;
    int64_t min;
    int64_t max;
    int64_t multiple;   /* 0 as 1 */
    int64_t range_step; /* of a range that gives none, if its ends are multiples; 0 as 1 */
};

extern const struct value_type type_disk_bytes;     /* multiple of 512 */
extern const struct value_type type_sectors;        /* place on a disk, multiple of 512 */
extern const struct value_type type_sectors_length; /* as type_sectors, at least 512 */
extern const struct value_type type_bytes;          /* any place or amount */
extern const struct value_type type_bytes_length;   /* at least 1 */
extern const struct value_type type_job_bytes;      /* may be what the engine refuses */
extern const struct value_type type_cluster;        /* power of two; none = 0, unknown = -1 */
extern const struct value_type type_instant;        /* a time, or AT_WHENEVER */
extern const struct value_type type_time;
extern const struct value_type type_span;  /* a time of at least 1 ns */
extern const struct value_type type_shift; /* a time that may be negative */
extern const struct value_type type_speed; /* may be negative */
extern const struct value_type type_bandwidth;
extern const struct value_type type_count;       /* at least 1 */
extern const struct value_type type_number;      /* at least 0 */
extern const struct value_type type_times;       /* count, or forever = 0 */
extern const struct value_type type_small_count; /* as type_count, fits 32 bits */
extern const struct value_type type_weight;      /* of a part of a mix */
extern const struct value_type type_outstanding; /* guest requests at once */
extern const struct value_type type_theta;       /* of a zipf distribution, in thousandths */
extern const struct value_type type_pick;        /* an answer to a choice */
extern const struct value_type type_probability; /* per cent, in ppm */
extern const struct value_type type_factor;      /* 1.5, in per cent */
extern const struct value_type type_error;       /* errno by name, negative */
extern const struct value_type type_result;      /* OK = 0, or as type_error */
extern const struct value_type type_fill;
extern const struct value_type type_granularity; /* power of two, at least 512 */
extern const struct value_type type_effect;
extern const struct value_type type_power_cut;
extern const struct value_type type_timing;
extern const struct value_type type_content;
extern const struct value_type type_cache;
extern const struct value_type type_io_status_tracking;
extern const struct value_type type_access;
extern const struct value_type type_role;
extern const struct value_type type_backing_open;
extern const struct value_type type_disk_flag;
extern const struct value_type type_sync;
extern const struct value_type type_generation;
extern const struct value_type type_copy_mode;
extern const struct value_type type_backing_mode;
extern const struct value_type type_detect_zeroes;
extern const struct value_type type_subcluster; /* power of two */
extern const struct value_type type_switch;     /* always = 1, never = 0 */
extern const struct value_type type_policy;
extern const struct value_type type_op;
extern const struct value_type type_by;
extern const struct value_type type_action;
extern const struct value_type type_verb;
extern const struct value_type type_refusal;
extern const struct value_type type_event;
extern const struct value_type type_request_phase;
extern const struct value_type type_hold_phase;
extern const struct value_type type_claim;
extern const struct value_type type_drops;
extern const struct value_type type_since;
extern const struct value_type type_io_status;
extern const struct value_type type_job_status;
extern const struct value_type type_job_kind;
extern const struct value_type type_job_flag;
extern const struct value_type type_ended;
extern const struct value_type type_schedule;
extern const struct value_type type_explore_faults;
extern const struct value_type type_explore_amount;

/* Reads a value; false after noting what is wrong with it. */
bool value_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                int64_t *value);

/* As value_read(), of a value that can't be left to a choice. */
bool value_read_fixed(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *value);

/* As value_read(), but a check goes on with the least alternative. */
bool value_read_least(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, int64_t *value);

/* The value of a word that the file's generation has. */
bool value_find_word(struct loader *loader, const struct value_type *type, const char *text,
                     int64_t *value);

/* The i-th word that stands for a value, from all of its sources; NULL past the last. */
const char *type_word(const struct value_type *type, uint32_t i);

/* As a loader reads it: "64KiB", "5ms", "EIO". */
void value_write(FILE *file, const struct value_type *type, int64_t value);

/* The value as a file would write it, in the greatest unit that divides it; for a mistake. */
const char *value_format(struct loader *loader, const struct value_type *type, int64_t value);

#endif
