/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots and digests of a world.
 *
 * Declared in sim/world/world.h, because they are what a world can be asked for.
 *
 * A snapshot is the arena's used bytes, the length of the trace, and the
 * findings so far.  A digest takes in meaning only: a pending event enters by
 * the time until it is due, not by its address.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "sim/disk/request.h"
#include "sim/world/private.h"
#include "sim/world/world.h"

struct snapshot_head {
    size_t arena_bytes;
    uint64_t trace_count;
    uint64_t trace_hash;
    uint32_t finding_count;
    uint32_t dropped;
    uint32_t checks;
};

static size_t findings_bytes(uint32_t count)
{
    return count * sizeof(struct finding);
}

size_t world_save_bytes(const struct world *world)
{
    return sizeof(struct snapshot_head) + findings_bytes(world->verdict->finding_count) +
           arena_used_bytes(world->arena);
}

void world_save(const struct world *world, void *memory)
{
    const struct verdict *verdict = world->verdict;
    struct snapshot_head head = {.arena_bytes = arena_used_bytes(world->arena),
                                 .trace_count = world->trace->count,
                                 .trace_hash = world->trace->hash,
                                 .finding_count = verdict->finding_count,
                                 .dropped = verdict->dropped,
                                 .checks = verdict->checks};
    char *at = memory;

    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    memcpy(at, verdict->findings, findings_bytes(head.finding_count));
    at += findings_bytes(head.finding_count);
    arena_save(world->arena, at);
}

void world_load(struct world *world, const void *memory)
{
    struct verdict *verdict = world->verdict;
    struct trace *trace = world->trace;
    struct snapshot_head head;
    const char *at = memory;

    memcpy(&head, at, sizeof(head));
    assert(head.trace_count <= trace->count);
    at += sizeof(head);
    verdict->outcome = OUTCOME_PASS;
    verdict->finding_count = head.finding_count;
    verdict->dropped = head.dropped;
    verdict->checks = head.checks;
    memcpy(verdict->findings, at, findings_bytes(head.finding_count));
    at += findings_bytes(head.finding_count);
    arena_load(world->arena, at, head.arena_bytes);
    trace_rewind(trace, head.trace_count, head.trace_hash);
}

/* ---- Digest ---- */

static void timers_digest(const struct world *world, struct digest *digest)
{
    const struct host_timer *timer;

    LIST_FOREACH (timer, &world->timers, link) {
        timeline_digest_pending(&world->timeline, &timer->pending, digest);
    }
}

static void digest_state(const struct world *world, struct digest *digest)
{
    for (uint32_t i = 0; i < world->layer.node_count; i++) {
        node_digest(&world->layer.nodes[i], digest);
    }
    digest_u64(digest, world->layer.guest_node);
    digest_flags(digest, world->job_concluded, world->job_cancelled);
    digest_i64(digest, world->job_ret);
    digest_u64(digest, world->evidence.end);
    requests_digest(&world->layer, digest);
    if (world->plan->generation == GENERATION_MODERN) {
        layer_digest_modern(&world->layer, digest);
        digest_u64(digest, world->job_starts);
    }
    timers_digest(world, digest);
    faults_digest(&world->layer, digest);
    story_digest(world, digest);
    generators_digest(world, digest);
    choices_digest(world->choices, digest);
    digest_u64(digest, world->job != NULL);
    if (world->job != NULL) {
        world->engine->digest(world->job, digest);
    }
}

uint64_t world_digest(const struct world *world)
{
    struct digest digest;

    digest_init(&digest);
    digest_state(world, &digest);
    return digest_value(&digest);
}

uint64_t world_digest_judged(const struct world *world)
{
    struct digest digest;

    digest_init(&digest);
    digest_state(world, &digest);
    audience_digest(world->audience, &world->evidence, &digest);
    return digest_value(&digest);
}

/* Bytes that the last job has done: what it says, for they only serve to compare others with. */
static uint64_t progress_of(const struct world *world)
{
    struct job_info info;

    return world_last_job(world, &info) ? info.offset : 0;
}

uint64_t world_digest_repeating(const struct world *world, uint64_t *words)
{
    struct digest_symmetry symmetry;
    struct digest digest;
    uint64_t value;

    digest_init_symmetric(&digest, &symmetry, progress_of(world));
    symmetry.no_timeouts = true;
    digest_state(world, &digest);
    value = digest_value(&digest);
    *words = symmetry.words;
    return value;
}

uint64_t world_digest_repeating_judged(const struct world *world)
{
    struct digest_symmetry symmetry;
    struct digest digest;

    digest_init_symmetric(&digest, &symmetry, progress_of(world));
    digest_state(world, &digest);
    audience_digest(world->audience, &world->evidence, &digest);
    return digest_value(&digest);
}
