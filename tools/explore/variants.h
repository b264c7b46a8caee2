/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variants of a plan: what else could go wrong in it.
 *
 * The quiet run shows which requests and queries there are.  `singles` lets each of them fail in
 * turn, with every class of error and every extent to which a write can have been applied, once
 * and from then on (`transient`: only once).  `pairs` adds a second failure to each
 * first, among the requests soon after it.  `power-cuts` cuts the target's power at each instant at
 * which something happened, its cache being volatile.
 *
 * `chosen` leaves to each run's choices which request or query fails, once and of all those that
 * the run makes: a variant for each kind of failure finds what `transient` finds, and more, in one
 * search that shares what comes before the failure and what has forgotten it.
 *
 * A variant resumes a job that an error has stopped, and cancels one that has met many errors, so
 * that every variant can end.  Only the oracles judge it: the scenario's own expectations need
 * not hold.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_VARIANTS_H
#define MIRRORSIM_TOOLS_EXPLORE_VARIANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/plan/plan.h"
enum variant_faults {
    VARIANTS_NONE,      /* the plan itself */
    VARIANTS_CHOSEN,    /* one failure, wherever the run's choices put it */
    VARIANTS_TRANSIENT, /* singles that fail once only */
    VARIANTS_SINGLES,
    VARIANTS_PAIRS, /* singles, too */
    VARIANTS_POWER_CUTS,
};

struct variant {
    struct fault_spec faults[2]; /* names are constants */
    uint32_t fault_count;
    bool cuts_power; /* of the target, at this instant: */
    uint64_t cut_ns;
    enum power_cut keeps;
};

/* At most this number of requests of the quiet run fail in turn: the first ones. */
#define VARIANT_MAX_REQUESTS 1000

struct variant_list {
    struct variant *list; /* the first changes nothing */
    uint64_t count;
    bool cut; /* there were more requests */
};

/* What is run to see its requests. */
struct quiet_run {
    const struct plan *plan;
    const struct engine *engine;
    uint64_t cpu_limit_ms; /* processor time for it; 0 = no bound */
};

/* Makes the quiet run of a plan; the caller frees with variants_free(). */
struct variant_list variants_of(const struct quiet_run *run, enum variant_faults faults);
void variants_free(struct variant_list *variants);

/* Changes the plan, in its own arena. */
void variant_apply(const struct variant *variant, struct plan *plan);

/* "write 3 of dst fails once with EIO, half applied"; in `buf`. */
#define VARIANT_TEXT_BYTES 240
const char *variant_text(const struct variant *variant, const struct plan *plan,
                         char buf[VARIANT_TEXT_BYTES]);

/*
 * Failures, numbered, so that a search can report the share that it has tried: what fails and how,
 * under which policy of that side, and whether once or from then on.
 */
#define VARIANT_FAILURES 72

/* The number of a failure that the job can meet in the plan; false: of the guest's requests. */
bool variant_failure(const struct fault_spec *fault, const struct plan *plan, uint32_t *number);

/* "write fails once with EIO, half applied, policy stop"; in `buf`. */
const char *variant_failure_text(uint32_t number, char buf[VARIANT_TEXT_BYTES]);

#endif
