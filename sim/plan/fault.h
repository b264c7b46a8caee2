/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults of a plan: which requests they hit, and what becomes of these.
 */
#ifndef MIRRORSIM_SIM_PLAN_FAULT_H
#define MIRRORSIM_SIM_PLAN_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/disk.h"
#include "sim/plan/match.h"

enum fault_kind {
    FAULT_ERROR,   /* fails with `error`; `applied` says what a write leaves behind */
    FAULT_HANG,    /* never completes, unless a release step names it */
    FAULT_DELAY,   /* takes longer */
    FAULT_LATENCY, /* takes exactly span_ns */
    FAULT_HOLD,    /* a breakpoint: stays until released */
    FAULT_LATENT,  /* a read of the match's range fails, until what it touches has been written */
    FAULT_FULL,    /* ENOSPC once `bytes` have been allocated on the disk */
    /* Silent kinds: the request succeeds ... */
    FAULT_LOST,      /* but no data has moved; a flush has made nothing durable */
    FAULT_TORN,      /* but some sectors have not moved */
    FAULT_CORRUPT,   /* but one sector has changed */
    FAULT_MISDIRECT, /* but the data moved to or from offset `bytes` of the disk */
    FAULT_STALE,     /* but a read returns what was there before the last write */
    FAULT_CLAIM,     /* a question is answered with `claim`, whatever is true */
};

/* What a lying answer says is there. */
enum fault_claim {
    CLAIM_DATA, /* allocated; of the whole disk: it is not known to read zero */
    CLAIM_ZERO, /* reads zero */
    CLAIM_HOLE, /* not allocated */
};

enum fault_applied {
    APPLIED_NOTHING,
    APPLIED_PREFIX, /* the first `bytes` */
    APPLIED_TORN,   /* some sectors, by choice */
    APPLIED_ALL,
    APPLIED_BY_CHOICE, /* nothing, the first half, or all */
};

/* What a flush that fails does to what it was to make durable. */
enum fault_drops {
    DROPS_NOTHING, /* still in the cache: the next flush can bring it */
    DROPS_NOW,     /* gone at once: readers see what is durable */
    DROPS_LATER,   /* gone with the next power cut, whatever is flushed until then */
};

enum hold_phase {
    HOLD_BEFORE_EFFECT,
    HOLD_BEFORE_COMPLETION, /* after its data has moved */
};

struct fault_spec {
    const char *name;
    struct where where;
    enum fault_kind kind;
    struct request_match match;
    uint64_t nth;             /* ordinal of the first matching request hit, from 1; 0 means 1 */
    uint64_t times;           /* how many in a row are hit; 0 = all from then on */
    bool armed;               /* armed from the start; else by a step (hold) or by a mark */
    uint32_t from_mark;       /* armed when this mark is set, or PLAN_NONE */
    int64_t shift_ns;         /* offset from the mark; if negative, never before the mark's step */
    uint32_t until_mark;      /* disarmed by this mark, or PLAN_NONE */
    uint64_t until_ns;        /* disarmed at this instant; 0 = never */
    uint64_t from_ns;         /* armed at this instant; 0 = at once */
    uint32_t probability_ppm; /* 0 = certain; otherwise a choice point per match */
    uint64_t hits;            /* no more than these are hit, whichever are chosen; 0 = no bound */
    int error;                /* negative errno */
    enum fault_applied applied;
    enum fault_drops drops;  /* ERROR, for flushes */
    enum fault_claim claim;  /* CLAIM */
    uint64_t bytes;          /* APPLIED_PREFIX, FULL; MISDIRECT: where to */
    uint64_t factor_percent; /* DELAY: 100 = unchanged; 0 = use span_ns alone */
    uint64_t span_ns;        /* DELAY: added; LATENCY: instead */
    enum hold_phase phase;
    bool optional;  /* if it never fires the run is not vacuous */
    bool exclusive; /* of these, the first that hits a request takes it: the others don't see it */
};

/*
 * Why such a fault can't do anything to an operation, as what follows "an operation that" in a
 * sentence; NULL if it can.
 */
const char *fault_why_not(const struct fault_spec *fault, enum op op);

#endif
