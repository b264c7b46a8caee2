/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of runs: every case of every file, each on every engine with every seed.
 *
 * Runs are numbered by file, then case, then engine, then seed.  The list is never written
 * out, so a billion seeds cost no memory.
 */
#ifndef MIRRORSIM_TOOLS_RUN_SUITE_H
#define MIRRORSIM_TOOLS_RUN_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/scenario/scenario.h"
#include "tools/base/files.h"
#include "tools/base/options.h"

/* That a suite can name: the releases of several years. */
#define SUITE_MAX_ENGINES 64u

struct suite_entry {
    const struct scenario *scenario;
    uint32_t case_number;        /* from 0 */
    const struct engine *engine; /* that runs it; of a skipped one NULL: there is none */
    enum generation generation;
};

/* A file that cannot be run. */
struct suite_invalid {
    const char *file;
    const struct mistakes *mistakes;
    bool missing; /* there is no such file */
};

struct suite {
    struct file_list files;
    struct scenario **scenarios; /* one per file */
    struct suite_entry *entries;
    size_t entry_count;
    struct suite_entry *skipped; /* stories that are not of the engines' generation */
    size_t skipped_count;
    struct suite_invalid *invalid;
    size_t invalid_count;
    size_t missing_count; /* of those: there is no such file */

    /* Each runs every story of its generation; none: ours do. */
    const struct engine *engines[SUITE_MAX_ENGINES];
    uint32_t engine_count;
    const struct engine *compared; /* a second one, to compare with; NULL = none */
    bool real_bytes;               /* all plans as with `content: bytes` */
    uint64_t first_seed;
    uint64_t seed_count;
};

/*
 * Which of the cases are run.  A pattern matches a file, a scenario's name, a tag, a reference or
 * the name of a case if it is a glob for it; also a part of a file or a scenario's name, a word of
 * a reference or of a case's name, and name and case as a report shows them.
 */
struct suite_filter {
    const char **patterns; /* one of them must match; none: all are run */
    size_t pattern_count;
    const char *chosen; /* --case, as suite_case_is() has it; NULL = all */
};

/* For a table of options: PATTERN, into a struct suite_filter. */
void suite_take_pattern(const struct argp_state *state, const struct option_row *option,
                        const char *arg, void *member);

/* Loads and checks everything found under the path. */
void suite_add_path(struct suite *suite, const char *path);

/* The same, for a table of options: PATH, into a struct suite. */
void suite_take_path(const struct argp_state *state, const struct option_row *option,
                     const char *arg, void *member);

/* For a table of options: NAME,NAME..., into a struct suite. */
void suite_take_engines(const struct argp_state *state, const struct option_row *option,
                        const char *arg, void *member);

/* After all paths: makes the entries, and the list of those that are skipped. */
void suite_select(struct suite *suite, const struct suite_filter *filter);
void suite_free(struct suite *suite);

/* Has it an engine that may damage the process that it runs in? */
bool suite_has_foreign(const struct suite *suite);

uint64_t suite_runs(const struct suite *suite);

/* A run by its number. */
const struct suite_entry *suite_entry_of(const struct suite *suite, uint64_t number);
uint64_t suite_seed_of(const struct suite *suite, uint64_t number);

/*
 * Is this a case that --case asks for: by its number from 1, its name, or some of the words of its
 * name, like "policy=stop"?  NULL asks for all.
 */
bool suite_case_is(const struct scenario *scenario, uint32_t case_number, const char *chosen);

#endif
