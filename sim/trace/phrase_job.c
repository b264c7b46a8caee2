/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phrases for a job: how it ended, and where it stands.
 *
 * Declared in sim/trace/phrase.h: the job's words are part of the same vocabulary.
 */
#include <errno.h>
#include <stdio.h>

#include "sim/trace/phrase.h"

/* The result of a job that was cancelled says nothing, unless it is an error of its own. */
struct phrase phrase_end(const struct event *end)
{
    struct phrase phrase;

    if (end->kind != EVENT_JOB_CANCELLED) {
        snprintf(phrase.text, sizeof(phrase.text), "ended with %.20s",
                 phrase_result(end->ret).text);
    } else if (end->ret == 0 || end->ret == -ECANCELED) {
        snprintf(phrase.text, sizeof(phrase.text), "was cancelled");
    } else {
        snprintf(phrase.text, sizeof(phrase.text), "was cancelled, with %.20s",
                 phrase_result(end->ret).text);
    }
    return phrase;
}

/* The last event of one of these kinds, or NULL. */
static const struct event *last_of(const struct trace *trace, uint64_t kinds)
{
    for (uint64_t i = trace->count; i > 0 && trace->keep; i--) {
        if (kinds >> trace->events[i - 1].kind & 1) {
            return &trace->events[i - 1];
        }
    }
    return NULL;
}

/* "; its last error was EIO of a write to dst at 3ms, ignored", or "". */
static struct phrase phrase_last_error(const struct evidence *evidence)
{
    const struct event *error = last_of(evidence->trace, EVENT_BIT(JOB_ERROR));
    struct phrase phrase = {""};

    if (error != NULL) {
        snprintf(phrase.text, sizeof(phrase.text),
                 "; its last error was %.20s (%s of %.24s, %s) at %s",
                 phrase_result(error->ret).text, op_name(event_op(error)),
                 phrase_disk(evidence, error->node), error_action_name(event_action(error)),
                 quantity_time(error->now_ns).text);
    }
    return phrase;
}

static const char *state_of(const struct job_info *info)
{
    if (info->cancelled) {
        return info->ready ? "ready and cancelled" : "cancelled, and not over yet";
    }
    return job_status_name(info->status);
}

struct job_phrase phrase_job(const struct evidence *evidence, const struct job_info *info,
                             bool lives)
{
    const struct event *end =
        last_of(evidence->trace, EVENT_BIT(JOB_COMPLETED) | EVENT_BIT(JOB_CANCELLED));
    struct job_phrase phrase;

    if (info == NULL) {
        snprintf(phrase.text, sizeof(phrase.text), "there has been no job");
    } else if (!lives && end != NULL) {
        snprintf(phrase.text, sizeof(phrase.text),
                 "the job %.40s at %s, having done %s of %s%.110s", phrase_end(end).text,
                 quantity_time(end->now_ns).text, quantity_bytes(end->offset).text,
                 quantity_bytes(end->bytes).text, phrase_last_error(evidence).text);
    } else {
        snprintf(phrase.text, sizeof(phrase.text), "the job is %s, having done %s of %s%.110s",
                 state_of(info), quantity_bytes(info->offset).text, quantity_bytes(info->len).text,
                 phrase_last_error(evidence).text);
    }
    return phrase;
}
