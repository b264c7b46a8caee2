/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events in words, fit for a bug report.
 *
 * Declared in tools/explain/explain.h: a part of explaining.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/explain/explain.h"

const struct event *explain_submit(const struct one_run *run, uint32_t request)
{
    for (uint64_t i = 0; i < run->trace.count; i++) {
        const struct event *event = &run->trace.events[i];

        if (event->request == request &&
            (event->kind == EVENT_REQUEST_SUBMIT || event->kind == EVENT_REQUEST_QUEUED)) {
            return event;
        }
    }
    return NULL;
}

char *explain_request(const struct one_run *run, uint32_t request)
{
    const struct event *submit = explain_submit(run, request);
    struct guest_origin origin = {0};

    if (submit == NULL) {
        return must_printf("request #%" PRIu32, request);
    }
    if (submit->by != BY_GUEST) {
        return must_printf("%s #%" PRIu32, op_name(event_op(submit)), request);
    }
    if (submit->index > 0) {
        origin = plan_guest_origin(run->plan, submit->index - 1u);
    }
    if (origin.where.line == 0) {
        return must_printf("guest %s #%" PRIu32, op_name(event_op(submit)), request);
    }
    return must_printf("guest %s #%" PRIu32 " (%s%s%sline %" PRIu32 ")", op_name(event_op(submit)),
                       request, origin.tag != NULL ? "tag " : "",
                       origin.tag != NULL ? origin.tag : "", origin.tag != NULL ? ", " : "",
                       origin.where.line);
}

static const char *disk_name(const struct one_run *run, uint32_t disk)
{
    return phrase_disk(world_evidence(run->world), disk);
}

/* "write #9 is submitted: dst [0B, 64KiB)" */
static char *request_in_words(const struct one_run *run, const struct event *event)
{
    char *name = explain_request(run, event->request);
    const char *disk = disk_name(run, event->node);
    char *text = NULL;

    switch (event->kind) {
    case EVENT_REQUEST_QUEUED:
        text = must_printf("%s waits for the end of a drain", name);
        break;
    case EVENT_REQUEST_SUBMIT:
        text = event->op == OP_FLUSH ? must_printf("%s of %s is submitted", name, disk)
                                     : must_printf("%s is submitted: %s %s", name, disk,
                                                   phrase_range(event->offset, event->bytes).text);
        break;
    case EVENT_REQUEST_DONE:
        text = event->ret == 0
                   ? must_printf("%s is done", name)
                   : must_printf("%s fails with %s", name, phrase_result(event->ret).text);
        break;
    default:
        break;
    }
    free(name);
    return text;
}

/* "fault stale (line 12) hits write #4" */
static char *fault_in_words(const struct one_run *run, const struct event *event)
{
    const struct fault_spec *fault = &run->plan->faults[event->index];
    const char *word = fault->kind == FAULT_HOLD ? "hold" : "fault";
    const char *verb = event->kind == EVENT_FAULT      ? "hits"
                       : event->kind == EVENT_RELEASED ? "releases"
                                                       : "stops";
    const char *name = fault->name != NULL ? fault->name : "without a name";
    char *hit = event->request > 0 ? explain_request(run, event->request)
                                   : must_printf("%s of %s", op_name(event_op(event)),
                                                 disk_name(run, event->node));
    char *text =
        must_printf("%s %s (line %" PRIu32 ") %s %s", word, name, fault->where.line, verb, hit);

    free(hit);
    return text;
}

/* True for a hold that has found its request but has not stopped it yet. */
static bool is_coming_hold(const struct one_run *run, const struct event *event)
{
    return event->kind == EVENT_FAULT && run->plan->faults[event->index].kind == FAULT_HOLD;
}

static char *end_in_words(const struct event *event)
{
    if (event->kind == EVENT_JOB_CANCELLED) {
        return must_printf("the job ends, cancelled");
    }
    return event->ret == 0 ? must_printf("the job completes successfully")
                           : must_printf("the job ends with %s", phrase_result(event->ret).text);
}

static char *job_in_words(const struct one_run *run, const struct event *event)
{
    const char *disk = disk_name(run, event->node);

    switch (event->kind) {
    case EVENT_JOB_STARTED:
        return must_printf("the job starts: %s to %s", disk, disk_name(run, event->index));
    case EVENT_JOB_REFUSED:
        return must_printf("the start is refused: %s", job_refusal_name(event_refusal(event)));
    case EVENT_JOB_READY:
        return must_printf("the job reports READY");
    case EVENT_JOB_ERROR:
        return must_printf("the job reports an error: %s of %s, %s; action %s",
                           op_name(event_op(event)), disk, phrase_result(event->ret).text,
                           error_action_name(event_action(event)));
    case EVENT_JOB_PAUSED:
        return must_printf("the job pauses");
    case EVENT_JOB_RESUMED:
        return must_printf("the job resumes");
    case EVENT_JOB_COMPLETED:
    case EVENT_JOB_CANCELLED:
        return end_in_words(event);
    case EVENT_COMMAND:
        return must_printf("command %s", job_verb_name(event_verb(event)));
    case EVENT_COMMAND_REFUSED:
        return must_printf("command %s is refused: %s", job_verb_name(event_verb(event)),
                           job_refusal_name(event_refusal(event)));
    default:
        return NULL;
    }
}

static char *disk_in_words(const struct one_run *run, const struct event *event)
{
    const char *disk = disk_name(run, event->node);

    switch (event->kind) {
    case EVENT_DIRTY_CREATE:
        return must_printf("the job begins to track %s in chunks of %s", disk,
                           quantity_size(event->bytes).text);
    case EVENT_DIRTY_RELEASE:
        return must_printf("the job releases its dirty bitmap: it no longer notices changes of %s",
                           disk);
    case EVENT_DIRTY_SET:
        return must_printf("the dirty bit of %s is set by the %s",
                           phrase_range(event->offset, event->bytes).text,
                           by_name(event_by(event)));
    case EVENT_DIRTY_CLEAR:
        return must_printf("the job clears the dirty bit of %s",
                           phrase_range(event->offset, event->bytes).text);
    case EVENT_DRAIN_BEGIN:
        return must_printf("the job drains %s", disk);
    case EVENT_DRAINED:
        return must_printf("%s is drained", disk);
    case EVENT_GRAPH_PIVOT:
        return must_printf("the pivot: %s takes the place of %s", disk,
                           disk_name(run, event->index));
    case EVENT_POWER_CUT:
        return must_printf("power cut of %s", disk);
    default:
        return NULL;
    }
}

char *explain_event(const struct one_run *run, const struct event *event)
{
    char *text;

    if (event->kind == EVENT_FAULT || event->kind == EVENT_HELD || event->kind == EVENT_RELEASED) {
        return is_coming_hold(run, event) ? NULL : fault_in_words(run, event);
    }
    text = event->request > 0 ? request_in_words(run, event) : NULL;
    text = text != NULL ? text : job_in_words(run, event);
    return text != NULL ? text : disk_in_words(run, event);
}
