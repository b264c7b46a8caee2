/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a job of today's generation: states, verbs, pauses, sleep, end (modern-algorithm J).
 *
 * This is the framework, and knows nothing of mirrors: engine/modern/ drives it with strands, the
 * environment of a user's own file (engine/qemu/modern/) with its coroutines.  Nothing here waits.
 * Where a coroutine would yield, a function says so and is called again when the continuation goes
 * on; the driver's `wake` is what makes it go on.
 *
 * The states are those of enum job_status but CONCLUDING, which is 2.2's: one table of what may
 * follow what, one writer, which emits an event; one table of verbs.  The bools are requests or
 * facts.
 */
#ifndef MIRRORSIM_ENGINE_LIFE_LIFE_H
#define MIRRORSIM_ENGINE_LIFE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "engine/engine.h"
#include "engine/life/account.h"
#include "engine/section.h"

struct life;

/* What a kind of job adds.  NULL: nothing, unless it says otherwise. */
struct life_driver {
    /* The continuation goes on: at once, or when the running one waits (strand.h).  Needed. */
    void (*wake)(struct life *life);

    /* May the job, which is neither sleeping nor parked for good, disturb a section?  Needed. */
    bool (*is_busy)(const struct life *life);

    /* complete is legal: 0, or -errno with *error filled in. */
    int (*complete)(struct life *life, struct job_error *error);

    /* A cancel was given; returns whether it is a force cancel (J7). */
    bool (*cancel)(struct life *life, bool force);

    /* The copy mode is to change: 0, or -errno. */
    int (*change)(struct life *life, int64_t mode, struct job_error *error);

    /*
     * Does step(life), the end after the run, where prepare may wait: on a stack of its own.  NULL:
     * at once.  The same is to be done with the verbs that may end a job.
     */
    void (*exit)(struct life *life, void (*step)(void *life));

    /* From the main loop: the end, in this order: prepare if the run succeeded; abort if not. */
    int (*prepare)(struct life *life);
    void (*abort)(struct life *life);

    /*
     * The job is NULL, its nodes are released: gives back the memory that life_end() has not needed
     * any more.
     */
    void (*free)(struct life *life);
};

/* What the caller of a function that may wait has to do. */
enum life_step {
    LIFE_GO,      /* go on */
    LIFE_QUIESCE, /* wait until no background operation is in flight, then call again */
    LIFE_WAIT,    /* wait; call again when the continuation goes on */
};

enum life_point {
    POINT_NONE,
    POINT_QUIESCING, /* a pause is wanted, operations are in flight */
    POINT_PARKED,
};

struct life_use; /* of one node */

struct life {
    struct host *host;
    const struct life_driver *driver;
    struct job_spec spec; /* the start's; its strings live as long as the job */
    enum job_status status;
    enum life_point point;

    uint32_t pause_count;     /* by user or error, and one per edge in a section (J2) */
    bool user_paused;         /* one of them: by user or error */
    bool started;             /* its continuation exists */
    bool busy;                /* neither sleeping, idle nor parked; also in the exit window */
    bool parked;              /* what a query calls paused is pause_count > 0 */
    bool deferred;            /* its run has ended: nothing wakes it any more */
    bool cancel_wanted;       /* by any cancel */
    bool force_cancelled;     /* the job ends as soon as it can */
    int ret;                  /* of the run, then of the job */
    const char *own_text;     /* of a failure that is not an errno's (S9'), or NULL */
    struct host_timer *timer; /* it sleeps */
    uint64_t wake_ns;         /* until then, if the timer is exact */

    uint64_t done_bytes; /* never shrinks */
    uint64_t total_bytes;
    uint64_t speed; /* bytes/s; 0 = no limit */
    struct account account;
    enum io_status io_status;

    uint64_t published_done; /* of the last event PROGRESS */
    uint64_t published_total;

    struct life_use *uses; /* nodes that it uses, the last one first */
};

/* May `to` follow `from`?  May the verb be given in `status` (J1)? */
bool life_may_follow(enum job_status from, enum job_status to);
bool life_allows(enum job_status status, enum job_verb verb);

/* ---- Beginning ---- */

/*
 * UNDEFINED -> CREATED, pause_count 1.  0; or -errno with *error filled in and no job: no id, or a
 * negative speed, for which the states CREATED and NULL are shown (S4').
 */
int life_create(struct life *life, struct host *host, const struct life_driver *driver,
                const struct job_spec *spec, struct job_error *error);

/* The job uses the node: an edge, a reference, all operations of others blocked. */
void life_add_node(struct life *life, struct block_node *node);
void life_release_nodes(struct life *life);

/* CREATED -> RUNNING; the continuation goes on at once, first of all to a pause point. */
void life_start(struct life *life);

/* CREATED -> NULL: the start has failed; the nodes are released. */
void life_fail_early(struct life *life);

/* ---- For engine/life/ and those who drive it ---- */

/* The one writer of the status: asserts life_may_follow() and emits the event. */
void life_set_status(struct life *life, enum job_status status);

/* An event of the job's users: node = the source, offset and bytes = done and total. */
void life_emit(const struct life *life, enum event_kind kind);

/* Fills in *error and returns ret. */
int life_refuse(struct job_error *error, enum job_refusal refusal, int ret, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- While it runs; from its continuation ---- */

/*
 * A pause point (J3): call it, do what it says, until it says LIFE_GO.  With a pause wanted and no
 * force cancel: LIFE_QUIESCE, then the state changes and LIFE_WAIT.
 */
enum life_step life_pause_point(struct life *life);

/*
 * Sleeps, or (life_idle) waits without a timer.  LIFE_GO: there is no sleep for a force-cancelled
 * job.  Otherwise, also if a pause is wanted and it does not sleep: LIFE_WAIT or LIFE_QUIESCE, and
 * from then on life_pause_point() until that says LIFE_GO.
 */
enum life_step life_sleep(struct life *life, uint64_t delay_ns);
enum life_step life_idle(struct life *life);

/* RUNNING -> READY, its two events. */
void life_become_ready(struct life *life);

/* E': one ERROR event; what stop does to the job.  error < 0. */
enum error_action life_handle_error(struct life *life, enum error_policy policy, enum op side,
                                    int error, uint64_t offset, uint64_t bytes);

void life_advance(struct life *life, uint64_t bytes);       /* done */
void life_add_total(struct life *life, uint64_t bytes);     /* total */
void life_set_remaining(struct life *life, uint64_t bytes); /* total = done + bytes (L2') */

/* The run has ended: the exit window begins (J6).  Nothing of `life` waits any more. */
void life_end(struct life *life, int ret, const char *own_text);

/* ---- From outside ---- */

/* Ends a sleep, an idle wait or a parking, unless it is busy or deferred. */
void life_enter(struct life *life);

/* A pause by who counts himself (J2), and its end. */
void life_pause(struct life *life);
void life_resume(struct life *life);

/* What is left in PENDING (J6): after it the job is CONCLUDED, or gone. */
void life_finalize(struct life *life);

/*
 * CONCLUDED -> NULL.  The job is there as long as a drained section over all nodes has to wait,
 * and takes no verb; then spec.concluded is called and its memory is gone.
 */
void life_dismiss(struct life *life);

/*
 * Gives a verb: 0, or -errno with *error filled in and nothing changed.  Finalize, dismiss, and a
 * cancel in PENDING may end the job: spec.concluded has been called and the memory is gone then.
 */
int life_command(struct life *life, enum job_verb verb, int64_t arg, struct job_error *error);

static inline bool life_is_ready(const struct life *life)
{
    return life->status == JOB_STATUS_READY || life->status == JOB_STATUS_STANDBY;
}

void life_query(const struct life *life, struct job_info *info);
void life_digest(const struct life *life, struct digest *digest);
void life_check(const struct life *life);

#endif
