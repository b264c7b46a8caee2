/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's disk as the guest knows it, whichever node is behind it.
 *
 * The trace says when each guest write took effect, and on which part of its
 * range.  Applied in that order, the writes give what each sector must hold.
 * An acknowledged write counts as written, whatever the device has really done.
 * A pivot changes nothing, except that ranges the job has not promised become
 * unknown.
 *
 * In today's generation a request is over when the guest has its answer, which
 * may be later than its end on a disk, or without one.
 */
#ifndef MIRRORSIM_SIM_MODEL_GUEST_H
#define MIRRORSIM_SIM_MODEL_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/model/outstanding.h"
#include "sim/model/promise.h"
#include "sim/trace/evidence.h"

struct guest_model {
    uint32_t disk; /* the guest's disk now */
    bool job_started;
    bool has_answers;      /* today's generation */
    struct image *content; /* a hole means unknown */
    struct promise promise;
    /* Queued or in flight; `moved`: bytes that have taken effect. */
    struct outstanding_list requests;
};

/* Call it before the first event. */
void guest_model_open(struct guest_model *guest, const struct evidence *evidence);

/* A request of the guest has been queued or submitted; has changed a disk; is done; answered. */
void guest_model_submitted(struct guest_model *guest, const struct evidence *evidence,
                           const struct event *event);
void guest_model_changed(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event);
void guest_model_done(struct guest_model *guest, const struct event *event);
void guest_model_answered(struct guest_model *guest, const struct event *event);

/* The job has started; one disk has taken the place of another. */
void guest_model_job_started(struct guest_model *guest, const struct evidence *evidence);
void guest_model_pivoted(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event);

/*
 * True if the run is what the disk must hold; else the first wrong sector and
 * the tag expected there.
 */
bool guest_model_agrees(const struct guest_model *guest, struct run run, uint64_t *sector,
                        uint64_t *should_be);

/* The same for bytes read from `*sector` on. */
bool guest_model_agrees_bytes(const struct guest_model *guest, const uint8_t *data,
                              uint64_t sectors, uint64_t *sector, uint64_t *should_be);

void guest_model_digest(const struct guest_model *guest, const struct evidence *evidence,
                        struct digest *digest);

/* Asserts the invariants. */
void guest_model_check(const struct guest_model *guest);

#endif
