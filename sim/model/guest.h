/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's disk as the guest knows it, whatever is behind it.
 *
 * The trace says at which instant each guest write took effect, and on what
 * part of its range.  Applied in that order they say what each sector must
 * hold.  What is acknowledged is written, whatever the device has really done.
 * A pivot changes nothing, except where the job has promised nothing: there
 * the content becomes unknown.
 */
#ifndef MIRRORSIM_SIM_MODEL_GUEST_H
#define MIRRORSIM_SIM_MODEL_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/model/outstanding.h"
#include "sim/model/promise.h"
#include "sim/trace/evidence.h"

struct guest_model {
    uint32_t disk; /* of the guest, now */
    bool job_started;
    struct image *content; /* a hole is unknown */
    struct promise promise;
    struct outstanding_list requests; /* queued or in flight; `moved`: bytes with an effect */
};

/* Before anything happens. */
void guest_model_open(struct guest_model *guest, const struct evidence *evidence);

/* A request of the guest has been queued or submitted, has changed a disk, is done. */
void guest_model_submitted(struct guest_model *guest, const struct evidence *evidence,
                           const struct event *event);
void guest_model_changed(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event);
void guest_model_done(struct guest_model *guest, const struct event *event);

/* The job has started; a disk has taken the place of another. */
void guest_model_job_started(struct guest_model *guest, const struct evidence *evidence);
void guest_model_pivoted(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event);

/* Is the run what the disk must hold?  If not: the first sector, and the tag that should be there.
 */
bool guest_model_agrees(const struct guest_model *guest, struct run run, uint64_t *sector,
                        uint64_t *should_be);

/* The same of bytes that were read from `*sector` on. */
bool guest_model_agrees_bytes(const struct guest_model *guest, const uint8_t *data,
                              uint64_t sectors, uint64_t *sector, uint64_t *should_be);

void guest_model_digest(const struct guest_model *guest, const struct evidence *evidence,
                        struct digest *digest);

#endif
