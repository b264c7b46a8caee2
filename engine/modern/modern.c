/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The run of today's mirror: a strand over phases.
 *
 * modern_run() is the only driver.  A step does what its phase is for and says whether the run goes
 * on or waits; whoever ends the wait wakes the strand, and the step of the present phase is called
 * again.  A pause point is a phase without a step of its own: what follows it is in a table.
 */
#include "engine/modern/modern.h"

#include <assert.h>

static const char *const phase_names[MODERN_PHASE_COUNT] = {
#define X(id, name) [MODERN_##id] = name,
    MODERN_PHASES(X)
#undef X
};

const char *modern_phase_name(unsigned phase)
{
    return phase < MODERN_PHASE_COUNT ? phase_names[phase] : "?";
}

#define TO(phase) (UINT64_C(1) << MODERN_##phase)
#define NEW_PASS TO(PASS)

/* Where the run may go from each phase. */
static const uint64_t legal_next[MODERN_PHASE_COUNT] = {
    [MODERN_ENTRY] = TO(BEGIN),
    [MODERN_BEGIN] = TO(EMPTY) | TO(POPULATE) | TO(EXIT_OPS),
    [MODERN_EMPTY] = TO(EMPTY_POINT) | TO(EXIT_OPS),
    [MODERN_EMPTY_POINT] = TO(EMPTY),
    [MODERN_POPULATE] = TO(PREZERO) | TO(WALK) | NEW_PASS | TO(EXIT_OPS),
    [MODERN_PREZERO] = TO(PREZERO_POINT) | TO(PREZERO_REST),
    [MODERN_PREZERO_POINT] = TO(PREZERO_TAKE),
    [MODERN_PREZERO_TAKE] = TO(PREZERO_SLOT) | TO(PREZERO) | TO(EXIT_OPS),
    [MODERN_PREZERO_SLOT] = TO(PREZERO),
    [MODERN_PREZERO_REST] = TO(WALK),
    [MODERN_WALK] = TO(WALK_POINT) | NEW_PASS,
    [MODERN_WALK_POINT] = TO(WALK_ASK),
    [MODERN_WALK_ASK] = TO(WALK_STATUS) | TO(EXIT_OPS),
    [MODERN_WALK_STATUS] = TO(WALK) | TO(EXIT_OPS),
    [MODERN_PASS] = TO(PASS_POINT) | TO(EXIT_OPS),
    [MODERN_PASS_POINT] = TO(COUNT) | TO(UNDRAIN),
    [MODERN_COUNT] = TO(WAIT_OLDEST) | TO(SEARCH) | TO(SETTLE) | TO(EXIT_OPS),
    [MODERN_WAIT_OLDEST] = NEW_PASS,
    [MODERN_SEARCH] = TO(WAIT_CHUNK),
    [MODERN_WAIT_CHUNK] = TO(SEARCH_POINT),
    [MODERN_SEARCH_POINT] = TO(TAKE) | TO(UNDRAIN),
    [MODERN_TAKE] = TO(CUT) | TO(WAIT_CHUNK) | TO(SETTLE),
    [MODERN_CUT] = TO(CUT_STATUS) | TO(SETTLE),
    [MODERN_CUT_STATUS] = TO(CUT_SLOT),
    [MODERN_CUT_SLOT] = TO(CUT) | TO(SETTLE),
    [MODERN_SETTLE] = TO(FLUSH) | TO(SYNCED) | TO(FINISH),
    [MODERN_FLUSH] = TO(SYNCED) | NEW_PASS,
    [MODERN_SYNCED] = TO(FINISH),
    [MODERN_FINISH] = NEW_PASS | TO(DRAIN) | TO(SLEEP) | TO(RATE) | TO(PASS_END),
    [MODERN_DRAIN] = TO(LAST_FLUSH) | TO(UNDRAIN) | NEW_PASS,
    [MODERN_LAST_FLUSH] = TO(UNDRAIN) | TO(EXIT_OPS),
    [MODERN_UNDRAIN] = NEW_PASS,
    [MODERN_SLEEP] = TO(SLEEP_POINT),
    [MODERN_SLEEP_POINT] = TO(PASS_END),
    [MODERN_RATE] = TO(RATE_POINT),
    [MODERN_RATE_POINT] = TO(RATE) | TO(PASS_END),
    [MODERN_PASS_END] = NEW_PASS,
    [MODERN_EXIT_OPS] = TO(EXIT_DRAIN) | TO(ENDED),
    [MODERN_EXIT_DRAIN] = TO(ENDED),
};

void modern_set_phase(struct engine_job *mirror, enum modern_phase phase)
{
    assert((legal_next[mirror->phase] >> phase & 1) != 0);
    mirror->phase = phase;
}

enum modern_turn modern_to(struct engine_job *mirror, enum modern_phase phase)
{
    modern_set_phase(mirror, phase);
    return GOES_ON;
}

enum modern_turn modern_exit(struct engine_job *mirror, int ret, const char *text)
{
    mirror->result = ret;
    mirror->result_text = text;
    return modern_to(mirror, MODERN_EXIT_OPS);
}

/* ---- Waiting ---- */

enum modern_turn modern_wait_oldest(struct engine_job *mirror)
{
    struct copy_op *op = op_find_oldest(mirror);

    if (op == NULL) {
        op = op_find_background(mirror); /* D'38 */
    }
    assert(op != NULL);
    strand_wait_on(&op->waiters, &mirror->run);
    return WAITS;
}

void modern_wake(void *opaque)
{
    struct engine_job *mirror = opaque;

    strand_wake(&mirror->strands, &mirror->run);
}

void modern_request_done(void *opaque, int ret)
{
    struct engine_job *mirror = opaque;

    mirror->request_ret = ret;
    modern_wake(mirror);
}

/* ---- Pause points ---- */

/* A parked job has nothing in flight, and nothing that will be (D'38). */
static bool must_quiesce(const struct engine_job *mirror)
{
    return mirror->life.point == POINT_QUIESCING && op_find_background(mirror) != NULL;
}

/*
 * D'46: the guest stands still for a copy that comes to its end, not for a job that is paused or
 * for a disk that fails.
 */
static bool must_leave_section(const struct engine_job *mirror)
{
    return mirror->is_draining && !mirror->life.force_cancelled &&
           (mirror->has_failed_inside || mirror->life.pause_count > 0);
}

static enum modern_turn pause_point(struct engine_job *mirror, enum modern_phase next)
{
    enum life_step said;

    if (must_leave_section(mirror)) {
        return modern_leave_section(mirror);
    }
    if (must_quiesce(mirror)) {
        return modern_wait_oldest(mirror);
    }
    said = life_pause_point(&mirror->life);
    if (said == LIFE_GO) {
        return modern_to(mirror, next);
    }
    return said == LIFE_QUIESCE ? GOES_ON : WAITS;
}

/* The rate limit sleeps once more after each sleep of more than 0 (T2'). */
static enum modern_phase after_rate(const struct engine_job *mirror)
{
    return mirror->rate_delay_ns > 0 && !mirror->life.force_cancelled ? MODERN_RATE
                                                                      : MODERN_PASS_END;
}

/* ---- The driver ---- */

static enum modern_turn step(struct engine_job *mirror)
{
    switch (mirror->phase) {
    case MODERN_ENTRY:
        return pause_point(mirror, MODERN_BEGIN);
    case MODERN_BEGIN:
        return modern_begin(mirror);
    case MODERN_EMPTY:
        return modern_empty(mirror);
    case MODERN_EMPTY_POINT:
        return pause_point(mirror, MODERN_EMPTY);
    case MODERN_POPULATE:
        return modern_populate(mirror);
    case MODERN_PREZERO:
        return modern_prezero(mirror);
    case MODERN_PREZERO_POINT:
        return pause_point(mirror, MODERN_PREZERO_TAKE);
    case MODERN_PREZERO_TAKE:
        return modern_prezero_take(mirror);
    case MODERN_PREZERO_SLOT:
        return modern_to(mirror, MODERN_PREZERO);
    case MODERN_PREZERO_REST:
        return modern_prezero_rest(mirror);
    case MODERN_WALK:
        return modern_walk(mirror);
    case MODERN_WALK_POINT:
        return pause_point(mirror, MODERN_WALK_ASK);
    case MODERN_WALK_ASK:
        return modern_walk_ask(mirror);
    case MODERN_WALK_STATUS:
        return modern_walk_answered(mirror);
    case MODERN_PASS:
        return modern_pass(mirror);
    case MODERN_PASS_POINT:
        return pause_point(mirror, MODERN_COUNT);
    case MODERN_COUNT:
        return modern_count(mirror);
    case MODERN_WAIT_OLDEST:
        return modern_to(mirror, MODERN_PASS);
    case MODERN_SEARCH:
        return modern_search(mirror);
    case MODERN_WAIT_CHUNK:
        return modern_wait_chunk(mirror);
    case MODERN_SEARCH_POINT:
        return pause_point(mirror, MODERN_TAKE);
    case MODERN_TAKE:
        return modern_take(mirror);
    case MODERN_CUT:
        return modern_cut(mirror);
    case MODERN_CUT_STATUS:
        return modern_cut_answered(mirror);
    case MODERN_CUT_SLOT:
        return modern_cut_launch(mirror);
    case MODERN_SETTLE:
        return modern_settle(mirror);
    case MODERN_FLUSH:
        return modern_flushed(mirror);
    case MODERN_SYNCED:
        return modern_synced(mirror);
    case MODERN_FINISH:
        return modern_finish_pass(mirror);
    case MODERN_DRAIN:
        return modern_drained(mirror);
    case MODERN_LAST_FLUSH:
        return modern_last_flushed(mirror);
    case MODERN_UNDRAIN:
        return modern_undrained(mirror);
    case MODERN_SLEEP:
        return modern_sleep(mirror);
    case MODERN_SLEEP_POINT:
        return pause_point(mirror, MODERN_PASS_END);
    case MODERN_RATE:
        return modern_rate(mirror);
    case MODERN_RATE_POINT:
        return pause_point(mirror, after_rate(mirror));
    case MODERN_PASS_END:
        return modern_pass_end(mirror);
    case MODERN_EXIT_OPS:
        return modern_exit_ops(mirror);
    case MODERN_EXIT_DRAIN:
        return modern_exit_drained(mirror);
    case MODERN_ENDED:
        return modern_ended(mirror);
    case MODERN_PHASE_COUNT:
        break;
    }
    assert(false);
    return WAITS;
}

static void trace_phase(struct engine_job *mirror)
{
    struct event event = {.kind = EVENT_JOB_PHASE,
                          .by = BY_JOB,
                          .detail = (uint8_t)mirror->traced_phase,
                          .detail2 = (uint8_t)mirror->phase};

    if (mirror->phase != mirror->traced_phase) {
        mirror->traced_phase = mirror->phase;
        host_emit(mirror->life.host, &event);
    }
}

void modern_run(struct strand *strand)
{
    struct engine_job *mirror =
        (struct engine_job *)((char *)strand - offsetof(struct engine_job, run));

    while (step(mirror) == GOES_ON) {
    }
    trace_phase(mirror);
}

/* ---- What the life asks of its driver ---- */

static void wake(struct life *life)
{
    modern_wake(modern_of_life(life));
}

/*
 * A section waits for a job that may issue something more, and for what it has in flight.  In a
 * section of its own the job issues something in passes only, which come before DRAIN (D'46).
 */
static bool is_busy(const struct life *life)
{
    const struct engine_job *mirror = (const struct engine_job *)life;
    bool goes_on = !life->force_cancelled && (!mirror->is_draining || modern_copies_inside(mirror));

    return goes_on || op_find_background(mirror) != NULL;
}

const struct life_driver modern_driver = {
    .wake = wake,
    .is_busy = is_busy,
    .complete = modern_complete,
    .cancel = modern_cancel,
    .change = modern_change,
    .prepare = modern_prepare,
    .abort = modern_abort,
    .free = modern_free,
};

/* ---- What several parts do ---- */

void modern_set_synced(struct engine_job *mirror, bool synced)
{
    struct event event = {.kind = EVENT_JOB_SYNCED, .by = BY_JOB, .detail = synced};

    if (synced != mirror->actively_synced) {
        mirror->actively_synced = synced;
        host_emit(mirror->life.host, &event);
    }
}

void modern_mark_changed(struct engine_job *mirror, uint64_t offset, uint64_t bytes)
{
    op_note_changed(mirror, offset, bytes);
    block_dirty_set(mirror->dirty, offset, bytes);
}

void modern_fail(struct engine_job *mirror, enum op side, int ret, uint64_t offset, uint64_t bytes)
{
    const struct job_spec *spec = &mirror->life.spec;
    enum error_policy policy =
        side == OP_READ || spec->kind == JOB_COMMIT ? spec->on_source_error : spec->on_target_error;

    modern_set_synced(mirror, false);
    mirror->has_failed_inside = mirror->is_draining;
    if (life_handle_error(&mirror->life, policy, side, ret, offset, bytes) == ACTION_REPORT &&
        (mirror->stored_error == 0 || bytes == 0)) {
        mirror->stored_error = ret; /* the first; a flush's stands in any case (E3') */
    }
}
