/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world: one plan being run, deterministically.
 *
 *   world_create -> world_step ... (or world_run) -> world_judge -> world_destroy
 *
 * All state is in the world's arena: disks, requests, timeline, engine,
 * oracles.  world_save() and world_load() copy it; the trace and the verdict
 * are outside and rewound by world_load().
 */
#ifndef MIRRORSIM_SIM_WORLD_WORLD_H
#define MIRRORSIM_SIM_WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "sim/base/choice.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"
#include "sim/verdict/verdict.h"

struct world;

struct world_options {
    const struct engine *engine;
    struct choice_spec choices;
    bool no_oracles; /* only for measuring what oracles cost */

    /*
     * Called when one event of the timeline has emitted limits.events_at_once events: the engine
     * is in a loop that no step gets out of.  It must not return: the engine cannot be left
     * otherwise.  NULL: abort().
     */
    void (*step_limit)(uint64_t events);

    /* Called before an action is done: its number, as for plan_action().  NULL: nobody listens. */
    void (*acting)(void *opaque, uint32_t number);

    /* Called when an event has come into the trace, inside of whatever has caused it; or NULL. */
    void (*emitted)(void *opaque);
    void *opaque;
};

/*
 * A world at virtual time 0, nothing run yet.  `plan` and `trace` stay the
 * caller's and outlive the world; the trace must be kept (trace_init keep)
 * for expectations to be judged.  NULL if there is no memory.
 */
struct world *world_create(const struct plan *plan, const struct world_options *options,
                           struct trace *trace);
void world_destroy(struct world *world);

/*
 * world_destroy() and world_create() in one, in the same memory: cheaper, and
 * it cannot fail.  `world` and what was got from it are gone.  Without a world
 * yet (NULL) it is world_create(), which can.
 */
struct world *world_renew(struct world *world, const struct plan *plan,
                          const struct world_options *options, struct trace *trace);

/* Takes one timeline event.  False once the world has ended. */
bool world_step(struct world *world);

/* When the next timeline event is due; false if there is none. */
bool world_next_ns(const struct world *world, uint64_t *due_ns);

/* Steps until the end, or until virtual time would pass `until_ns` (UINT64_MAX: never). */
enum world_end world_run(struct world *world, uint64_t until_ns);

/*
 * Closes the oracles, judges expectations and vacuity, and returns the
 * verdict, which is the world's and lives until world_destroy().
 */
const struct verdict *world_judge(struct world *world);

/* Snapshots: `memory` holds at least world_save_bytes(). */
size_t world_save_bytes(const struct world *world);
void world_save(const struct world *world, void *memory);

/* Goes back to a snapshot of this same world; rewinds trace and verdict. */
void world_load(struct world *world, const void *memory);

/*
 * Digest of the state: equal for states with the same future, whatever numbers
 * their requests have, which buffers they use, and what time it is.
 */
uint64_t world_digest(const struct world *world);

/* The same, with what the oracles remember: such states also get the same verdicts. */
uint64_t world_digest_judged(const struct world *world);

/*
 * The same as the first two, under the symmetry of digest.h: equal for states whose futures are
 * the same but for counters of bytes done, names of the guest's content, and the answers to come.
 * The first leaves the bounds of waits out, too; *words is what it has cost.
 */
uint64_t world_digest_repeating(const struct world *world, uint64_t *words);
uint64_t world_digest_repeating_judged(const struct world *world);

/*
 * The events that could be the next, numbered as the answers to the question "order" are, and one
 * of them in words: "write #2 of dst is done".  Between two steps, or while the question is asked.
 */
uint32_t world_candidates(struct world *world);
void world_tell_candidate(struct world *world, uint32_t number, char *text, size_t size);

/* Where a run is, between two steps. */
struct world_place {
    uint64_t event; /* of the trace: the next */
    uint64_t now_ns;
    uint64_t sequence; /* events of the timeline that are added later have this number or more */
};

struct world_place world_place(const struct world *world);

/*
 * The world is again in the state, in that sense, in which it was at `from`.  True if that is a
 * livelock (sim/world/cycle.h): the next step then ends the run.
 */
bool world_closes_cycle(struct world *world, const struct world_place *from);

/*
 * Asserts the invariants of everything in the world, the engine's job included.  Between two steps
 * only; it costs what the world holds, so it runs when asked (run --twice, tests), not at each
 * step.
 */
void world_check(const struct world *world);

/* What can be asked at any instant. */
uint64_t world_now_ns(const struct world *world);
uint64_t world_events(const struct world *world); /* timeline events taken */
enum world_end world_ended(const struct world *world);
bool world_job(const struct world *world, struct job_info *info);      /* false: no job now */
bool world_last_job(const struct world *world, struct job_info *info); /* its last state */
uint32_t world_guest_disk(const struct world *world);
struct evidence *world_evidence(struct world *world);
const struct evidence *world_evidence_of(const struct world *world);
uint32_t world_fault_count(const struct world *world);
uint64_t world_fault_hits(const struct world *world, uint32_t fault);
const struct choice_answer *world_choices(const struct world *world, uint32_t *count);

struct request_info {
    uint32_t number;
    uint8_t disk;
    enum op op;
    enum by by;
    uint64_t offset;
    uint64_t bytes;
    uint64_t submitted_ns;
    const char *state; /* "queued", "at the filter", "waiting", "served", "held", "hung" */
};

/*
 * Requests that are not finished, oldest first, and after them those of the guest that are above
 * the disks; returns how many there are.
 */
uint32_t world_requests(const struct world *world, struct request_info *info, uint32_t max);

#endif
