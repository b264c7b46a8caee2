/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The audience: the oracles of a world, and who of them sees what.
 *
 * Everything that happens is shown to the oracles, hundreds of times in a small
 * run.  So who sees an event is found out when they are opened: for each kind
 * of event, and for a request for each issuer, there is a list of the functions
 * to be called.
 *
 * The audience never changes once it is opened: it lies outside the world's
 * arena, where no snapshot copies it.  What an oracle remembers is in the arena.
 */
#ifndef MIRRORSIM_SIM_WORLD_AUDIENCE_H
#define MIRRORSIM_SIM_WORLD_AUDIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "sim/oracle/oracle.h"

#define AUDIENCE_MAX_ORACLES 32
#define AUDIENCE_MAX_VIEWERS 512

/* One oracle's function for an event; a list ends with one without a function. */
struct viewer {
    oracle_event *see;
    void *state;
};

struct audience {
    struct member {
        const struct oracle *oracle;
        void *state;
        uint64_t kinds;              /* of events that matter to it */
    } members[AUDIENCE_MAX_ORACLES]; /* in the order in which they report */
    uint32_t member_count;

    uint16_t first[EVENT_KIND_COUNT][BY_COUNT]; /* of the list of those who see such an event */
    struct viewer viewers[AUDIENCE_MAX_VIEWERS];
    uint32_t viewer_count;
    uint32_t settled_by; /* a bit for each member that is called between events */
};

/* Nobody sees anything. */
void audience_init(struct audience *audience);

/*
 * Opens all oracles that have something to judge in the evidence's plan; what they
 * remember is allocated in its arena.  Those that were open before are gone.
 */
void audience_open(struct audience *audience, struct evidence *evidence);

/* An event has happened; it is not in the trace yet. */
static inline void audience_show(const struct audience *audience, struct evidence *evidence,
                                 const struct event *event)
{
    const struct viewer *viewer = &audience->viewers[audience->first[event->kind][event->by]];

    for (; viewer->see != NULL; viewer++) {
        viewer->see(viewer->state, evidence, event);
    }
}

/* The world is between two timeline events. */
static inline void audience_settled(const struct audience *audience, struct evidence *evidence)
{
    for (uint32_t wanted = audience->settled_by; wanted != 0; wanted &= wanted - 1) {
        uint32_t number = (uint32_t)__builtin_ctz(wanted);

        audience->members[number].oracle->settled(audience->members[number].state, evidence);
    }
}

/* Does an oracle object if the run does for ever what it has done since that event? */
bool audience_repeats(const struct audience *audience, const struct evidence *evidence,
                      uint64_t from_event);

/* The run is over. */
void audience_close(const struct audience *audience, struct evidence *evidence);

/* Adds what the oracles remember. */
void audience_digest(const struct audience *audience, const struct evidence *evidence,
                     struct digest *digest);

/* Asserts the invariants of what they remember, between two timeline events. */
void audience_check(const struct audience *audience);

#endif
