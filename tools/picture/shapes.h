/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run as shapes: what was where from when until when.
 *
 * Events go in one by one, shapes come out through a sink, in the order of events. Only what is
 * open is kept, so ten million events need no more memory than what is under way at one time.
 * All pictures of a run (map, report, Perfetto) are made from shapes, and so they agree.
 *
 * A request or a period is told when it begins, when one more of its instants has come, and when it
 * is over; a range only when it is over, since it may shrink and fall into parts until then. What
 * is still open at the end of the trace is told as over then, with SHAPE_NEVER for all that has not
 * come.
 *
 * Event numbers are indices in the trace, as in `trace --json` and explain.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_SHAPES_H
#define MIRRORSIM_TOOLS_PICTURE_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

/* An instant or an event number that has not come. */
#define SHAPE_NEVER UINT64_MAX

enum shape_news {
    SHAPE_BEGUN,
    SHAPE_GOES_ON, /* one more of its instants has come */
    SHAPE_OVER,
};

/*
 * A request: the job's, the guest's, or an active one. In today's generation a guest request is
 * one shape from its arrival to its answer, with what it does on its own disk between `submit` and
 * `done`; the active request that it leads to is another.
 */
struct shape_request {
    uint32_t request; /* its number: unique in a run */
    uint8_t node;     /* a disk, or BLOCK_FILTER_ID: it never came further than the filter */
    uint8_t op;       /* enum op */
    uint8_t by;       /* enum by */
    int ret;          /* 0 or -errno; once it is over */
    uint64_t offset;
    uint64_t bytes;

    uint64_t came_ns;   /* it queued, arrived or was submitted: whichever was first */
    uint64_t submit_ns; /* to its disk */
    uint64_t start_ns;  /* got a lane; SHAPE_NEVER on disks without a limit */
    uint64_t effect_ns; /* its data moved; SHAPE_NEVER for flushes, and if it moved nothing */
    uint64_t done_ns;   /* by its disk */
    uint64_t over_ns;   /* the guest has its answer; otherwise as done_ns */
    uint64_t came_event;
    uint64_t submit_event;
    uint64_t effect_event;
    uint64_t done_event;
    uint64_t over_event;

    uint32_t action;  /* of the guest: the number of its action in the plan (plan_action()) + 1 */
    uint32_t carries; /* the request whose content this one brings: for a copy's write its read, for
                         an active request the guest's; 0 = none */
    uint32_t fault;   /* the last fault of the plan that hit it, + 1; 0 = none */
};

enum shape_range_kind {
    RANGE_DIRTY,     /* bits of a dirty bitmap are set */
    RANGE_IN_FLIGHT, /* the job works on it: from a copy's read to the end of its write; or one
                        request of the job's own, or an active one */
    RANGE_LOCKED,    /* a guest request waits until an operation there is over (W2) */
    RANGE_KINDS,
};

/* A rectangle: addresses and time. A range that is cleaned in parts is one rectangle a part. */
struct shape_range {
    enum shape_range_kind kind;
    uint8_t node;     /* DIRTY: whose bitmap; else the node of `request` */
    uint8_t bitmap;   /* DIRTY: its index on the node */
    bool jobs;        /* DIRTY: it is the job's bitmap */
    uint32_t request; /* IN_FLIGHT: the first of the copy; LOCKED: the one that waits; DIRTY: 0 */
    uint64_t offset;
    uint64_t bytes;
    uint64_t from_ns;
    uint64_t to_ns;
    uint64_t from_event;
    uint64_t to_event;
};

enum shape_lane {
    LANE_STATUS,  /* value: enum job_status; in the generation 2.2 derived from the job's events */
    LANE_PHASE,   /* value: the engine's number for it (engine->phase_name()); sleeps are phases */
    LANE_SECTION, /* a drained section over `node`, or all: value = SECTION_OF_ALL */
    LANE_HOLD,    /* value: the fault of the plan that holds `request`, or a question (0) */
    LANE_COUNT,
};

struct shape_period {
    uint64_t number; /* of periods, from 1 */
    enum shape_lane lane;
    uint32_t value;
    uint8_t node;
    uint8_t op; /* HOLD: of what is held */
    uint8_t by;
    uint32_t request;
    uint64_t offset; /* HOLD: of what is held */
    uint64_t bytes;
    uint64_t from_ns;
    uint64_t quiet_ns; /* SECTION: nothing was in flight any more */
    uint64_t to_ns;
    uint64_t from_event;
    uint64_t to_event;
};

/* An event that is a point and no part of another shape: READY, an error, a command, a fault... */
struct shape_instant {
    struct event event;
    uint64_t number; /* of the event in the trace */
};

enum shape_counter {
    COUNTER_DIRTY,         /* bytes in the job's bitmap; `node`: whose */
    COUNTER_IN_FLIGHT,     /* bytes of requests in flight on `node` */
    COUNTER_QUEUED,        /* guest requests that wait for the end of a drain */
    COUNTER_OFFSET,        /* the job's progress */
    COUNTER_LEN,           /* ... and of how much */
    COUNTER_GUEST_LATENCY, /* ns, of a guest request that is over */
    COUNTER_COUNT,
};

/* The counter has this value from now on. Told only if it is another than before; latencies always.
 */
struct shape_sample {
    enum shape_counter counter;
    uint8_t node;
    uint64_t now_ns;
    uint64_t event;
    uint64_t value;
};

/*
 * Called from inside of shapes_event() and shapes_end(); what the pointers show is valid during the
 * call. NULL: not wanted.
 */
struct shape_sink {
    void *opaque;
    void (*request)(void *opaque, const struct shape_request *request, enum shape_news news);
    void (*range)(void *opaque, const struct shape_range *range);
    void (*period)(void *opaque, const struct shape_period *period, enum shape_news news);
    void (*instant)(void *opaque, const struct shape_instant *instant);
    void (*sample)(void *opaque, const struct shape_sample *sample);
};

struct shapes;

/* The plan must outlive it; the sink is copied. Dies if there is no memory. */
struct shapes *shapes_create(const struct plan *plan, const struct shape_sink *sink);

/* `number`: of the event in the trace. Any sequence of events is fine, also of a broken engine. */
void shapes_event(struct shapes *shapes, const struct event *event, uint64_t number);

/* Tells what is open as over, and frees everything. */
void shapes_end(struct shapes *shapes);

/* True for kinds of events that become instants. */
bool shape_is_instant(const struct event *event);

const char *shape_range_kind_name(enum shape_range_kind kind);
const char *shape_lane_name(enum shape_lane lane);
const char *shape_counter_name(enum shape_counter counter);

#endif
