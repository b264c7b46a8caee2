/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Explaining in a child: the engine may crash or loop, and explaining runs it many times.
 *
 * The child sends the answer as JSON and, if there is such a run, what the nearest one is without,
 * where it differs, and its events.  Without an answer the page shows the run all the same.
 */
#include "tools/page/why.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/explain/explain.h"
#include "tools/run/isolate.h"
#include "tools/run/pipe.h"
#include "tools/run/stream.h"

/* An answer with more text than this is none that anybody reads. */
#define MAX_ANSWER ((size_t)64 << 20)

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
    stream_send_trace(&nearest->trace, results);
}

/* Without a nearest run, an empty record takes the place of its name. */
void page_why_send(const struct one_run *whole, const struct run_result *result, int results)
{
    struct one_run run = *whole;
    struct answer answer = {
        .file = run.file, .all = true, .result = result, .finding = &result->findings[0]};
    struct explain_subject subject = {.finding = answer.finding};
    struct nearest nearest;

    one_run_open(&run);
    explain_answer(&run, &subject, &answer);
    send_answer(results, &answer);
    if (answer.without.repeats && explain_nearest(&run, &answer.without, &nearest)) {
        send_nearest(results, answer.without.list[nearest.without].what, &nearest);
        trace_free(&nearest.trace);
    } else {
        pipe_send(results, NULL, 0);
    }
    answer_free(&answer);
    world_destroy(run.world);
    trace_free(&run.trace);
}

static void explain_in_child(void *opaque, void *record, int results)
{
    const struct task *task = opaque;

    (void)record;
    page_why_send(task->run, task->result, results);
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

struct page_why page_why_receive(int results)
{
    struct page_why why = {.answer = receive_answer(results)};
    size_t bytes = 0;

    why.without = why.answer != NULL ? pipe_receive(results, MAX_ANSWER, &bytes) : NULL;
    if (bytes > 0 && receive_difference(results, &why.difference)) {
        stream_receive_trace(&why.nearest, results);
    }
    return why;
}

struct page_why page_why_make(const struct one_run *run, const struct run_result *result)
{
    struct task task = {run, result};
    struct isolate_death death;
    struct isolate isolate;
    struct page_why why;

    isolate_open(&isolate, 0);
    isolate_start(&isolate, explain_in_child, &task);
    why = page_why_receive(isolate.results);
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
