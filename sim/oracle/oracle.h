/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracles: each proves one promise, in every run, without being asked.
 *
 * An oracle is a value of struct oracle in a file of its own.  Its state is
 * allocated in the world's arena by the runner, zeroed, and snapshots with
 * the world.  It looks at struct evidence only.
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
    enum by requests_by;                /* sees requests of this one only; BY_NONE: of both */
    oracle_event *on[EVENT_KIND_COUNT]; /* NULL: does not see events of that kind */

    /*
     * The kinds of events that matter in a run of that plan, a bit each; those without a function
     * above are of no account.  0: it has nothing to judge, and none of its functions is
     * called.  NULL: all kinds.
     */
    uint64_t (*kinds)(const struct plan *plan);

    /* Before anything happens.  May be NULL, like the next two. */
    void (*open)(void *state, struct evidence *evidence);

    /* A timeline event has been dealt with completely: the world is between events. */
    void (*settled)(void *state, struct evidence *evidence);

    /*
     * Adds what of the state can make a difference to later findings and is
     * not a function of the disks, the requests and the job: for telling states of
     * a world apart (world_digest).  May be NULL.
     */
    void (*digest)(const void *state, const struct evidence *evidence, struct digest *digest);

    /* The run is over; evidence->end says how. */
    void (*close)(void *state, struct evidence *evidence);
};

/* The kinds that matter to it, as above. */
static inline uint64_t oracle_kinds(const struct oracle *oracle, const struct plan *plan)
{
    return oracle->kinds == NULL ? UINT64_MAX : oracle->kinds(plan);
}

/* Does it see an event of that kind, by that one?  `kinds` are those that matter to it. */
static inline bool oracle_sees(const struct oracle *oracle, uint64_t kinds, enum event_kind kind,
                               enum by by)
{
    bool of_request = kind <= EVENT_RELEASED; /* event.h lists them first */

    return oracle->on[kind] != NULL && (kinds >> kind & 1) != 0 &&
           !(of_request && oracle->requests_by != BY_NONE && oracle->requests_by != by);
}

/* All of them, NULL-terminated, in the order in which they report. */
extern const struct oracle *const oracles[];

#endif
