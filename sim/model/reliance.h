/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the guest relies on, whatever happens to the power.
 *
 * That is what its disk held at the beginning, and each write acknowledged before the
 * guest submitted a flush that has succeeded.  Until the next such flush a sector may
 * also hold any later write to it, finished or not.
 */
#ifndef MIRRORSIM_SIM_MODEL_RELIANCE_H
#define MIRRORSIM_SIM_MODEL_RELIANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/model/outstanding.h"
#include "sim/model/promise.h"
#include "sim/trace/evidence.h"

struct piece;

struct reliance {
    uint32_t disk;        /* of the guest, now */
    struct image *floor;  /* what it relies on; a hole is unknown */
    struct piece *pieces; /* of writes that it does not rely on yet, in order of their effects */
    uint32_t order;       /* pieces so far */
    struct image *orders; /* which piece is relied upon, as tags of guest writes of that number */
    uint32_t piece_count;
    uint32_t piece_capacity;
    uint64_t acknowledged;            /* writes so far */
    struct outstanding_list requests; /* but reads; `moved`: bytes, or what a flush covers */
};

/* Before anything happens. */
void reliance_open(struct reliance *guest, const struct evidence *evidence);

/* A request of the guest has been queued or submitted, has changed the disk, is done. */
void reliance_submitted(struct reliance *guest, const struct evidence *evidence,
                        const struct event *event);
void reliance_took_effect(struct reliance *guest, const struct evidence *evidence,
                          const struct event *event);
void reliance_done(struct reliance *guest, const struct evidence *evidence,
                   const struct event *event);

/* The guest's disk is another one now: what was not promised is unknown. */
void reliance_pivoted(struct reliance *guest, const struct evidence *evidence,
                      const struct promise *promise, uint32_t disk);

/* Does the disk hold what it may?  If not: the first sector, and the tag that should be there. */
bool reliance_is_kept(const struct reliance *guest, const struct evidence *evidence,
                      uint64_t *sector, uint64_t *should_be);

/* After a power cut: what is there now is there. */
void reliance_begin_again(struct reliance *guest, const struct evidence *evidence);

void reliance_digest(const struct reliance *guest, const struct evidence *evidence,
                     struct digest *digest);

#endif
