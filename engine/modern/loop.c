/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy loop's passes: what is left, flushes, READY, the drained section, sleeps
 * (modern-algorithm L', T').
 *
 * Declared in engine/modern/modern.h: it is a part of the run.
 */
#include <assert.h>

#include "engine/modern/modern.h"

#define SLICE_NS ACCOUNT_SLICE_NS

static uint64_t dirty_count(const struct engine_job *mirror)
{
    return block_dirty_bits(mirror->dirty)->count;
}

enum modern_turn modern_pass(struct engine_job *mirror)
{
    if (mirror->stored_error < 0) {
        return modern_exit(mirror, mirror->stored_error, NULL);
    }
    return modern_to(mirror, MODERN_PASS_POINT);
}

/* L3': nothing can be issued, or said of the target, before the oldest operation has ended. */
static bool must_wait(const struct engine_job *mirror)
{
    return mirror->ops_in_flight >= MODERN_MAX_IN_FLIGHT || mirror->free_count == 0 ||
           (!mirror->was_dirty && op_find_background(mirror) != NULL);
}

enum modern_turn modern_count(struct engine_job *mirror)
{
    struct life *life = &mirror->life;
    uint64_t dirty = dirty_count(mirror);
    bool may_issue = host_now_ns(life->host) - mirror->slice_clock_ns < SLICE_NS;

    if (life->force_cancelled) {
        return modern_exit(mirror, 0, NULL);
    }
    /* L3': an error that stops has paused the job, and what ends the pause resets the status. */
    assert(life->io_status == IO_STATUS_OK);
    life_set_remaining(life, mirror->bytes_in_flight + dirty * mirror->granularity +
                                 mirror->active_bytes_in_flight);
    mirror->was_dirty = dirty > 0;
    if (may_issue && must_wait(mirror)) {
        modern_set_phase(mirror, MODERN_WAIT_OLDEST);
        return modern_wait_oldest(mirror);
    }
    return modern_to(mirror, may_issue && mirror->was_dirty ? MODERN_SEARCH : MODERN_SETTLE);
}

/* ---- L4' ---- */

enum modern_turn modern_settle(struct engine_job *mirror)
{
    struct life *life = &mirror->life;

    mirror->finish = false;
    if (mirror->was_dirty || op_find_background(mirror) != NULL) {
        return modern_to(mirror, MODERN_FINISH);
    }
    if (life_is_ready(life)) {
        return modern_to(mirror, MODERN_SYNCED);
    }
    modern_set_phase(mirror, MODERN_FLUSH);
    unflushed_flush(mirror);
    return WAITS;
}

enum modern_turn modern_flushed(struct engine_job *mirror)
{
    unflushed_settle(mirror, mirror->request_ret);
    if (mirror->request_ret < 0) {
        modern_fail(mirror, OP_WRITE, mirror->request_ret, 0, 0);
        return modern_to(mirror, MODERN_PASS);
    }
    life_become_ready(&mirror->life);
    return modern_to(mirror, MODERN_SYNCED);
}

/* The guest may have dirtied something during the flush. */
enum modern_turn modern_synced(struct engine_job *mirror)
{
    mirror->was_dirty = dirty_count(mirror) > 0;
    if (mirror->write_blocking && !mirror->was_dirty) {
        modern_set_synced(mirror, true);
    }
    mirror->finish = mirror->complete_wanted || mirror->life.cancel_wanted;
    return modern_to(mirror, MODERN_FINISH);
}

/* ---- L5': the end ---- */

/*
 * D'43: an active request may have failed in the section, and another have cleaned its chunks: the
 * error that was reported ends the job nevertheless.  D'46: what is dirty is copied in the section,
 * so that a guest that always has a request in flight can't keep the job.
 */
enum modern_turn modern_drained(struct engine_job *mirror)
{
    assert(mirror->active_count == 0);
    mirror->has_failed_inside = false;
    if (mirror->stored_error < 0) {
        return modern_leave_section(mirror);
    }
    if (dirty_count(mirror) > 0 || zero_mark_owed(mirror)) {
        return modern_to(mirror, MODERN_PASS);
    }
    /* D'41: an active request that has failed may have left its bytes in the total. */
    life_set_remaining(&mirror->life, 0);
    modern_set_phase(mirror, MODERN_LAST_FLUSH);
    unflushed_flush(mirror);
    return WAITS;
}

enum modern_turn modern_last_flushed(struct engine_job *mirror)
{
    unflushed_settle(mirror, mirror->request_ret);
    if (mirror->request_ret == 0) {
        return modern_exit(mirror, 0, NULL);
    }
    modern_fail(mirror, OP_WRITE, mirror->request_ret, 0, 0);
    return modern_leave_section(mirror);
}

void modern_end_section(struct engine_job *mirror)
{
    block_section_end_own(mirror->life.spec.source);
    mirror->is_draining = false;
    mirror->has_failed_inside = false;
}

/* The guest's queued requests come before the job goes on. */
static void end_section(void *opaque)
{
    modern_end_section(opaque);
    modern_wake(opaque);
}

enum modern_turn modern_leave_section(struct engine_job *mirror)
{
    modern_set_phase(mirror, MODERN_UNDRAIN);
    host_defer(mirror->life.host, end_section, mirror);
    return WAITS;
}

enum modern_turn modern_undrained(struct engine_job *mirror)
{
    return modern_to(mirror, MODERN_PASS);
}

/* ---- L6' ---- */

/*
 * What is owed can be all of the target (D'1): the guest does not stand still for that.  What it
 * adds meanwhile is written in the section, or it could go on for ever.
 */
static enum modern_turn come_to_end(struct engine_job *mirror)
{
    if (!mirror->has_paid && zero_mark_owed(mirror)) {
        mirror->has_paid = true;
        return modern_to(mirror, MODERN_PASS);
    }
    modern_set_phase(mirror, MODERN_DRAIN);
    return mirror->is_draining ? GOES_ON : modern_begin_section(mirror);
}

enum modern_turn modern_finish_pass(struct engine_job *mirror)
{
    bool is_idle = !mirror->was_dirty && op_find_background(mirror) == NULL;

    if (mirror->finish && !mirror->was_dirty) {
        return come_to_end(mirror);
    }
    if (!life_is_ready(&mirror->life) || mirror->finish) {
        return modern_to(mirror, MODERN_RATE);
    }
    return modern_to(mirror, is_idle ? MODERN_SLEEP : MODERN_PASS_END);
}

enum modern_turn modern_sleep(struct engine_job *mirror)
{
    modern_set_phase(mirror, MODERN_SLEEP_POINT);
    return life_sleep(&mirror->life, SLICE_NS) == LIFE_WAIT ? WAITS : GOES_ON;
}

enum modern_turn modern_rate(struct engine_job *mirror)
{
    struct life *life = &mirror->life;

    mirror->rate_delay_ns = account_delay_ns(&life->account, host_now_ns(life->host));
    modern_set_phase(mirror, MODERN_RATE_POINT);
    return life_sleep(life, mirror->rate_delay_ns) == LIFE_WAIT ? WAITS : GOES_ON;
}

enum modern_turn modern_pass_end(struct engine_job *mirror)
{
    mirror->slice_clock_ns = host_now_ns(mirror->life.host);
    return modern_to(mirror, MODERN_PASS);
}
