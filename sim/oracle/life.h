/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of the oracle "life" that are files of their own: requests (life_requests.c) and
 * commands (life_commands.c).  The oracle itself is oracle_life of sim/oracle/oracles.h.
 *
 * All work on the model of sim/model/life.h, which is the state of the oracle: where a function is
 * a handler of events, `state` is a struct life_model.
 */
#ifndef MIRRORSIM_SIM_ORACLE_LIFE_H
#define MIRRORSIM_SIM_ORACLE_LIFE_H

#include "sim/model/life.h"
#include "sim/trace/evidence.h"

/* A request of the job, an active one included, has been submitted. */
void life_submitted(void *state, struct evidence *evidence, const struct event *event);

/* A request is done: of the job, or the guest's part on a disk. */
void life_done(void *state, struct evidence *evidence, const struct event *event);

/* A guest request has arrived; the guest has its answer. */
void life_arrived(void *state, struct evidence *evidence, const struct event *event);
void life_answered(void *state, struct evidence *evidence, const struct event *event);

/* A dirty bitmap has been created, or a range of it cleared: the job takes chunks (O3, O4). */
void life_bitmap_event(void *state, struct evidence *evidence, const struct event *event);

/* A fault has hit something: remembers the error if it is a question that can fail the job. */
void life_query_failed(void *state, struct evidence *evidence, const struct event *event);

/* The job has emitted an error event (E'). */
void life_error_reported(struct life_model *life, struct evidence *evidence,
                         const struct event *event);

/* Reports that life->failed has no error event; life->owes_error must be true and stays so. */
void life_report_owed(const struct life_model *life, struct evidence *evidence);

/* A command has been given; has been refused. */
void life_commanded(void *state, struct evidence *evidence, const struct event *event);
void life_refused(void *state, struct evidence *evidence, const struct event *event);

/* A command that has not been refused by now has been accepted: judges that, if there is one. */
void life_conclude_command(struct life_model *life, struct evidence *evidence);

/* Between timeline events: has the job paused or resumed in time (J3, J4)? */
void life_judge_pause(struct life_model *life, struct evidence *evidence);

#endif
