/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small world for tests: two disks, no story, and events that can be counted.
 *
 * A test changes stage->plan as it likes, opens the stage, and either plays
 * the engine itself (block_read() and so on) or gives the plan steps.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_STAGE_H
#define MIRRORSIM_TESTS_SUPPORT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/disk/guest.h"
#include "sim/disk/request.h"
#include "sim/world/private.h"

#define READ_NS 100
#define WRITE_NS 200
#define FLUSH_NS 50

enum { SRC, DST, THIRD, STAGE_DISKS };

struct stage {
    struct plan *plan;
    struct world_options options;
    struct trace trace;
    struct world *world; /* NULL until opened */
};

/* The end of a request. */
struct ending {
    struct world *world;
    int calls;
    int ret;
    uint64_t at_ns;
};

static inline void stage_disk(struct plan *plan, uint32_t number, const char *name)
{
    struct disk_spec *disk = &plan->disks[number];

    disk->name = name;
    disk->bytes = MIB;
    disk->fill = number == SRC ? FILL_UNIQUE : FILL_ZERO;
    disk->tracks_io_status = true;
    disk->latency[OP_READ].a_ns = READ_NS;
    disk->latency[OP_WRITE].a_ns = WRITE_NS;
    disk->latency[OP_WRITE_ZEROES].a_ns = WRITE_NS;
    disk->latency[OP_DISCARD].a_ns = WRITE_NS;
    disk->latency[OP_FLUSH].a_ns = FLUSH_NS;
}

static inline int stage_set_up(void **state)
{
    struct plan *plan = plan_create();
    struct stage *stage = arena_alloc(plan->arena, sizeof(*stage));

    stage->plan = plan;
    stage->options.engine = &mirror_engine;
    plan->disk_count = STAGE_DISKS;
    stage_disk(plan, SRC, "src");
    stage_disk(plan, DST, "dst");
    stage_disk(plan, THIRD, "third");
    plan->job.source = SRC;
    plan->job.target = DST;
    trace_init(&stage->trace, true);
    *state = stage;
    return 0;
}

static inline int stage_tear_down(void **state)
{
    struct stage *stage = *state;
    struct plan *plan = stage->plan;

    world_destroy(stage->world);
    trace_free(&stage->trace);
    plan_destroy(plan);
    return 0;
}

#define STAGE_TEST(function) \
    cmocka_unit_test_setup_teardown(function, stage_set_up, stage_tear_down)

static inline struct world *stage_open(struct stage *stage)
{
    stage->world = world_create(stage->plan, &stage->options, &stage->trace);
    assert_non_null(stage->world);
    return stage->world;
}

/* Adds a step, or a fault, to the plan; the caller fills it in. */
static inline struct action *stage_step(struct stage *stage, enum action_kind kind)
{
    struct plan *plan = stage->plan;

    if (plan->steps == NULL) {
        plan->steps = arena_alloc(plan->arena, 16 * sizeof(*plan->steps));
    }
    assert_true(plan->step_count < 16);
    plan->steps[plan->step_count].kind = kind;
    plan->steps[plan->step_count].refusal = MATCH_ANY;
    return &plan->steps[plan->step_count++];
}

static inline struct action *stage_wait(struct stage *stage, enum wait_kind kind)
{
    struct action *action = stage_step(stage, DO_WAIT);

    action->wait.kind = kind;
    return action;
}

static inline struct action *stage_wait_event(struct stage *stage, enum event_kind kind)
{
    struct action *action = stage_wait(stage, WAIT_EVENT);

    action->wait.match = event_match_kind(kind);
    return action;
}

static inline struct fault_spec *stage_fault(struct stage *stage, enum fault_kind kind)
{
    struct plan *plan = stage->plan;
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

/* The nth event of a kind, from 0; NULL if there are fewer. */
static inline const struct event *stage_event(const struct stage *stage, enum event_kind kind,
                                              uint64_t nth)
{
    for (uint64_t i = 0; i < stage->trace.count; i++) {
        if (stage->trace.events[i].kind == kind && nth-- == 0) {
            return &stage->trace.events[i];
        }
    }
    return NULL;
}

static inline uint64_t stage_count(const struct stage *stage, enum event_kind kind)
{
    uint64_t count = 0;

    while (stage_event(stage, kind, count) != NULL) {
        count++;
    }
    return count;
}

static inline void stage_done(void *opaque, int ret)
{
    struct ending *ending = opaque;

    ending->calls++;
    ending->ret = ret;
    ending->at_ns = world_now_ns(ending->world);
}

/* Submits a guest request now. */
static inline void stage_guest(struct stage *stage, enum op op, uint64_t offset, uint64_t bytes)
{
    struct guest_request *guest = arena_alloc(stage->plan->arena, sizeof(*guest));

    guest->op = op;
    guest->offset = offset;
    guest->bytes = bytes;
    guest_submit(&stage->world->layer, guest, PLAN_NONE, NULL, NULL);
}

static inline void stage_run(struct stage *stage)
{
    world_run(stage->world, UINT64_MAX);
}

/* The tag that a reader of the node sees at a byte offset. */
static inline uint64_t stage_tag(const struct stage *stage, uint32_t node, uint64_t offset)
{
    uint64_t sector = offset / SECTOR_BYTES;

    return node_lookup(&stage->world->layer.nodes[node], sector, sector + 1).tag;
}

#endif
