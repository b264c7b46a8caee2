/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every block job has: flags, errors, progress, and which verb is legal.
 *
 * The flags are requests (pause_wanted, cancelled) or facts (ready); where the
 * job is in its life is derived from them and the engine's phase, never stored
 * a second time.
 */
#ifndef MIRRORSIM_ENGINE_2_2_JOB_H
#define MIRRORSIM_ENGINE_2_2_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"
#include "engine/digest.h"
#include "engine/engine.h"

struct job {
    struct host *host;
    struct job_spec spec;
    uint64_t speed;            /* bytes/s, 0 = unlimited */
    uint64_t offset;           /* bytes copied successfully; never shrinks */
    uint64_t len;              /* published total (L2) */
    uint64_t published_offset; /* offset in the last progress event */
    bool pause_wanted;         /* a pause is wanted, by a command or by an error */
    bool cancelled;            /* a cancel is wanted and has not been served */
    bool ready;                /* READY has been emitted and nothing withdrew it */
    enum io_status io_status;
    enum io_status target_io_status; /* what the target has been told (E4) */
};

/*
 * Takes a reference on a node that nobody blocks, and blocks it for everybody
 * else (S3, D18, C4).  The second function undoes it.
 */
void job_claim_node(struct block_node *node);
void job_release_node(struct block_node *node);

/* Appends an event of the job, which is named by its source. */
void job_emit(const struct job *job, enum event_kind kind);

/* L2: publishes the total, with an event if something has changed. */
void job_publish_progress(struct job *job, uint64_t len);

/*
 * Adds bytes copied.  They may be more than the last total counted on, when
 * clusters are copied for the sake of one dirty chunk (R4): `len` never falls
 * behind `offset` (section 10).
 */
void job_advance(struct job *job, uint64_t bytes);

/* Emits READY and becomes ready. */
void job_become_ready(struct job *job);

/*
 * E1, E2, E4 for one failed request: withdraws readiness, emits exactly one
 * error event and, for `stop`, asks for a pause and sets the I/O statuses.
 * `op` is OP_READ (source) or OP_WRITE (target; also for a flush); `error` is
 * negative.
 */
enum error_action job_handle_error(struct job *job, enum op op, int error, uint64_t offset,
                                   uint64_t bytes);

/* C2: clears the pause and every I/O status. */
void job_clear_pause(struct job *job);

/*
 * Is the verb legal for a job in this state (C1-C5, D12)?  0, or -errno with
 * *error filled in.
 */
int job_check_verb(const struct job *job, enum job_status status, enum job_verb verb,
                   struct job_error *error);

/* Fills in an error and returns `ret`; the text is a sentence without a full stop. */
int job_refuse(struct job_error *error, enum job_refusal refusal, int ret, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Asserts the invariants of every job between two events. */
void job_check(const struct job *job);

void job_digest(const struct job *job, struct digest *digest);

#endif
