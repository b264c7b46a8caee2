/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict of a run: findings, and what the run did.
 *
 * A finding is one sentence: what was expected, what happened, when.  The first
 * finding of a kind is usually the cause and later ones repeat it, so only a
 * bounded number of each oracle's findings of a kind is kept.
 */
#ifndef MIRRORSIM_SIM_VERDICT_VERDICT_H
#define MIRRORSIM_SIM_VERDICT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/trace/evidence.h"
#include "sim/verdict/finding.h"

#define VERDICT_MAX_FINDINGS 16
#define VERDICT_MAX_PER_KIND 3
#define FINDING_TEXT_BYTES 400

struct finding {
    enum finding_id id;
    char text[FINDING_TEXT_BYTES]; /* a sentence, with its full stop */
    uint64_t now_ns;
    uint64_t event_number;
    bool has_sector;
    uint32_t disk;
    uint64_t sector;
    bool is_cycle; /* the run goes round for ever: all is as it was before this event */
    uint64_t cycle_from;
    struct where where; /* the place in the scenario that it is about, if any */
};

enum outcome {
    OUTCOME_PASS,
    OUTCOME_FAIL,
    OUTCOME_XFAIL,   /* failed as an xfail predicts */
    OUTCOME_XPASS,   /* passed although an xfail predicts a failure: counts as a failure */
    OUTCOME_INVALID, /* could not be run: the engine made a call the harness does not support */
};

struct verdict {
    enum outcome outcome;
    uint32_t finding_count;
    uint32_t dropped; /* findings not kept */
    struct finding findings[VERDICT_MAX_FINDINGS];
    uint32_t checks; /* comparisons that could have failed; 0 makes a run vacuous */

    /* What happened, for summaries. */
    uint64_t virtual_ns;
    uint64_t events; /* of the timeline */
    uint64_t trace_events;
    uint64_t trace_hash;
    bool concluded;
    bool cancelled;
    int ret;
};

void verdict_init(struct verdict *verdict);

/*
 * Reports a finding at evidence->now_ns.  The number kept is bounded; the text
 * is cut at FINDING_TEXT_BYTES.  Returns the finding, so that the caller can
 * fill in sector or where, or NULL if it was dropped.
 */
struct finding *verdict_add(struct evidence *evidence, enum finding_id id, const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

/* Notes that the finding is about this sector of a disk; `finding` may be NULL. */
void verdict_mark_sector(struct finding *finding, uint32_t disk, uint64_t sector);

/* Notes that something was compared, whatever the result. */
void verdict_checked(struct evidence *evidence);

/*
 * The plan's first xfail that covers a finding of `oracle` on `engine`, or NULL.
 * With ORACLE_NONE: the first that covers findings of a single run.
 */
const struct xfail_spec *verdict_xfail(const struct plan *plan, const char *engine,
                                       enum finding_oracle oracle);

/*
 * Sets the outcome from findings, vacuity and xfails.  `engine` is the engine's
 * name.
 */
void verdict_conclude(struct evidence *evidence, const char *engine);

const char *outcome_name(enum outcome outcome);

/* True for outcomes that make the program exit with 1. */
bool outcome_is_bad(enum outcome outcome);

#endif
