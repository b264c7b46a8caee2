/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The expectation that the guest is not kept waiting, and who did keep it.
 *
 * In today's generation a guest request can wait in a drained section, or for an operation of the
 * job that holds its chunks: the engine tells which (STALL_HOLDER), and of one that does not, the
 * first request in the way is looked for.  Neither a pause nor the rate limit holds a request of
 * itself: a parked or sleeping job has no operation that is not in flight.
 *
 * Declared in sim/verdict/expect.h: one of the expectations.
 */
#include "sim/verdict/expect.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/range.h"
#include "sim/trace/phrase.h"

static bool begins(const struct event *event)
{
    return event->kind == EVENT_REQUEST_QUEUED || event->kind == EVENT_REQUEST_SUBMIT ||
           event->kind == EVENT_ARRIVE;
}

/* Of a guest request; in today's generation the guest's answer, which may come later. */
static bool ends(const struct run_end *run, const struct event *event)
{
    bool is_modern = run->evidence->plan->generation == GENERATION_MODERN;

    return event->kind == (is_modern ? EVENT_ANSWERED : EVENT_REQUEST_DONE);
}

/* The instant when the guest request that began at event `number` ended, or the end of the run. */
static uint64_t end_of_request(const struct run_end *run, uint64_t number)
{
    const struct trace *trace = run->trace;
    uint32_t request = trace->events[number].request;

    for (uint64_t i = number + 1; i < trace->count; i++) {
        if (ends(run, &trace->events[i]) && trace->events[i].request == request) {
            return trace->events[i].now_ns;
        }
    }
    return run->evidence->now_ns;
}

/* The chunks of the job's bitmap, as far as the trace says. */
static uint64_t granularity_before(const struct trace *trace, uint64_t number)
{
    uint64_t granularity = SECTOR_BYTES;

    for (uint64_t i = 0; i < number; i++) {
        const struct event *event = &trace->events[i];

        if (event->kind == EVENT_DIRTY_CREATE && event->by == BY_JOB) {
            granularity = event->bytes;
        }
    }
    return granularity;
}

static bool is_done_before(const struct trace *trace, uint64_t from, uint64_t until)
{
    for (uint64_t i = from + 1; i < until; i++) {
        if (trace->events[i].kind == EVENT_REQUEST_DONE &&
            trace->events[i].request == trace->events[from].request) {
            return true;
        }
    }
    return false;
}

/* The first request that was in flight when the guest's arrived, and shares a chunk with it. */
static const struct event *find_in_the_way(const struct trace *trace, uint64_t arrival)
{
    const struct event *guest = &trace->events[arrival];
    uint64_t granularity = granularity_before(trace, arrival);
    uint64_t first = align_down(guest->offset, granularity);
    uint64_t bytes = align_up(range_end(guest->offset, guest->bytes), granularity) - first;

    for (uint64_t i = 0; i < arrival && guest->bytes > 0; i++) {
        const struct event *event = &trace->events[i];

        if (event->kind == EVENT_REQUEST_SUBMIT && event->bytes > 0 &&
            range_overlaps(event->offset, event->bytes, first, bytes) &&
            !is_done_before(trace, i, arrival)) {
            return event;
        }
    }
    return NULL;
}

/* Does the section that began with that event end before event `until`? */
static bool section_is_over(const struct trace *trace, uint64_t begun, uint64_t until)
{
    const struct event *section = &trace->events[begun];
    uint64_t inner = 0;

    for (uint64_t i = begun + 1; i < until; i++) {
        const struct event *event = &trace->events[i];

        if (event->kind != EVENT_SECTION || event->by != section->by ||
            event->node != section->node || event->index != section->index) {
            continue;
        }
        if (event->detail == SECTION_ENDED && inner == 0) {
            return true;
        }
        inner += event->detail == SECTION_BEGUN;
        inner -= event->detail == SECTION_ENDED;
    }
    return false;
}

/* Whose drained section the guest request queued in: the youngest that was not over. */
static const struct event *find_section(const struct trace *trace, uint64_t queued)
{
    for (uint64_t i = queued; i > 0; i--) {
        const struct event *event = &trace->events[i - 1];

        if (event->kind == EVENT_SECTION && event->detail == SECTION_BEGUN &&
            !section_is_over(trace, i - 1, queued)) {
            return event;
        }
    }
    return NULL;
}

/* What became of the request next: it was passed on, or at least had arrived. */
static uint64_t next_of(const struct trace *trace, uint64_t number, enum event_kind kind)
{
    uint32_t request = trace->events[number].request;

    for (uint64_t i = number + 1; i < trace->count; i++) {
        if (trace->events[i].kind == kind && trace->events[i].request == request) {
            return i;
        }
    }
    return trace->count;
}

/* The operation that held the request longest of those that the engine has told of. */
static const struct event *find_holder(const struct run_end *run, uint64_t arrival)
{
    const struct trace *trace = run->trace;
    uint64_t passed = next_of(trace, arrival, EVENT_REQUEST_SUBMIT);
    uint64_t until_ns =
        passed < trace->count ? trace->events[passed].now_ns : run->evidence->now_ns;
    const struct event *longest = NULL;
    uint64_t longest_ns = 0;

    for (uint64_t i = passed; i > arrival; i--) {
        const struct event *event = &trace->events[i - 1];

        if (event->kind != EVENT_STALL_HOLDER || event->request != trace->events[arrival].request) {
            continue;
        }
        if (longest == NULL || until_ns - event->now_ns > longest_ns) {
            longest = event;
            longest_ns = until_ns - event->now_ns;
        }
        until_ns = event->now_ns;
    }
    return longest;
}

static struct phrase phrase_section(const struct run_end *run, const struct event *section)
{
    struct phrase phrase = {""};

    if (section != NULL) {
        snprintf(phrase.text, sizeof(phrase.text), "; it queued in a drained section of %s over %s",
                 section->by == BY_JOB ? "the job" : "the story",
                 section->index == SECTION_OF_ALL ? "all disks"
                                                  : phrase_disk(run->evidence, section->node));
    }
    return phrase;
}

static struct phrase phrase_holder(const struct event *holder)
{
    static const char *const texts[] = {
        [STALLED_BY_COPY] = "the job's copy",
        [STALLED_BY_ZEROES] = "the job's zeroes",
        [STALLED_BY_DISCARD] = "the job's discard",
        [STALLED_BY_RUN] = "the job's run",
        [STALLED_BY_GUEST] = "an earlier request of the guest",
    };
    struct phrase phrase;

    snprintf(phrase.text, sizeof(phrase.text), "; it waited for %s of [%s, %s)",
             texts[holder->detail], quantity_size(holder->offset).text,
             quantity_size(range_end(holder->offset, holder->bytes)).text);
    return phrase;
}

static struct phrase phrase_in_the_way(const struct run_end *run, const struct event *other)
{
    struct phrase phrase = {""};

    if (other != NULL) {
        snprintf(phrase.text, sizeof(phrase.text), "; it waited for %s #%" PRIu32 " of %s",
                 op_name(event_op(other)), other->request, phrase_disk(run->evidence, other->node));
    }
    return phrase;
}

/* Who held the request that began at event `number`: "" if its own requests took that long. */
static struct phrase who_held(const struct run_end *run, uint64_t number)
{
    const struct trace *trace = run->trace;
    uint64_t arrival = number;
    uint64_t passed;

    if (run->evidence->plan->generation == GENERATION_2_2) {
        return (struct phrase){""};
    }
    if (trace->events[number].kind == EVENT_REQUEST_QUEUED) {
        arrival = next_of(trace, number, EVENT_ARRIVE);
        if (arrival == trace->count ||
            trace->events[arrival].now_ns > trace->events[number].now_ns) {
            return phrase_section(run, find_section(trace, number));
        }
    }
    if (find_holder(run, arrival) != NULL) {
        return phrase_holder(find_holder(run, arrival));
    }
    passed = next_of(trace, arrival, EVENT_REQUEST_SUBMIT);
    if (passed == trace->count || trace->events[passed].now_ns > trace->events[arrival].now_ns) {
        return phrase_in_the_way(run, find_in_the_way(trace, arrival));
    }
    return (struct phrase){""};
}

void expect_guest_stall(const struct run_end *run, const struct expect_spec *expect)
{
    const struct trace *trace = run->trace;
    uint32_t latest = 0; /* requests are numbered in order, and each begins once */

    if (expect->time_ns == 0 || run->evidence->plan->untimed) {
        return;
    }
    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];
        uint64_t took_ns;

        if (event->by != BY_GUEST || !begins(event) || event->request <= latest ||
            !expect_is_of(run, expect, event)) {
            continue;
        }
        latest = event->request;
        took_ns = end_of_request(run, i) - event->now_ns;
        if (took_ns > expect->time_ns) {
            expect_locate(
                expect_failed(run, expect, FINDING_EXPECT_GUEST_STALL,
                              "No guest request was to take longer than %s, but %s #%" PRIu32
                              " took %s%s.",
                              quantity_time(expect->time_ns).text, op_name(event_op(event)),
                              event->request, quantity_time(took_ns).text, who_held(run, i).text),
                trace, i);
            return;
        }
    }
}
