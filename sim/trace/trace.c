/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traces: appending and hashing events.
 *
 * The hash of an event covers its record in little-endian order, seeded with
 * the hash before it.  A record has no padding, so on a little-endian machine
 * it is hashed and compared as it lies in memory.
 */
#include "sim/trace/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sim/base/arena.h"

#define TRACE_MIN_CAPACITY ((size_t)256)
#define RECORD_BYTES 40

_Static_assert(sizeof(struct event) == RECORD_BYTES, "an event must have no padding");

void trace_init(struct trace *trace, bool keep)
{
    *trace = (struct trace){.keep = keep};
}

void trace_free(struct trace *trace)
{
    free(trace->events);
    *trace = (struct trace){.keep = trace->keep};
}

void trace_clear(struct trace *trace)
{
    trace_rewind(trace, 0, 0);
}

void trace_rewind(struct trace *trace, uint64_t count, uint64_t hash)
{
    assert(count <= trace->count);
    trace->count = count;
    trace->hash = hash;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

static uint64_t hash_event(const struct event *event, uint64_t seed)
{
    return XXH3_64bits_withSeed(event, RECORD_BYTES, seed);
}

#else

static uint8_t *put_little_endian(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *to++ = (uint8_t)(value >> (8 * i));
    }
    return to;
}

static uint64_t hash_event(const struct event *event, uint64_t seed)
{
    uint8_t record[RECORD_BYTES];
    uint8_t *to = record;

    to = put_little_endian(to, event->now_ns, 8);
    to = put_little_endian(to, event->offset, 8);
    to = put_little_endian(to, event->bytes, 8);
    to = put_little_endian(to, event->request, 4);
    to = put_little_endian(to, (uint32_t)event->ret, 4);
    *to++ = event->kind;
    *to++ = event->node;
    *to++ = event->op;
    *to++ = event->by;
    *to++ = event->detail;
    *to++ = event->detail2;
    to = put_little_endian(to, event->index, 2);
    assert(to == record + RECORD_BYTES);
    return XXH3_64bits_withSeed(record, RECORD_BYTES, seed);
}

#endif

/* A trace is bounded by the limits of its run. Without memory for it the run cannot continue. */
static void trace_grow(struct trace *trace)
{
    size_t capacity = trace->capacity ? 2 * trace->capacity : TRACE_MIN_CAPACITY;
    struct event *events = reallocarray(trace->events, capacity, sizeof(*events));

    if (!events) {
        arena_exhausted(capacity * sizeof(*events));
    }
    trace->events = events;
    trace->capacity = capacity;
}

void trace_append(struct trace *trace, const struct event *event)
{
    trace->hash = hash_event(event, trace->hash);
    if (trace->keep) {
        if (trace->count == trace->capacity) {
            trace_grow(trace);
        }
        trace->events[trace->count] = *event;
    }
    trace->count++;
}

bool trace_first_difference(const struct trace *a, const struct trace *b, uint64_t *event)
{
    uint64_t count = a->count < b->count ? a->count : b->count;

    assert(a->keep && b->keep);
    for (uint64_t i = 0; i < count; i++) {
        if (memcmp(&a->events[i], &b->events[i], RECORD_BYTES) != 0) {
            *event = i;
            return true;
        }
    }
    *event = count;
    return a->count != b->count;
}
