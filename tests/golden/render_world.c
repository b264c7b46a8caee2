/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan and renders its trace in the format of the reference traces.
 *
 * Most lines come from one event each.  Events without a line in the reference
 * (dirty bits, references, drains, phases) are left out.
 */
#include "tests/golden/render_world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "sim/world/world.h"
#include "tests/golden/content.h"

struct render {
    const struct plan *plan;
    struct world *world;
    struct trace trace;
    uint64_t told;        /* number of events already rendered */
    uint64_t granularity; /* of the job's bitmap, once there is one */
    bool was_ready;       /* READY has been seen: the reference never takes it back */
    bool has_ended;       /* COMPLETED or CANCELLED has been seen, ... */
    bool has_no_job;      /* ... or the start was refused */
    int ret;
    render_line *line;
    void *opaque;
    const struct render_pace *pace;
};

static void tell(struct render *render, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct render *render, const char *format, ...)
{
    char line[RENDER_LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    render->line(render->opaque, line, NULL);
}

static const char *node_name(const struct render *render, uint32_t node)
{
    return render->plan->disks[node].name;
}

/* ---- Words ---- */

static const char *const control_names[VERB_COUNT] = {
    [VERB_COMPLETE] = "complete", [VERB_CANCEL] = "cancel",       [VERB_PAUSE] = "pause",
    [VERB_RESUME] = "resume",     [VERB_SET_SPEED] = "set_speed",
};

static const char *const action_names[] = {
    [ACTION_REPORT] = "report", [ACTION_IGNORE] = "ignore", [ACTION_STOP] = "stop"};

static const char *refusal_class(unsigned refusal)
{
    switch (refusal) {
    case REFUSED_NOT_READY:
        return "NotReady";
    case REFUSED_INVALID_PARAMETER:
        return "InvalidParameter";
    case REFUSED_NOT_ACTIVE:
        return "NotActive";
    default:
        return "Generic";
    }
}

/* ---- One event, one line ---- */

static void tell_submit(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " submit %s %s %" PRIu64 " %" PRIu64, event->now_ns,
         node_name(render, event->node), op_name(event_op(event)), event->offset, event->bytes);
}

static void tell_done(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " done %s %s %" PRIu64 " %" PRIu64 " %" PRId32, event->now_ns,
         node_name(render, event->node), op_name(event_op(event)), event->offset, event->bytes,
         event->ret);
}

static void tell_ready(struct render *render, const struct event *event)
{
    render->was_ready = true;
    tell(render, "%" PRIu64 " event READY", event->now_ns);
}

static void tell_error(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " event ERROR(%s,%s)", event->now_ns,
         event->op == OP_READ ? "read" : "write", action_names[event->detail]);
}

static void tell_paused(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " event PAUSED", event->now_ns);
}

/* The reference looks at the job's cancelled flag alone, even if the job has failed. */
static void tell_end(struct render *render, const struct event *event)
{
    struct job_info info = {0};
    world_last_job(render->world, &info);
    render->has_ended = true;
    render->ret = event->ret;
    tell(render, "%" PRIu64 " event %s", event->now_ns, info.cancelled ? "CANCELLED" : "COMPLETED");
}

static void tell_start_refused(struct render *render, const struct event *event)
{
    struct job_info info;

    /* A job that stays attached after a failed start never ends, so the run goes on (D2). */
    render->has_no_job = !world_job(render->world, &info);
    tell(render, "%" PRIu64 " start failed %s", event->now_ns, refusal_class(event->detail));
}

static void tell_command(struct render *render, const struct event *event)
{
    char argument[24] = "";
    if (event->detail == VERB_SET_SPEED) {
        snprintf(argument, sizeof(argument), " %" PRId64, (int64_t)event->offset);
    }
    tell(render, "%" PRIu64 " control %s%s", event->now_ns, control_names[event->detail], argument);
}

static void tell_refused(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " control %s failed %s", event->now_ns, control_names[event->detail],
         refusal_class(event->detail2));
}

static void note_granularity(struct render *render, const struct event *event)
{
    render->granularity = event->bytes;
}

static void tell_pivot(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " graph swap %s %s", event->now_ns, node_name(render, event->node),
         node_name(render, event->index));
}

static void tell_open_backing(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " graph open_backing %s %" PRId32, event->now_ns,
         node_name(render, event->node), event->ret);
}

static void tell_reopen(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " graph reopen %s flags=0x%" PRIx64 " %" PRId32, event->now_ns,
         node_name(render, event->node), event->bytes, event->ret);
}

static void tell_truncate(struct render *render, const struct event *event)
{
    tell(render, "%" PRIu64 " graph truncate %s %" PRIu64 " %" PRId32, event->now_ns,
         node_name(render, event->node), event->bytes, event->ret);
}

/* Events without an entry have no line in the reference. */
static void (*const tellers[EVENT_KIND_COUNT])(struct render *render, const struct event *event) = {
    [EVENT_REQUEST_SUBMIT] = tell_submit,
    [EVENT_REQUEST_DONE] = tell_done,
    [EVENT_JOB_READY] = tell_ready,
    [EVENT_JOB_ERROR] = tell_error,
    [EVENT_JOB_PAUSED] = tell_paused,
    [EVENT_JOB_COMPLETED] = tell_end,
    [EVENT_JOB_CANCELLED] = tell_end,
    [EVENT_JOB_REFUSED] = tell_start_refused,
    [EVENT_COMMAND] = tell_command,
    [EVENT_COMMAND_REFUSED] = tell_refused,
    [EVENT_DIRTY_CREATE] = note_granularity,
    [EVENT_GRAPH_PIVOT] = tell_pivot,
    [EVENT_GRAPH_OPEN_BACKING] = tell_open_backing,
    [EVENT_GRAPH_REOPEN] = tell_reopen,
    [EVENT_GRAPH_TRUNCATE] = tell_truncate,
};

/* Renders the new events; false once the run is to end. */
static bool tell_events(struct render *render)
{
    while (render->told < render->trace.count && !render->has_ended && !render->has_no_job) {
        const struct event *event = &render->trace.events[render->told++];
        if (tellers[event->kind]) {
            tellers[event->kind](render, event);
        }
    }
    return !render->has_ended && !render->has_no_job;
}

/* ---- The last lines ---- */

/* The number of bytes by which the last chunk exceeds the source. */
static uint64_t last_chunk_padding(const struct render *render)
{
    uint64_t bytes = render->plan->disks[render->plan->job.source].bytes;
    uint64_t rest = render->granularity == 0 ? 0 : bytes % render->granularity;
    return rest == 0 ? 0 : render->granularity - rest;
}

/* The fields that `result` and `state` lines share. */
static void tell_progress(struct render *render, const char *first, const struct job_info *info)
{
    uint64_t sector;
    bool equal = content_equal(world_evidence(render->world), &render->trace, &sector);
    uint64_t lens[2] = {info->len, info->len + last_chunk_padding(render)};
    char difference[24] = "-1";
    char lines[2][RENDER_LINE_BYTES];
    if (!equal) {
        snprintf(difference, sizeof(difference), "%" PRIu64, sector);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(lines[i], sizeof(lines[i]),
                 "%s ready=%d offset=%" PRIu64 " len=%" PRIu64 " equal=%s first_diff=%s", first,
                 render->was_ready, info->offset, lens[i], equal ? "yes" : "no", difference);
    }
    render->line(render->opaque, lines[0], lens[0] == lens[1] ? NULL : lines[1]);
}

static void tell_result(struct render *render)
{
    struct job_info info;
    char first[64];
    if (!world_last_job(render->world, &info)) {
        tell(render, "nojob");
        return;
    }
    snprintf(first, sizeof(first), "result %d cancelled=%d", render->ret, info.cancelled);
    tell_progress(render, first, &info);
}

static const char *stop_name(enum world_end end)
{
    switch (end) {
    case END_LIVELOCK:
        return "LIVELOCK";
    case END_TIME:
    case END_EVENTS:
        return "TIMEOUT";
    case END_NOT:
    case END_CONCLUDED:
    case END_DEADLOCK:
    case END_GIVEN_UP:
    case END_FINDINGS:
        break;
    }
    return "HANG";
}

/* The final lines of a run whose job has not ended. */
static void tell_state(struct render *render)
{
    struct job_info info;
    char first[64];
    if (!world_job(render->world, &info)) {
        tell(render, "nojob");
        return;
    }
    tell(render, "%s", stop_name(world_ended(render->world)));
    snprintf(first, sizeof(first), "state cancelled=%d paused=%d busy=%d", info.cancelled,
             info.paused, info.busy);
    tell_progress(render, first, &info);
}

bool render_step(struct world *world, const struct render_pace *pace)
{
    if (!world_next_ns(world, pace->now_ns)) {
        *pace->now_ns = world_now_ns(world);
    }
    ++*pace->step;
    return world_step(world);
}

static void emitted(void *opaque)
{
    struct render *render = opaque;
    if (render_is_last_step(render->pace)) {
        tell_events(render);
    }
}

bool render_world(const struct plan *plan, const struct engine *engine, render_line *line,
                  void *opaque, const struct render_pace *pace)
{
    if (plan->generation == GENERATION_MODERN) {
        return render_modern(plan, engine, line, opaque, pace);
    }
    struct render render = {.plan = plan, .line = line, .opaque = opaque, .pace = pace};
    struct world_options options = {
        .engine = engine, .no_oracles = true, .emitted = emitted, .opaque = &render};
    trace_init(&render.trace, true);
    render.world = world_create(plan, &options, &render.trace);
    if (!render.world) {
        trace_free(&render.trace);
        return false;
    }
    while (tell_events(&render) && render_step(render.world, pace)) {
        /* Each step tells whether there may be another. */
    }
    tell_events(&render);
    if (render.has_ended) {
        tell_result(&render);
    } else if (render.has_no_job) {
        tell(&render, "nojob");
    } else {
        tell_state(&render);
    }
    world_destroy(render.world);
    trace_free(&render.trace);
    return true;
}
