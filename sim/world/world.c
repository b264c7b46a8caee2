/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world: making one, stepping it to its end, showing it to the oracles.
 */
#include "sim/world/world.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/range.h"
#include "sim/disk/dirty.h"
#include "sim/disk/request_list.h"
#include "sim/verdict/expect.h"
#include "sim/world/private.h"

/* Address space, not memory: what a run may come to use at most. */
#define WORLD_RESERVE_BYTES ((size_t)(sizeof(void *) >= 8 ? UINT64_C(1) << 32 : UINT64_C(1) << 28))

/* ---- Oracles ---- */

/* `kinds` are those that matter to it. */
static void oracle_open(struct world *world, const struct oracle *oracle, uint64_t kinds)
{
    uint32_t number = world->oracle_count++;
    struct oracle_slot *slot = &world->oracles[number];

    slot->oracle = oracle;
    slot->state = arena_alloc(world->arena, oracle->state_bytes);
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        bool sees = oracle->on[kind] != NULL && (kinds >> kind & 1) != 0;

        world->wanted_by[kind] |= (uint32_t)sees << number;
    }
    for (uint32_t by = BY_NONE; by < BY_COUNT; by++) {
        bool sees = oracle_sees_requests_by(oracle, (enum by)by);

        world->request_wanted_by[by] |= (uint32_t)sees << number;
    }
    if (oracle->settled != NULL) {
        world->settled_by |= UINT32_C(1) << number;
    }
    if (oracle->open != NULL) {
        oracle->open(slot->state, &world->evidence);
    }
}

static void oracles_open(struct world *world)
{
    uint32_t count = 0;

    while (oracles[count] != NULL) {
        count++;
    }
    assert(count <= 32);
    world->oracles = arena_alloc(world->arena, count * sizeof(*world->oracles));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t kinds = oracle_kinds(oracles[i], world->plan);

        if (kinds != 0) {
            oracle_open(world, oracles[i], kinds);
        }
    }
}

static void show_oracles(struct world *world, const struct event *event)
{
    const struct oracle_slot *slots = world->oracles;
    uint32_t wanted = world->wanted_by[event->kind];

    if (kind_is_of_request(event_kind(event))) {
        wanted &= world->request_wanted_by[event->by];
    }
    for (; wanted != 0; wanted &= wanted - 1) {
        const struct oracle_slot *slot = &slots[__builtin_ctz(wanted)];

        slot->oracle->on[event->kind](slot->state, &world->evidence, event);
    }
}

static void oracles_settled(struct world *world)
{
    for (uint32_t wanted = world->settled_by; wanted != 0; wanted &= wanted - 1) {
        const struct oracle_slot *slot = &world->oracles[__builtin_ctz(wanted)];

        slot->oracle->settled(slot->state, &world->evidence);
    }
}

static void oracles_close(struct world *world)
{
    for (uint32_t i = 0; i < world->oracle_count; i++) {
        const struct oracle_slot *slot = &world->oracles[i];

        if (slot->oracle->close != NULL) {
            slot->oracle->close(slot->state, &world->evidence);
        }
    }
}

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
    show_oracles(world, event);
    /* Appended after the oracles: read right after it was written, the record would stall the CPU.
     */
    trace_append(world->trace, event);
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

/* A world in an empty arena, which becomes the world's, as does the verdict. */
static struct world *world_set_up(struct arena *arena, struct verdict *verdict,
                                  const struct plan *plan, const struct world_options *options,
                                  struct trace *trace)
{
    struct world *world = arena_alloc(arena, sizeof(*world));

    assert(plan->job.source < plan->disk_count && plan->job.target < plan->disk_count);
    verdict_init(verdict);
    world->arena = arena;
    world->verdict = verdict;
    world->plan = plan;
    world->engine = options->engine;
    world->trace = trace;
    world->step_limit = options->step_limit;
    world->acting = options->acting;
    world->acting_opaque = options->opaque;
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
    if (!options->no_oracles) {
        oracles_open(world);
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
    struct verdict *verdict = malloc(sizeof(*verdict));

    if (arena == NULL || verdict == NULL) {
        free(verdict);
        arena_destroy(arena);
        return NULL;
    }
    return world_set_up(arena, verdict, plan, options, trace);
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
    struct arena *arena;
    struct verdict *verdict;

    if (world == NULL) {
        return world_create(plan, options, trace);
    }
    arena = world->arena;
    verdict = world->verdict;
    abandon_job(world);
    arena_reset(arena);
    return world_set_up(arena, verdict, plan, options, trace);
}

void world_destroy(struct world *world)
{
    if (world != NULL) {
        abandon_job(world);
        free(world->verdict);
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
    oracles_settled(world);
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
    oracles_close(world);
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
