/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What could happen next, in words: to whom a pending event belongs.
 *
 * Declared in sim/world/world.h: a question to a world.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "sim/disk/probe.h"
#include "sim/disk/request.h"
#include "sim/world/private.h"
#include "sim/world/world.h"

/* A piece of text that fits wherever these words go. */
struct words {
    char text[160];
};

/* Returns true, for the caller to return. */
static bool say(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool say(struct words *words, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(words->text, sizeof(words->text), format, args);
    va_end(args);
    return true;
}

static const char *disk_of(const struct world *world, const struct block_node *node)
{
    return node->id < world->plan->disk_count ? world->plan->disks[node->id].name : "a filter";
}

static bool tell_request(const struct world *world, const struct pending *pending,
                         struct words *words)
{
    const struct request *request;

    TAILQ_FOREACH (request, &world->layer.requests, link) {
        if (&request->pending == pending) {
            return say(words, "%s%s #%" PRIu32 " of %s %s", request->by == BY_GUEST ? "guest " : "",
                       op_name(request->op), request->number, disk_of(world, request->node),
                       request->moved              ? "is done"
                       : op_transfers(request->op) ? "moves its data"
                                                   : "takes effect");
        }
    }
    return false;
}

static bool tell_question(const struct world *world, const struct pending *pending,
                          struct words *words)
{
    const struct probe *probe;

    LIST_FOREACH (probe, &world->layer.probes, link) {
        if (&probe->pending == pending) {
            return say(words, "%s of %s is answered", op_name(probe->op),
                       disk_of(world, probe->node));
        }
    }
    return false;
}

static bool tell_timer(const struct world *world, const struct pending *pending,
                       struct words *words)
{
    const struct host_timer *timer;

    LIST_FOREACH (timer, &world->timers, link) {
        if (&timer->pending == pending) {
            return say(words, "the job's timer fires");
        }
    }
    return false;
}

static bool tell_story(const struct world *world, const struct pending *pending,
                       struct words *words)
{
    const struct story *story = &world->story;
    const struct reaction *reaction;

    if (pending == &story->next) {
        return say(words, "step %" PRIu32 " begins", story->step + 1);
    }
    if (pending == &story->bound) {
        return say(words, "the wait of step %" PRIu32 " reaches its bound", story->step + 1);
    }
    for (uint32_t i = 0; i < world->plan->timed_count; i++) {
        if (&story->timed[i].pending == pending) {
            return say(words, "the action of line %" PRIu32 " comes",
                       world->plan->timed[i].action.where.line);
        }
    }
    LIST_FOREACH (reaction, &story->reactions, link) {
        if (&reaction->pending == pending) {
            return say(words, "the reaction of line %" PRIu32 " acts",
                       world->plan->reacts[reaction->react].where.line);
        }
    }
    return false;
}

uint32_t world_candidates(struct world *world)
{
    uint32_t count;

    timeline_candidates(&world->timeline, &count);
    return count;
}

static bool tell(const struct world *world, const struct pending *pending, struct words *words)
{
    return tell_request(world, pending, words) || tell_question(world, pending, words) ||
           tell_timer(world, pending, words) || tell_story(world, pending, words) ||
           say(words, "a request of a generator comes");
}

void world_tell_candidate(struct world *world, uint32_t number, char *text, size_t size)
{
    uint32_t count;
    struct pending *const *candidates = timeline_candidates(&world->timeline, &count);
    struct words words = {""};

    if (number < count) {
        tell(world, candidates[number], &words);
    }
    snprintf(text, size, "%s", words.text);
}
