/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a job: states, verbs, pauses, sleep, errors, the end (modern-algorithm J, E').
 *
 * The job's continuation is the test: it counts how often it was woken, and calls what a run would
 * call.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/life/life.h"
#include "tests/engine/stub_block.h"

struct job {
    struct life life; /* first */
    struct host *host;
    uint32_t wakes;
    uint32_t ops; /* in flight: a section waits for them */
    bool is_free; /* driver.free was called */
    uint32_t prepares;
    uint32_t aborts;
    int prepare_ret;
    uint32_t completes;
    int64_t mode;
    struct job_error error;
    bool is_over;
    int ret;
};

static struct job *job_of(const struct life *life)
{
    return (struct job *)(uintptr_t)life;
}

static void wake(struct life *life)
{
    job_of(life)->wakes++;
}

static bool is_busy(const struct life *life)
{
    return job_of(life)->ops > 0 || !(life->parked || life->force_cancelled);
}

static int complete(struct life *life, struct job_error *error)
{
    (void)error;
    job_of(life)->completes++;
    return 0;
}

static bool cancel(struct life *life, bool force)
{
    return force || !life_is_ready(life);
}

static int change(struct life *life, int64_t mode, struct job_error *error)
{
    (void)error;
    job_of(life)->mode = mode;
    return 0;
}

static int prepare(struct life *life)
{
    job_of(life)->prepares++;
    life_release_nodes(life);
    return job_of(life)->prepare_ret;
}

static void abort_job(struct life *life)
{
    job_of(life)->aborts++;
    life_release_nodes(life);
}

static void free_job(struct life *life)
{
    job_of(life)->is_free = true;
}

static void concluded(void *opaque, int ret)
{
    struct job *job = opaque;

    assert_true(job->is_free);
    assert_false(job->is_over);
    job->is_over = true;
    job->ret = ret;
}

static const struct life_driver driver = {
    .wake = wake,
    .is_busy = is_busy,
    .complete = complete,
    .cancel = cancel,
    .change = change,
    .prepare = prepare,
    .abort = abort_job,
    .free = free_job,
};

static struct job_spec spec_of(struct job *job)
{
    struct job_spec spec = stub_spec(job->host);

    spec.id = "job";
    spec.auto_finalize = true;
    spec.auto_dismiss = true;
    spec.concluded = concluded;
    spec.opaque = job;
    return spec;
}

/* Made with its source and target, not started. */
static struct job *create(struct host *host, const struct job_spec *wanted)
{
    struct job *job = calloc(1, sizeof(*job));
    struct job_spec spec;

    assert_non_null(job);
    job->host = host;
    spec = wanted != NULL ? *wanted : spec_of(job);
    spec.opaque = job;
    assert_int_equal(life_create(&job->life, host, &driver, &spec, &job->error), 0);
    life_add_node(&job->life, stub_source(host));
    life_add_node(&job->life, stub_target(host));
    return job;
}

static struct job *start(struct host *host)
{
    struct job *job = create(host, NULL);

    life_start(&job->life);
    assert_int_equal(job->wakes, 1);
    return job;
}

/* The statuses since the start, in a line. */
static void assert_statuses(const struct host *host, const char *expected)
{
    char seen[200] = "";

    for (uint32_t i = 0; i < host->event_count; i++) {
        if (host->events[i].kind == EVENT_JOB_STATUS) {
            strcat(seen, seen[0] != '\0' ? " " : "");
            strcat(seen, job_status_name((enum job_status)host->events[i].detail2));
        }
    }
    assert_string_equal(seen, expected);
}

static int give(struct job *job, enum job_verb verb, int64_t arg)
{
    memset(&job->error, 0, sizeof(job->error));
    return life_command(&job->life, verb, arg, &job->error);
}

static void assert_refused(struct job *job, enum job_verb verb, int64_t arg,
                           enum job_refusal refusal)
{
    uint32_t wakes = job->wakes;

    assert_true(give(job, verb, arg) < 0);
    assert_int_equal(job->error.refusal, refusal);
    assert_true(job->error.text[0] != '\0');
    assert_int_equal(job->wakes, wakes);
}

/* The continuation comes to a pause point with nothing in flight, and parks. */
static void park(struct job *job)
{
    assert_int_equal(life_pause_point(&job->life), LIFE_QUIESCE);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_true(job->life.parked && !job->life.busy);
    life_check(&job->life);
}

/* Whatever state it is in, it comes to its end. */
static void end_and_free(struct job *job)
{
    struct host *host = job->host;

    if (!job->is_over) {
        job->life.pause_count = 0;
        job->life.user_paused = false;
        life_enter(&job->life);
        while (life_pause_point(&job->life) != LIFE_GO) {
        }
        life_end(&job->life, 0, NULL);
        stub_run_deferred(host);
        if (job->life.status == JOB_STATUS_PENDING) {
            life_finalize(&job->life);
        }
        if (!job->is_over) {
            life_dismiss(&job->life);
        }
    }
    assert_true(job->is_over);
    free(job);
}

/* ---- The tables ---- */

static const enum job_status statuses[] = {
    JOB_STATUS_UNDEFINED, JOB_STATUS_CREATED,   JOB_STATUS_RUNNING, JOB_STATUS_PAUSED,
    JOB_STATUS_READY,     JOB_STATUS_STANDBY,   JOB_STATUS_WAITING, JOB_STATUS_PENDING,
    JOB_STATUS_ABORTING,  JOB_STATUS_CONCLUDED, JOB_STATUS_NULL,
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

/* From the page, a row a status, in the order above. */
static const char *const followers[STATUSES] = {
    /*               U C R P R S W P A C N */
    /* undefined */ ".x.........",
    /* created   */ "..x.....x.x",
    /* running   */ "...xx.x.x..",
    /* paused    */ "..x........",
    /* ready     */ ".....xx.x..",
    /* standby   */ "....x......",
    /* waiting   */ ".......xx..",
    /* pending   */ "........xx.",
    /* aborting  */ ".........x.",
    /* concluded */ "..........x",
    /* null      */ "...........",
};

static void test_life_states_follow_each_other_only_as_the_table_says(void **state)
{
    (void)state;
    for (uint32_t from = 0; from < STATUSES; from++) {
        for (uint32_t to = 0; to < STATUSES; to++) {
            assert_int_equal(life_may_follow(statuses[from], statuses[to]),
                             followers[from][to] == 'x');
        }
    }
}

static const struct {
    enum job_verb verb;
    const char *legal; /* by status, in the order above */
} verbs[] = {
    {VERB_CANCEL, ".xxxxxxx..."},    {VERB_PAUSE, ".xxxxx....."},   {VERB_RESUME, ".xxxxx....."},
    {VERB_SET_SPEED, ".xxxxx....."}, {VERB_CHANGE, ".xxxxx....."},  {VERB_COMPLETE, "....xx....."},
    {VERB_FINALIZE, ".......x..."},  {VERB_DISMISS, ".........x."},
};

static void test_life_verbs_are_legal_only_as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(sizeof(verbs) / sizeof(verbs[0]), VERB_COUNT);
    for (uint32_t i = 0; i < VERB_COUNT; i++) {
        for (uint32_t status = 0; status < STATUSES; status++) {
            assert_int_equal(life_allows(statuses[status], verbs[i].verb),
                             verbs[i].legal[status] == 'x');
        }
    }
}

/* The refusal of a verb that the status does not allow; without a user's pause resume is another.
 */
static void test_life_refuses_a_verb_when_the_status_does_not_allow_it(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_refused(job, VERB_COMPLETE, 0, REFUSED_VERB);
    assert_refused(job, VERB_FINALIZE, 0, REFUSED_VERB);
    assert_refused(job, VERB_DISMISS, 0, REFUSED_VERB);
    assert_refused(job, VERB_RESUME, 0, REFUSED_NOT_PAUSED);
    assert_refused(job, VERB_SET_SPEED, -1, REFUSED_INVALID_PARAMETER);
    end_and_free(job);
}

/* ---- Beginning ---- */

static void test_life_makes_no_job_when_it_has_no_id(void **state)
{
    struct host *host = *state;
    struct job job = {.host = host};
    struct job_spec spec = spec_of(&job);

    spec.id = NULL;
    assert_int_equal(life_create(&job.life, host, &driver, &spec, &job.error), -EINVAL);
    assert_int_equal(job.error.refusal, REFUSED_ID);
    assert_statuses(host, "");
}

static void test_life_shows_a_job_that_is_null_at_once_when_the_speed_is_negative(void **state)
{
    struct host *host = *state;
    struct job job = {.host = host};
    struct job_spec spec = spec_of(&job);

    spec.speed = -1;
    assert_int_equal(life_create(&job.life, host, &driver, &spec, &job.error), -EINVAL);
    assert_int_equal(job.error.refusal, REFUSED_INVALID_PARAMETER);
    assert_statuses(host, "created null");
}

static void test_life_is_null_without_an_end_when_the_start_fails_late(void **state)
{
    struct host *host = *state;
    struct job *job = create(host, NULL);

    life_fail_early(&job->life);
    assert_statuses(host, "created null");
    assert_int_equal(job->wakes, 0);
    assert_null(host->edges);
    free(job);
}

static void test_life_claims_its_nodes_until_it_lets_them_go(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(stub_source(host)->refs, 2);
    assert_int_equal(stub_source(host)->blockers, 1);
    assert_int_equal(stub_target(host)->blockers, 1);
    end_and_free(job);
    assert_int_equal(stub_source(host)->refs, 1);
    assert_int_equal(stub_target(host)->blockers, 0);
}

/* ---- Pauses (J2 to J5) ---- */

static void test_life_goes_on_at_a_pause_point_when_no_pause_is_wanted(void **state)
{
    struct job *job = start(*state);

    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(*state, "created running");
    end_and_free(job);
}

/* paused, or standby when it was ready; resumed it is what it was. */
static void test_life_parks_and_goes_back_when_it_is_paused_and_resumed(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(give(job, VERB_PAUSE, 0), 0);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_PAUSED);
    park(job);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    life_become_ready(&job->life);
    assert_int_equal(give(job, VERB_PAUSE, 0), 0);
    park(job);
    assert_int_equal(give(job, VERB_COMPLETE, 0), 0);
    assert_int_equal(job->completes, 1);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(host, "created running paused running ready standby ready");
    assert_int_equal(stub_event_count(host, EVENT_JOB_PAUSED), 2);
    assert_int_equal(stub_event_count(host, EVENT_JOB_RESUMED), 2);
    end_and_free(job);
}

static void test_life_does_not_park_when_it_is_resumed_while_it_waits_for_operations(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    give(job, VERB_PAUSE, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_QUIESCE);
    give(job, VERB_RESUME, 0);
    assert_int_equal(job->wakes, 1);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_statuses(host, "created running");
    end_and_free(job);
}

/* M10: nobody sees that it was woken. */
static void test_life_stays_parked_when_it_is_woken_with_a_pause_still_wanted(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    park(job);
    life_enter(&job->life);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_false(job->life.busy);
    assert_statuses(host, "created running paused");
    stub_end_section(host, stub_source(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

/* Each node of the job that is in a section adds one; the job goes on after the last. */
static void test_life_counts_a_pause_for_each_node_in_a_section(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    stub_begin_section(host, stub_target(host));
    stub_begin_section(host, stub_target(host));
    assert_int_equal(job->life.pause_count, 2);
    assert_true(stub_section_is_disturbed(host, stub_source(host)));
    park(job);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_begin_section(host, stub_source(host));
    life_pause(&job->life);
    life_resume(&job->life);
    stub_end_section(host, stub_source(host));
    stub_end_section(host, stub_target(host));
    stub_end_section(host, stub_source(host));
    assert_int_equal(job->wakes, 1);
    stub_end_section(host, stub_target(host));
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_is_paused_by_a_node_that_is_in_a_section_already(void **state)
{
    struct host *host = *state;
    struct job *job;

    stub_begin_section(host, stub_target(host));
    job = start(host);
    assert_int_equal(job->life.pause_count, 1);
    park(job);
    stub_end_section(host, stub_target(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_wakes_a_sleeper_when_it_is_paused(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, 7 * MS), LIFE_WAIT);
    assert_int_equal(stub_timer_delay_ns(host), 7 * MS);
    give(job, VERB_PAUSE, 0);
    assert_int_equal(job->wakes, 2);
    assert_null(host->timer);
    park(job);
    give(job, VERB_RESUME, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_does_not_sleep_but_parks_when_a_pause_is_wanted(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    give(job, VERB_PAUSE, 0);
    assert_int_equal(life_sleep(&job->life, 0), LIFE_QUIESCE);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_null(host->timer);
    give(job, VERB_RESUME, 0);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

/* What is left of a sleep is slept (J4): the pause came and went before the sleeper ran. */
static void test_life_sleeps_on_when_a_resume_finds_a_timer(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
    job->life.pause_count++;
    life_resume(&job->life);
    assert_int_equal(job->wakes, 1);
    assert_non_null(host->timer);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_fire(host);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_waits_without_a_timer_when_it_idles(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_become_ready(&job->life);
    assert_int_equal(life_idle(&job->life), LIFE_WAIT);
    assert_null(host->timer);
    life_enter(&job->life);
    life_enter(&job->life);
    assert_int_equal(job->wakes, 2);
    end_and_free(job);
}

/* ---- Cancel ---- */

static void test_life_goes_on_to_its_end_when_a_parked_job_is_force_cancelled(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    stub_begin_section(host, stub_source(host));
    park(job);
    assert_int_equal(give(job, VERB_CANCEL, 1), 0);
    assert_int_equal(job->wakes, 2);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_int_equal(life_sleep(&job->life, MS), LIFE_GO);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_false(stub_section_is_disturbed(host, stub_source(host)));
    stub_end_section(host, stub_source(host));
    life_end(&job->life, 0, NULL);
    stub_run_deferred(host);
    assert_statuses(host, "created running paused running aborting concluded null");
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_int_equal(job->ret, -ECANCELED);
    assert_int_equal(job->aborts, 1);
    end_and_free(job);
}

/* Nor does a soft cancel take a force cancel back. */
static void test_life_does_not_sleep_any_more_when_it_is_force_cancelled(void **state)
{
    struct job *job = start(*state);

    life_become_ready(&job->life);
    assert_int_equal(give(job, VERB_CANCEL, 1), 0);
    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_true(job->life.force_cancelled);
    assert_int_equal(life_sleep(&job->life, MS), LIFE_GO);
    assert_int_equal(life_idle(&job->life), LIFE_GO);
    end_and_free(job);
}

static void test_life_lets_a_soft_cancel_undo_only_the_users_pause(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_become_ready(&job->life);
    give(job, VERB_PAUSE, 0);
    stub_begin_section(host, stub_target(host));
    park(job);
    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_int_equal(job->life.pause_count, 1);
    assert_false(job->life.user_paused);
    assert_false(job->life.force_cancelled);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    stub_end_section(host, stub_target(host));
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    assert_refused(job, VERB_COMPLETE, 0, REFUSED_NOT_READY);
    end_and_free(job);
    assert_int_equal(stub_event_count(host, EVENT_JOB_COMPLETED), 1);
}

/* ---- Errors ---- */

static const struct {
    enum error_policy policy;
    int error;
    enum error_action action;
    enum io_status status;
} errors[] = {
    {POLICY_REPORT, -EIO, ACTION_REPORT, IO_STATUS_OK},
    {POLICY_IGNORE, -EIO, ACTION_IGNORE, IO_STATUS_OK},
    {POLICY_STOP, -EIO, ACTION_STOP, IO_STATUS_FAILED},
    {POLICY_STOP, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE},
    {POLICY_ENOSPC, -EIO, ACTION_REPORT, IO_STATUS_OK},
    {POLICY_ENOSPC, -ENOSPC, ACTION_STOP, IO_STATUS_NOSPACE},
};

static void test_life_does_with_an_error_what_the_policy_says(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct job *job = start(host);
        const struct event *event;

        assert_int_equal(
            life_handle_error(&job->life, errors[i].policy, OP_WRITE, errors[i].error, 512, 1024),
            errors[i].action);
        event = stub_event(host, EVENT_JOB_ERROR);
        assert_int_equal(event->node, block_node_id(stub_target(host)));
        assert_int_equal(event->detail, errors[i].action);
        assert_int_equal(event->offset, 512);
        assert_int_equal(event->ret, errors[i].error);
        assert_int_equal(job->life.io_status, errors[i].status);
        assert_int_equal(job->life.pause_count, errors[i].action == ACTION_STOP);
        end_and_free(job);
    }
}

static void test_life_has_one_pause_when_several_operations_stop_it(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
    life_handle_error(&job->life, POLICY_STOP, OP_READ, -EIO, 0, 512);
    assert_int_equal(job->wakes, 2);
    life_handle_error(&job->life, POLICY_STOP, OP_READ, -ENOSPC, 512, 512);
    assert_int_equal(job->life.pause_count, 1);
    assert_int_equal(job->life.io_status, IO_STATUS_FAILED);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_PAUSED);
    park(job);
    assert_int_equal(give(job, VERB_RESUME, 0), 0);
    assert_int_equal(job->life.io_status, IO_STATUS_OK);
    assert_int_equal(life_pause_point(&job->life), LIFE_GO);
    end_and_free(job);
}

/* ---- Speed, progress ---- */

static const struct {
    int64_t before;
    int64_t after;
    bool wakes;
} speeds[] = {
    {1000, 1000, false}, {1000, 999, false}, {1000, 1001, true}, {1000, 0, true}, {0, 5, true},
};

static void test_life_wakes_a_sleeper_when_the_speed_is_raised_or_unlimited(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        struct job *job = start(host);

        assert_int_equal(give(job, VERB_SET_SPEED, speeds[i].before), 0);
        assert_int_equal(life_sleep(&job->life, MS), LIFE_WAIT);
        assert_int_equal(give(job, VERB_SET_SPEED, speeds[i].after), 0);
        assert_int_equal(job->life.speed, speeds[i].after);
        assert_int_equal(job->wakes, speeds[i].wakes ? 2 : 1);
        end_and_free(job);
    }
}

/* It idles without a timer: nothing in its life depends on the speed. */
static void test_life_does_not_wake_for_a_speed_when_it_has_no_timer(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    assert_int_equal(life_idle(&job->life), LIFE_WAIT);
    assert_int_equal(give(job, VERB_SET_SPEED, 7), 0);
    assert_int_equal(job->wakes, 1);
    end_and_free(job);
}

static void test_life_says_its_progress_only_when_it_has_changed(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);

    life_set_remaining(&job->life, 100);
    life_set_remaining(&job->life, 100);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PROGRESS), 1);
    life_advance(&job->life, 60);
    life_set_remaining(&job->life, 40);
    assert_int_equal(stub_event_count(host, EVENT_JOB_PROGRESS), 2);
    life_add_total(&job->life, 5);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->offset, 60);
    assert_int_equal(stub_event(host, EVENT_JOB_PROGRESS)->bytes, 105);
    end_and_free(job);
}

/* ---- The end (J6 to J10) ---- */

/* How a job ends. */
static const struct {
    const char *what;
    bool ready;
    int run_ret;
    int prepare_ret;
    int cancel_in_window; /* 0: none, 1: soft, 2: force */
    const char *statuses; /* after running, or ready */
    enum event_kind event;
    int ret;
    uint32_t prepares;
    uint32_t aborts;
} ends[] = {
    {"success", true, 0, 0, 0, "waiting pending concluded null", EVENT_JOB_COMPLETED, 0, 1, 0},
    {"failure", false, -EIO, 0, 0, "aborting concluded null", EVENT_JOB_COMPLETED, -EIO, 0, 1},
    {"failed preparation", true, 0, -EPERM, 0, "waiting pending aborting concluded null",
     EVENT_JOB_COMPLETED, -EPERM, 1, 1},
    {"ready, soft cancel in the window", true, 0, 0, 1, "waiting pending concluded null",
     EVENT_JOB_COMPLETED, 0, 1, 0},
    {"ready, force cancel in the window", true, 0, 0, 2, "aborting concluded null",
     EVENT_JOB_CANCELLED, -ECANCELED, 0, 1},
    {"failed, soft cancel in the window", false, -EIO, 0, 1, "aborting concluded null",
     EVENT_JOB_CANCELLED, -EIO, 0, 1},
};

static void test_life_ends_as_its_result_and_its_cancels_say(void **state)
{
    struct host *host = *state;

    for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct job *job;
        char expected[200];

        host->event_count = 0;
        job = start(host);
        job->prepare_ret = ends[i].prepare_ret;
        if (ends[i].ready) {
            life_become_ready(&job->life);
        }
        life_end(&job->life, ends[i].run_ret, NULL);
        assert_true(job->life.busy);
        if (ends[i].cancel_in_window > 0) {
            struct job_info info;

            assert_int_equal(give(job, VERB_CANCEL, ends[i].cancel_in_window == 2), 0);
            life_query(&job->life, &info);
            assert_int_equal(info.cancelled, ends[i].event == EVENT_JOB_CANCELLED);
        }
        stub_run_deferred(host);
        snprintf(expected, sizeof(expected), "created running %s%s", ends[i].ready ? "ready " : "",
                 ends[i].statuses);
        assert_statuses(host, expected);
        assert_int_equal(stub_event_count(host, ends[i].event), 1);
        assert_int_equal(stub_event(host, ends[i].event)->ret, ends[i].ret);
        assert_int_equal(job->prepares, ends[i].prepares);
        assert_int_equal(job->aborts, ends[i].aborts);
        assert_true(job->is_over);
        assert_int_equal(job->ret, ends[i].ret);
        free(job);
    }
}

static struct job *run_to_pending(struct host *host)
{
    struct job prototype = {.host = host};
    struct job_spec spec = spec_of(&prototype);
    struct job *job;

    spec.auto_finalize = false;
    spec.auto_dismiss = false;
    job = create(host, &spec);
    life_start(&job->life);
    life_become_ready(&job->life);
    life_end(&job->life, 0, NULL);
    stub_run_deferred(host);
    assert_int_equal(job->life.status, JOB_STATUS_PENDING);
    assert_false(job->life.busy);
    return job;
}

static void test_life_waits_for_finalize_and_dismiss_when_they_are_the_users(void **state)
{
    struct host *host = *state;
    struct job *job = run_to_pending(host);

    assert_int_equal(stub_event_count(host, EVENT_JOB_PENDING), 1);
    assert_int_equal(job->prepares, 0);
    stub_begin_section(host, stub_source(host));
    stub_end_section(host, stub_source(host));
    assert_int_equal(job->wakes, 1);
    assert_refused(job, VERB_PAUSE, 0, REFUSED_VERB);
    assert_refused(job, VERB_DISMISS, 0, REFUSED_VERB);
    assert_int_equal(give(job, VERB_FINALIZE, 0), 0);
    assert_int_equal(job->prepares, 1);
    assert_int_equal(job->life.status, JOB_STATUS_CONCLUDED);
    assert_false(job->is_over);
    assert_refused(job, VERB_CANCEL, 1, REFUSED_VERB);
    assert_int_equal(give(job, VERB_DISMISS, 0), 0);
    assert_true(job->is_over);
    free(job);
}

/* J7: a job that is pending is not ready. */
static void test_life_takes_a_soft_cancel_for_a_force_cancel_when_it_is_pending(void **state)
{
    struct host *host = *state;
    struct job *job = run_to_pending(host);

    assert_int_equal(give(job, VERB_CANCEL, 0), 0);
    assert_statuses(host, "created running ready waiting pending aborting concluded");
    assert_int_equal(stub_event_count(host, EVENT_JOB_CANCELLED), 1);
    assert_int_equal(job->prepares, 0);
    assert_int_equal(job->aborts, 1);
    assert_int_equal(give(job, VERB_DISMISS, 0), 0);
    free(job);
}

/* Letting go is a section over all nodes; until it is quiet the job is there, and NULL. */
static void test_life_is_null_but_there_when_a_section_has_to_wait(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);
    struct job_info info;

    host->sections_wait = true;
    life_end(&job->life, 0, NULL);
    job->life.status = JOB_STATUS_READY;
    stub_run_deferred(host);
    life_query(&job->life, &info);
    assert_int_equal(info.status, JOB_STATUS_NULL);
    assert_false(job->is_over);
    assert_refused(job, VERB_CANCEL, 1, REFUSED_VERB);
    stub_let_quiet(host);
    assert_true(job->is_over);
    assert_int_equal(host->all_node_sections, 0);
    free(job);
}

static void test_life_query_has_the_error_only_when_a_failed_run_has_ended(void **state)
{
    struct host *host = *state;
    struct job *job = start(host);
    struct job_info info;

    life_query(&job->life, &info);
    assert_null(info.error_text);
    assert_true(info.busy && !info.paused && !info.ready && !info.cancelled);
    life_end(&job->life, -EINVAL, "a text of its own");
    life_query(&job->life, &info);
    assert_string_equal(info.error_text, "a text of its own");
    job->life.own_text = NULL;
    life_query(&job->life, &info);
    assert_string_equal(info.error_text, strerror(EINVAL));
    stub_run_deferred(host);
    end_and_free(job);
}

/* ---- Digest ---- */

static uint64_t digest_of(const struct job *job)
{
    struct digest digest;

    digest_init(&digest);
    life_digest(&job->life, &digest);
    return digest_value(&digest);
}

/* Each command that changes what may come changes the digest; time alone does not. */
static void test_life_digest_changes_when_the_future_does(void **state)
{
    static const struct {
        enum job_verb verb;
        int64_t arg;
    } changes[] = {{VERB_PAUSE, 0}, {VERB_SET_SPEED, 9}, {VERB_CANCEL, 0}, {VERB_CANCEL, 1}};
    struct host *host = *state;
    struct job *job = start(host);
    uint64_t before;

    life_become_ready(&job->life);
    before = digest_of(job);
    host->now_ns += MS;
    assert_true(digest_of(job) == before);
    for (uint32_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        before = digest_of(job);
        assert_int_equal(give(job, changes[i].verb, changes[i].arg), 0);
        assert_true(digest_of(job) != before);
    }
    end_and_free(job);
}

#define LIFE_TEST(test) cmocka_unit_test_setup_teardown(test, stub_set_up, stub_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_states_follow_each_other_only_as_the_table_says),
        cmocka_unit_test(test_life_verbs_are_legal_only_as_the_table_says),
        LIFE_TEST(test_life_refuses_a_verb_when_the_status_does_not_allow_it),
        LIFE_TEST(test_life_makes_no_job_when_it_has_no_id),
        LIFE_TEST(test_life_shows_a_job_that_is_null_at_once_when_the_speed_is_negative),
        LIFE_TEST(test_life_is_null_without_an_end_when_the_start_fails_late),
        LIFE_TEST(test_life_claims_its_nodes_until_it_lets_them_go),
        LIFE_TEST(test_life_goes_on_at_a_pause_point_when_no_pause_is_wanted),
        LIFE_TEST(test_life_parks_and_goes_back_when_it_is_paused_and_resumed),
        LIFE_TEST(test_life_does_not_park_when_it_is_resumed_while_it_waits_for_operations),
        LIFE_TEST(test_life_stays_parked_when_it_is_woken_with_a_pause_still_wanted),
        LIFE_TEST(test_life_counts_a_pause_for_each_node_in_a_section),
        LIFE_TEST(test_life_is_paused_by_a_node_that_is_in_a_section_already),
        LIFE_TEST(test_life_wakes_a_sleeper_when_it_is_paused),
        LIFE_TEST(test_life_does_not_sleep_but_parks_when_a_pause_is_wanted),
        LIFE_TEST(test_life_sleeps_on_when_a_resume_finds_a_timer),
        LIFE_TEST(test_life_waits_without_a_timer_when_it_idles),
        LIFE_TEST(test_life_goes_on_to_its_end_when_a_parked_job_is_force_cancelled),
        LIFE_TEST(test_life_does_not_sleep_any_more_when_it_is_force_cancelled),
        LIFE_TEST(test_life_lets_a_soft_cancel_undo_only_the_users_pause),
        LIFE_TEST(test_life_does_with_an_error_what_the_policy_says),
        LIFE_TEST(test_life_has_one_pause_when_several_operations_stop_it),
        LIFE_TEST(test_life_wakes_a_sleeper_when_the_speed_is_raised_or_unlimited),
        LIFE_TEST(test_life_does_not_wake_for_a_speed_when_it_has_no_timer),
        LIFE_TEST(test_life_says_its_progress_only_when_it_has_changed),
        LIFE_TEST(test_life_ends_as_its_result_and_its_cancels_say),
        LIFE_TEST(test_life_waits_for_finalize_and_dismiss_when_they_are_the_users),
        LIFE_TEST(test_life_takes_a_soft_cancel_for_a_force_cancel_when_it_is_pending),
        LIFE_TEST(test_life_is_null_but_there_when_a_section_has_to_wait),
        LIFE_TEST(test_life_query_has_the_error_only_when_a_failed_run_has_ended),
        LIFE_TEST(test_life_digest_changes_when_the_future_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
