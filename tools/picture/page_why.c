/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Explaining in a child: the engine may crash or loop, and explaining runs it many times.
 *
 * The child sends the answer as JSON and, if there is such a run, what the nearest one is without,
 * where it differs, and its events.  Without an answer the page shows the run all the same.
 */
#include "tools/picture/page_why.h"

#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/explain/explain.h"
#include "tools/run/isolate.h"
#include "tools/run/pipe.h"

/* An answer with more text than this is none that anybody reads. */
#define MAX_ANSWER ((size_t)64 << 20)

/* Events in one record, at most. */
#define SEND_EVENTS ((uint64_t)65536)

struct task {
    const struct one_run *run;
    const struct run_result *result;
};

/* ---- In the child ---- */

static void send_answer(int results, const struct answer *answer)
{
    json_t *object = explain_json(answer);
    char *text = json_dumps(object, JSON_COMPACT);

    pipe_send(results, text, text != NULL ? strlen(text) : 0);
    free(text);
    json_decref(object);
}

static void send_nearest(int results, const char *without, const struct nearest *nearest)
{
    pipe_send(results, without, strlen(without));
    pipe_send(results, &nearest->difference, sizeof(nearest->difference));
    for (uint64_t sent = 0; sent < nearest->trace.count; sent += SEND_EVENTS) {
        uint64_t count = min_u64(nearest->trace.count - sent, SEND_EVENTS);

        pipe_send(results, &nearest->trace.events[sent], count * sizeof(struct event));
    }
}

static void explain_in_child(void *opaque, void *record, int results)
{
    const struct task *task = opaque;
    struct one_run run = *task->run;
    struct answer answer = {.file = run.file,
                            .all = true,
                            .result = task->result,
                            .finding = &task->result->findings[0]};
    struct explain_subject subject = {.finding = answer.finding};
    struct nearest nearest;

    (void)record;
    one_run_open(&run);
    explain_answer(&run, &subject, &answer);
    send_answer(results, &answer);
    if (answer.without.repeats && explain_nearest(&run, &answer.without, &nearest)) {
        send_nearest(results, answer.without.list[nearest.without].what, &nearest);
    }
}

/* ---- In the parent ---- */

static json_t *receive_answer(int results)
{
    size_t bytes;
    char *text = pipe_receive(results, MAX_ANSWER, &bytes);
    json_t *answer = text != NULL ? json_loadb(text, bytes, 0, NULL) : NULL;

    free(text);
    return answer;
}

static bool receive_difference(int results, uint64_t *difference)
{
    size_t bytes;
    void *record = pipe_receive(results, sizeof(*difference), &bytes);
    bool whole = record != NULL && bytes == sizeof(*difference);

    if (whole) {
        memcpy(difference, record, sizeof(*difference));
    }
    free(record);
    return whole;
}

static void receive_trace(int results, struct trace *trace)
{
    struct event *events;
    size_t bytes;

    while ((events = pipe_receive(results, SEND_EVENTS * sizeof(*events), &bytes)) != NULL) {
        for (size_t i = 0; i < bytes / sizeof(*events); i++) {
            trace_append(trace, &events[i]);
        }
        free(events);
    }
}

struct page_why page_why_make(const struct one_run *run, const struct run_result *result)
{
    struct task task = {run, result};
    struct page_why why = {.answer = NULL};
    struct isolate_death death;
    struct isolate isolate;
    size_t bytes;

    trace_init(&why.nearest, true);
    isolate_open(&isolate, 0);
    isolate_start(&isolate, explain_in_child, &task);
    why.answer = receive_answer(isolate.results);
    why.without = pipe_receive(isolate.results, MAX_ANSWER, &bytes);
    if (why.without != NULL && receive_difference(isolate.results, &why.difference)) {
        receive_trace(isolate.results, &why.nearest);
    }
    death = isolate_end(&isolate);
    isolate_close(&isolate);
    free(death.words);
    return why;
}

void page_why_free(struct page_why *why)
{
    json_decref(why->answer);
    trace_free(&why->nearest);
    free(why->without);
}
