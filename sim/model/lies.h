/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lies of devices, and whether they did harm: the silent half of the oracle "ledger".
 *
 * A lie is harmless if what it spoiled is right in the end: the copy where the
 * job made one, the guest's disk as the guest knows it, the answer to a read of
 * the guest, the durability of what a flush should have covered.
 */
#ifndef MIRRORSIM_SIM_MODEL_LIES_H
#define MIRRORSIM_SIM_MODEL_LIES_H

#include <stdbool.h>

#include "sim/model/guest.h"
#include "sim/model/suspects.h"
#include "sim/trace/evidence.h"

struct lies {
    bool possible;      /* the plan has silent faults; if not, nothing here does anything */
    bool power_cut;     /* what the guest's disk holds is anybody's guess */
    bool job_power_cut; /* since the job has started: so is what its disks hold */
    struct guest_model guest;
    struct suspects suspects;
};

void lies_open(struct lies *lies, const struct evidence *evidence);

/* A silent fault has hit. */
void lies_hit(struct lies *lies, const struct evidence *evidence, const struct event *event);

/* A request, whoever's, has been queued or submitted, has had an effect, is done. */
void lies_submitted(struct lies *lies, const struct evidence *evidence, const struct event *event);
void lies_took_effect(struct lies *lies, const struct evidence *evidence,
                      const struct event *event);
void lies_done(struct lies *lies, struct evidence *evidence, const struct event *event);

void lies_job_started(struct lies *lies, const struct evidence *evidence);
void lies_pivoted(struct lies *lies, const struct evidence *evidence, const struct event *event);

void lies_power_cut(struct lies *lies);

/* The job has completed successfully: is the copy right and durable where it was lied to? */
void lies_judge_copy(struct lies *lies, struct evidence *evidence);

/* The run is over: is the guest's disk right where anybody was lied to? */
void lies_judge_guest(struct lies *lies, struct evidence *evidence);

void lies_digest(const struct lies *lies, const struct evidence *evidence, struct digest *digest);

#endif
