/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the builder share; shapes.h is its contract.
 *
 * Each part keeps one kind of shape that is open, and sees every event that concerns it.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_SHAPES_PRIVATE_H
#define MIRRORSIM_TOOLS_PICTURE_SHAPES_PRIVATE_H

#include <bsd/sys/queue.h>

#ifndef __unused /* RB_PROTOTYPE and RB_GENERATE of libbsd use it without defining it */
#define __unused __attribute__((unused))
#endif
#include <bsd/sys/tree.h>

#include "tools/picture/shapes.h"

#define NODES 256 /* what fits into an event's `node` */

struct open_request;
struct flight;
struct dirty_bits;
struct open_period;

RB_HEAD(request_tree, open_request);
TAILQ_HEAD(flight_list, flight);
TAILQ_HEAD(period_list, open_period);

struct shapes {
    const struct plan *plan;
    struct shape_sink sink;

    const struct event *event; /* the present one */
    uint64_t number;

    struct request_tree requests;
    struct flight_list unwritten; /* copies that have been read and have no write */
    struct dirty_bits *bits;
    struct period_list periods;
    uint64_t period_count;

    uint64_t values[COUNTER_COUNT][NODES];
};

/* Tells the value, if it is another than before. */
void shapes_count(struct shapes *shapes, enum shape_counter counter, uint8_t node, uint64_t value);

/* Tells a range that began before, as over at the present event or, without one, never. */
void shapes_tell_range(struct shapes *shapes, const struct shape_range *range);

/* ---- Requests, and what is in flight because of them ---- */

void requests_event(struct shapes *shapes);
void requests_end(struct shapes *shapes);

/* ---- Dirty ranges ---- */

void dirty_event(struct shapes *shapes);
void dirty_end(struct shapes *shapes);

/* ---- Periods ---- */

void periods_event(struct shapes *shapes);
void periods_end(struct shapes *shapes);

#endif
