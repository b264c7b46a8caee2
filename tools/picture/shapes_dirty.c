/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty ranges: for each bitmap a tree of the ranges that are dirty now, by address.
 *
 * Ranges do not overlap. Setting adds what was clean between them; clearing takes pieces out, each
 * of which becomes a rectangle from when it was set until now.
 *
 * Declared in tools/picture/shapes_private.h: a part of the builder.
 */
#include <stdlib.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/picture/shapes_private.h"

struct open_range {
    RB_ENTRY(open_range) link;
    struct shape_range range;
};

RB_HEAD(range_tree, open_range);

struct dirty_bits {
    struct dirty_bits *next;
    uint8_t node;
    uint8_t bitmap;
    bool jobs;
    struct range_tree ranges;
    uint64_t bytes;
};

static uint64_t end_of(const struct open_range *open)
{
    return range_end(open->range.offset, open->range.bytes);
}

/* By their ends, so that RB_NFIND finds the first range that ends after an offset. */
static int compare_ranges(const struct open_range *a, const struct open_range *b)
{
    return (end_of(a) > end_of(b)) - (end_of(a) < end_of(b));
}

RB_GENERATE_STATIC(range_tree, open_range, link, compare_ranges)

/* The first range that ends after the offset, or NULL. */
static struct open_range *first_after(struct dirty_bits *bits, uint64_t offset)
{
    struct open_range key = {.range = {.offset = offset, .bytes = 1}};

    return RB_NFIND(range_tree, &bits->ranges, &key);
}

static void insert(struct dirty_bits *bits, struct shape_range range, uint64_t offset, uint64_t end)
{
    struct open_range *open = must_alloc(sizeof(*open));

    open->range = range;
    open->range.offset = offset;
    open->range.bytes = end - offset;
    bits->bytes += end - offset;
    RB_INSERT(range_tree, &bits->ranges, open);
}

static void take_out(struct dirty_bits *bits, struct open_range *open)
{
    RB_REMOVE(range_tree, &bits->ranges, open);
    bits->bytes -= open->range.bytes;
    free(open);
}

static void set(const struct shapes *shapes, struct dirty_bits *bits)
{
    const struct event *event = shapes->event;
    struct shape_range fresh = {.kind = RANGE_DIRTY,
                                .node = bits->node,
                                .bitmap = bits->bitmap,
                                .jobs = bits->jobs,
                                .from_ns = event->now_ns,
                                .from_event = shapes->number};
    uint64_t end = range_end(event->offset, event->bytes);
    uint64_t offset = event->offset;

    while (offset < end) {
        const struct open_range *next = first_after(bits, offset);
        uint64_t until = next == NULL ? end : min_u64(end, next->range.offset);

        if (offset < until) {
            insert(bits, fresh, offset, until);
        }
        offset = next == NULL ? end : end_of(next);
    }
}

static void clear(struct shapes *shapes, struct dirty_bits *bits, uint64_t offset, uint64_t end)
{
    struct open_range *open;

    while ((open = first_after(bits, offset)) != NULL && open->range.offset < end) {
        struct shape_range whole = open->range;
        struct shape_range piece = whole;
        uint64_t whole_end = end_of(open);

        take_out(bits, open);
        piece.offset = max_u64(offset, whole.offset);
        piece.bytes = min_u64(end, whole_end) - piece.offset;
        shapes_tell_range(shapes, &piece);
        if (whole.offset < offset) {
            insert(bits, whole, whole.offset, offset);
        }
        if (whole_end > end) {
            insert(bits, whole, end, whole_end);
        }
    }
}

static struct dirty_bits *bits_of(const struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct dirty_bits *bits = shapes->bits;

    while (bits != NULL && (bits->node != event->node || bits->bitmap != event->index)) {
        bits = bits->next;
    }
    return bits;
}

static struct dirty_bits *create(struct shapes *shapes)
{
    struct dirty_bits *bits = bits_of(shapes);

    if (bits == NULL) {
        bits = must_alloc(sizeof(*bits));
        bits->next = shapes->bits;
        bits->node = shapes->event->node;
        bits->bitmap = (uint8_t)shapes->event->index;
        RB_INIT(&bits->ranges);
        shapes->bits = bits;
    }
    bits->jobs = shapes->event->by == BY_JOB;
    return bits;
}

void dirty_event(struct shapes *shapes)
{
    const struct event *event = shapes->event;
    struct dirty_bits *bits;

    switch (event->kind) {
    case EVENT_DIRTY_CREATE:
        bits = create(shapes);
        break;
    case EVENT_DIRTY_SET:
    case EVENT_DIRTY_CLEAR:
    case EVENT_DIRTY_RELEASE:
        bits = bits_of(shapes);
        break;
    default:
        return;
    }
    if (bits == NULL) {
        return;
    }
    if (event->kind == EVENT_DIRTY_SET) {
        set(shapes, bits);
    } else if (event->kind == EVENT_DIRTY_CLEAR) {
        clear(shapes, bits, event->offset, range_end(event->offset, event->bytes));
    } else {
        clear(shapes, bits, 0, UINT64_MAX);
    }
    if (bits->jobs) {
        shapes_count(shapes, COUNTER_DIRTY, bits->node, bits->bytes);
    }
}

void dirty_end(struct shapes *shapes)
{
    struct dirty_bits *bits;

    while ((bits = shapes->bits) != NULL) {
        clear(shapes, bits, 0, UINT64_MAX);
        shapes->bits = bits->next;
        free(bits);
    }
}
