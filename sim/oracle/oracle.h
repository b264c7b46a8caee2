/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracles: each checks one promise, in every run, without being asked to.
 *
 * An oracle is a value of struct oracle in a file of its own.  Its state is
 * allocated in the world's arena by the runner, zeroed, and snapshots with
 * the world.  It may read struct evidence and nothing else.
 */
#ifndef MIRRORSIM_SIM_ORACLE_ORACLE_H
#define MIRRORSIM_SIM_ORACLE_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/trace/evidence.h"
#include "sim/verdict/finding.h"

/* An event has happened; it is not in the trace yet. */
typedef void oracle_event(void *state, struct evidence *evidence, const struct event *event);

struct oracle {
    enum finding_oracle id;
    const char *proves; /* one sentence */
    size_t state_bytes;
    enum by requests_by; /* sees only requests of this issuer; the job's: active ones, too;
                            BY_NONE: of all */
    oracle_event *on[EVENT_KIND_COUNT]; /* NULL: events of that kind are ignored */

    /*
     * The kinds of events that matter in a run of that plan, one bit each; kinds without a
     * handler above are ignored.  0: there is nothing to judge, and none of the oracle's
     * functions is called.  NULL: all kinds.
     */
    uint64_t (*kinds)(const struct plan *plan);

    /* Called before the first event. May be NULL, like the next two. */
    void (*open)(void *state, struct evidence *evidence);

    /* Called between timeline events: the last one has been handled completely. */
    void (*settled)(void *state, struct evidence *evidence);

    /*
     * The run has come back to the state in which it was before event `from` of the trace, and so
     * will it for ever (sim/world/cycle.h).  True: that must not be; the run then ends with
     * END_LIVELOCK, and close() says why.  NULL: it is no concern of this oracle.
     */
    bool (*repeats)(const void *state, const struct evidence *evidence, uint64_t from);

    /*
     * Adds the part of the state that can affect later findings and does not
     * follow from the disks, the requests and the job.  world_digest() uses it to
     * tell states of a world apart.  May be NULL.
     */
    void (*digest)(const void *state, const struct evidence *evidence, struct digest *digest);

    /* Asserts the invariants of the state between two timeline events.  May be NULL. */
    void (*check)(const void *state);

    /* Called when the run is over; evidence->end says how it ended. */
    void (*close)(void *state, struct evidence *evidence);
};

/* The kinds that matter to the oracle, as `kinds` defines them. */
static inline uint64_t oracle_kinds(const struct oracle *oracle, const struct plan *plan)
{
    return oracle->kinds == NULL ? UINT64_MAX : oracle->kinds(plan);
}

/* Events of that kind are about a request; `by` is who issued it. */
static inline bool kind_is_of_request(enum event_kind kind)
{
    /* event.h lists the kinds about requests first, those of today's generation last. */
    return kind <= EVENT_RELEASED || kind == EVENT_ARRIVE || kind == EVENT_ANSWERED;
}

/* Does the oracle see requests of that issuer?  Active ones are the job's. */
static inline bool oracle_sees_requests_by(const struct oracle *oracle, enum by by)
{
    return oracle->requests_by == BY_NONE || oracle->requests_by == (by == BY_ACTIVE ? BY_JOB : by);
}

/* Does the oracle see an event of that kind by that issuer? `kinds` are those that matter to it. */
static inline bool oracle_sees(const struct oracle *oracle, uint64_t kinds, enum event_kind kind,
                               enum by by)
{
    return oracle->on[kind] != NULL && (kinds >> kind & 1) != 0 &&
           (!kind_is_of_request(kind) || oracle_sees_requests_by(oracle, by));
}

/* All oracles, NULL-terminated, in the order in which they report. */
extern const struct oracle *const oracles[];

#endif
