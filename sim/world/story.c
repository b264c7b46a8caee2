/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The story: steps and their waits, timed actions; reactions are in sim/world/react.c, the digest
 * in sim/world/story_state.c.
 *
 * story_observe() may run deep inside the engine, so it only inserts
 * timeline events; nothing acts from there.
 */
#include "sim/world/story.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "sim/disk/request.h"
#include "sim/trace/phrase.h"
#include "sim/world/action.h"
#include "sim/world/private.h"

/* The end of a job is always watched. */
#define JOB_ENDS (EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED))

/* After these the guest may be idle. */
#define GUEST_ENDS (EVENT_BIT(REQUEST_DONE) | EVENT_BIT(ANSWERED))

static const struct action *step_at(const struct world *world, uint32_t step)
{
    return &world->plan->steps[step];
}

static bool takes_time(const struct action *action)
{
    return action->kind == DO_WAIT || action->kind == DO_AT || action->kind == DO_SETTLE;
}

/* ---- What to watch ---- */

static uint64_t match_kinds(const struct event_match *match)
{
    return match->kinds == 0 ? UINT64_MAX : match->kinds;
}

/* Kinds of events after which the step may have ended. */
static uint64_t step_kinds(const struct action *action)
{
    if (action->kind == DO_SETTLE) {
        return GUEST_ENDS;
    }
    if (action->kind == DO_AT) {
        return 0;
    }
    switch (action->wait.kind) {
    case WAIT_EVENT:
        return match_kinds(&action->wait.match);
    case WAIT_HELD:
        return EVENT_BIT(HELD);
    case WAIT_GUEST_IDLE:
    case WAIT_GUEST_TAG:
        return GUEST_ENDS;
    case WAIT_PROGRESS:
        return wait_kinds(&action->wait);
    case WAIT_CONCLUDED:
    case WAIT_DURATION:
        break;
    }
    return 0;
}

/* A wait `since: start` counts from the first event on, wherever it stands in the story. */
static uint64_t run_kinds(const struct world *world, uint32_t step)
{
    uint64_t kinds = 0;

    if (world->story.run_matches == NULL) {
        return 0;
    }
    for (; step < world->plan->step_count; step++) {
        const struct action *action = step_at(world, step);

        if (story_waits_for_event(action) && action->wait.since_start) {
            kinds |= match_kinds(&action->wait.match);
        }
    }
    return kinds;
}

/* Counting begins for the next step that takes time. */
static void watch_from(struct world *world, uint32_t step)
{
    const struct plan *plan = world->plan;
    struct story *story = &world->story;

    while (step < plan->step_count && !takes_time(step_at(world, step))) {
        step++;
    }
    story->counting = step;
    story->matches = 0;
    story->watched = JOB_ENDS;
    if (step < plan->step_count) {
        story->watched |= step_kinds(step_at(world, step));
    }
    for (uint32_t i = 0; i < plan->react_count; i++) {
        story->watched |= match_kinds(&plan->reacts[i].when);
    }
    story->watched |= generators_watched(plan);
    story->watched |= run_kinds(world, step);
    for (; step < plan->step_count; step++) {
        story->watched |= wait_kinds(&step_at(world, step)->wait);
    }
}

/* ---- Steps ---- */

static void step_begin(void *opaque);

static bool is_whenever(const struct action *action)
{
    return action->kind == DO_AT && action->at_ns == AT_WHENEVER;
}

static void story_is_over(struct world *world)
{
    world->story.state = STORY_OVER;
    world->evidence.story_over = true;
    generators_stop(world);
}

static void step_end(struct world *world)
{
    struct story *story = &world->story;
    bool took_time = takes_time(step_at(world, story->step));

    if (pending_is_set(&story->bound)) {
        timeline_remove(&world->timeline, &story->bound);
    }
    story->step++;
    if (took_time) {
        watch_from(world, story->step);
    }
    story->state = STORY_ACTING;
    if (story->step == world->plan->step_count) {
        story_is_over(world);
    } else if (world->plan->untimed && is_whenever(step_at(world, story->step))) {
        step_begin(world);
    } else {
        timeline_add(&world->timeline, &story->next, 0, step_begin, world);
    }
}

/*
 * Untimed, a moment that may be any begins with the end of the step before, and what is done at it
 * is done in the same event: else a search would try the same orders several times.
 */
static void moment_came(struct world *world)
{
    struct story *story = &world->story;

    step_end(world);
    if (world->plan->untimed && pending_is_set(&story->next) &&
        !takes_time(step_at(world, story->step))) {
        timeline_remove(&world->timeline, &story->next);
        step_begin(world);
    }
}

/* What the step waited for has come, in time. */
static void step_satisfied(struct world *world)
{
    if (step_at(world, world->story.step)->wait.within_ns > 0) {
        verdict_checked(&world->evidence);
    }
    step_end(world);
}

static bool job_is_over(const struct world *world)
{
    return world->job_concluded || world->job == NULL;
}

/* Ends the generators without a bound, or `settle` would wait for ever. */
static void let_settle(struct world *world)
{
    const struct story *story = &world->story;

    if (story->state == STORY_WAITING && step_at(world, story->step)->kind == DO_SETTLE &&
        job_is_over(world)) {
        generators_stop(world);
    }
}

/* Does the state that the step waits for hold? */
static bool step_is_satisfied(const struct world *world)
{
    const struct story *story = &world->story;
    const struct action *action = step_at(world, story->step);
    const struct wait_spec *wait = &action->wait;
    uint64_t matches = wait->since_start ? story->run_matches[story->step] : story->matches;

    if (action->kind == DO_SETTLE) {
        return job_is_over(world) && layer_guest_idle(&world->layer) && generators_are_done(world);
    }
    if (action->kind == DO_AT) {
        return false;
    }
    switch (wait->kind) {
    case WAIT_EVENT:
        return matches >= max_u64(wait->nth, 1);
    case WAIT_CONCLUDED:
        return world->job_concluded;
    case WAIT_HELD:
        return requests_held_by(&world->layer, wait->index);
    case WAIT_GUEST_IDLE:
        return layer_guest_idle(&world->layer);
    case WAIT_GUEST_TAG:
        return wait_guest_is_over(world, wait->tag);
    case WAIT_PROGRESS:
        return wait_progress_is_reached(world, wait);
    case WAIT_DURATION:
        break;
    }
    return false;
}

static struct phrase phrase_wait(const struct world *world, const struct action *action)
{
    const struct wait_spec *wait = &action->wait;
    struct phrase phrase;

    if (action->kind == DO_WAIT && wait->kind == WAIT_EVENT) {
        return phrase_match(&world->evidence, &wait->match);
    }
    if (action->kind == DO_WAIT && wait->kind == WAIT_HELD) {
        snprintf(phrase.text, sizeof(phrase.text), "a request in hold %s",
                 world->plan->faults[wait->index].name);
    } else if (action->kind == DO_WAIT && wait->kind == WAIT_GUEST_IDLE) {
        snprintf(phrase.text, sizeof(phrase.text), "the guest to be idle");
    } else if (action->kind == DO_WAIT && wait->kind == WAIT_GUEST_TAG) {
        snprintf(phrase.text, sizeof(phrase.text), "the guest's %.64s to be over", wait->tag);
    } else if (action->kind == DO_WAIT && wait->kind == WAIT_PROGRESS) {
        snprintf(phrase.text, sizeof(phrase.text), "progress of the job");
    } else {
        snprintf(phrase.text, sizeof(phrase.text), "the job to conclude%s",
                 action->kind == DO_SETTLE ? " and the guest to be idle" : "");
    }
    return phrase;
}

/* It waits for an instant only. */
static bool is_pause(const struct action *action)
{
    return action->kind == DO_AT || (action->kind == DO_WAIT && action->wait.kind == WAIT_DURATION);
}

/* The time of the step is up: a pause ends, any other wait has failed. */
static void bound_reached(void *opaque)
{
    struct world *world = opaque;
    struct story *story = &world->story;
    const struct action *action = step_at(world, story->step);
    uint64_t within_ns = action->wait.within_ns;
    struct job_info info;
    bool has_info;

    if (is_whenever(action)) {
        moment_came(world);
        return;
    }
    if (is_pause(action)) {
        step_end(world);
        return;
    }
    story->state = STORY_STOPPED;
    world->evidence.story_stopped = true;
    world_end_soon(world);
    generators_stop(world);
    has_info = world_last_job(world, &info);
    action_fail(
        world, story->step, action->where, FINDING_EXPECT_WAIT_TIMEOUT,
        "Step %" PRIu32 " waited for %s from %s on; within %s it did not come: %s.",
        story->step + 1, phrase_wait(world, action).text,
        quantity_time(world->timeline.now_ns - within_ns).text, quantity_time(within_ns).text,
        phrase_job(&world->evidence, has_info ? &info : NULL, world_job(world, &info)).text);
}

static uint64_t delay_until(const struct world *world, uint64_t at_ns)
{
    uint64_t now_ns = world->timeline.now_ns;

    return at_ns != AT_WHENEVER && at_ns > now_ns ? at_ns - now_ns : 0;
}

static enum pending_kind kind_of_instant(uint64_t at_ns)
{
    return at_ns == AT_WHENEVER ? PENDING_LOOSE : PENDING_TIMED;
}

/* 0: the step has no bound. */
static uint64_t bound_delay_ns(const struct world *world, const struct action *action)
{
    if (action->kind == DO_AT) {
        return delay_until(world, action->at_ns);
    }
    return action->wait.within_ns;
}

static enum pending_kind kind_of_pause(const struct action *action)
{
    return is_whenever(action) ? PENDING_LOOSE : PENDING_TIMED;
}

static bool has_bound(const struct action *action)
{
    return is_pause(action) || action->wait.within_ns > 0;
}

static void step_wait(struct world *world, const struct action *action)
{
    struct story *story = &world->story;

    story->state = STORY_WAITING;
    wait_begin(world, &action->wait);
    let_settle(world);
    if (step_is_satisfied(world)) {
        step_satisfied(world);
    } else if (has_bound(action)) {
        story->bound.kind = is_pause(action) ? kind_of_pause(action) : PENDING_TIMEOUT;
        timeline_add(&world->timeline, &story->bound, bound_delay_ns(world, action), bound_reached,
                     world);
    }
}

static void step_begin(void *opaque)
{
    struct world *world = opaque;
    struct story *story = &world->story;
    const struct action *action = step_at(world, story->step);

    world->evidence.steps_run++;
    world_emit(world, &(struct event){.kind = EVENT_STEP, .index = (uint16_t)story->step});
    if (takes_time(action)) {
        step_wait(world, action);
    } else {
        action_run(world, story->step);
        step_end(world);
    }
}

/* ---- Timed actions ---- */

static void timed_fire(void *opaque)
{
    const struct timed *timed = opaque;
    struct world *world = timed->world;

    action_run(world, world->plan->step_count + timed->index);
}

/* ---- The whole ---- */

static void count_run_matches(struct world *world, const struct event *event)
{
    for (uint32_t i = world->story.counting; i < world->plan->step_count; i++) {
        const struct action *action = step_at(world, i);

        if (story_waits_for_event(action) && action->wait.since_start &&
            event_matches(&action->wait.match, event)) {
            world->story.run_matches[i]++;
        }
    }
}

void story_observe(struct world *world, const struct event *event)
{
    struct story *story = &world->story;

    if (JOB_ENDS >> event->kind & 1) {
        action_job_ended(world, event);
    }
    if (story->run_matches != NULL) {
        count_run_matches(world, event);
    }
    if (story->counting < world->plan->step_count) {
        const struct action *action = step_at(world, story->counting);

        story->matches +=
            story_waits_for_event(action) && event_matches(&action->wait.match, event);
    }
    wait_observe(world, story->state == STORY_WAITING ? &step_at(world, story->step)->wait : NULL,
                 event);
    let_settle(world);
    story_guest_changed(world);
    for (uint32_t i = 0; i < world->plan->react_count; i++) {
        react_observe(world, i, event);
    }
    generators_observe(world, event);
}

void story_guest_changed(struct world *world)
{
    if (world->story.state == STORY_WAITING && step_is_satisfied(world)) {
        step_satisfied(world);
    }
}

static bool needs_run_matches(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (story_waits_for_event(&plan->steps[i]) && plan->steps[i].wait.since_start) {
            return true;
        }
    }
    return false;
}

static void insert_timed(struct world *world, uint32_t index)
{
    struct timed *timed = &world->story.timed[index];
    uint64_t at_ns = world->plan->timed[index].at_ns;

    timed->world = world;
    timed->index = index;
    timed->pending.kind = kind_of_instant(at_ns);
    timeline_add(&world->timeline, &timed->pending, delay_until(world, at_ns), timed_fire, timed);
}

void story_create(struct world *world)
{
    const struct plan *plan = world->plan;
    struct story *story = &world->story;

    LIST_INIT(&story->reactions);
    story->reacts = arena_alloc(world->arena, plan->react_count * sizeof(*story->reacts));
    story->timed = arena_alloc(world->arena, plan->timed_count * sizeof(*story->timed));
    if (needs_run_matches(plan)) {
        story->run_matches =
            arena_alloc(world->arena, plan->step_count * sizeof(*story->run_matches));
    }
    watch_from(world, 0);
    if (plan->step_count > 0) {
        timeline_add(&world->timeline, &story->next, 0, step_begin, world);
    } else {
        story->state = STORY_OVER;
        world->evidence.story_over = true;
    }
    for (uint32_t i = 0; i < plan->timed_count; i++) {
        insert_timed(world, i);
    }
}
