/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: spans on their disks, and slices in the lanes of who issues them, with arrows.
 *
 * Arrows bind to slices of threads, not to async spans, so each request is also a slice in a lane
 * of who issues it. An arrow has to leave its slice while that is open; but which write a read
 * leads to is known only after the read. So the slice of a successful read stays open until its
 * write begins, at the same instant, or until time passes.
 *
 * Declared in tools/picture/perfetto_private.h: a part of the writer.
 */
#include <inttypes.h>

#include "sim/base/errno_name.h"
#include "tools/base/support.h"
#include "tools/picture/perfetto_private.h"

static void put_ret(FILE *out, int ret)
{
    const char *name = errno_name(-ret);

    if (ret == 0 || name != NULL) {
        fprintf(out, ",\"args\":{\"ret\":\"%s\"}}", ret == 0 ? "ok" : name);
    } else {
        fprintf(out, ",\"args\":{\"ret\":\"error %d\"}}", -ret);
    }
}

/* ---- Lanes ---- */

static struct lane *lane_of(const struct lanes *lanes, uint32_t request)
{
    for (size_t i = 0; i < lanes->count; i++) {
        if (lanes->list[i].request == request) {
            return &lanes->list[i];
        }
    }
    return NULL;
}

static int tid_of(const struct lanes *lanes, const struct lane *lane)
{
    return TID_LANES + (int)(lane - lanes->list);
}

static struct lane *lane_take(const struct perfetto *perfetto, struct lanes *lanes,
                              uint32_t request)
{
    struct lane *lane = lane_of(lanes, 0);
    char name[40];

    if (lane == NULL) {
        lanes->list = must_grow(lanes->list, lanes->count, sizeof(*lanes->list));
        lane = &lanes->list[lanes->count++];
        snprintf(name, sizeof(name), "%s %zu", lanes->name, lanes->count);
        perfetto_name(perfetto, "thread_name", lanes->pid, tid_of(lanes, lane), name);
    }
    *lane = (struct lane){.request = request};
    return lane;
}

static struct lanes *lanes_of(struct perfetto *perfetto, const struct shape_request *request)
{
    return request->by == BY_GUEST ? &perfetto->guest : &perfetto->job;
}

void perfetto_end_reads(struct perfetto *perfetto)
{
    for (size_t i = 0; perfetto->reads_over && i < perfetto->job.count; i++) {
        struct lane *lane = &perfetto->job.list[i];

        if (lane->request != 0 && lane->read_over) {
            perfetto_begin(perfetto, 'E', PID_JOB, tid_of(&perfetto->job, lane), perfetto->now_ns);
            put_ret(perfetto->out, 0);
            lane->request = 0;
        }
    }
    perfetto->reads_over = false;
}

/* ---- Requests ---- */

static void put_request_name(FILE *out, const struct shape_request *request)
{
    fprintf(out, ",\"cat\":\"request\",\"name\":\"%s %s\"", by_name((enum by)request->by),
            op_name((enum op)request->op));
}

static void put_request_args(FILE *out, const struct shape_request *request, uint64_t event)
{
    fprintf(out, ",\"args\":{\"request\":%" PRIu32 ",\"event\":%" PRIu64, request->request, event);
    if (request->bytes > 0) {
        fprintf(out, ",\"offset\":%" PRIu64 ",\"bytes\":%" PRIu64, request->offset, request->bytes);
    }
    if (request->carries > 0) {
        fprintf(out, ",\"carries\":%" PRIu32, request->carries);
    }
    fputs("}}", out);
}

/* From the slice of what it carries, which is open, into its own, which has just begun. */
static void draw_arrow(struct perfetto *perfetto, const struct shape_request *request, int tid)
{
    bool is_copy = request->by == BY_JOB;
    struct lanes *from = is_copy ? &perfetto->job : &perfetto->guest;
    struct lane *lane = lane_of(from, request->carries);
    const char *what = is_copy ? "copy" : "active";

    if (lane == NULL) {
        return;
    }
    perfetto_begin(perfetto, 's', from->pid, tid_of(from, lane), perfetto->now_ns);
    fprintf(perfetto->out, ",\"cat\":\"%s\",\"name\":\"%s\",\"id\":%" PRIu32 "}", what, what,
            request->request);
    perfetto_begin(perfetto, 'f', PID_JOB, tid, perfetto->now_ns);
    fprintf(perfetto->out, ",\"bp\":\"e\",\"cat\":\"%s\",\"name\":\"%s\",\"id\":%" PRIu32 "}", what,
            what, request->request);
}

static void begin_slice(struct perfetto *perfetto, const struct shape_request *request)
{
    struct lanes *lanes = lanes_of(perfetto, request);
    int tid = tid_of(lanes, lane_take(perfetto, lanes, request->request));

    perfetto_begin(perfetto, 'B', lanes->pid, tid, request->came_ns);
    put_request_name(perfetto->out, request);
    put_request_args(perfetto->out, request, request->came_event);
    if (request->carries > 0) {
        draw_arrow(perfetto, request, tid);
    }
}

static void end_slice(struct perfetto *perfetto, const struct shape_request *request)
{
    struct lanes *lanes = lanes_of(perfetto, request);
    struct lane *lane = lane_of(lanes, request->request);

    if (lane == NULL) {
        return;
    }
    if (request->by == BY_JOB && request->op == OP_READ && request->ret == 0 &&
        request->over_ns != SHAPE_NEVER) {
        lane->read_over = true;
        perfetto->reads_over = true;
        return;
    }
    perfetto_begin(perfetto, 'E', lanes->pid, tid_of(lanes, lane),
                   perfetto_instant(perfetto, request->over_ns));
    if (request->over_ns == SHAPE_NEVER) {
        perfetto_put_end(perfetto->out, true);
    } else {
        put_ret(perfetto->out, request->ret);
    }
    lane->request = 0;
}

/* On its disk: 'b'egin, i'n'stant, 'e'nd. */
static void begin_span(const struct perfetto *perfetto, const struct shape_request *request,
                       char phase, uint64_t now_ns)
{
    perfetto_begin(perfetto, phase, PID_DISKS + request->node, 0, now_ns);
    if (phase == 'n') {
        fputs(",\"cat\":\"request\",\"name\":\"effect\"", perfetto->out);
    } else {
        put_request_name(perfetto->out, request);
    }
    fprintf(perfetto->out, ",\"id\":%" PRIu32, request->request);
}

static void tell_span(const struct perfetto *perfetto, const struct shape_request *request)
{
    if (request->submit_event == perfetto->number) {
        begin_span(perfetto, request, 'b', request->submit_ns);
        put_request_args(perfetto->out, request, request->submit_event);
    }
    if (request->effect_event == perfetto->number) {
        begin_span(perfetto, request, 'n', request->effect_ns);
        fprintf(perfetto->out, ",\"args\":{\"event\":%" PRIu64 "}}", request->effect_event);
    }
    if (request->done_event == perfetto->number) {
        begin_span(perfetto, request, 'e', request->done_ns);
        put_ret(perfetto->out, request->ret);
    }
}

/* Today's guest requests are over with their answer, and done by their disk before. */
void perfetto_request(void *opaque, const struct shape_request *request, enum shape_news news)
{
    struct perfetto *perfetto = opaque;
    bool is_open = news == SHAPE_OVER && request->over_event == SHAPE_NEVER;

    if (news == SHAPE_BEGUN) {
        begin_slice(perfetto, request);
    }
    if (!is_open) {
        tell_span(perfetto, request);
    } else if (request->submit_event != SHAPE_NEVER && request->done_event == SHAPE_NEVER) {
        begin_span(perfetto, request, 'e', perfetto->now_ns);
        perfetto_put_end(perfetto->out, true);
    }
    if (news == SHAPE_OVER) {
        end_slice(perfetto, request);
    }
}
