/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Depth-first search with an explicit stack of snapshots.
 *
 * A frame holds the snapshot of its node and the answers of the child that is
 * being visited.  They are an odometer: the next child is found by raising the last
 * answer that can still be raised and forgetting those after it, for what is
 * asked after an answer depends on it.
 */
#include "tools/explore/search_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/digest.h"
#include "tools/base/support.h"
#include "tools/run/runner.h"

/* Transitions between two polls of `stop`. */
#define STOP_INTERVAL 1024

/* The same if each transition is a run from the start. */
#define STOP_INTERVAL_AGAIN 16

struct search *search_create(uint64_t visited_bytes)
{
    struct search *search = must_alloc(sizeof(*search));

    visited_init(&search->visited, visited_bytes);
    return search;
}

void search_destroy(struct search *search)
{
    for (uint32_t i = 0; i < search->capacity; i++) {
        free(search->frames[i].snapshot);
        free(search->frames[i].questions);
    }
    free(search->frames);
    free(search->fresh);
    visited_free(&search->visited);
    free(search);
}

const struct world *search_world(const struct search *search)
{
    return search->world;
}

/* Is it one of the words that ", " separates? */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at != NULL; at = strstr(at, ", ")) {
        at += at > list ? 2 : 0;
        if (strncmp(at, word, length) == 0 && (at[length] == '\0' || at[length] == ',')) {
            return true;
        }
    }
    return false;
}

void search_add_word(char list[SEARCH_UNVARIED_BYTES], const char *word)
{
    size_t length = strlen(list);
    size_t more = strlen(word) + 2;

    if (!has_word(list, word) && length + more < SEARCH_UNVARIED_BYTES) {
        snprintf(list + length, SEARCH_UNVARIED_BYTES - length, "%s%s", length > 0 ? ", " : "",
                 word);
    }
}

/* ---- Answers ---- */

static uint32_t answer_of(const struct turn *turn)
{
    if (turn->tried == 0) {
        return turn->first;
    }
    return turn->tried <= turn->first ? turn->tried - 1 : turn->tried;
}

void search_add_turn(struct frame *frame, struct turn turn)
{
    if (frame->question_count == frame->question_capacity) {
        frame->questions =
            must_grow(frame->questions, frame->question_capacity, sizeof(*frame->questions));
        frame->question_capacity++;
    }
    frame->questions[frame->question_count++] = turn;
}

/* Children of the frame that are known of and have not been begun. */
static uint64_t children_left(const struct frame *frame)
{
    uint64_t left = 0;

    for (uint32_t i = 0; i < frame->question_count; i++) {
        left += frame->questions[i].bound - 1 - frame->questions[i].tried;
    }
    return left;
}

/* May a question with that many answers be varied?  Once one was not, no new one is. */
static bool has_room(const struct search *search, struct frame *frame, uint32_t bound)
{
    if (search->asked < frame->question_count) {
        return true;
    }
    frame->full =
        frame->full || frame->children + children_left(frame) + bound - 1 > SEARCH_MAX_CHILDREN;
    return !frame->full;
}

/* The choice backend: what the odometer says, and the first for what was not asked before. */
static uint32_t answer(void *opaque, const struct question *question)
{
    struct search *search = opaque;
    struct frame *frame = search->current;
    uint32_t bound = question->bound;

    if (frame == NULL || bound > SEARCH_MAX_ANSWERS || !has_room(search, frame, bound)) {
        search_add_word(search->figures->unvaried, question->site);
        return 0;
    }
    if (search->asked == frame->question_count) {
        uint32_t first = frame->reduces && search->asked == 0 ? frame->independent.place : 0;

        search_add_turn(frame, (struct turn){.bound = bound, .first = first});
    }
    if (frame->questions[search->asked].bound != bound) {
        assert(search->restoring);
        search->misfit = true;
        return 0;
    }
    return answer_of(&frame->questions[search->asked++]);
}

/* Moves to the next child; false if there is none left. */
static bool next_child(struct frame *frame)
{
    while (frame->question_count > 0) {
        struct turn *last = &frame->questions[frame->question_count - 1];

        if (!last->only && last->tried + 1 < last->bound) {
            last->tried++;
            return true;
        }
        frame->question_count--;
    }
    return false;
}

/* ---- Nodes ---- */

static void save(struct search *search, struct frame *frame, const struct world *world)
{
    size_t bytes = world_save_bytes(world);

    if (bytes > frame->snapshot_capacity) {
        search->stack_bytes += bytes - frame->snapshot_capacity;
        free(frame->snapshot);
        frame->snapshot = must_alloc(bytes);
        frame->snapshot_capacity = bytes;
    }
    world_save(world, frame->snapshot);
}

uint64_t search_state(const struct path *path, uint64_t history)
{
    uint64_t digest = path->goes_on ? world_digest_repeating_judged(path->world)
                                    : world_digest_judged(path->world);

    return digest ^ history;
}

void search_push(struct search *search, const struct path *path, uint64_t history, uint64_t state)
{
    struct frame *frame;

    if (search->depth == search->capacity) {
        search->frames = must_grow(search->frames, search->capacity, sizeof(*search->frames));
        search->capacity++;
        search->frames[search->depth] = (struct frame){0};
    }
    frame = &search->frames[search->depth++];
    if (!path->runs_again) {
        save(search, frame, path->world);
    }
    frame->history = history;
    frame->state = state;
    frame->place = world_place(path->world);
    frame->question_count = 0;
    frame->entered = false;
    frame->full = false;
    frame->children = 0;
    frame->reduces = false;
    search->figures->states++;
    if (search->depth > search->figures->depth) {
        search->figures->depth = search->depth;
    }
}

/* Restores the world of the top frame: from its snapshot, or by replaying the answers that lead
 * there. */
static void go_back(struct search *search, struct path *path)
{
    if (!path->runs_again) {
        world_load(path->world, search->frames[search->depth - 1].snapshot);
        return;
    }
    search->current = NULL;
    path->world = runner_world(path->world, path->plan, path->world_options, path->trace);
    search->world = path->world;
    for (uint32_t i = 0; i + 1 < search->depth; i++) {
        search->current = &search->frames[i];
        search->asked = 0;
        world_step(path->world);
    }
}

/* Kinds of events that an expectation of the plan looks at. */
static uint64_t expected_kinds(const struct plan *plan)
{
    uint64_t kinds = 0;

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        const struct expect_spec *expect = &plan->expects[i];

        for (uint32_t j = 0; j < expect->match_count; j++) {
            kinds |= expect->matches[j].kinds == 0 ? UINT64_MAX : expect->matches[j].kinds;
        }
        if (expect->kind == EXPECT_EVENTS) {
            kinds |= JOB_REPORTS;
        }
    }
    return kinds;
}

/* Adds the events from `from` on, without their times and request numbers, to the history. */
static uint64_t extend_history(uint64_t history, const struct trace *trace, uint64_t from,
                               uint64_t kinds)
{
    for (uint64_t i = from; i < trace->count; i++) {
        const struct event *event = &trace->events[i];
        struct digest digest;

        if (!(kinds >> event->kind & 1)) {
            continue;
        }
        digest_init(&digest);
        digest_u64(&digest, history);
        digest_u64(&digest, (uint64_t)event->kind | (uint64_t)event->node << 8 |
                                (uint64_t)event->op << 16 | (uint64_t)event->by << 24 |
                                (uint64_t)event->detail << 32 | (uint64_t)event->detail2 << 40 |
                                (uint64_t)event->index << 48);
        digest_u64(&digest, (uint64_t)(int64_t)event->ret);
        digest_u64(&digest, event->offset);
        digest_u64(&digest, event->bytes);
        history = digest_value(&digest);
    }
    return history;
}

/* ---- The search ---- */

bool search_finding_counts(const struct finding *finding, const struct world *world,
                           bool oracles_only)
{
    struct job_info info;

    if (finding->id == FINDING_VACUOUS_NEVER_FIRED || finding->id == FINDING_VACUOUS_NEVER_BEGAN) {
        return false;
    }
    if (!oracles_only) {
        return true;
    }
    if (finding->id == FINDING_LIVENESS_DEADLOCK) {
        return world_job(world, &info);
    }
    return finding->id != FINDING_LIVENESS_NEVER_TOLD &&
           !finding_is(finding->id, FINDING_OF_SCENARIO);
}

static bool has_finding(const struct world *world, const struct verdict *verdict, bool oracles_only)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (search_finding_counts(&verdict->findings[i], world, oracles_only)) {
            return true;
        }
    }
    return false;
}

/* The path has ended; false: the caller wants no more. */
static bool judge(struct search *search, const struct path *path)
{
    const struct verdict *verdict = world_judge(path->world);
    const struct choice_answer *choices;
    uint32_t count;

    search->figures->ends++;
    if (path->options->ended != NULL) {
        path->options->ended(path->options->opaque, path->world);
    }
    if (!outcome_is_bad(verdict->outcome) ||
        !has_finding(path->world, verdict, path->options->oracles_only)) {
        return true;
    }
    choices = world_choices(path->world, &count);
    return path->options->found(path->options->opaque, verdict, choices, count);
}

/* The first child of a frame has been visited: does it stand for the others? */
static void reduce(struct search *search, const struct path *path, struct frame *frame)
{
    if (independent_held(path->world, &frame->independent)) {
        frame->questions[0].only = true;
        search->figures->reduced += frame->questions[0].bound - 1;
    }
}

bool search_step(struct search *search, const struct path *path, uint64_t *history)
{
    struct frame *frame = search->current;
    uint64_t before = path->trace->count;
    bool fresh = !frame->entered;
    bool goes_on;

    frame->entered = true;
    frame->children++;
    frame->reduces =
        frame->reduces || (fresh && path->reduces &&
                           independent_find(path->world, &path->independent, &frame->independent));
    search->asked = 0;
    search->figures->transitions++;
    if (path->options->stepping != NULL) {
        path->options->stepping(path->options->opaque, path->world);
    }
    goes_on =
        world_step(path->world) && !has_finding(path->world, world_evidence(path->world)->verdict,
                                                path->options->oracles_only);
    if (fresh && frame->reduces) {
        reduce(search, path, frame);
    }
    *history = extend_history(frame->history, path->trace, before, path->kinds);
    return goes_on;
}

/*
 * The path has come to a known state.  If that is on the path, it has gone round, and may be in a
 * livelock: then the next step ends it.
 */
static bool is_livelock(struct search *search, const struct path *path, uint64_t state)
{
    for (uint32_t i = search->depth; i > 0 && !search->is_livelock; i--) {
        const struct frame *frame = &search->frames[i - 1];

        if (frame->state == state) {
            search->is_livelock = world_closes_cycle(path->world, &frame->place);
            return search->is_livelock && !world_step(path->world);
        }
    }
    return false;
}

/* Is the state one that has not been visited?  Then it is from now on. */
static bool is_new(struct search *search, const struct path *path, uint64_t digest)
{
    if (!visited_add(&search->visited, digest)) {
        return false;
    }
    if (path->options->keeps_states && !search->visited.full) {
        if (search->fresh_count == search->fresh_capacity) {
            search->fresh =
                must_grow(search->fresh, search->fresh_capacity, sizeof(*search->fresh));
            search->fresh_capacity = search->fresh_capacity > 0 ? 2 * search->fresh_capacity : 1;
        }
        search->fresh[search->fresh_count++] = digest;
    }
    return true;
}

/* Takes the child that the frame's answers lead to; false: stop. */
static bool visit(struct search *search, const struct path *path)
{
    bool merges = !path->options->no_merging && !path->runs_again;
    uint64_t history;
    uint64_t state;

    if (!search_step(search, path, &history)) {
        return judge(search, path);
    }
    state = merges ? search_state(path, history) : 0;
    if (merges && !is_new(search, path, state)) {
        search->figures->merged++;
        return !is_livelock(search, path, state) || judge(search, path);
    }
    if (search->depth == SEARCH_MAX_DEPTH || search->stack_bytes > SEARCH_MAX_STACK_BYTES) {
        search->figures->too_deep = true;
        return true;
    }
    search_push(search, path, history, state);
    return true;
}

static bool walk(struct search *search, struct path *path)
{
    uint64_t interval = path->runs_again ? STOP_INTERVAL_AGAIN : STOP_INTERVAL;

    while (search->depth > 0) {
        struct frame *frame = &search->frames[search->depth - 1];

        if (frame->entered && !next_child(frame)) {
            search->depth--;
            continue;
        }
        if (frame->entered) {
            go_back(search, path);
        }
        search->current = frame;
        if (!visit(search, path)) {
            return false;
        }
        if (search->figures->transitions % interval == 0 && path->options->stop != NULL &&
            path->options->stop(path->options->opaque, search->figures)) {
            return false;
        }
    }
    return true;
}

/* May the guest go on for ever?  Then no state would be known again by an exact digest. */
static bool goes_on(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        if (plan->generators[i].count == 0 && plan->generators[i].bytes == 0) {
            return true;
        }
    }
    return false;
}

bool search_run(struct search *search, const struct plan *plan,
                const struct search_options *options, struct search_figures *figures)
{
    struct world_options world_options = runner_options(plan, options->engine, 0);
    struct trace trace;
    struct path path = {.plan = plan,
                        .options = options,
                        .world_options = &world_options,
                        .trace = &trace,
                        .kinds = expected_kinds(plan),
                        .goes_on = options->symmetric || goes_on(plan),
                        .runs_again = options->engine->foreign};
    bool complete;

    world_options.choices.backend = answer;
    world_options.choices.opaque = search;
    world_options.choices.recorded_one = options->recorded_one;
    world_options.choices.recorder = options->recorder;
    trace_init(&trace, true);
    visited_clear(&search->visited);
    search->figures = figures;
    search->depth = 0;
    search->current = NULL;
    search->is_livelock = false;
    search->fresh_count = 0;
    search->misfit = false;
    path.world = runner_world(NULL, plan, &world_options, &trace);
    search->world = path.world;
    search->root = world_digest_judged(path.world);
    path.reduces = !options->no_reduction;
    path.independent = independent_possible(path.world);
    search_push(search, &path, 0, search_state(&path, 0));
    if (options->saved != NULL && !search_restore(search, &path, options->saved)) {
        die("the checkpoint is damaged: what it says of a search does not fit the scenario");
    }
    complete = walk(search, &path);
    figures->full = figures->full || search->visited.full;
    search->world = NULL;
    world_destroy(path.world);
    trace_free(&trace);
    return complete;
}
