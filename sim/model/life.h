/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The model of a job of today's generation that the oracle "life" keeps from the trace, and its
 * rules (modern-algorithm J, O, W, E', C').
 *
 * A rule answers with its objection, a phrase that ends a sentence ("..., but the job is
 * pending"), or with NULL if it has none.  The tables of states and verbs are the model's own:
 * those of engine/life/ are what is judged.
 */
#ifndef MIRRORSIM_SIM_MODEL_LIFE_H
#define MIRRORSIM_SIM_MODEL_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/model/outstanding.h"
#include "sim/trace/evidence.h"

/* What the job has been asked to do. */
struct life_wishes {
    bool complete;
    bool cancel; /* of any kind */
    bool force;  /* it has to end now */
    bool pause;  /* by the user, or by an error with action stop */
    enum copy_mode mode;
};

struct life_model {
    enum job_status status; /* UNDEFINED: there has been no job; NULL: it is gone */
    bool was_ready;
    bool winding_down; /* its buffers are gone: the run is about to end or has ended */
    bool has_ended;    /* COMPLETED or CANCELLED has been emitted */
    bool has_pivoted;
    bool has_taken;         /* it has taken chunks to copy: everything before that is population */
    bool drained;           /* the source is quiet in a section of the job */
    uint32_t sections;      /* of others, over any node */
    uint32_t near_sections; /* of them, those over source, target or everything */
    struct life_wishes wishes;
    int stored_error;     /* as the error events with action report say (E3') */
    int query_error;      /* of the last question that failed, or 0 */
    uint64_t query_event; /* number of its event: of two faults on a question the first counts */

    /* Chunks taken since a force cancel, in bytes: the run that was being looked for (O6). */
    uint64_t taken_bytes;
    uint64_t granularity; /* of its bitmap */

    /* When the pause was asked for, and when it was over: the job follows at once (J3, J4). */
    uint64_t pause_ns;
    uint64_t resume_ns;
    uint64_t busy_ns; /* when it was last seen to have something to wait for */

    uint64_t offset; /* as last seen in progress */
    uint64_t len;
    uint64_t copied; /* bytes of successful writes to the target, active ones included */

    /* Flushes; "background" leaves out what active requests write. */
    uint32_t in_flight; /* requests of the job, without active ones */
    uint32_t active_in_flight;
    uint32_t waits;         /* of the job, for a section to become quiet */
    bool covers_background; /* the flush in flight */
    bool covers_all;
    bool flushed_background;
    bool flushed_all;

    /* Guest requests that have arrived; `moved`: enum life_guest bits. */
    struct outstanding_list guests;

    /* A failed request whose error event has not been emitted yet. */
    bool owes_error;
    struct event failed;

    /* The command being handled. */
    bool commanded;
    struct event command;
    struct life_wishes wishes_before;
    const char *objection; /* why it must be refused, or NULL */

    /* A soft cancel came while the run was ending: whether it counts does not show (J7). */
    bool cancel_is_unclear;
};

/* What is known of a guest request that has arrived. */
enum life_guest {
    LIFE_GUEST_MAY_BE_ACTIVE = 1, /* when it arrived (W1) */
    LIFE_GUEST_ON_SOURCE = 2,     /* its part on the source has succeeded */
    LIFE_GUEST_ON_TARGET = 4,     /* its part on the target has begun */
};

/* May the state follow (J)? */
bool life_model_may_follow(enum job_status from, enum job_status to);

/* True while the job's run can be under way: RUNNING to STANDBY. */
bool life_model_runs(const struct life_model *life);
bool life_model_is_parked(const struct life_model *life);

/* May the job change its status to `to` now (J2, J3, J5, J6)?  The table is not asked. */
const char *life_objection_to_status(const struct life_model *life, const struct plan_job *job,
                                     enum job_status to);

/* May the job issue the request of the event now (J3, J6, E3')? */
const char *life_objection_to_issue(const struct life_model *life, const struct event *event);

/* May an active request write that range of the target now (W1, W3, W10)? */
const char *life_objection_to_active(const struct life_model *life, const struct event *event);

/* Why the command must be refused (J1, J2, C4', W8); NULL: it must be accepted. */
const char *life_objection_to_command(const struct life_model *life,
                                      const struct evidence *evidence, const struct event *command);

/* May the guest be moved to the target now (C6')? */
const char *life_objection_to_pivot(const struct life_model *life, const struct evidence *evidence);

/* May the job end with success, or with CANCELLED (J6, J7, C4')? */
const char *life_objection_to_success(const struct life_model *life,
                                      const struct evidence *evidence);

/* Is an end with that error what has been reported, or what a question has answered? */
bool life_explains_error(const struct life_model *life, const struct evidence *evidence,
                         const struct event *end);

/* A command has been given; what it makes the job want if it is accepted. */
void life_model_command(struct life_model *life, const struct event *command, uint64_t now_ns);

/* Has a guest request that covers the range succeeded on the source, and is not answered? */
bool life_model_is_held_by_guest(const struct life_model *life, uint64_t offset, uint64_t bytes);

#endif
