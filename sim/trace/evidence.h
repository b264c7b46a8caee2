/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an oracle may look at: the plan, the trace as it grows, the images.
 *
 * Never the engine.  The world fills in the struct; oracles only read it, and
 * report through verdict_add().
 */
#ifndef MIRRORSIM_SIM_TRACE_EVIDENCE_H
#define MIRRORSIM_SIM_TRACE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/content/view.h"
#include "sim/plan/plan.h"
#include "sim/trace/trace.h"

struct verdict;

enum world_end {
    END_NOT,       /* still running */
    END_CONCLUDED, /* the job has concluded (or none was started) and nothing is pending */
    END_DEADLOCK,  /* nothing is pending and the job has not concluded */
    END_TIME,      /* limits.time_ns */
    END_EVENTS,    /* limits.events */
    END_LIVELOCK,  /* limits.events_at_once; or the same states again and again (`repeats`) */
    END_GIVEN_UP,  /* a step has waited in vain, and what was under way has had time to end */
    END_FINDINGS,  /* more findings than are kept: running on would add nothing */
};

const char *world_end_name(enum world_end end);

/* A disk's state now. */
struct disk_state {
    struct image *image;
    struct image *durable; /* what survives any power cut; NULL: all of `image` */
    uint64_t bytes;
    uint32_t backing; /* disk that its header names, or PLAN_NONE */
    bool backing_open;
};

struct evidence {
    const struct plan *plan;
    struct arena *arena;       /* the world's arena; oracle state lives there */
    const struct trace *trace; /* the trace so far; may be NULL, or not kept */
    struct disk_state *disks[PLAN_MAX_DISKS];
    uint64_t now_ns;
    uint64_t event_number; /* number of the event being judged */
    uint32_t steps_run;    /* number of steps that have begun */
    bool story_over;       /* the last step has finished */
    bool story_stopped;    /* a wait exceeded its bound: the rest of the steps will not run */
    enum world_end end;
    const char
        *job_waits; /* at the end: who waits for what inside the job, if the engine says so */

    /* The run is in a cycle that an oracle objects to: ... */
    bool repeats;
    uint64_t repeats_event; /* it is as it was before this event of the trace, */
    uint64_t repeats_ns;    /* at this instant */

    /* During a REQUEST_EFFECT of a read: the content it read, in order. */
    const struct run *read_runs;
    uint32_t read_run_count;
    const uint8_t *read_bytes; /* the same as bytes, with `content: bytes`; else NULL */

    const struct writers *writers; /* who wrote the guest's content, for digests */
    struct verdict *verdict;
};

/* The disk as its readers see it, including backing files that are named but not open. */
void evidence_view(const struct evidence *evidence, uint32_t disk, struct view *view);

#endif
