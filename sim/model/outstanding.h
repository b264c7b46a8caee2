/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests that an oracle follows until they are done, in order of their coming.
 *
 * There are few of them at a time, so looking one up is a walk.
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
    uint64_t moved; /* for the oracle's own use: how much has taken effect */
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

/* The request of that number, or NULL. */
struct outstanding *outstanding_find(const struct outstanding_list *list, uint32_t number);

/*
 * An event says that something has taken effect for the request: counts into `moved`, and returns,
 * how many bytes of the request's own range that are, from *offset on.  What happens elsewhere is
 * nothing that who made the request knows of.
 */
uint64_t outstanding_take_effect(struct outstanding *request, const struct event *event,
                                 uint64_t *offset);

/* Takes it out, if it is there, each time that it was added. */
void outstanding_remove(struct outstanding_list *list, uint32_t number);

#endif
