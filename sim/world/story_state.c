/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the story's future depends on, and what must hold of it.
 *
 * Declared in sim/world/story.h.
 */
#include <assert.h>

#include "sim/world/private.h"
#include "sim/world/story.h"

/* Matches beyond those that a wait asks for do not matter. */
static uint64_t matches_that_matter(const struct world *world, uint32_t step, uint64_t matches)
{
    if (step == world->plan->step_count || !story_waits_for_event(&world->plan->steps[step])) {
        return 0;
    }
    return min_u64(matches, max_u64(world->plan->steps[step].wait.nth, 1));
}

static void digest_run_matches(const struct world *world, struct digest *digest)
{
    for (uint32_t i = world->story.counting; i < world->plan->step_count; i++) {
        digest_u64(digest, matches_that_matter(world, i, world->story.run_matches[i]));
    }
}

/* Nothing, where nothing is drained. */
static void digest_drains(const struct world *world, struct digest *digest)
{
    for (uint32_t i = 0; i <= DRAIN_FILTER; i++) {
        if (world->story.drains[i] > 0) {
            digest_u64(digest, i);
            digest_u64(digest, world->story.drains[i]);
        }
    }
    if (world->story.drained_filter != NULL) {
        digest_u64(digest, world->story.drained_filter == world->layer.filter);
    }
}

void story_digest(const struct world *world, struct digest *digest)
{
    const struct story *story = &world->story;
    const struct plan *plan = world->plan;
    const struct reaction *reaction;

    digest_u64(digest, story->state);
    digest_u64(digest, story->step);
    digest_flags(digest, story->was_made);
    digest_u64(digest, story->done_bytes);
    digest_u64(digest, story->total_bytes);
    digest_u64(digest, matches_that_matter(world, story->counting, story->matches));
    timeline_digest_pending(&world->timeline, &story->next, digest);
    timeline_digest_pending(&world->timeline, &story->bound, digest);
    for (uint32_t i = 0; i < plan->react_count; i++) {
        digest_u64(digest, min_u64(story->reacts[i].matched, plan->reacts[i].nth));
        digest_u64(digest, plan->reacts[i].limit > 0 ? story->reacts[i].acted : 0);
    }
    if (story->run_matches != NULL) {
        digest_run_matches(world, digest);
    }
    digest_drains(world, digest);
    LIST_FOREACH (reaction, &story->reactions, link) {
        digest_u64(digest, reaction->react);
        timeline_digest_pending(&world->timeline, &reaction->pending, digest);
    }
    /* They were inserted first, so their place among simultaneous events is always the same. */
    for (uint32_t i = 0; i < plan->timed_count; i++) {
        const struct pending *pending = &story->timed[i].pending;

        if (pending_is_set(pending)) {
            digest_u64(digest, i);
            if (!world->plan->untimed || pending->kind != PENDING_LOOSE) {
                timeline_digest_due(&world->timeline, pending, digest);
            }
        }
    }
}

void story_check_state(const struct world *world)
{
    const struct story *story = &world->story;
    const struct reaction *reaction;
    bool is_running = story->state == STORY_ACTING || story->state == STORY_WAITING;

    assert(story->step <= world->plan->step_count && story->counting <= world->plan->step_count);
    assert(is_running == (story->step < world->plan->step_count) || story->state == STORY_STOPPED);
    assert(pending_is_set(&story->next) == (story->state == STORY_ACTING));
    assert(!pending_is_set(&story->bound) || story->state == STORY_WAITING);
    assert(story->state != STORY_OVER || world->evidence.story_over);
    for (uint32_t i = 0; i < world->plan->react_count; i++) {
        assert(story->reacts[i].acted <= story->reacts[i].matched);
    }
    LIST_FOREACH (reaction, &story->reactions, link) {
        assert(reaction->react < world->plan->react_count && pending_is_set(&reaction->pending));
    }
}
