/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations of the guest's requests as a whole: how long shares of them take, and how many fail.
 *
 * A request takes from the instant at which the guest makes it to its answer; one without an answer
 * takes until the run ends.  Of n requests sorted by that, the bound of p % is about the one in
 * place p * n / 100, rounded up: no more than 100 - p % take longer.
 *
 * Declared in sim/verdict/expect.h: one of the expectations.
 */
#include "sim/verdict/expect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/phrase.h"

#define UNSEEN UINT64_MAX

/* By number of the request, from 1. */
struct requests {
    uint64_t *began_ns; /* UNSEEN: no request of the guest that is meant */
    uint64_t *took_ns;
    uint64_t count; /* of those seen */
    uint64_t failed;
    uint64_t last_failed; /* event */
    uint32_t most;        /* the highest number */
};

bool expect_is_of(const struct run_end *run, const struct expect_spec *expect,
                  const struct event *event)
{
    const char *tag = NULL;

    if (expect->tag == NULL) {
        return true;
    }
    if (event->index > 0) {
        tag = plan_guest_origin(run->evidence->plan, event->index - 1u).tag;
    }
    return tag != NULL && strcmp(tag, expect->tag) == 0;
}

/* ---- Collecting ---- */

static void make(struct requests *requests, const struct run_end *run)
{
    uint64_t bytes;

    for (uint64_t i = 0; i < run->trace->count; i++) {
        requests->most = (uint32_t)max_u64(requests->most, run->trace->events[i].request);
    }
    bytes = ((uint64_t)requests->most + 1) * sizeof(uint64_t);
    requests->began_ns = arena_alloc(run->evidence->arena, bytes);
    requests->took_ns = arena_alloc(run->evidence->arena, bytes);
    memset(requests->began_ns, 0xff, (size_t)bytes);
}

static void forget(struct requests *requests, const struct run_end *run)
{
    uint64_t bytes = ((uint64_t)requests->most + 1) * sizeof(uint64_t);

    arena_free(run->evidence->arena, requests->began_ns, bytes);
    arena_free(run->evidence->arena, requests->took_ns, bytes);
}

static void end(struct requests *requests, const struct event *event, uint64_t number)
{
    requests->took_ns[event->request] = event->now_ns - requests->began_ns[event->request];
    if (event->ret < 0) {
        requests->failed++;
        requests->last_failed = number;
    }
}

static void collect(struct requests *requests, const struct run_end *run,
                    const struct expect_spec *expect)
{
    bool is_modern = run->evidence->plan->generation == GENERATION_MODERN;
    enum event_kind last = is_modern ? EVENT_ANSWERED : EVENT_REQUEST_DONE;

    for (uint64_t i = 0; i < run->trace->count; i++) {
        const struct event *event = &run->trace->events[i];
        bool begins = event->kind == EVENT_REQUEST_QUEUED || event->kind == EVENT_ARRIVE ||
                      event->kind == EVENT_REQUEST_SUBMIT;

        if (event->by != BY_GUEST || event->request == 0 || !expect_is_of(run, expect, event)) {
            continue;
        }
        if (begins && requests->began_ns[event->request] == UNSEEN) {
            requests->began_ns[event->request] = event->now_ns;
            requests->took_ns[event->request] = run->evidence->now_ns - event->now_ns;
            requests->count++;
        } else if (event->kind == last) {
            end(requests, event, i);
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* The times of those seen come first, the shortest at the beginning. */
static void sort(struct requests *requests)
{
    uint64_t count = 0;

    for (uint64_t i = 1; i <= requests->most; i++) {
        if (requests->began_ns[i] != UNSEEN) {
            requests->took_ns[count++] = requests->took_ns[i];
        }
    }
    qsort(requests->took_ns, (size_t)count, sizeof(uint64_t), compare);
}

/* ---- Judging ---- */

static const char *whose(const struct expect_spec *expect)
{
    return expect->tag == NULL ? "the guest" : expect->tag;
}

static void judge_share(const struct requests *requests, const struct run_end *run,
                        const struct expect_spec *expect, uint64_t percent, uint64_t bound_ns)
{
    uint64_t place = div_round_up(requests->count * percent, 100);

    if (bound_ns == 0 || requests->count == 0 || run->evidence->plan->untimed ||
        requests->took_ns[place - 1] <= bound_ns) {
        return;
    }
    expect_failed(run, expect, FINDING_EXPECT_GUEST_LATENCY,
                  "%" PRIu64 " of a hundred requests of %.64s were to take no longer than %s, but "
                  "%" PRIu64 " of %" PRIu64 " took up to %s.",
                  percent, whose(expect), quantity_time(bound_ns).text, place, requests->count,
                  quantity_time(requests->took_ns[place - 1]).text);
}

static void judge_errors(const struct requests *requests, const struct run_end *run,
                         const struct expect_spec *expect)
{
    if (expect->errors < 0 || requests->failed <= (uint64_t)expect->errors) {
        return;
    }
    expect_locate(expect_failed(run, expect, FINDING_EXPECT_GUEST_ERRORS,
                                "At most %" PRId64 " requests of %.64s were to fail, but %" PRIu64
                                " of %" PRIu64 " did.",
                                expect->errors, whose(expect), requests->failed, requests->count),
                  run->trace, requests->last_failed);
}

void expect_guest_share(const struct run_end *run, const struct expect_spec *expect)
{
    struct requests requests = {0};

    if (expect->p50_ns == 0 && expect->p95_ns == 0 && expect->p99_ns == 0 && expect->errors < 0) {
        return;
    }
    make(&requests, run);
    collect(&requests, run, expect);
    judge_errors(&requests, run, expect);
    sort(&requests);
    judge_share(&requests, run, expect, 50, expect->p50_ns);
    judge_share(&requests, run, expect, 95, expect->p95_ns);
    judge_share(&requests, run, expect, 99, expect->p99_ns);
    forget(&requests, run);
}
