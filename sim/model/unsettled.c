/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unsettled failures: a list, each with the ranges that have not been copied
 * again.
 */
#include "sim/model/unsettled.h"

#include <assert.h>
#include <string.h>

#include "engine/range.h"

#define FIRST_CAPACITY 4

static void grow(struct unsettled *unsettled, struct arena *arena)
{
    uint32_t capacity = unsettled->capacity == 0 ? FIRST_CAPACITY : 2 * unsettled->capacity;
    struct failure *list = arena_alloc(arena, capacity * sizeof(*list));

    if (unsettled->count > 0) {
        memcpy(list, unsettled->list, unsettled->count * sizeof(*list));
    }
    arena_free(arena, unsettled->list, unsettled->capacity * sizeof(*list));
    unsettled->list = list;
    unsettled->capacity = capacity;
}

static struct image *range_image(struct arena *arena, const struct event *event)
{
    struct image *image = image_create(arena);

    image_write(image, (struct run){event->offset / SECTOR_BYTES, event->bytes / SECTOR_BYTES,
                                    TAG_ZERO, 0, false});
    return image;
}

/*
 * The same request was reported before and has failed again: what makes the new
 * failure good makes the old one good.
 */
static bool is_superseded(const struct failure *failure, const struct event *event)
{
    return failure->reported && failure->event.op == event->op &&
           failure->event.node == event->node && failure->event.offset == event->offset &&
           failure->event.bytes == event->bytes;
}

static void drop_superseded(struct unsettled *unsettled, const struct event *event)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < unsettled->count; i++) {
        if (!is_superseded(&unsettled->list[i], event)) {
            unsettled->list[kept++] = unsettled->list[i];
        }
    }
    unsettled->count = kept;
}

void unsettled_add(struct unsettled *unsettled, const struct evidence *evidence,
                   const struct event *event, uint32_t after, uint16_t fault)
{
    struct failure failure = {.event = *event, .after = after, .fault = fault};

    drop_superseded(unsettled, event);
    if (unsettled->count == unsettled->capacity) {
        grow(unsettled, evidence->arena);
    }
    if (event->bytes > 0) {
        failure.unwritten = range_image(evidence->arena, event);
        failure.unread = event->op == OP_READ ? range_image(evidence->arena, event)
                                              : image_create(evidence->arena);
    }
    unsettled->list[unsettled->count++] = failure;
}

/* A write makes good only what has been read again, or was never unread. */
static void written(struct failure *failure, uint64_t sector, uint64_t end)
{
    while (sector < end) {
        struct run run;

        if (!image_lookup(failure->unread, sector, end, &run)) {
            image_punch(failure->unwritten, sector * SECTOR_BYTES, run.sectors * SECTOR_BYTES);
        }
        sector += run.sectors;
    }
}

/* Applies a successful request; true if that leaves nothing of the failure. */
static bool makes_good(struct failure *failure, const struct event *event)
{
    if (event->request <= failure->after) {
        return false;
    }
    if (failure->unwritten == NULL) {
        return event->op == failure->event.op && event->node == failure->event.node;
    }
    if (event->op == OP_READ) {
        image_punch(failure->unread, event->offset, event->bytes);
    } else if (event->by == BY_ACTIVE || event->op == OP_WRITE_ZEROES || event->op == OP_DISCARD) {
        /* These need no read. */
        image_punch(failure->unwritten, event->offset, event->bytes);
    } else if (event->op == OP_WRITE) {
        written(failure, event->offset / SECTOR_BYTES,
                range_end(event->offset, event->bytes) / SECTOR_BYTES);
    }
    return image_runs(failure->unwritten) == 0;
}

void unsettled_succeeded(struct unsettled *unsettled, const struct event *event)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < unsettled->count; i++) {
        if (!makes_good(&unsettled->list[i], event)) {
            unsettled->list[left++] = unsettled->list[i];
        }
    }
    unsettled->count = left;
}

uint64_t failure_first_left(const struct failure *failure)
{
    const struct event *event = &failure->event;
    uint64_t sector = event->offset / SECTOR_BYTES;
    struct run run;

    if (failure->unwritten != NULL &&
        !image_lookup(failure->unwritten, sector,
                      range_end(event->offset, event->bytes) / SECTOR_BYTES, &run)) {
        sector += run.sectors;
    }
    return sector * SECTOR_BYTES;
}

void unsettled_digest(const struct unsettled *unsettled, const struct evidence *evidence,
                      struct digest *digest)
{
    for (uint32_t i = 0; i < unsettled->count; i++) {
        const struct failure *failure = &unsettled->list[i];

        digest_u64(digest, failure->event.op);
        digest_u64(digest, failure->event.offset);
        digest_u64(digest, failure->event.bytes);
        if (failure->unwritten != NULL) {
            image_digest(failure->unread, evidence->writers, digest);
            image_digest(failure->unwritten, evidence->writers, digest);
        }
    }
}

void unsettled_check(const struct unsettled *unsettled)
{
    assert(unsettled->count <= unsettled->capacity);
    for (uint32_t i = 0; i < unsettled->count; i++) {
        const struct failure *failure = &unsettled->list[i];

        assert(failure->event.ret < 0);
        assert((failure->unread == NULL) == (failure->event.bytes == 0));
        assert((failure->unwritten == NULL) == (failure->event.bytes == 0));
        if (failure->event.bytes > 0) {
            image_check(failure->unread);
            image_check(failure->unwritten);
        }
    }
}
