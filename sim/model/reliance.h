/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the guest may rely on after a power cut.
 *
 * That is what its disk held at the beginning, and each write acknowledged before the
 * guest submitted a flush that has succeeded.  Until the next such flush, a sector
 * may instead hold any later write to it, finished or not.
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
    uint32_t disk;        /* the guest's disk now */
    struct image *floor;  /* what it relies on; a hole means unknown */
    struct piece *pieces; /* writes it does not rely on yet, in order of their effects */
    uint32_t order;       /* pieces so far */
    /* Per sector: ordinal of the piece relied upon, stored as the request number of a tag. */
    struct image *orders;
    uint32_t piece_count;
    uint32_t piece_capacity;
    uint64_t acknowledged; /* writes so far */
    /* All but reads; `moved`: bytes, or for a flush: acknowledged writes it covers. */
    struct outstanding_list requests;
};

/* Call it before the first event. */
void reliance_open(struct reliance *guest, const struct evidence *evidence);

/* A request of the guest has been queued or submitted; has changed the disk; is done. */
void reliance_submitted(struct reliance *guest, const struct evidence *evidence,
                        const struct event *event);
void reliance_took_effect(struct reliance *guest, const struct evidence *evidence,
                          const struct event *event);
void reliance_done(struct reliance *guest, const struct evidence *evidence,
                   const struct event *event);

/* The guest has been switched to another disk: what was not promised is unknown. */
void reliance_pivoted(struct reliance *guest, const struct evidence *evidence,
                      const struct promise *promise, uint32_t disk);

/* True if the disk holds what it may; else the first wrong sector and the tag expected there. */
bool reliance_is_kept(const struct reliance *guest, const struct evidence *evidence,
                      uint64_t *sector, uint64_t *should_be);

/* After a power cut: the guest relies on exactly what the disk holds now. */
void reliance_begin_again(struct reliance *guest, const struct evidence *evidence);

void reliance_digest(const struct reliance *guest, const struct evidence *evidence,
                     struct digest *digest);

#endif
