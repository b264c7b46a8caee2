/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a foreign mirror.c of today's generation: one of its jobs, in one world.
 *
 * The foreign code runs in coroutines: the job's run, its operations, and each guest request on its
 * way through the filter.  What it does outside of coroutines - its start, commands, the end of the
 * job - runs on a stack of its own as well, because it may have to wait in a drained section, and
 * nothing in sim/ nests.  Such a "main" coroutine counts as none where the order of wake-ups
 * depends on whether the caller is in one.
 *
 * The job's life is engine/life/, the same as our own engine's.  What is not the foreign file's to
 * give back lies in memory of the process and not in the world's arena, so that what a world counts
 * as the job's memory is the foreign code's alone.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_ENV_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_ENV_H

#include "engine/foreign.h"
#include "engine/life/life.h"
#include "engine/qemu/env.h"
#include "engine/qemu/fibre.h"
#include "engine/qemu/modern/engine.h"
#include "engine/section.h"
#include "engine/zeroes.h"
#include "mirrorsim/functions.h"

/* ---- State ---- */

/* A list of coroutines, by their member `next`. */
struct co_list {
    Coroutine *first;
    Coroutine *last;
};

struct qemu_guest; /* a guest request in the filter */

struct Coroutine {
    uint64_t mark;        /* to recognise one */
    unsigned long number; /* in the order of making, from 1 */
    struct fibre fibre;
    void *opaque;
    void (*entry)(void *opaque);
    Coroutine *next; /* in one list: of those woken, or in a CoQueue */
    LIST_ENTRY(Coroutine) link;
    bool listed;
    bool running; /* or has entered one that does */
    bool is_main;
    struct co_list woken; /* by it: run when it waits or ends */
    const char *waits;    /* what for, in words; NULL: it runs or has not begun */
    const CoQueue *queue; /* ... in which queue, or NULL */
    struct qemu_guest *guest;
    /* Of its last request that failed, for error events. */
    uint64_t failed_offset;
    uint64_t failed_bytes;
    int failed_ret;
};

/* The node behind a BlockDriverState. */
struct qemu_node {
    LIST_ENTRY(qemu_node) link;
    BlockDriverState bs;
    struct block_node *block;  /* NULL: a filter that is not in the graph yet */
    BdrvChild below;           /* bs.backing, if it has one */
    const BlockDriver *driver; /* of a filter; else NULL */
    uint32_t refs;             /* of a filter */
    bool inserted;             /* a filter, between the guest and its disk */
};

/* A node that the job uses. */
struct qemu_use {
    SLIST_ENTRY(qemu_use) link; /* the last one first */
    struct qemu_node *node;
    BdrvChild child;
    /* Of the user's own framework; ours keeps its edges itself. */
    struct block_edge *edge;
    struct engine_job *env;
};

struct qemu_kicked; /* a wait in the main loop */

/* What is seen of a job that the user's own framework manages. */
struct qemu_user_job {
    enum job_status status; /* of the last event */
    bool started;
    int ret;           /* of the last event */
    uint32_t deferred; /* calls from the main loop that are due */
    struct qemu_kicked *kicked;
    uint64_t published_done; /* of the last event PROGRESS */
    uint64_t published_total;
};

/*
 * What manages the job: our life of it (life.c), or the user's own job.c.  Called with the
 * environment as the current one.
 */
struct qemu_framework {
    bool (*has_started)(const struct engine_job *env); /* job_start() was called */
    int (*command)(struct engine_job *env, enum job_verb verb, int64_t arg,
                   struct job_error *error);
    void (*query)(const struct engine_job *env, struct job_info *info);
    bool (*synced)(const struct engine_job *env); /* what the job says; false without one */
    void (*digest)(const struct engine_job *env, struct digest *digest);
    void (*check)(const struct engine_job *env);
    void (*refresh)(struct engine_job *env); /* fields of the job that the foreign code reads */
    void (*settle)(struct engine_job *env);  /* nothing runs; is the job gone?  Or NULL */
};

struct engine_job {
    struct qemu_env common; /* first */
    const struct qemu_file *file;
    struct job_spec spec;
    struct life life;
    uint32_t depth; /* calls from the world that have not returned */
    bool gone;      /* freed when the last of them returns */

    /* Its start. */
    bool started;     /* mirror_start() has returned */
    bool start_waits; /* ... later than start(), which has answered -EINPROGRESS */
    int start_ret;
    struct job_error start_error;
    enum job_refusal refusal; /* why the last call refused something; REFUSED_NOT: it has not */

    uint64_t commands; /* given so far */
    uint64_t asked;    /* the one whose caller still waits for its answer, or 0 */

    /* The job. */
    BlockJob *job; /* the foreign file's own struct, or NULL */
    const BlockJobDriver *driver;
    char run_error[160]; /* what the run said of its failure */
    bool shown_synced;   /* as in the last event SYNCED */
    Coroutine *job_coroutine;

    struct qemu_user_job user;

    /* Coroutines. */
    Coroutine *running; /* the innermost, or NULL */
    LIST_HEAD(, Coroutine) coroutines;
    unsigned long coroutine_count; /* made so far */

    /* Nodes. */
    LIST_HEAD(, qemu_node) nodes;
    SLIST_HEAD(, qemu_use) uses;
    BdrvChild guest_child;
    uint32_t guests; /* requests in the filter */
    uint64_t
        drained_locks; /* a bit per nested bdrv_graph_wrlock(), the innermost lowest: drained? */
    uint32_t locks;

    BdrvDirtyBitmap *dirty;     /* the last one made, or NULL */
    struct qemu_memory *memory; /* guarded pieces of the foreign code */
};

/* ---- env.c: into the foreign code, and out of it ---- */

/* A call from the world; the return value is for qemu_end_call(). */
struct qemu_env *qemu_begin_call(struct engine_job *env);
/* May free the environment. */
void qemu_end_call(struct engine_job *env, struct qemu_env *before);

struct engine_job *qemu_job_env(void); /* the current environment */

static inline struct engine_job *qemu_env_of(const struct life *life)
{
    return (struct engine_job *)((char *)(uintptr_t)life - offsetof(struct engine_job, life));
}

/* Memory of the process, zeroed. */
void *qemu_own_alloc(size_t bytes);
void qemu_own_free(void *memory);

/* ---- coroutine.c ---- */

/* Runs `entry` in a main coroutine, until that ends or waits. */
void qemu_main(struct engine_job *env, void (*entry)(void *opaque), void *opaque);

/* Makes one and does not run it. */
Coroutine *qemu_co_new(struct engine_job *env, void (*entry)(void *opaque), void *opaque);

/* The running coroutine, but not a main one: or NULL. */
Coroutine *qemu_co_current(struct engine_job *env);

/* The running one, of either kind; a call that can't wait here ends the run as invalid. */
Coroutine *qemu_co_needed(const char *call);
/* The same, but a main one is a misdeed. */
Coroutine *qemu_co_real(const char *call);

/* Waits until qemu_co_wake(); `what` is for the words of a deadlock. */
void qemu_co_wait(Coroutine *co, const char *what);

/* At the end of the running coroutine's list; outside of one, it runs at once. */
void qemu_co_wake(struct engine_job *env, Coroutine *co);

/* The same, called by the world. */
void qemu_co_wake_from_world(struct engine_job *env, Coroutine *co);

/* The job is gone: dies if one of its coroutines waits. */
void qemu_co_check_all_ended(const struct engine_job *env);

/* Who waits for what, in words. */
void qemu_co_describe(const struct engine_job *env, char *text, size_t bytes);

/* Frees them in the middle of whatever they do. */
void qemu_co_abandon(struct engine_job *env);

/* ---- node.c ---- */

/* The BlockDriverState of a disk, made on first use; NULL for NULL. */
BlockDriverState *qemu_state_of(struct block_node *block);
struct qemu_node *qemu_node_new(struct engine_job *env);

/* Updates what the foreign code reads directly: fields of nodes, links, lists of users. */
void qemu_refresh_nodes(struct engine_job *env);
void qemu_nodes_relink(struct engine_job *env);
void qemu_free_nodes(struct engine_job *env);

/* The filter is let go of by one; freed at 0. */
void qemu_filter_unref(struct qemu_node *node);

/* The node must be in a drained section. */
void qemu_check_drained(const BlockDriverState *bs, const char *call);

/* ---- section.c ---- */

/* All nodes, from a main coroutine. */
void qemu_drain_all_begin(struct engine_job *env);
void qemu_drain_all_end(struct engine_job *env);

/* ---- filter.c ---- */

extern const struct interposer qemu_interposer; /* opaque: the environment */

/* Is this the guest's own request, on its disk?  Then it is made once. */
bool qemu_guest_passes(const Coroutine *co, const BlockDriverState *bs, enum op op, int64_t offset,
                       int64_t bytes);
struct interposed *qemu_guest_pass(Coroutine *co);

/* The guest's request that this is the copy of, or NULL. */
struct interposed *qemu_guest_copies(const Coroutine *co, const BlockDriverState *bs, enum op op,
                                     int64_t offset, int64_t bytes);

/* ---- request.c; in a coroutine ---- */

int qemu_request_write(BlockDriverState *bs, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                       size_t skip);
int qemu_request_zero(BlockDriverState *bs, int64_t offset, int64_t bytes, BdrvRequestFlags flags);
int qemu_request_discard(BlockDriverState *bs, int64_t offset, int64_t bytes);

uint32_t qemu_guest_number(const struct qemu_guest *guest);

/* ---- data.c: real memory and tags ---- */

struct qemu_data {
    struct block_buffers *buffers;
    struct block_iov iov;
    uint32_t index;
    const QEMUIOVector *qiov;
    size_t skip; /* bytes of the vector before the data */
    size_t bytes;
};

/* Room for what a request reads into the vector; fills the memory; lets go. */
void qemu_data_expect(struct qemu_data *data, struct block_node *node, const QEMUIOVector *qiov,
                      size_t skip, size_t bytes);
void qemu_data_fill(const struct qemu_data *data);
void qemu_data_release(struct qemu_data *data);

/* What the memory holds. */
void qemu_data_take(struct qemu_data *data, struct block_node *node, const QEMUIOVector *qiov,
                    size_t skip, size_t bytes);
/* Dies if the memory holds something else now. */
void qemu_data_check(const struct qemu_data *data);

/* A guest's write: its memory, and whether it is still that. */
void qemu_data_fill_guest(void *memory, const struct interposed *request, uint64_t bytes);
void qemu_data_check_guest(const struct interposed *request, const QEMUIOVector *qiov,
                           uint64_t bytes);

/* memory.c: frees guarded pieces that are left. */
void qemu_memory_abandon(struct engine_job *env);

/* ---- dirty.c ---- */

uint64_t qemu_bitmap_granularity(const BdrvDirtyBitmap *bitmap);

/* ---- backend.c ---- */

/* What 6.2 finds in its job: nothing that it does with it has an effect. */
BlockBackend *qemu_backend_of_job(void);

/* ---- job.c ---- */

void qemu_job_refresh(struct engine_job *env); /* of our own framework */

/* The driver's free, and the struct. */
void qemu_job_free(struct engine_job *env);

/* ---- callback.c ---- */

extern const struct life_driver qemu_life_driver;
void qemu_job_concluded(void *opaque, int ret);

/* ---- engine.c ---- */

/* JOB_STARTED, and the answer to a start that had to wait. */
void qemu_start_is_over(struct engine_job *env, int ret);

/* What is dirty, or -1. */
int64_t qemu_dirty_bytes(const struct engine_job *env);

/* Turns a foreign error into a refusal, and frees it. */
int qemu_refuse_with(struct engine_job *env, Error *from, enum job_refusal otherwise,
                     struct job_error *error);

#endif
