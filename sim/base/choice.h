/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choices: the only source of non-determinism (io-model).
 *
 * Whatever a plan leaves open is asked here, by site and bound; the answer is
 * below the bound, and 0 is always the quiet one: first in, first out, median
 * latency, no fault.  A site's answers depend on the seed, the site's name
 * and how often it was asked, and on nothing else, so that one more site, or
 * one more question at another site, shifts nothing.
 *
 * Answers that are not 0 are recorded; the record is the reproducer.
 *
 * Seed 0 is the quiet run: every answer is 0.
 */
#ifndef MIRRORSIM_SIM_BASE_CHOICE_H
#define MIRRORSIM_SIM_BASE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "sim/base/arena.h"

/* One answer, as recorded or as a scenario's `choices:` lists it. */
struct choice_answer {
    const char *site;
    uint32_t nth; /* from 1: which question at this site */
    uint32_t pick;
};

/* The candidates for the next event, for backends that look at more than their number. */
struct candidates {
    /* The chain of events that alternative `i` belongs to (timeline.h). */
    uint32_t (*chain)(const void *timeline, uint32_t i);
    const void *timeline;
};

/* A question, as a backend sees it. */
struct question {
    const char *site;
    uint32_t nth;                        /* from 1: which question at this site */
    uint32_t bound;                      /* the answer is below it */
    const struct candidates *candidates; /* NULL: the alternatives are not events */
};

/* A backend beside the built-in ones (exhaustive, PCT): asked for each answer. */
typedef uint32_t choice_backend(void *opaque, const struct question *question);

/* Where the answers come from.  Outside the arena; owned by the caller. */
struct choice_spec {
    uint64_t seed;                        /* 0 = quiet */
    const struct choice_answer *recorded; /* take precedence; others stay quiet or random */
    uint32_t recorded_count;
    choice_backend *backend; /* if set, asked instead of the seed */
    void *opaque;
    bool open; /* digests are to be those of a world with a backend (choices_open) */

    /*
     * Told of each answer that is recorded, before anything comes of it: it is number `index` of
     * the record.  NULL: nobody.
     */
    void (*recorded_one)(void *recorder, uint32_t index, const struct choice_answer *answer);
    void *recorder;
};

struct choices;     /* lives in an arena */
struct choice_site; /* one place that asks */

/* `spec` must outlive the result. */
struct choices *choices_create(struct arena *arena, const struct choice_spec *spec);

/* The site of that name, made on first use.  Look up once, keep the pointer. */
struct choice_site *choices_site(struct choices *choices, const char *name);

/* True if every question will be answered 0: callers may skip work. */
bool choices_quiet(const struct choices *choices);

/*
 * True if a backend answers, or the spec says so: any answer may come, whatever was asked before,
 * and digests leave that out.
 */
bool choices_open(const struct choices *choices);

/* An answer in [0, bound); bound >= 1; with bound 1 nothing is asked. */
uint32_t choose(struct choices *choices, struct choice_site *site, uint32_t bound);

/* The same, for a choice among candidates for the next event. */
uint32_t choose_event(struct choices *choices, struct choice_site *site, uint32_t bound,
                      const struct candidates *candidates);

/* The answer that a seed would give, for backends that leave some questions to it. */
uint32_t choose_seeded(uint64_t seed, const struct question *question);

/*
 * Does something with that probability happen?  0 and a million are certain, and not
 * asked.  A question with two answers, 1 for yes.
 */
bool choose_chance(struct choices *choices, struct choice_site *site, uint32_t ppm);

/* The non-zero answers so far, oldest first; *count of them. */
const struct choice_answer *choices_record(const struct choices *choices, uint32_t *count);

/*
 * Adds how often each site was asked, on which the answers to come depend;
 * those of a backend don't.  Under a symmetry (digest.h) adds nothing.
 */
void choices_digest(const struct choices *choices, struct digest *digest);

/* Asserts that the cursors are inside their sites' pieces, and that the record holds no zero. */
void choices_check(const struct choices *choices);

#endif
