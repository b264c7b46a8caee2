/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions of today's generation, as far as a mirror.c of 6.2 to 11.1 calls them.
 *
 * This declares the interface list of the design and nothing else: a file that uses more does not
 * compile, and the compiler names what is missing.  There is no switch for versions: what only some
 * of them use is there for all.
 *
 * "Coroutine": to be called in one, and may yield.  "Main": to be called outside of them; where it
 * waits, the simulation goes on meanwhile.  All offsets and lengths are bytes.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_FUNCTIONS_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_FUNCTIONS_H

#include "mirrorsim/symbols.h"
#include "mirrorsim/types.h"

/* ---- Job framework ---- */

/*
 * Main.  Makes a job of instance_size bytes, zeroed except for the framework's fields, that is a
 * user of `bs`; NULL with an error: the id, or the speed, was refused.  All nodes are drained
 * meanwhile.
 */
void *block_job_create(const char *job_id, const BlockJobDriver *driver, JobTxn *txn,
                       BlockDriverState *bs, uint64_t perm, uint64_t shared_perm, int64_t speed,
                       int flags, BlockCompletionFunc *cb, void *opaque, Error **errp);

/* For driver tables: the framework calls them. */
void block_job_free(Job *job);
void block_job_user_resume(Job *job);

/* Main, drained: the job becomes a user of the node; 0 or -EPERM. */
int block_job_add_bdrv(BlockJob *job, const char *name, BlockDriverState *bs, uint64_t perm,
                       uint64_t shared_perm, Error **errp);
void block_job_remove_all_bdrv(BlockJob *job);

/* Coroutine: what the policy says of a positive errno; emits an event, and pauses for `stop`. */
BlockErrorAction block_job_error_action(BlockJob *job, BlockdevOnError on_err, int is_read,
                                        int error);

/* The rate limit: charging is free, sleeping is not (coroutine). */
void block_job_ratelimit_processed_bytes(BlockJob *job, uint64_t n);
void block_job_ratelimit_sleep(BlockJob *job);
int64_t block_job_ratelimit_get_delay(BlockJob *job, uint64_t n); /* up to 8.1 */

/* Main: the job's coroutine is made, and runs until it first waits. */
void job_start(Job *job);
/* Main: a job that has not started ends, and is freed. */
void job_early_fail(Job *job);

/* Coroutine: parks if a pause is wanted. */
void job_pause_point(Job *job);
/* Coroutine: waits until the time is over or somebody enters the job; then a pause point. */
void job_sleep_ns(Job *job, int64_t ns);
void job_yield(Job *job);

/* By force; by any cancel. */
bool job_is_cancelled(Job *job);
bool job_is_cancelled_locked(Job *job);
bool job_cancel_requested(Job *job);

bool job_is_ready(Job *job);
void job_transition_to_ready(Job *job);

/* Wakes the job if it sleeps, is idle or parked; fn must be NULL. */
void job_enter_cond_locked(Job *job, bool (*fn)(Job *job));
void job_enter(Job *job); /* 6.2 */

void job_progress_update(Job *job, uint64_t done);
void job_progress_set_remaining(Job *job, uint64_t remaining);
void job_progress_increase_remaining(Job *job, uint64_t delta);

/* ---- Coroutines ---- */

Coroutine *qemu_coroutine_create(void (*entry)(void *opaque), void *opaque);
/*
 * Runs it until it yields or ends; then what it has woken meanwhile, in that order, depth first.
 * Entering a running coroutine is fatal.
 */
void qemu_coroutine_enter(Coroutine *coroutine);
Coroutine *qemu_coroutine_self(void);

void qemu_co_queue_init(CoQueue *queue);
/* Coroutine; lock must be NULL. */
void qemu_co_queue_wait(CoQueue *queue, CoMutex *lock);
/* Wakes all, in order; they run when the caller waits or ends.  The queue may be freed then. */
void qemu_co_queue_restart_all(CoQueue *queue);

/* ---- The target's user ---- */

BlockBackend *blk_new(AioContext *context, uint64_t perm, uint64_t shared_perm);
int blk_insert_bs(BlockBackend *blk, BlockDriverState *bs, Error **errp);
void blk_remove_bs(BlockBackend *blk);                                             /* 6.2 */
int blk_set_perm(BlockBackend *blk, uint64_t perm, uint64_t shared, Error **errp); /* 6.2 */
void blk_unref(BlockBackend *blk);
BlockDriverState *blk_bs(BlockBackend *blk);
void blk_set_force_allow_inactivate(BlockBackend *blk);
void blk_set_allow_aio_context_change(BlockBackend *blk, bool allow);
/* Its requests go through in a drained section; needed. */
void blk_set_disable_request_queuing(BlockBackend *blk, bool disable);

/* Coroutine: 0 or -errno.  blk_pwrite and blk_truncate with other names are older. */
int64_t blk_co_getlength(BlockBackend *blk);
int blk_co_truncate(BlockBackend *blk, int64_t offset, bool exact, PreallocMode prealloc,
                    BdrvRequestFlags flags, Error **errp);
int blk_co_pwritev(BlockBackend *blk, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                   BdrvRequestFlags flags);
int blk_co_pwritev_part(BlockBackend *blk, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                        size_t qiov_offset, BdrvRequestFlags flags);
int blk_co_pwrite_zeroes(BlockBackend *blk, int64_t offset, int64_t bytes, BdrvRequestFlags flags);
int blk_co_flush(BlockBackend *blk);
int64_t blk_getlength(BlockBackend *blk); /* up to 7.2 */
int blk_truncate(BlockBackend *blk, int64_t offset, bool exact, PreallocMode prealloc,
                 BdrvRequestFlags flags, Error **errp); /* 6.2 */
int blk_flush(BlockBackend *blk);                       /* up to 7.2 */

/* The fourth argument, flags, is new in 11.1, 10.0.10 and 10.2.3. */
int qemu_modern_blk_discard(BlockBackend *blk, int64_t offset, int64_t bytes);
#define blk_co_pdiscard(blk, offset, ...) \
    qemu_modern_blk_discard((blk), (offset), QEMU_FIRST(__VA_ARGS__, 0))
#define QEMU_FIRST(first, ...) (first)

/* ---- Dirty bitmaps ---- */

BdrvDirtyBitmap *bdrv_create_dirty_bitmap(BlockDriverState *bs, uint32_t granularity,
                                          const char *name, Error **errp);
/* From now on only the file marks.  Otherwise the block layer does: every guest write to `bs`. */
void bdrv_disable_dirty_bitmap(BdrvDirtyBitmap *bitmap);
void bdrv_release_dirty_bitmap(BdrvDirtyBitmap *bitmap);
uint32_t bdrv_get_default_bitmap_granularity(BlockDriverState *bs);
void bdrv_dirty_bitmap_lock(BdrvDirtyBitmap *bitmap);
void bdrv_dirty_bitmap_unlock(BdrvDirtyBitmap *bitmap);
bool bdrv_dirty_bitmap_get(BdrvDirtyBitmap *bitmap, int64_t offset);
bool bdrv_dirty_bitmap_get_locked(BdrvDirtyBitmap *bitmap, int64_t offset);
/* Outwards to chunks. */
void bdrv_set_dirty_bitmap(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes);
/* Whole chunks, or up to the end of the image. */
void bdrv_reset_dirty_bitmap(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes);
void bdrv_reset_dirty_bitmap_locked(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes);
/* A short last chunk counts as a whole one. */
int64_t bdrv_get_dirty_count(BdrvDirtyBitmap *bitmap);
BdrvDirtyBitmapIter *bdrv_dirty_iter_new(BdrvDirtyBitmap *bitmap);
void bdrv_dirty_iter_free(BdrvDirtyBitmapIter *iter);
/* The next dirty chunk's first byte, or -1. */
int64_t bdrv_dirty_iter_next(BdrvDirtyBitmapIter *iter);
void bdrv_set_dirty_iter(BdrvDirtyBitmapIter *iter, int64_t offset);

/* ---- Nodes: data; coroutine ---- */

int bdrv_co_preadv(BdrvChild *child, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                   BdrvRequestFlags flags);
int bdrv_co_pwritev(BdrvChild *child, int64_t offset, int64_t bytes, QEMUIOVector *qiov,
                    BdrvRequestFlags flags);
int bdrv_co_pwrite_zeroes(BdrvChild *child, int64_t offset, int64_t bytes, BdrvRequestFlags flags);
int bdrv_co_pdiscard(BdrvChild *child, int64_t offset, int64_t bytes);
int bdrv_co_flush(BlockDriverState *bs);
int64_t bdrv_co_getlength(BlockDriverState *bs);
int64_t bdrv_getlength(BlockDriverState *bs); /* main, too */
int bdrv_co_get_info(BlockDriverState *bs, BlockDriverInfo *bdi);
int bdrv_get_info(BlockDriverState *bs, BlockDriverInfo *bdi); /* up to 7.2 */
bool bdrv_can_write_zeroes_with_unmap(BlockDriverState *bs);

/*
 * What is there, the whole chain looked into: BDRV_BLOCK_DATA, _ZERO, or neither, for *pnum bytes.
 * base, map and file must be NULL; the range may reach past the end.
 */
int bdrv_co_block_status_above(BlockDriverState *bs, BlockDriverState *base, int64_t offset,
                               int64_t bytes, int64_t *pnum, int64_t *map, BlockDriverState **file);
int bdrv_block_status_above(BlockDriverState *bs, BlockDriverState *base, int64_t offset,
                            int64_t bytes, int64_t *pnum, int64_t *map,
                            BlockDriverState **file); /* up to 7.2 */
/* Allocated from `top` down to `base`?  1, 0 or -errno, for *pnum bytes. */
int bdrv_co_is_allocated_above(BlockDriverState *top, BlockDriverState *base, bool include_base,
                               int64_t offset, int64_t bytes, int64_t *pnum);
int bdrv_is_allocated_above(BlockDriverState *top, BlockDriverState *base, bool include_base,
                            int64_t offset, int64_t bytes, int64_t *pnum); /* up to 7.2 */
/* 1, 0 = not known, or -errno; since 10.1. */
int bdrv_co_is_all_zeroes(BlockDriverState *bs);

/* Outwards to what the node allocates at once. */
void bdrv_round_to_subclusters(BlockDriverState *bs, int64_t offset, int64_t bytes,
                               int64_t *align_offset, int64_t *align_bytes);
void bdrv_round_to_clusters(BlockDriverState *bs, int64_t offset, int64_t bytes,
                            int64_t *align_offset, int64_t *align_bytes); /* up to 8.1 */
void bdrv_cancel_in_flight(BlockDriverState *bs);

/* ---- Nodes: graph; main ---- */

BlockDriverState *bdrv_new_open_driver(BlockDriver *driver, const char *node_name, int flags,
                                       Error **errp);
/* bs_new comes between bs_top, which is drained, and its users except jobs. */
int bdrv_append(BlockDriverState *bs_new, BlockDriverState *bs_top, Error **errp);
/* Users of `from` except jobs, and what is below `to`, move to `to`; both are drained. */
int bdrv_replace_node(BlockDriverState *from, BlockDriverState *to, Error **errp);
bool bdrv_recurse_can_replace(BlockDriverState *bs, BlockDriverState *to_replace);
int bdrv_set_backing_hd(BlockDriverState *bs, BlockDriverState *backing_hd, Error **errp);
int bdrv_open_backing_file(BlockDriverState *bs, QDict *options, const char *bdref_key,
                           Error **errp);
void bdrv_get_backing_filename(BlockDriverState *bs, char *filename, int filename_size);
int bdrv_freeze_backing_chain(BlockDriverState *bs, BlockDriverState *base, Error **errp);
void bdrv_unfreeze_backing_chain(BlockDriverState *bs, BlockDriverState *base);

/* NULL for NULL. */
BlockDriverState *bdrv_find_node(const char *node_name);
BlockDriverState *bdrv_find_overlay(BlockDriverState *active, BlockDriverState *bs);
BlockDriverState *bdrv_skip_filters(BlockDriverState *bs);
BlockDriverState *bdrv_backing_chain_next(BlockDriverState *bs);
BlockDriverState *bdrv_cow_bs(BlockDriverState *bs);
BlockDriverState *bdrv_filter_bs(BlockDriverState *bs);
BlockDriverState *bdrv_filter_or_cow_bs(BlockDriverState *bs);
bool bdrv_chain_contains(BlockDriverState *top, BlockDriverState *base);

int bdrv_child_refresh_perms(BlockDriverState *bs, BdrvChild *child, Error **errp);
void bdrv_default_perms(BlockDriverState *bs, BdrvChild *child, BdrvChildRole role,
                        BlockReopenQueue *queue, uint64_t perm, uint64_t shared, uint64_t *nperm,
                        uint64_t *nshared);
bool bdrv_is_read_only(BlockDriverState *bs);
int bdrv_reopen_set_read_only(BlockDriverState *bs, bool read_only, Error **errp);
void bdrv_op_block_all(BlockDriverState *bs, Error *reason);
void bdrv_op_unblock_all(BlockDriverState *bs, Error *reason);
void bdrv_ref(BlockDriverState *bs);
/* NULL is allowed; the last one frees a filter, and its opaque. */
void bdrv_unref(BlockDriverState *bs);

/* ---- Drained sections, locks ---- */

/* Main and coroutine: waits until the node is quiet. */
void bdrv_drained_begin(BlockDriverState *bs);
void bdrv_drained_end(BlockDriverState *bs);

void bdrv_graph_co_rdlock(void);
void bdrv_graph_co_rdunlock(void);
void bdrv_graph_rdlock_main_loop(void);
void bdrv_graph_rdunlock_main_loop(void);
/* Main; 8.2 gives a node. */
void qemu_modern_wrlock(void);
void qemu_modern_wrunlock(void);
#define bdrv_graph_wrlock(...) qemu_modern_wrlock()
#define bdrv_graph_wrunlock(...) qemu_modern_wrunlock()
/* All nodes are drained until the bdrv_graph_wrunlock(); since 10.1. */
void bdrv_graph_wrlock_drained(void);

/* Up to 8.2. */
AioContext *bdrv_get_aio_context(BlockDriverState *bs);
AioContext *qemu_get_aio_context(void);
void aio_context_acquire(AioContext *context);
void aio_context_release(AioContext *context);

/* ---- Errors and memory ---- */

/* &error_abort: an error ends the run. */
extern Error *error_abort;
void error_report_err(Error *err);
void warn_report_err(Error *err);
/* Nobody reads them. */
void error_report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void warn_report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In a function that looks at *errp: it is not NULL from here on. */
#define ERRP_GUARD()                                                            \
    struct qemu_errp own_errp __attribute__((cleanup(qemu_errp_end))) = {NULL}; \
    errp = errp != NULL ? errp : &own_errp.error

struct qemu_errp {
    Error *error;
};

static inline void qemu_errp_end(struct qemu_errp *errp)
{
    error_free(errp->error);
}

void *g_malloc0(size_t size);
#define g_new(type, count) ((type *)g_malloc(sizeof(type) * (size_t)(count)))
#define g_new0(type, count) ((type *)g_malloc0(sizeof(type) * (size_t)(count)))

/* Memory for requests; for the second one NULL is a possible answer. */
void *qemu_blockalign(BlockDriverState *bs, size_t size);
void *qemu_try_blockalign(BlockDriverState *bs, size_t size);
void qemu_vfree(void *ptr);

/* Returns the bytes copied. */
size_t iov_to_buf_full(const struct iovec *iov, unsigned int iov_cnt, size_t offset, void *buf,
                       size_t bytes);
/* Cut to fit, always with a 0 at the end. */
void pstrcpy(char *buf, int buf_size, const char *str);

const char *MirrorSyncMode_str(MirrorSyncMode mode);
const char *MirrorCopyMode_str(MirrorCopyMode mode);

/* ---- What the file exports: the build gives each file's own names ---- */

void mirror_start(const char *job_id, BlockDriverState *bs, BlockDriverState *target,
                  const char *replaces, int creation_flags, int64_t speed, uint32_t granularity,
                  int64_t buf_size, MirrorSyncMode mode, BlockMirrorBackingMode backing_mode,
                  bool target_is_zero, BlockdevOnError on_source_error,
                  BlockdevOnError on_target_error, bool unmap, const char *filter_node_name,
                  MirrorCopyMode copy_mode, Error **errp);
BlockJob *commit_active_start(const char *job_id, BlockDriverState *bs, BlockDriverState *base,
                              int creation_flags, int64_t speed, BlockdevOnError on_error,
                              const char *filter_node_name, BlockCompletionFunc *cb, void *opaque,
                              bool auto_complete, Error **errp);

#endif
