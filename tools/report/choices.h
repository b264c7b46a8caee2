/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The choices of a run in words: what was chosen, among what, and when.
 *
 * An answer is recorded as a number ("order, question 5: 3"), which says nothing to a reader.
 * Only while the run asks the question is there something to choose from, so it is made again, in
 * a process of its own.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_CHOICES_H
#define MIRRORSIM_TOOLS_REPORT_CHOICES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/world/world.h"

/* An answer that is not the quiet one. */
struct told_choice {
    uint64_t event; /* of the trace: the first that can come of it */
    uint64_t now_ns;
    uint32_t nth; /* question at this site, from 1 */
    uint32_t pick;
    char site[96];
    char words[400]; /* "write #2 of dst is done, before read #4 of src moves its data" */
};

struct told_choices {
    struct told_choice *list;
    size_t count;
};

/* Those of the plan's run with this seed, in their order; if it dies, those before its death. */
struct told_choices choices_tell(const struct plan *plan, const struct engine *engine,
                                 uint64_t seed);
void choices_free(struct told_choices *choices);

/* That answer, or NULL. */
const struct told_choice *choices_find(const struct told_choices *choices, const char *site,
                                       uint32_t nth);

/* A line each. */
void choices_show(const struct told_choices *choices, FILE *out);

#endif
