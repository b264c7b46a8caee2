/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lies of devices and the harm they did: the half of the oracle "ledger" that deals
 * with silent faults.
 *
 * A lie is harmless if what it could spoil is right in the end: the copy, the
 * guest's disk, the data a guest read returned, or the durability of what a flush
 * should have covered.
 */
#ifndef MIRRORSIM_SIM_MODEL_LIES_H
#define MIRRORSIM_SIM_MODEL_LIES_H

#include <stdbool.h>

#include "sim/model/guest.h"
#include "sim/model/suspects.h"
#include "sim/trace/evidence.h"

struct lies {
    bool possible;      /* the plan has silent faults; else these functions do nothing */
    bool power_cut;     /* what the guest's disk holds is unknown */
    bool job_power_cut; /* since the job started: what its disks hold is unknown */
    struct guest_model guest;
    struct suspects suspects;
};

void lies_open(struct lies *lies, const struct evidence *evidence);

/* A silent fault has hit a request. */
void lies_hit(struct lies *lies, const struct evidence *evidence, const struct event *event);

/* A request has been queued or submitted; has taken effect; is done; the guest has its answer. */
void lies_submitted(struct lies *lies, const struct evidence *evidence, const struct event *event);
void lies_took_effect(struct lies *lies, const struct evidence *evidence,
                      const struct event *event);
void lies_done(struct lies *lies, struct evidence *evidence, const struct event *event);
void lies_answered(struct lies *lies, const struct event *event);

void lies_job_started(struct lies *lies, const struct evidence *evidence);
void lies_pivoted(struct lies *lies, const struct evidence *evidence, const struct event *event);

void lies_power_cut(struct lies *lies);

/*
 * The job has completed successfully: judges whether the copy is right and
 * durable where a device lied to the job.
 */
void lies_judge_copy(struct lies *lies, struct evidence *evidence);

/* The run is over: judges whether the guest's disk is right where a device lied to anyone. */
void lies_judge_guest(struct lies *lies, struct evidence *evidence);

void lies_digest(const struct lies *lies, const struct evidence *evidence, struct digest *digest);

#endif
