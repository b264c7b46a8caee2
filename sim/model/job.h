/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of a job that the oracle "job" keeps from the trace, and its rules.
 *
 * A rule answers with its objection, a phrase that ends a sentence ("..., but
 * the job is paused"), or with NULL if it has none.
 */
#ifndef MIRRORSIM_SIM_MODEL_JOB_H
#define MIRRORSIM_SIM_MODEL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

/* What was asked of the job; by a command, or by an error with action stop. */
struct wishes {
    bool complete;
    bool cancel;
    bool pause;
};

struct job_model {
    bool alive;        /* started and not ended */
    bool just_started; /* during this timeline event */
    bool winding_down; /* its dirty bitmap is gone: the copy loop has ended */
    bool ready;
    bool parked;
    bool pivoted;
    bool has_issued; /* an operation or a flush, ever */
    bool drained;    /* the source is */
    struct wishes wishes;
    int first_error; /* the first errno reported with action report */

    /*
     * It came after a cancel: if the copy loop had ended by then, which does
     * not show, it does not replace the result (E3).
     */
    bool cancelled_before_error;

    /*
     * The operation that the error found waiting for its chunk or its buffers
     * (I2, I3) has been issued; L1 ends the job at the next pass.
     */
    bool has_straggled;

    uint64_t offset; /* last seen */
    uint64_t copied; /* bytes of successful writes */

    /* Flushes: what is on the target is durable if nothing was written since. */
    uint32_t in_flight; /* requests of the job */
    bool flush_covers;  /* the flush in flight began with no write in flight, nor did one begin */
    bool flushed;

    /* A failed request that has not had its error event yet. */
    bool owes_error;
    struct event failed;

    /* The command being given. */
    bool commanded;
    enum job_verb verb;
    struct wishes wishes_before;
    const char *objection; /* why it has to be refused, or NULL */
    bool opened_backing;   /* meanwhile */
};

/* May the job issue an operation or a flush now (C1, C3, D5, E3, E4, L1)? */
const char *job_objection_to_issue(const struct job_model *job);

/* May the command of the event be accepted (C4, C5, D12)? */
const char *job_objection_to_command(const struct job_model *job, const struct event *event);

/* May the guest be switched to the target (C6, D10, D12)? */
const char *job_objection_to_pivot(const struct job_model *job, const struct evidence *evidence);

/* May the job end with success, or cancelled (C3, C6)? */
const char *job_objection_to_success(const struct job_model *job);
const char *job_objection_to_cancelled(const struct job_model *job);

/* What the policy of that side (OP_READ or OP_WRITE) makes of an error (E1). */
enum error_action job_error_action(const struct plan_job *job, enum op side, int ret);

/* Nothing has been written to the target that is not known to be durable. */
bool job_is_durable(const struct job_model *job, const struct evidence *evidence);

/* The disk whose place the target is to take, or PLAN_NONE. */
uint32_t job_disk_to_replace(const struct plan *plan);

#endif
