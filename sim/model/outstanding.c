/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Outstanding requests: an array that grows, oldest first.
 */
#include "sim/model/outstanding.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "engine/range.h"

#define FIRST_CAPACITY 4

static void grow(struct outstanding_list *list, struct arena *arena)
{
    uint32_t capacity = list->capacity == 0 ? FIRST_CAPACITY : 2 * list->capacity;
    struct outstanding *requests = arena_alloc(arena, capacity * sizeof(*requests));

    if (list->count > 0) {
        memcpy(requests, list->requests, list->count * sizeof(*requests));
    }
    arena_free(arena, list->requests, list->capacity * sizeof(*requests));
    list->requests = requests;
    list->capacity = capacity;
}

void outstanding_add(struct outstanding_list *list, struct arena *arena, const struct event *event)
{
    if (list->count == list->capacity) {
        grow(list, arena);
    }
    list->requests[list->count++] = (struct outstanding){.offset = event->offset,
                                                         .bytes = event->bytes,
                                                         .number = event->request,
                                                         .node = event->node,
                                                         .op = event->op,
                                                         .by = event->by};
}

struct outstanding *outstanding_find(const struct outstanding_list *list, uint32_t number)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->requests[i].number == number) {
            return &list->requests[i];
        }
    }
    return NULL;
}

uint64_t outstanding_take_effect(struct outstanding *request, const struct event *event,
                                 uint64_t *offset)
{
    uint64_t end =
        min_u64(range_end(event->offset, event->bytes), range_end(request->offset, request->bytes));

    *offset = max_u64(event->offset, request->offset);
    if (*offset >= end) {
        return 0;
    }
    request->moved += end - *offset;
    return end - *offset;
}

void outstanding_remove(struct outstanding_list *list, uint32_t number)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->requests[i].number != number) {
            list->requests[kept++] = list->requests[i];
        }
    }
    list->count = kept;
}

void outstanding_check(const struct outstanding_list *list)
{
    assert(list->count <= list->capacity);
    assert((list->requests == NULL) == (list->capacity == 0));
}
