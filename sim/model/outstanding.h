/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that an oracle follows until they are done, in the order in which
 * they were added.
 *
 * Few are outstanding at a time, so a lookup walks the list.
 */
#ifndef MIRRORSIM_SIM_MODEL_OUTSTANDING_H
#define MIRRORSIM_SIM_MODEL_OUTSTANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "sim/base/arena.h"

struct outstanding {
    uint64_t offset;
    uint64_t bytes;
    uint32_t number;
    uint8_t node;
    uint8_t op;
    uint8_t by;
    uint64_t moved; /* for the oracle's own use: e.g. bytes that have taken effect */
    bool stopped;   /* for the oracle's own use: a fault holds or hangs it */
};

/* All zero = empty. */
struct outstanding_list {
    struct outstanding *requests;
    uint32_t count;
    uint32_t capacity;
};

/* Appends the request of an event. */
void outstanding_add(struct outstanding_list *list, struct arena *arena, const struct event *event);

/* The request with that number, or NULL. */
struct outstanding *outstanding_find(const struct outstanding_list *list, uint32_t number);

/*
 * For an event that says that part of the request has taken effect: returns how many bytes of the
 * request's own range that part covers, from *offset on, and adds them to `moved`.  Effects
 * outside the request's own range are not counted: its issuer cannot know of them.
 */
uint64_t outstanding_take_effect(struct outstanding *request, const struct event *event,
                                 uint64_t *offset);

/* Removes every entry with that number; there may be none. */
void outstanding_remove(struct outstanding_list *list, uint32_t number);

/* Asserts the invariants. */
void outstanding_check(const struct outstanding_list *list);

#endif
