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

/* What the job has been asked to do, by a command or by an error with action stop. */
struct wishes {
    bool complete;
    bool cancel;
    bool pause;
};

struct job_model {
    bool alive;        /* started and not ended */
    bool just_started; /* in this timeline event */
    bool winding_down; /* its dirty bitmap is gone: the copy loop has ended */
    bool ready;
    bool parked;
    bool pivoted;
    bool has_issued; /* it has issued an operation or a flush */
    bool drained;    /* the source is drained */
    struct wishes wishes;
    int first_error; /* the first errno reported with action report */

    /*
     * The first error came after a cancel. If the copy loop had already ended,
     * which the trace does not show, the error does not replace the result
     * (E3).
     */
    bool cancelled_before_error;

    /*
     * When the error came, one operation was waiting for its chunk or its
     * buffers (I2, I3); it has been issued since. L1 ends the job at the next
     * pass.
     */
    bool has_straggled;

    uint64_t offset; /* as last seen in progress */
    uint64_t copied; /* bytes of successful writes */

    /* Flushes: after a successful one the target is durable until the next write. */
    uint32_t in_flight; /* requests of the job */
    bool flush_covers;  /* no write has been in flight since the flush in flight began */
    bool flushed;

    /* A failed request whose error event has not been emitted yet. */
    bool owes_error;
    struct event failed;

    /* The command being handled. */
    bool commanded;
    enum job_verb verb;
    struct wishes wishes_before;
    const char *objection; /* why it must be refused, or NULL */
    bool opened_backing;   /* the backing was opened since the command began */
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

/* The action that the policy for `side` (OP_READ or OP_WRITE) prescribes for an error (E1). */
enum error_action job_error_action(const struct plan_job *job, enum op side, int ret);

/* True if everything written to the target is known to be durable. */
bool job_is_durable(const struct job_model *job, const struct evidence *evidence);

/* The disk that the target is to replace, or PLAN_NONE. */
uint32_t job_disk_to_replace(const struct plan *plan);

/* Asserts what holds between two timeline events. */
void job_model_check(const struct job_model *job);

#endif
