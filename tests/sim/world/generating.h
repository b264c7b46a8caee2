/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators on a stage: plans with generators, and the requests they submit.
 */
#ifndef MIRRORSIM_TESTS_SIM_WORLD_GENERATING_H
#define MIRRORSIM_TESTS_SIM_WORLD_GENERATING_H

#include "tests/support/stage.h"
#include "tests/support/units.h"

#define SECOND_NS (1000 * MS)

static uint64_t four_kib[] = {4 * KIB};

static inline struct mix_spec write_anywhere(void)
{
    return (struct mix_spec){
        .weight = 1,
        .request.op = OP_WRITE,
        .address = {.kind = ADDRESS_UNIFORM, .bytes = MIB, .align = 4 * KIB},
        .lengths = four_kib,
        .length_count = 1,
    };
}

/* Adds a generator of 4 KiB writes at any place; the test sets the pace. */
static inline struct generator_spec *add_generator(struct stage *stage, const char *name)
{
    struct plan *plan = stage->plan;
    struct generator_spec *spec;

    if (plan->generators == NULL) {
        plan->generators = arena_alloc(plan->arena, 4 * sizeof(*plan->generators));
    }
    assert_true(plan->generator_count < 4);
    spec = &plan->generators[plan->generator_count++];
    spec->name = name;
    spec->until_mark = PLAN_NONE;
    spec->mix = arena_alloc(plan->arena, 4 * sizeof(*spec->mix));
    spec->mix[0] = write_anywhere();
    spec->mix_count = 1;
    return spec;
}

static inline struct generator_spec *add_every(struct stage *stage, uint64_t every_ns)
{
    struct generator_spec *spec = add_generator(stage, "churn");

    spec->pace = PACE_EVERY;
    spec->every_ns = every_ns;
    return spec;
}

static inline struct generator_spec *add_outstanding(struct stage *stage, uint64_t outstanding)
{
    struct generator_spec *spec = add_generator(stage, "churn");

    spec->pace = PACE_OUTSTANDING;
    spec->outstanding = outstanding;
    return spec;
}

/* Makes the story last this long. */
static inline void last(struct stage *stage, uint64_t duration_ns)
{
    stage_wait(stage, WAIT_DURATION)->wait.within_ns = duration_ns;
}

static inline bool is_of_guest(const struct event *event, enum event_kind kind)
{
    return event->kind == kind && event->by == BY_GUEST;
}

/* The nth submission of the guest, from 0; NULL if there are fewer. */
static inline const struct event *submission(const struct stage *stage, uint64_t nth)
{
    for (uint64_t i = 0; i < stage->trace.count; i++) {
        if (is_of_guest(&stage->trace.events[i], EVENT_REQUEST_SUBMIT) && nth-- == 0) {
            return &stage->trace.events[i];
        }
    }
    return NULL;
}

static inline uint64_t submissions(const struct stage *stage)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < stage->trace.count; i++) {
        count += is_of_guest(&stage->trace.events[i], EVENT_REQUEST_SUBMIT);
    }
    return count;
}

static inline void plan_mirror(struct stage *stage)
{
    stage->plan->job.granularity = 64 * KIB;
    stage->plan->job.buffer_bytes = 64 * KIB;
    stage_step(stage, DO_START);
    stage_wait_event(stage, EVENT_JOB_READY)->wait.within_ns = SECOND_NS;
    stage_step(stage, DO_COMPLETE);
    stage_step(stage, DO_SETTLE)->wait.within_ns = SECOND_NS;
}

#endif
