/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Today's mirror as the world sees it: commands, query, digest, check.
 *
 * Declared in engine/engine.h: `modern_engine` is what this file offers.
 */
#include <assert.h>
#include <stddef.h>

#include "engine/engine.h"
#include "engine/modern/modern.h"
#include "engine/range.h"

/*
 * D'46: who pauses a job that copies in its section, or gives it up, lets the guest go on at once:
 * what the job waits for may be slow.  Such a job runs; it is still there after the verb.
 */
static int command(struct engine_job *mirror, enum job_verb verb, int64_t arg,
                   struct job_error *error)
{
    bool copies_inside = modern_copies_inside(mirror);
    int ret = life_command(&mirror->life, verb, arg, error);

    if (copies_inside && (mirror->life.user_paused || mirror->life.force_cancelled)) {
        modern_end_section(mirror);
    }
    return ret;
}

/* C7': a section of its own does not pause the job, but a query says so. */
static bool is_in_own_section(const struct engine_job *mirror)
{
    return mirror->is_draining && block_sections(mirror->life.spec.source) > 0;
}

static void query(const struct engine_job *mirror, struct job_info *info)
{
    life_query(&mirror->life, info);
    info->paused |= is_in_own_section(mirror);
    info->actively_synced = mirror->actively_synced;
    if (mirror->dirty != NULL) {
        info->dirty_bytes = (int64_t)(block_dirty_bits(mirror->dirty)->count * mirror->granularity);
    }
}

/* ---- The digest: what the future depends on, without addresses ---- */

/* An operation is named by its place in the list, from 1. */
static uint64_t place_of(const struct engine_job *mirror, const struct copy_op *wanted)
{
    const struct copy_op *op = TAILQ_FIRST(&mirror->ops);
    uint64_t place = 1;

    if (wanted == NULL) {
        return 0;
    }
    for (; op != wanted; op = TAILQ_NEXT(op, link)) {
        assert(op != NULL);
        place++;
    }
    return place;
}

/* The run is 0. */
static uint64_t place_of_strand(const struct engine_job *mirror, const struct strand *strand)
{
    const struct copy_op *op =
        (const struct copy_op *)((const char *)strand - offsetof(struct copy_op, strand));

    return strand == &mirror->run ? 0 : place_of(mirror, op);
}

static void digest_waiters(const struct copy_op *op, struct digest *digest)
{
    const struct strand *strand;
    uint64_t count = 0;

    STAILQ_FOREACH (strand, &op->waiters, link) {
        digest_u64(digest, place_of_strand(op->mirror, strand));
        count++;
    }
    digest_u64(digest, count);
}

/*
 * Whether a copy reads or writes, and which data it has, is in the digest of its request already;
 * and so the end of a read leaves the job as it was (reads_only_write).
 */
static enum op_phase phase_that_matters(const struct copy_op *op)
{
    return op->kind == OP_COPY && op->phase == OP_PHASE_READ ? OP_PHASE_TARGET : op->phase;
}

static void digest_op(const struct copy_op *op, struct digest *digest)
{
    digest_u64(digest, op->kind);
    digest_u64(digest, phase_that_matters(op));
    digest_u64(digest, op->own.first);
    digest_u64(digest, op->own.count);
    digest_u64(digest, op->offset);
    digest_u64(digest, op->bytes);
    digest_u64(digest, op->remarked_offset);
    digest_u64(digest, op->remarked_end);
    digest_flags(digest, op->in_flight, op->counts, op->skipped);
    digest_u64(digest, op->overtaken);
    digest_u64(digest, place_of(op->mirror, op->waits_for));
    digest_u64(digest, op->request != NULL ? interposed_place(op->request) + 1 : 0);
    digest_waiters(op, digest);
}

static void digest_ops(const struct engine_job *mirror, struct digest *digest)
{
    const struct copy_op *op;
    uint64_t count = 0;

    TAILQ_FOREACH (op, &mirror->ops, link) {
        digest_op(op, digest);
        count++;
    }
    digest_u64(digest, count);
    digest_u64(digest, place_of(mirror, mirror->run_op));
}

static void digest_bitmap(const struct bitmap *bitmap, struct digest *digest)
{
    if (bitmap->size > 0) {
        bitmap_digest(bitmap, digest);
    }
}

static void digest_bitmaps(const struct engine_job *mirror, struct digest *digest)
{
    if (mirror->dirty != NULL) {
        bitmap_digest(block_dirty_bits(mirror->dirty), digest);
    }
    digest_bitmap(&mirror->in_flight, digest);
    digest_bitmap(&mirror->whole, digest);
    digest_bitmap(&mirror->zero, digest);
    digest_bitmap(&mirror->zero_owed, digest);
    digest_bitmap(&mirror->unflushed, digest);
    if (mirror->unflushed.size > 0) {
        digest_u64(digest, mirror->written_in_flush && mirror->phase == MODERN_FLUSH);
    }
}

static void digest_answer(const struct block_answer *answer, struct digest *digest)
{
    digest_i64(digest, answer->ret);
    digest_u64(digest, answer->content);
    digest_u64(digest, answer->allocated);
    digest_u64(digest, answer->extent_bytes);
}

/* The run that is searched for, taken and cut. */
static void digest_cut(const struct engine_job *mirror, struct digest *digest)
{
    digest_u64(digest, mirror->cut_offset);
    digest_u64(digest, mirror->cut_end);
    digest_u64(digest, mirror->cut_kind);
    digest_u64(digest, mirror->cut_bytes);
}

/* What the phase will look at: the rest is from before. */
static void digest_of_phase(const struct engine_job *mirror, struct digest *digest)
{
    enum modern_phase phase = mirror->phase;

    if (phase < MODERN_PASS) {
        digest_u64(digest, mirror->walk);
    } else if (phase >= MODERN_SEARCH && phase <= MODERN_CUT_SLOT) {
        digest_cut(mirror, digest);
    } else if (phase == MODERN_RATE_POINT) {
        digest_u64(digest, mirror->rate_delay_ns > 0);
    } else if (phase >= MODERN_EXIT_OPS) {
        digest_i64(digest, mirror->result);
    }
    if (phase == MODERN_WALK_STATUS || phase == MODERN_CUT_STATUS) {
        digest_answer(&mirror->answer, digest);
    }
}

static void digest_run(const struct engine_job *mirror, struct digest *digest)
{
    uint64_t clock_ns = host_now_ns(mirror->life.host) - mirror->slice_clock_ns;

    digest_u64(digest, mirror->phase);
    digest_of_phase(mirror, digest);
    digest_u64(digest, mirror->cursor);
    /* Older than a slice is old (L3'; R6' asks for more than a slice). */
    digest_u64(digest, min_u64(clock_ns, ACCOUNT_SLICE_NS + 1));
    digest_i64(digest, mirror->stored_error);
    digest_flags(digest, mirror->was_dirty, mirror->finish, mirror->is_draining,
                 mirror->has_failed_inside, mirror->has_paid, mirror->filter_knows,
                 mirror->write_blocking, mirror->actively_synced, mirror->complete_wanted,
                 mirror->prepared, mirror->result_text != NULL, mirror->start_waits,
                 mirror->base_was_read_only);
}

static void digest_state(const struct engine_job *mirror, struct digest *digest)
{
    life_digest(&mirror->life, digest);
    digest_u64(digest, mirror->start_phase);
    digest_u64(digest, mirror->length); /* this and the next are what it has been told */
    digest_u64(digest, mirror->cluster);
    digest_run(mirror, digest);
    digest_u64(digest, mirror->to_replace != NULL ? block_node_id(mirror->to_replace) + 1u : 0);
    digest_u64(digest, mirror->active_bytes_in_flight);
    digest_ops(mirror, digest);
    digest_bitmaps(mirror, digest);
}

/* ---- Invariants ---- */

struct sums {
    uint32_t in_flight;
    uint32_t buffers;
    uint32_t active;
    uint64_t bytes;
};

static void add_op(const struct copy_op *op, struct sums *sums)
{
    /* The pieces of a run let their chunks go one by one. */
    bool holds = op->kind != OP_PSEUDO && (op->kind != OP_ACTIVE || op->phase != OP_PHASE_CONFLICT);
    const struct bitmap *in_flight = &op->mirror->in_flight;

    assert(!op->strand.running);
    if (holds && op->own.count > 0) {
        assert(bitmap_count_range(in_flight, op->own.first, op->own.count) == op->own.count);
    }
    sums->active += op->kind == OP_ACTIVE;
    if (op->in_flight) {
        sums->in_flight++;
        sums->bytes += op->bytes;
        sums->buffers += op->buffer_count;
    }
}

static void check_bitmaps(const struct engine_job *mirror)
{
    if (mirror->in_flight.size > 0) {
        bitmap_check(&mirror->in_flight);
    }
    if (mirror->whole.size > 0) {
        bitmap_check(&mirror->whole);
    }
    if (mirror->zero.size > 0) {
        bitmap_check(&mirror->zero);
    }
    assert(!mirror->cow_by_hand || mirror->hides_backing);
}

static void check(const struct engine_job *mirror)
{
    struct sums sums = {0};
    const struct copy_op *op;

    strands_check(&mirror->strands);
    if (mirror->start_phase != START_DONE) {
        return;
    }
    life_check(&mirror->life);
    TAILQ_FOREACH (op, &mirror->ops, link) {
        add_op(op, &sums);
    }
    /* Copies that have waited for buffers ask for no slot (O9): there can be more than 16. */
    assert(sums.in_flight == mirror->ops_in_flight);
    assert(sums.bytes == mirror->bytes_in_flight && sums.active == mirror->active_count);
    assert(sums.buffers + mirror->free_count == mirror->buffer_count);
    assert(mirror->life.deferred || mirror->phase == MODERN_CUT_STATUS ||
           mirror->phase == MODERN_CUT_SLOT || mirror->run_op == NULL);
    /* D'38: what is said of the target is said with no copy to come. */
    assert((mirror->phase != MODERN_FLUSH && mirror->phase != MODERN_LAST_FLUSH &&
            !mirror->life.parked) ||
           op_find_background(mirror) == NULL);
    assert(!mirror->actively_synced || mirror->dirty == NULL ||
           block_dirty_bits(mirror->dirty)->count == 0);
    check_bitmaps(mirror);
}

const struct engine modern_engine = {
    .name = "modern",
    .summary = "mirrorsim's own engine of today's generation, with every known defect mended",
    .generation = GENERATION_MODERN,
    .start = modern_start,
    .command = command,
    .query = query,
    .digest = digest_state,
    .check = check,
    .reads_only_write = true,
    .phase_name = modern_phase_name,
};
