/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world: making one, stepping it to its end, showing it to the oracles.
 */
#include "sim/world/world.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/range.h"
#include "sim/disk/dirty.h"
#include "sim/disk/request.h"
#include "sim/verdict/expect.h"
#include "sim/world/private.h"

/* Address space, not memory: what a run may come to use at most. */
#define WORLD_RESERVE_BYTES ((size_t)(sizeof(void *) >= 8 ? UINT64_C(1) << 32 : UINT64_C(1) << 28))

/* ---- What happens ---- */

/* From here on, as many events may be emitted before the step is over. */
static void step_begin(struct world *world)
{
    world->step_end = world->trace->count + world->plan->limits.events_at_once;
}

static void step_too_long(const struct world *world)
{
    if (world->step_limit != NULL) {
        world->step_limit(world->plan->limits.events_at_once);
    }
    abort();
}

void world_emit(struct world *world, struct event *event)
{
    if (world->trace->count >= world->step_end) {
        step_too_long(world);
    }
    event->now_ns = world->timeline.now_ns;
    world->evidence.now_ns = event->now_ns;
    world->evidence.event_number = world->trace->count;
    audience_show(world->audience, &world->evidence, event);
    /*
     * Appended after the oracles: read right after it was written, the record would stall the CPU.
     */
    trace_append(world->trace, event);
    if (world->emitted != NULL) {
        world->emitted(world->hook_opaque);
    }
    if (world->story.watched >> event->kind & 1) {
        story_observe(world, event);
    }
}

/* The hook of the block layer. */
static void emit_from_layer(struct block_layer *layer, struct event *event)
{
    world_emit(world_of_layer(layer), event);
}

/* ---- Creation ---- */

/* What a world has outside its arena: no snapshot has it, or not all of it. */
struct surroundings {
    struct verdict verdict;
    struct audience audience;
};

static struct surroundings *surroundings_of(const struct world *world)
{
    return (struct surroundings *)(void *)world->verdict; /* the first member */
}

/* A world in an empty arena, which becomes the world's, as do the surroundings. */
static struct world *world_set_up(struct arena *arena, struct surroundings *surroundings,
                                  const struct plan *plan, const struct world_options *options,
                                  struct trace *trace)
{
    struct world *world = arena_alloc(arena, sizeof(*world));

    assert(plan->job.source < plan->disk_count && plan->job.target < plan->disk_count);
    verdict_init(&surroundings->verdict);
    world->arena = arena;
    world->verdict = &surroundings->verdict;
    world->audience = &surroundings->audience;
    world->plan = plan;
    world->engine = options->engine;
    if (world->engine->renew != NULL) {
        world->engine->renew();
    }
    world->trace = trace;
    world->step_limit = options->step_limit;
    world->acting = options->acting;
    world->emitted = options->emitted;
    world->hook_opaque = options->opaque;
    world->choice_spec = options->choices;
    if (plan->quiet) {
        world->choice_spec.seed = 0;
    }
    world->choices = choices_create(world->arena, &world->choice_spec);
    world->evidence.plan = plan;
    world->evidence.arena = world->arena;
    world->evidence.trace = trace;
    world->evidence.verdict = world->verdict;
    world->evidence.writers = &world->layer.writers;
    LIST_INIT(&world->timers);
    trace_clear(trace);
    step_begin(world);
    timeline_init(&world->timeline, world->arena, world->choices, plan->untimed);
    world->layer = (struct block_layer){.arena = arena,
                                        .plan = plan,
                                        .choices = world->choices,
                                        .timeline = &world->timeline,
                                        .evidence = &world->evidence,
                                        .emit = emit_from_layer};
    layer_init(&world->layer, plan->job.source);
    story_create(world);
    generators_create(world);
    if (options->no_oracles) {
        audience_init(world->audience);
    } else {
        audience_open(world->audience, &world->evidence);
    }
    dirty_create_others(&world->layer);
    world->end_ns = plan->limits.time_ns;
    world->end_events = plan->limits.events;
    world->cycle_next = cycle_first(world);
    return world;
}

struct world *world_create(const struct plan *plan, const struct world_options *options,
                           struct trace *trace)
{
    struct arena *arena = arena_create(WORLD_RESERVE_BYTES);
    struct surroundings *surroundings = malloc(sizeof(*surroundings));

    if (arena == NULL || surroundings == NULL) {
        free(surroundings);
        arena_destroy(arena);
        return NULL;
    }
    audience_init(&surroundings->audience);
    return world_set_up(arena, surroundings, plan, options, trace);
}

static void abandon_job(struct world *world)
{
    if (world->job != NULL && world->engine->abandon != NULL) {
        world->engine->abandon(world->job);
    }
}

struct world *world_renew(struct world *world, const struct plan *plan,
                          const struct world_options *options, struct trace *trace)
{
    struct surroundings *surroundings;
    struct arena *arena;

    if (world == NULL) {
        return world_create(plan, options, trace);
    }
    arena = world->arena;
    surroundings = surroundings_of(world);
    abandon_job(world);
    arena_reset(arena);
    return world_set_up(arena, surroundings, plan, options, trace);
}

void world_destroy(struct world *world)
{
    if (world != NULL) {
        abandon_job(world);
        free(surroundings_of(world));
        arena_destroy(world->arena);
    }
}

/* ---- Running ---- */

#define WAITS_BYTES 400

/* A job is left: what does it wait for? */
static const char *describe_waits(const struct world *world)
{
    char *text;

    if (world->job == NULL || world->engine->describe_waits == NULL) {
        return NULL;
    }
    text = arena_alloc(world->arena, WAITS_BYTES);
    world->engine->describe_waits(world->job, text, WAITS_BYTES);
    return text[0] != '\0' ? text : NULL;
}

#ifdef MIRRORSIM_CHECK_STEPS
/* After each of the first events, then ever further apart: a long run costs little more. */
static bool is_checked_after(uint64_t events)
{
    uint64_t interval = 1;

    while (interval * 64 <= events) {
        interval *= 2;
    }
    return events % interval == 0;
}
#endif

bool world_step(struct world *world)
{
    uint64_t before_ns = world->timeline.now_ns;
    enum world_end end = world->evidence.end;

    if (end != END_NOT) {
        return false;
    }
    end = world_end_before_next(world);
    if (end != END_NOT) {
        world->evidence.end = end;
        world->evidence.job_waits = describe_waits(world);
        step_begin(world);
        world_emit(world, &(struct event){.kind = EVENT_END, .detail = (uint8_t)end});
        return false;
    }
    step_begin(world);
    timeline_step(&world->timeline);
    world->events++;
    world->events_at_once = world->timeline.now_ns == before_ns ? world->events_at_once + 1 : 1;
    world->evidence.now_ns = world->timeline.now_ns;
    sections_settle(&world->layer);
    audience_settled(world->audience, &world->evidence);
    if (world->events >= world->cycle_next) {
        cycle_look(world);
    }
#ifdef MIRRORSIM_CHECK_STEPS
    if (is_checked_after(world->events)) {
        world_check(world);
    }
#endif
    return true;
}

bool world_next_ns(const struct world *world, uint64_t *due_ns)
{
    return timeline_next_due(&world->timeline, due_ns);
}

/* Would the next event be later than `until_ns` (UINT64_MAX: never)? */
static bool is_beyond(const struct world *world, uint64_t until_ns)
{
    uint64_t due_ns;

    return until_ns != UINT64_MAX && timeline_next_due(&world->timeline, &due_ns) &&
           due_ns > until_ns;
}

enum world_end world_run(struct world *world, uint64_t until_ns)
{
    while (!is_beyond(world, until_ns) && world_step(world)) {
        /* Each step tells whether there may be another. */
    }
    return world->evidence.end;
}

static void summarise(const struct world *world, struct verdict *verdict)
{
    verdict->virtual_ns = world->timeline.now_ns;
    verdict->events = world->events;
    verdict->trace_events = world->trace->count;
    verdict->trace_hash = world->trace->hash;
    verdict->concluded = world->job_concluded;
    verdict->cancelled = world->job_concluded && world->job_cancelled;
    verdict->ret = world->job_concluded ? world->job_ret : 0;
}

static void judge_expectations(struct world *world)
{
    uint32_t fault_count = world->plan->fault_count;
    uint64_t *hits = arena_alloc(world->arena, fault_count * sizeof(*hits));
    struct final_state final = {.guest_disk = world->layer.guest_node, .fault_hits = hits};

    for (uint32_t i = 0; i < fault_count; i++) {
        hits[i] = world->layer.faults[i].hits;
    }
    final.has_job_info = world_last_job(world, &final.job);
    expect_judge(&world->evidence, world->trace, &final);
    arena_free(world->arena, hits, fault_count * sizeof(*hits));
}

const struct verdict *world_judge(struct world *world)
{
    audience_close(world->audience, &world->evidence);
    summarise(world, world->verdict);
    if (world->trace->keep) {
        judge_expectations(world);
    }
    verdict_conclude(&world->evidence, world->engine->name);
    return world->verdict;
}

/* ---- Asking ---- */

uint64_t world_now_ns(const struct world *world)
{
    return world->timeline.now_ns;
}

uint64_t world_events(const struct world *world)
{
    return world->events;
}

enum world_end world_ended(const struct world *world)
{
    return world->evidence.end;
}

bool world_job(const struct world *world, struct job_info *info)
{
    if (world->job != NULL) {
        world->engine->query(world->job, info);
    }
    return world->job != NULL;
}

bool world_last_job(const struct world *world, struct job_info *info)
{
    if (world_job(world, info)) {
        return true;
    }
    *info = world->last_job;
    return world->has_last_job;
}

/* Adds those of the guest that are not on a disk now. */
static uint32_t add_requests_above(const struct world *world, struct request_info *info,
                                   uint32_t max, uint32_t count)
{
    const struct interposed *interposed;

    TAILQ_FOREACH (interposed, &world->layer.guest_list, link) {
        if (interposed->is_busy) {
            continue;
        }
        if (count < max) {
            info[count] =
                (struct request_info){.number = interposed->number,
                                      .disk = (uint8_t)world->layer.guest_node,
                                      .op = interposed->guest->op,
                                      .by = BY_GUEST,
                                      .offset = interposed->guest->offset,
                                      .bytes = interposed->guest->bytes,
                                      .submitted_ns = interposed->came_ns,
                                      .state = interposed->arrived ? "at the filter" : "queued"};
        }
        count++;
    }
    return count;
}

uint32_t world_requests(const struct world *world, struct request_info *info, uint32_t max)
{
    const struct request *request;
    uint32_t count = 0;

    TAILQ_FOREACH (request, &world->layer.requests, link) {
        if (count < max) {
            info[count] = (struct request_info){.number = request->number,
                                                .disk = request->node->id,
                                                .op = request->op,
                                                .by = request->by,
                                                .offset = request->offset,
                                                .bytes = request->bytes,
                                                .submitted_ns = request->submitted_ns,
                                                .state = request_state_name(request->state)};
        }
        count++;
    }
    return add_requests_above(world, info, max, count);
}

uint32_t world_guest_disk(const struct world *world)
{
    return world->layer.guest_node;
}

struct evidence *world_evidence(struct world *world)
{
    return &world->evidence;
}

const struct evidence *world_evidence_of(const struct world *world)
{
    return &world->evidence;
}

uint32_t world_fault_count(const struct world *world)
{
    return world->plan->fault_count;
}

uint64_t world_fault_hits(const struct world *world, uint32_t fault)
{
    assert(fault < world->plan->fault_count);
    return world->layer.faults[fault].hits;
}

const struct choice_answer *world_choices(const struct world *world, uint32_t *count)
{
    return choices_record(world->choices, count);
}
