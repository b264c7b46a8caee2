/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job for tests of its life alone: its continuation is the test.
 *
 * It counts how often it was woken, and the test calls what a run would call.
 */
#ifndef MIRRORSIM_TESTS_ENGINE_LIFE_JOB_H
#define MIRRORSIM_TESTS_ENGINE_LIFE_JOB_H

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

static inline struct job *job_of(const struct life *life)
{
    return (struct job *)(uintptr_t)life;
}

static inline void wake(struct life *life)
{
    job_of(life)->wakes++;
}

static inline bool is_busy(const struct life *life)
{
    return job_of(life)->ops > 0 || !(life->parked || life->force_cancelled);
}

static inline int complete(struct life *life, struct job_error *error)
{
    (void)error;
    job_of(life)->completes++;
    return 0;
}

static inline bool cancel(struct life *life, bool force)
{
    return force || !life_is_ready(life);
}

static inline int change(struct life *life, int64_t mode, struct job_error *error)
{
    (void)error;
    job_of(life)->mode = mode;
    return 0;
}

static inline int prepare(struct life *life)
{
    job_of(life)->prepares++;
    life_release_nodes(life);
    return job_of(life)->prepare_ret;
}

static inline void abort_job(struct life *life)
{
    job_of(life)->aborts++;
    life_release_nodes(life);
}

static inline void free_job(struct life *life)
{
    job_of(life)->is_free = true;
}

static inline void concluded(void *opaque, int ret)
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

static inline struct job_spec spec_of(struct job *job)
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
static inline struct job *create_driven(struct host *host, const struct life_driver *by,
                                        const struct job_spec *wanted)
{
    struct job *job = calloc(1, sizeof(*job));
    struct job_spec spec;

    assert_non_null(job);
    job->host = host;
    spec = wanted != NULL ? *wanted : spec_of(job);
    spec.opaque = job;
    assert_int_equal(life_create(&job->life, host, by, &spec, &job->error), 0);
    life_add_node(&job->life, stub_source(host));
    life_add_node(&job->life, stub_target(host));
    return job;
}

static inline struct job *create(struct host *host, const struct job_spec *wanted)
{
    return create_driven(host, &driver, wanted);
}

static inline struct job *start(struct host *host)
{
    struct job *job = create(host, NULL);

    life_start(&job->life);
    assert_int_equal(job->wakes, 1);
    return job;
}

/* The statuses since the start, in a line. */
static inline void assert_statuses(const struct host *host, const char *expected)
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

static inline int give(struct job *job, enum job_verb verb, int64_t arg)
{
    memset(&job->error, 0, sizeof(job->error));
    return life_command(&job->life, verb, arg, &job->error);
}

static inline int errno_of(enum job_refusal refusal)
{
    return refusal == REFUSED_INVALID_PARAMETER                        ? EINVAL
           : refusal == REFUSED_TYPE                                   ? ENOTSUP
           : refusal == REFUSED_PAUSED || refusal == REFUSED_NOT_READY ? EBUSY
                                                                       : EPERM;
}

static inline void assert_refused(struct job *job, enum job_verb verb, int64_t arg,
                                  enum job_refusal refusal)
{
    uint32_t wakes = job->wakes;

    assert_int_equal(give(job, verb, arg), -errno_of(refusal));
    assert_int_equal(job->error.refusal, refusal);
    assert_true(job->error.text[0] != '\0');
    assert_int_equal(job->wakes, wakes);
}

/* The continuation comes to a pause point with nothing in flight, and parks. */
static inline void park(struct job *job)
{
    assert_int_equal(life_pause_point(&job->life), LIFE_QUIESCE);
    assert_int_equal(life_pause_point(&job->life), LIFE_WAIT);
    assert_true(job->life.parked && !job->life.busy);
    life_check(&job->life);
}

/* Whatever state it is in, it comes to its end. */
static inline void end_and_free(struct job *job)
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

#define LIFE_TEST(test) cmocka_unit_test_setup_teardown(test, stub_set_up, stub_tear_down)

#endif
