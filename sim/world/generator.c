/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators: draws, turns, bounds.
 */
#include "sim/world/generator.h"

#include <assert.h>
#include <string.h>

#include "sim/disk/guest.h"
#include "sim/world/private.h"

/* How finely an answer divides what is drawn; the walk divides it further. */
#define MAX_ANSWERS 1024u

/*
 * Steps of the walks: 2^32 times the fractions of the roots of 2, 3 and 5.
 * They have no small multiple in common: else a place would follow from a length.
 */
#define MIX_STEP UINT32_C(0x6a09e667)
#define LENGTH_STEP UINT32_C(0xbb67ae85)
#define PLACE_STEP UINT32_C(0x3c6ef373)

/* ---- Draws ---- */

/* Generators begin their walks at different points: else they would draw the same. */
static void walk_init(struct walk *walk, const struct generator *generator, const char *what,
                      uint32_t step)
{
    struct world *world = generator->world;
    char *site = arena_printf(world->arena, "guest %s %s", generator->spec->name, what);
    struct digest digest;

    digest_init(&digest);
    digest_string(&digest, generator->spec->name);
    walk->site = choices_site(world->choices, site);
    arena_free(world->arena, site, strlen(site) + 1);
    walk->position = (uint32_t)digest_value(&digest);
    walk->step = step;
}

/* The next number; `answers` is how many different ones matter. */
static uint32_t walk_next(struct walk *walk, struct world *world, uint64_t answers)
{
    uint32_t bound = (uint32_t)min_u64(answers, MAX_ANSWERS);
    uint64_t answer = choose(world->choices, walk->site, bound);

    walk->position += walk->step;
    return walk->position + (uint32_t)((answer << 32) / bound);
}

static uint32_t draw_mix(struct generator *generator)
{
    const struct generator_spec *spec = generator->spec;
    uint64_t number = walk_next(&generator->mix, generator->world, generator->weight);
    uint64_t rest = number * generator->weight >> 32;
    uint32_t entry = 0;

    while (rest >= spec->mix[entry].weight) {
        rest -= spec->mix[entry++].weight;
    }
    return entry;
}

static bool is_replay(const struct generator *generator)
{
    return generator->spec->pace == PACE_REPLAY;
}

static void next_recorded(struct generator *generator, struct guest_request *request)
{
    const struct replay_request *recorded = &generator->spec->requests[generator->drawn++];

    *request = (struct guest_request){.op = recorded->op,
                                      .tag = generator->spec->name,
                                      .offset = recorded->offset,
                                      .bytes = recorded->bytes};
}

static void draw_request(struct generator *generator, struct guest_request *request)
{
    struct world *world = generator->world;
    uint32_t entry = draw_mix(generator);
    const struct mix_spec *mix = &generator->spec->mix[entry];
    struct address *address = &generator->addresses[entry];
    uint64_t number;

    *request = mix->request;
    if (request->op == OP_FLUSH) {
        return;
    }
    number = walk_next(&generator->length, world, mix->length_count);
    request->bytes = mix->lengths[number * mix->length_count >> 32];
    number = walk_next(&generator->place, world, address_count(address));
    request->offset = address_next(address, (uint32_t)number, request->bytes);
}

/* ---- Turns ---- */

static bool is_closed_loop(const struct generator *generator)
{
    return generator->spec->pace == PACE_OUTSTANDING;
}

static void turn_fire(void *opaque);

static void turn_free(struct turn *turn)
{
    arena_free(turn->generator->world->arena, turn, sizeof(*turn));
}

static void generator_end(struct generator *generator)
{
    struct turn *turn;

    generator->state = GENERATOR_OVER;
    while ((turn = LIST_FIRST(&generator->turns)) != NULL) {
        LIST_REMOVE(turn, link);
        timeline_remove(&generator->world->timeline, &turn->pending);
        turn_free(turn);
    }
}

/* One more request, unless it would come after the bound.  The last turn to find that ends it. */
static void turn_add(struct generator *generator, uint64_t delay_ns)
{
    const struct generator_spec *spec = generator->spec;
    struct timeline *timeline = &generator->world->timeline;
    struct turn *turn;

    if (spec->until_ns > 0 &&
        (timeline->now_ns >= spec->until_ns || delay_ns >= spec->until_ns - timeline->now_ns)) {
        if (LIST_EMPTY(&generator->turns)) {
            generator_end(generator);
        }
        return;
    }
    turn = arena_alloc(generator->world->arena, sizeof(*turn));
    turn->generator = generator;
    LIST_INSERT_HEAD(&generator->turns, turn, link);
    timeline_add(timeline, &turn->pending, delay_ns, turn_fire, turn);
}

/* Until the next recorded request is due: a guest that had to wait catches up. */
static uint64_t replay_delay_ns(const struct generator *generator)
{
    uint64_t due_ns = generator->begin_ns + generator->spec->requests[generator->drawn].at_ns;
    uint64_t now_ns = generator->world->timeline.now_ns;

    return due_ns > now_ns ? due_ns - now_ns : 0;
}

static void turn_done(void *opaque, int ret)
{
    struct turn *turn = opaque;
    struct generator *generator = turn->generator;

    (void)ret;
    turn_free(turn);
    generator->unfinished--;
    if (generator->is_full && generator->state == GENERATOR_RUNNING) {
        generator->is_full = false;
        turn_add(generator, replay_delay_ns(generator));
    }
    if (is_closed_loop(generator) && generator->state == GENERATOR_RUNNING) {
        turn_add(generator, generator->spec->think_ns);
    }
    if (generator->state == GENERATOR_OVER) {
        story_guest_changed(generator->world);
    }
}

static uint64_t bytes_that_count(const struct guest_request *request)
{
    return request->op == OP_FLUSH ? GENERATOR_FLUSH_BYTES : request->bytes;
}

/* Of an open loop: from this request to the next; never 0, so that time passes, unless recorded. */
static uint64_t pace_ns(const struct generator *generator, const struct guest_request *request)
{
    const struct generator_spec *spec = generator->spec;

    if (is_replay(generator)) {
        return replay_delay_ns(generator);
    }
    return spec->pace == PACE_EVERY ? spec->every_ns
                                    : request_transfer_ns(bytes_that_count(request), spec->rate);
}

static bool bound_is_reached(const struct generator *generator)
{
    const struct generator_spec *spec = generator->spec;

    return (is_replay(generator) && generator->drawn == spec->replay_count) ||
           (spec->count > 0 && generator->submitted >= spec->count) ||
           (spec->bytes > 0 && generator->bytes >= spec->bytes);
}

static void turn_submit(struct turn *turn)
{
    struct generator *generator = turn->generator;

    if (generator->unfinished == GENERATOR_MAX_UNFINISHED) {
        turn_free(turn);
        return;
    }
    generator->unfinished++;
    generator->submitted++;
    generator->bytes += bytes_that_count(&turn->request);
    guest_submit(&generator->world->layer, &turn->request, generator->number, turn_done, turn);
    if (bound_is_reached(generator)) {
        generator_end(generator);
        if (generator->unfinished == 0) {
            /* The last one was answered when it arrived, before this was its end. */
            story_guest_changed(generator->world);
        }
    }
}

static void turn_fire(void *opaque)
{
    struct turn *turn = opaque;
    struct generator *generator = turn->generator;
    struct guest_request request;

    LIST_REMOVE(turn, link);
    if (is_replay(generator) && generator->unfinished == GENERATOR_MAX_UNFINISHED) {
        generator->is_full = true;
        turn_free(turn);
        return;
    }
    if (is_replay(generator)) {
        next_recorded(generator, &turn->request);
    } else {
        draw_request(generator, &turn->request);
    }
    request = turn->request;
    turn_submit(turn);
    if (!is_closed_loop(generator) && generator->state == GENERATOR_RUNNING) {
        turn_add(generator, pace_ns(generator, &request));
    }
}

/* ---- Beginning and end ---- */

static void generator_begin(struct generator *generator, uint64_t delay_ns)
{
    uint64_t turns = is_closed_loop(generator) ? generator->spec->outstanding : 1;

    assert(turns > 0 && turns <= GENERATOR_MAX_UNFINISHED);
    generator->state = GENERATOR_RUNNING;
    if (is_replay(generator)) {
        generator->begin_ns = generator->world->timeline.now_ns + delay_ns;
        turn_add(generator, delay_ns + generator->spec->requests[0].at_ns);
        return;
    }
    for (uint64_t i = 0; i < turns; i++) {
        turn_add(generator, delay_ns);
    }
}

static void generator_create(struct world *world, uint32_t index)
{
    struct generator *generator = &world->generators[index];
    const struct generator_spec *spec = &world->plan->generators[index];

    generator->spec = spec;
    generator->world = world;
    generator->number = plan_generator_number(world->plan, index);
    LIST_INIT(&generator->turns);
    generator->addresses = arena_alloc(world->arena, spec->mix_count * sizeof(struct address));
    for (uint32_t i = 0; i < spec->mix_count; i++) {
        generator->weight += spec->mix[i].weight;
        if (spec->mix[i].request.op != OP_FLUSH) {
            address_init(&generator->addresses[i], world->arena, &spec->mix[i].address);
        }
    }
    walk_init(&generator->mix, generator, "mix", MIX_STEP);
    walk_init(&generator->length, generator, "len", LENGTH_STEP);
    walk_init(&generator->place, generator, "offset", PLACE_STEP);
    if (!spec->has_when) {
        generator_begin(generator, spec->from_ns);
    }
}

void generators_create(struct world *world)
{
    uint32_t count = world->plan->generator_count;

    world->generators = arena_alloc(world->arena, count * sizeof(*world->generators));
    for (uint32_t i = 0; i < count; i++) {
        generator_create(world, i);
    }
    if (world->evidence.story_over) {
        generators_stop(world);
    }
}

uint64_t generators_watched(const struct plan *plan)
{
    uint64_t kinds = 0;

    for (uint32_t i = 0; i < plan->generator_count; i++) {
        const struct generator_spec *spec = &plan->generators[i];

        if (spec->has_when) {
            kinds |= spec->when.kinds == 0 ? UINT64_MAX : spec->when.kinds;
        }
        if (spec->until_mark != PLAN_NONE) {
            kinds |= EVENT_BIT(MARK);
        }
    }
    return kinds;
}

static void generator_observe(struct generator *generator, const struct event *event)
{
    const struct generator_spec *spec = generator->spec;

    if (generator->state == GENERATOR_WAITING && event_matches(&spec->when, event)) {
        generator->matched++;
        if (generator->matched == max_u64(spec->nth, 1)) {
            generator_begin(generator, spec->after_ns);
        }
    }
    if (event->kind == EVENT_MARK && event->index == spec->until_mark) {
        generator_end(generator);
    }
}

void generators_observe(struct world *world, const struct event *event)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        generator_observe(&world->generators[i], event);
    }
}

static bool has_bound(const struct generator_spec *spec)
{
    return spec->pace == PACE_REPLAY || spec->count > 0 || spec->bytes > 0 || spec->until_ns > 0;
}

void generators_stop(struct world *world)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        if (!has_bound(world->generators[i].spec)) {
            generator_end(&world->generators[i]);
        }
    }
}

bool generators_are_done(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        const struct generator *generator = &world->generators[i];

        if (generator->state == GENERATOR_RUNNING && has_bound(generator->spec)) {
            return false;
        }
    }
    return true;
}

bool generator_is_over(const struct world *world, uint32_t index)
{
    return world->generators[index].state == GENERATOR_OVER;
}

/* ---- Digest ---- */

/* Where all draws have one result, it makes no difference how often there was one. */
static void walks_digest(const struct generator *generator, struct digest *digest)
{
    const struct generator_spec *spec = generator->spec;
    bool lengths_vary = false;
    bool places_vary = false;

    for (uint32_t i = 0; i < spec->mix_count; i++) {
        if (spec->mix[i].request.op == OP_FLUSH) {
            continue; /* it has neither */
        }
        lengths_vary = lengths_vary || spec->mix[i].length_count > 1;
        places_vary = places_vary || address_count(&generator->addresses[i]) > 1;
    }
    digest_u64(digest, spec->mix_count > 1 ? generator->mix.position : 0);
    digest_u64(digest, lengths_vary ? generator->length.position : 0);
    digest_u64(digest, places_vary ? generator->place.position : 0);
}

/* Without a bound a count does not matter, and stays out.  Names are the plan's. */
static void generator_digest(const struct generator *generator, struct digest *digest)
{
    const struct generator_spec *spec = generator->spec;
    const struct turn *turn;

    digest_u64(digest, generator->state);
    digest_u64(digest, generator->matched);
    if (is_replay(generator)) {
        digest_u64(digest, generator->drawn);
        digest_u64(digest, generator->is_full);
        digest_u64(digest, generator->state == GENERATOR_RUNNING
                               ? generator->world->timeline.now_ns - generator->begin_ns
                               : 0);
    }
    digest_u64(digest, spec->count > 0 ? generator->submitted : 0);
    digest_u64(digest, spec->bytes > 0 ? generator->bytes : 0);
    digest_u64(digest, generator->unfinished);
    walks_digest(generator, digest);
    for (uint32_t i = 0; i < spec->mix_count; i++) {
        address_digest(&generator->addresses[i], digest);
    }
    LIST_FOREACH (turn, &generator->turns, link) {
        timeline_digest_pending(&generator->world->timeline, &turn->pending, digest);
    }
}

void generators_digest(const struct world *world, struct digest *digest)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        generator_digest(&world->generators[i], digest);
    }
}

/* ---- Check ---- */

static void generator_check(const struct generator *generator)
{
    const struct generator_spec *spec = generator->spec;
    const struct turn *turn;
    uint64_t turns = 0;

    LIST_FOREACH (turn, &generator->turns, link) {
        assert(turn->generator == generator && pending_is_set(&turn->pending));
        turns++;
    }
    assert(turns == 0 || generator->state == GENERATOR_RUNNING);
    assert(generator->unfinished <= GENERATOR_MAX_UNFINISHED);
    assert(!generator->is_full || turns == 0);
    assert(generator->drawn <= spec->replay_count);
    assert(generator->unfinished <= generator->submitted);
    assert(!is_closed_loop(generator) || turns + generator->unfinished <= spec->outstanding);
}

void generators_check(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan->generator_count; i++) {
        generator_check(&world->generators[i]);
    }
}
