/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of a command, as one table: each row has the text for --help, the type of the
 * argument, and the member it is stored in.
 *
 * argp prints the help and splits the command line; everything common to all commands is done
 * here from the table.  On wrong usage these functions explain it on stderr and exit with
 * EXIT_USAGE.
 */
#ifndef MIRRORSIM_TOOLS_BASE_OPTIONS_H
#define MIRRORSIM_TOOLS_BASE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_row;

/* Stores an argument in a member; `arg` is NULL if the option was given without one. */
typedef void option_take(const struct argp_state *state, const struct option_row *option,
                         const char *arg, void *member);

enum option_kind {
    OPTION_FLAG,    /* bool: true */
    OPTION_UNFLAG,  /* bool: false */
    OPTION_VALUE,   /* an enumeration: `value` */
    OPTION_TEXT,    /* const char *: the argument itself */
    OPTION_NUMBER,  /* uint64_t: from 0 up */
    OPTION_ORDINAL, /* uint64_t: from 1 up */
    OPTION_COUNT,   /* uint32_t: from 1 to `max` */
    OPTION_TIME,    /* uint64_t: nanoseconds */
    OPTION_SPAN,    /* uint64_t: a time in whole milliseconds of wall clock time */
    OPTION_SECONDS, /* uint64_t: milliseconds, from 1 up to a day, given in seconds like 20 or 0.5
                     */
    OPTION_WORD,    /* an enumeration: the index in `words` plus `value` */
    OPTION_CHOICE,  /* const char *: one of `words` */
    OPTION_OTHER,   /* handled by `take` */
};

struct option_row {
    struct argp_option shown; /* key: a letter, or 0; no name and no doc end the table */
    enum option_kind kind;
    size_t member;            /* its offset in the command's options */
    size_t given;             /* offset of a bool that is set, too; 0 = none */
    uint32_t alternative;     /* options with the same number, not 0, exclude each other */
    uint32_t max;             /* OPTION_COUNT */
    int value;                /* OPTION_VALUE, OPTION_WORD */
    const char *const *words; /* OPTION_WORD, OPTION_CHOICE; NULL-terminated */
    option_take *take;        /* OPTION_OTHER */
};

/*
 * A row is {{the fields for argp}, INTO(FLAG, json)}; files with rows define AT(member), the
 * offset of a member in their command's options.
 */
#define INTO(kind_name, where) .kind = OPTION_##kind_name, .member = AT(where)

#define OPTION_ALTERNATIVES 8u

struct option_table {
    const struct option_row *options; /* NULL = only --help */
    const char *args;                 /* the arguments after the options, for --help; NULL = none */
    const char *doc;

    /* Options that several commands have, with offsets relative to `shared_member`; or NULL. */
    const struct option_row *shared;
    size_t shared_member;

    /* Stores each argument that is not an option; NULL: there must be none. */
    option_take *take;
    size_t member;
    const char *missing; /* the message if there is no such argument; NULL = none is needed */

    /* Checks the options together. May be NULL. */
    void (*check)(const struct argp_state *state, const void *options);
};

/* Stores the command line in the command's options, which must hold the defaults. */
void options_parse(const struct option_table *table, int argc, char **argv, void *options);

/* Explains wrong usage. */
_Noreturn void option_refuse(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Parses a number from 0 up; `name` is the option's name. */
uint64_t option_number(const struct argp_state *state, const char *name, const char *arg);

/* For commands that take one file: an option_take into a const char *. */
void option_take_file(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member);

#endif
