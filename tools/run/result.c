/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filling a result, and sending it.
 *
 * Beside the line that a finding is about, people want to know which step was
 * under way and which fault had just hit: both are read from the trace.
 */
#include "tools/run/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/pipe.h"

/* Events before a finding that are worth looking at. */
#define EVENTS_BEFORE_FINDING 30

size_t run_result_bytes(uint32_t findings)
{
    return sizeof(struct run_result) + findings * sizeof(struct run_finding);
}

struct run_result *run_result_create(void)
{
    return must_alloc(run_result_bytes(RUN_MAX_FINDINGS));
}

struct run_finding *run_result_add(struct run_result *result, enum finding_id id,
                                   const char *format, ...)
{
    struct run_finding *finding;
    va_list args;

    if (result->finding_count == RUN_MAX_FINDINGS) {
        return NULL;
    }
    finding = &result->findings[result->finding_count++];
    *finding = (struct run_finding){.id = id};
    va_start(args, format);
    vsnprintf(finding->text, sizeof(finding->text), format, args);
    va_end(args);
    return finding;
}

void run_finding_copy(struct run_finding *copy, const struct plan *plan,
                      const struct finding *found)
{
    *copy = (struct run_finding){.id = found->id,
                                 .now_ns = found->now_ns,
                                 .event_number = found->event_number,
                                 .is_cycle = found->is_cycle,
                                 .cycle_from = found->cycle_from,
                                 .line = found->where.line,
                                 .has_sector = found->has_sector && found->disk < plan->disk_count};
    text_copy(copy->text, sizeof(copy->text), found->text);
    if (copy->has_sector) {
        copy->sector = found->sector;
        text_copy(copy->disk, sizeof(copy->disk), plan->disks[found->disk].name);
    }
}

void run_result_fill(struct run_result *result, const struct plan *plan,
                     const struct verdict *verdict)
{
    result->outcome = verdict->outcome;
    result->virtual_ns = verdict->virtual_ns;
    result->events = verdict->events;
    result->trace_events = verdict->trace_events;
    result->trace_hash = verdict->trace_hash;
    result->checks = verdict->checks;
    result->dropped = verdict->dropped;
    result->concluded = verdict->concluded;
    result->cancelled = verdict->cancelled;
    result->ret = verdict->ret;
    for (uint32_t i = 0; i < verdict->finding_count && result->finding_count < RUN_MAX_FINDINGS;
         i++) {
        run_finding_copy(&result->findings[result->finding_count++], plan, &verdict->findings[i]);
    }
}

void run_name_bug(char *bug, const struct xfail_spec *xfail)
{
    text_copy(bug, RUN_BUG_BYTES, xfail != NULL && xfail->bug != NULL ? xfail->bug : "");
}

/* ---- Lines of the scenario ---- */

void run_finding_find_lines(struct run_finding *finding, const struct plan *plan,
                            const struct trace *trace)
{
    uint64_t last = finding->event_number < trace->count ? finding->event_number + 1 : trace->count;
    uint64_t from = last > EVENTS_BEFORE_FINDING ? last - EVENTS_BEFORE_FINDING : 0;

    finding->trace_from_ns = from < last ? trace->events[from].now_ns : 0;
    for (uint64_t i = last; i > 0 && (finding->step_line == 0 || finding->fault_line == 0); i--) {
        const struct event *event = &trace->events[i - 1];

        if (event->kind == EVENT_STEP && finding->step_line == 0) {
            finding->step_line = plan->steps[event->index].where.line;
        } else if (event->kind == EVENT_FAULT && finding->fault_line == 0) {
            finding->fault_line = plan->faults[event->index].where.line;
        }
    }
}

/* ---- Through a pipe ---- */

bool run_result_send(int fd, const struct run_result *result)
{
    return pipe_send(fd, result, run_result_bytes(result->finding_count));
}

struct run_result *run_result_receive(int fd)
{
    size_t bytes;
    struct run_result *result = pipe_receive(fd, run_result_bytes(RUN_MAX_FINDINGS), &bytes);

    if (result != NULL &&
        (bytes < sizeof(*result) || bytes != run_result_bytes(result->finding_count))) {
        free(result);
        return NULL;
    }
    return result;
}
