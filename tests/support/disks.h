/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks for tests: a block layer by itself, without world, story, job or
 * oracles.
 *
 * A test changes disks->plan as it likes, opens the disks, submits requests of
 * the guest or of a job, runs the timeline and looks at the events.  After each
 * step of the timeline the layer's invariants are checked.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_DISKS_H
#define MIRRORSIM_TESTS_SUPPORT_DISKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/disk/dirty.h"
#include "sim/disk/guest.h"
#include "sim/disk/layer.h"
#include "sim/disk/request.h"
#include "sim/trace/trace.h"

#define READ_NS 100
#define WRITE_NS 200
#define FLUSH_NS 50

enum { SRC, DST, THIRD, DISKS };

/*
 * The parts that a world would have; it is the first object in its arena, so
 * that a copy of the arena is a snapshot.
 */
struct ground {
    struct block_layer layer; /* must be first: the hook gets the ground from it */
    struct timeline timeline;
    struct evidence evidence;
    struct trace *trace;
};

struct disks {
    struct plan *plan;
    struct choice_spec choices;
    struct trace trace;
    struct arena *arena;       /* the ground's arena; NULL until opened */
    struct ground *ground;     /* ... */
    struct block_layer *layer; /* ... */
    uint64_t steps;            /* timeline steps since the disks were opened */
};

/* The end of a request. */
struct ending {
    const struct block_layer *layer;
    int calls;
    int ret;
    uint64_t at_ns;
};

static inline void disks_spec(struct plan *plan, uint32_t number, const char *name)
{
    struct disk_spec *disk = &plan->disks[number];

    disk->name = name;
    disk->bytes = MIB;
    disk->fill = number == SRC ? FILL_UNIQUE : FILL_ZERO;
    disk->latency[OP_READ].a_ns = READ_NS;
    disk->latency[OP_WRITE].a_ns = WRITE_NS;
    disk->latency[OP_WRITE_ZEROES].a_ns = WRITE_NS;
    disk->latency[OP_DISCARD].a_ns = WRITE_NS;
    disk->latency[OP_FLUSH].a_ns = FLUSH_NS;
}

static inline int disks_set_up(void **state)
{
    struct plan *plan = plan_create();
    struct disks *disks = arena_alloc(plan->arena, sizeof(*disks));

    disks->plan = plan;
    plan->disk_count = DISKS;
    disks_spec(plan, SRC, "src");
    disks_spec(plan, DST, "dst");
    disks_spec(plan, THIRD, "third");
    trace_init(&disks->trace, true);
    *state = disks;
    return 0;
}

static inline int disks_tear_down(void **state)
{
    struct disks *disks = *state;

    arena_destroy(disks->arena);
    trace_free(&disks->trace);
    plan_destroy(disks->plan);
    return 0;
}

#define DISKS_TEST(function) \
    cmocka_unit_test_setup_teardown(function, disks_set_up, disks_tear_down)

static inline void disks_note(struct block_layer *layer, struct event *event)
{
    struct ground *ground = (struct ground *)(void *)layer;

    event->now_ns = ground->timeline.now_ns;
    trace_append(ground->trace, event);
}

/* Opens the disks of the plan as it is now, at time 0; the guest is on `src`. */
static inline struct block_layer *disks_open(struct disks *disks)
{
    struct arena *arena;
    struct ground *ground;
    struct choices *choices;

    arena_destroy(disks->arena);
    arena = arena_create((size_t)64 << 20);
    assert_non_null(arena);
    ground = arena_alloc(arena, sizeof(*ground));
    choices = choices_create(arena, &disks->choices);
    timeline_init(&ground->timeline, arena, choices, false);
    trace_clear(&disks->trace);
    ground->trace = &disks->trace;
    ground->evidence.plan = disks->plan;
    ground->evidence.trace = &disks->trace;
    ground->layer = (struct block_layer){.arena = arena,
                                         .plan = disks->plan,
                                         .choices = choices,
                                         .timeline = &ground->timeline,
                                         .evidence = &ground->evidence,
                                         .emit = disks_note};
    layer_init(&ground->layer, SRC);
    dirty_create_others(&ground->layer);
    disks->arena = arena;
    disks->ground = ground;
    disks->layer = &ground->layer;
    disks->steps = 0;
    return disks->layer;
}

static inline struct block_node *disks_node(const struct disks *disks, uint32_t number)
{
    return &disks->layer->nodes[number];
}

/* ---- The plan ---- */

/* Adds an armed fault; the caller fills in the rest. */
static inline struct fault_spec *disks_fault(struct disks *disks, enum fault_kind kind)
{
    struct plan *plan = disks->plan;
    struct fault_spec *fault;

    if (plan->faults == NULL) {
        plan->faults = arena_alloc(plan->arena, 8 * sizeof(*plan->faults));
    }
    assert_true(plan->fault_count < 8);
    fault = &plan->faults[plan->fault_count++];
    fault->name = "fault";
    fault->kind = kind;
    fault->armed = true;
    fault->from_mark = PLAN_NONE;
    fault->until_mark = PLAN_NONE;
    return fault;
}

/* ---- Running ---- */

static inline bool disks_step(struct disks *disks)
{
    if (!timeline_step(&disks->ground->timeline)) {
        return false;
    }
    disks->steps++;
    sections_settle(disks->layer);
    layer_check(disks->layer);
    timeline_check(&disks->ground->timeline);
    return true;
}

/* Runs until nothing is pending. */
static inline void disks_run(struct disks *disks)
{
    while (disks_step(disks)) {
    }
}

/* Runs everything that is due up to an instant. */
static inline void disks_run_until(struct disks *disks, uint64_t until_ns)
{
    uint64_t due_ns;

    while (timeline_next_due(&disks->ground->timeline, &due_ns) && due_ns <= until_ns) {
        disks_step(disks);
    }
}

/* Submits a guest request now. */
static inline void disks_guest(struct disks *disks, enum op op, uint64_t offset, uint64_t bytes)
{
    struct guest_request *guest = arena_alloc(disks->plan->arena, sizeof(*guest));

    guest->op = op;
    guest->offset = offset;
    guest->bytes = bytes;
    guest_submit(disks->layer, guest, PLAN_NONE, NULL, NULL);
}

/* The `done` callback of a request; `opaque` is a struct ending. */
static inline void disks_done(void *opaque, int ret)
{
    struct ending *ending = opaque;

    ending->calls++;
    ending->ret = ret;
    ending->at_ns = ending->layer->timeline->now_ns;
}

/* ---- Looking ---- */

/* The nth event of a kind, from 0; NULL if there are fewer. */
static inline const struct event *disks_event(const struct disks *disks, enum event_kind kind,
                                              uint64_t nth)
{
    for (uint64_t i = 0; i < disks->trace.count; i++) {
        if (disks->trace.events[i].kind == kind && nth-- == 0) {
            return &disks->trace.events[i];
        }
    }
    return NULL;
}

static inline uint64_t disks_count(const struct disks *disks, enum event_kind kind)
{
    uint64_t count = 0;

    while (disks_event(disks, kind, count) != NULL) {
        count++;
    }
    return count;
}

/* Asserts that the events have exactly these kinds, in this order. */
static inline void disks_assert_events(const struct disks *disks, const enum event_kind *kinds,
                                       uint64_t count)
{
    for (uint64_t i = 0; i < count && i < disks->trace.count; i++) {
        assert_int_equal(disks->trace.events[i].kind, kinds[i]);
    }
    assert_int_equal(disks->trace.count, count);
}

/* The tag that a reader of the node sees at a byte offset. */
static inline uint64_t disks_tag(const struct disks *disks, uint32_t node, uint64_t offset)
{
    uint64_t sector = offset / SECTOR_BYTES;

    return node_lookup(&disks->layer->nodes[node], sector, sector + 1).tag;
}

#endif
