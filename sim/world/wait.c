/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What steps wait for that is no single event: requests of the guest by name, and progress.
 *
 * Declared in sim/world/story.h: it is a part of the story.
 */
#include "sim/world/story.h"

#include <string.h>

#include "sim/world/private.h"

/* ---- The guest's requests of a name ---- */

static bool has_tag(const struct world *world, uint32_t plan_number, const char *tag)
{
    const char *own = plan_number == 0 ? NULL : plan_guest_origin(world->plan, plan_number - 1).tag;

    return own != NULL && strcmp(own, tag) == 0;
}

/* Has the guest made such a request? */
static bool was_made(const struct world *world, const char *tag)
{
    const struct writers *writers = &world->layer.writers;

    for (uint32_t i = 0; i < writers->count; i++) {
        if (has_tag(world, writers->list[i].plan_number, tag)) {
            return true;
        }
    }
    return false;
}

static bool is_open(const struct world *world, const char *tag)
{
    const struct request *request;
    const struct interposed *interposed;

    TAILQ_FOREACH (request, &world->layer.requests, link) {
        if (request->by == BY_GUEST && has_tag(world, request->plan_number, tag)) {
            return true;
        }
    }
    TAILQ_FOREACH (interposed, &world->layer.guest_list, link) {
        if (has_tag(world, interposed->plan_number, tag)) {
            return true;
        }
    }
    return false;
}

/* A generator makes more until it has ended. */
static bool is_generating(const struct world *world, const char *tag)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        if (strcmp(world->plan->generators[i].name, tag) == 0) {
            return !generator_is_over(world, i);
        }
    }
    return false;
}

bool wait_guest_is_over(const struct world *world, const char *tag)
{
    return world->story.was_made && !is_open(world, tag) && !is_generating(world, tag);
}

/* ---- Progress ---- */

/* `ppm` of `bytes`, rounded up: no job is said to be further than it is. */
static uint64_t share_of(uint64_t bytes, uint64_t ppm)
{
    return bytes / 1000000 * ppm + (bytes % 1000000 * ppm + 999999) / 1000000;
}

bool wait_progress_is_reached(const struct world *world, const struct wait_spec *wait)
{
    const struct story *story = &world->story;

    if (wait->progress_ppm > 0) {
        return story->total_bytes > 0 &&
               story->done_bytes >= share_of(story->total_bytes, wait->progress_ppm);
    }
    return story->done_bytes >= wait->progress_bytes;
}

/* ---- The story ---- */

uint64_t wait_kinds(const struct wait_spec *wait)
{
    return wait->kind == WAIT_PROGRESS ? EVENT_BIT(JOB_PROGRESS) | EVENT_BIT(JOB_STARTED) : 0;
}

void wait_begin(struct world *world, const struct wait_spec *wait)
{
    world->story.was_made = wait->kind == WAIT_GUEST_TAG && was_made(world, wait->tag);
}

void wait_observe(struct world *world, const struct wait_spec *wait, const struct event *event)
{
    struct story *story = &world->story;

    if (event->kind == EVENT_JOB_PROGRESS) {
        story->done_bytes = event->offset;
        story->total_bytes = event->bytes;
    } else if (event->kind == EVENT_JOB_STARTED) {
        story->done_bytes = story->total_bytes = 0;
    } else if (wait != NULL && wait->kind == WAIT_GUEST_TAG && event->by == BY_GUEST) {
        story->was_made = story->was_made || has_tag(world, event->index, wait->tag);
    }
}
