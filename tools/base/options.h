/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of a command, as one table: what --help says of each, what its argument may be, and
 * where it goes.
 *
 * argp prints the help and splits the command line; what is the same for every command is done
 * here by the table.  On wrong usage all of this explains it on stderr and exits with EXIT_USAGE.
 */
#ifndef MIRRORSIM_TOOLS_BASE_OPTIONS_H
#define MIRRORSIM_TOOLS_BASE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_row;

/* Takes an argument into a member; `arg` is NULL if the option was given without one. */
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
    OPTION_SPAN,    /* uint64_t: a time in whole milliseconds, of the clock on the wall */
    OPTION_WORD,    /* an enumeration: which of `words`, and `value` more */
    OPTION_CHOICE,  /* const char *: the one of `words` */
    OPTION_OTHER,   /* whatever `take` does with it */
};

struct option_row {
    struct argp_option shown; /* key: a letter, or 0; no name and no doc end the table */
    enum option_kind kind;
    size_t member;            /* its offset in the command's options */
    size_t given;             /* offset of a bool that is set as well; 0 = none */
    uint32_t alternative;     /* options of the same number, not 0, contradict each other */
    uint32_t max;             /* OPTION_COUNT */
    int value;                /* OPTION_VALUE, OPTION_WORD */
    const char *const *words; /* OPTION_WORD, OPTION_CHOICE; NULL ends them */
    option_take *take;        /* OPTION_OTHER */
};

/*
 * A row is {{what argp shows}, INTO(FLAG, json)}; files that have rows define AT(member), the
 * offset of a member of their command's options.
 */
#define INTO(kind_name, where) .kind = OPTION_##kind_name, .member = AT(where)

#define OPTION_ALTERNATIVES 4u

struct option_table {
    const struct option_row *options; /* NULL = none but --help */
    const char *args;                 /* what comes after the options, for --help; NULL = nothing */
    const char *doc;

    /* Options that are in the tables of several commands, with offsets of their own; or NULL. */
    const struct option_row *shared;
    size_t shared_member;

    /* Takes each argument that is no option; without it there must be none. */
    option_take *take;
    size_t member;
    const char *missing; /* what to say if there is no such argument; NULL = that is fine */

    /* Is all of it together right?  May be NULL. */
    void (*check)(const struct argp_state *state, const void *options);
};

/* Takes the command line into the command's options, which hold what is not given. */
void options_parse(const struct option_table *table, int argc, char **argv, void *options);

/* Explains what is wrong. */
_Noreturn void option_refuse(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A number from 0 up; `name` is the option's. */
uint64_t option_number(const struct argp_state *state, const char *name, const char *arg);

/* For commands that take one file: an option_take into a const char *. */
void option_take_file(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member);

#endif
