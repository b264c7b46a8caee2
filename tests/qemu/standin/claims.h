/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stand-in: the job's state, who owns which chunks, and errors.
 *
 * Only mirror.c of this folder includes it: a user's file is one file, too.
 */
#ifndef MIRRORSIM_TESTS_QEMU_STANDIN_CLAIMS_H
#define MIRRORSIM_TESTS_QEMU_STANDIN_CLAIMS_H

#include "qemu/osdep.h"

#include "block/block_int.h"
#include "block/blockjob_int.h"
#include "block/dirty-bitmap.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/coroutine.h"
#include "qemu/cutils.h"
#include "qemu/memalign.h"
#include "qemu/range.h"
#include "qemu/ratelimit.h"
#include "system/block-backend.h"
#include "trace.h"

#define MAX_COPIES 4
#define SLICE_NS 100000000LL
#define DEFAULT_BUFFER (16 << 20)

typedef struct Standin Standin;

/* A copy, or a guest request that goes to both sides; it owns its chunks while it is listed. */
typedef struct Claim {
    QTAILQ_ENTRY(Claim) next;
    Standin *job;
    int64_t offset;
    int64_t bytes;
    bool is_active;
    bool is_zero;
    bool waits; /* itself, for another claim */
    CoQueue waiters;
    Coroutine *co;
    int slot; /* of the copy buffer; -1: none */
} Claim;

/* What the filter's node points to. */
typedef struct Filter {
    Standin *job; /* NULL before and after the job */
    BdrvDirtyBitmap *dirty;
} Filter;

struct Standin {
    BlockJob common;
    BlockDriverState *filter;
    BlockBackend *target;
    BlockDriverState *base; /* of a commit, or of sync top; or NULL */
    BlockDriverState *to_replace;
    char *replaces;
    Error *replace_blocker;
    MirrorSyncMode sync;
    MirrorCopyMode copy_mode;
    BlockMirrorBackingMode backing_mode;
    BlockdevOnError on_source_error;
    BlockdevOnError on_target_error;
    bool is_commit;
    bool base_was_read_only;
    bool unmap;
    bool target_is_zero;
    bool wants_end;
    bool is_synced;
    bool is_draining;
    bool has_section; /* the source's drained section is the job's */
    bool is_prepared;
    bool may_use_filter; /* the walk is over: guest requests may go to both sides */
    int64_t granularity;
    bool fills_clusters; /* what the target has not got shows through, until the backing is there */
    int64_t length;
    BdrvDirtyBitmap *dirty;
    BdrvDirtyBitmapIter *iter;
    unsigned long *claimed; /* a bit per chunk */
    char *buffer;           /* a slot per copy */
    int64_t slot_bytes;
    unsigned long *slots; /* a bit per slot: in use */
    QTAILQ_HEAD(, Claim) claims;
    int copies;
    int64_t copied_bytes_in_flight;
    int active_requests;
    int64_t active_bytes;
    int result;
};

/* ---- Claims ---- */

static int64_t first_chunk(const Standin *job, int64_t offset)
{
    return offset / job->granularity;
}

static int64_t chunk_count(const Standin *job, int64_t offset, int64_t bytes)
{
    return DIV_ROUND_UP(offset + bytes, job->granularity) - first_chunk(job, offset);
}

static bool touch_same_chunks(const Standin *job, const Claim *a, int64_t offset, int64_t bytes)
{
    return ranges_overlap(first_chunk(job, a->offset), chunk_count(job, a->offset, a->bytes),
                          first_chunk(job, offset), chunk_count(job, offset, bytes));
}

/* Waits until nobody else holds a chunk of the range; `self` is listed already, or NULL. */
static void coroutine_fn wait_for_chunks(Standin *job, Claim *self, int64_t offset, int64_t bytes)
{
    Claim *other;

again:
    QTAILQ_FOREACH(other, &job->claims, next)
    {
        if (other == self || (self != NULL && other->waits) ||
            !touch_same_chunks(job, other, offset, bytes)) {
            continue;
        }
        if (self != NULL) {
            self->waits = true;
        }
        qemu_co_queue_wait(&other->waiters, NULL);
        if (self != NULL) {
            self->waits = false;
        }
        goto again;
    }
}

static Claim *claim_new(Standin *job, int64_t offset, int64_t bytes)
{
    Claim *claim = g_new0(Claim, 1);

    claim->job = job;
    claim->offset = offset;
    claim->bytes = bytes;
    claim->slot = -1;
    qemu_co_queue_init(&claim->waiters);
    QTAILQ_INSERT_TAIL(&job->claims, claim, next);
    return claim;
}

static void claim_hold(Claim *claim)
{
    Standin *job = claim->job;

    bitmap_set(job->claimed, (long)first_chunk(job, claim->offset),
               (long)chunk_count(job, claim->offset, claim->bytes));
}

static void coroutine_fn claim_end(Claim *claim)
{
    Standin *job = claim->job;

    bitmap_clear(job->claimed, (long)first_chunk(job, claim->offset),
                 (long)chunk_count(job, claim->offset, claim->bytes));
    QTAILQ_REMOVE(&job->claims, claim, next);
    qemu_co_queue_restart_all(&claim->waiters);
    if (claim->slot >= 0) {
        bitmap_clear(job->slots, claim->slot, 1);
    }
    g_free(claim);
}

/* ---- Errors ---- */

static void note_error(Standin *job, bool is_read, int error)
{
    BlockErrorAction action = block_job_error_action(
        &job->common, is_read ? job->on_source_error : job->on_target_error, is_read, error);

    job->is_synced = false;
    if (action == BLOCK_ERROR_ACTION_REPORT && job->result == 0) {
        job->result = -error;
    }
}

static void coroutine_fn mark_again(Standin *job, int64_t offset, int64_t bytes, bool is_read,
                                    int ret)
{
    bdrv_set_dirty_bitmap(job->dirty, offset, bytes);
    note_error(job, is_read, -ret);
}

#endif
