/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every block job has: flags, errors, progress, and which verb is legal.
 */
#include "engine/2.2/job.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define VERB_BIT(verb) (1u << (verb))
#define NEEDS_NO_READY                                                      \
    (VERB_BIT(VERB_CANCEL) | VERB_BIT(VERB_PAUSE) | VERB_BIT(VERB_RESUME) | \
     VERB_BIT(VERB_SET_SPEED))

/* A job that is about to conclude takes no command any more (D12). */
static const unsigned legal_verbs[JOB_STATUS_COUNT] = {
    [JOB_STATUS_RUNNING] = NEEDS_NO_READY,
    [JOB_STATUS_PAUSED] = NEEDS_NO_READY,
    [JOB_STATUS_READY] = NEEDS_NO_READY | VERB_BIT(VERB_COMPLETE),
    [JOB_STATUS_STANDBY] = NEEDS_NO_READY,
};

void job_claim_node(struct block_node *node)
{
    assert(!block_is_blocked(node));
    block_ref(node);
    block_op_block_all(node);
}

void job_release_node(struct block_node *node)
{
    block_op_unblock_all(node);
    block_unref(node);
}

void job_emit(const struct job *job, enum event_kind kind)
{
    struct event event = {
        .kind = (uint8_t)kind, .by = BY_JOB, .node = block_node_id(job->spec.source)};

    host_emit(job->host, &event);
}

void job_publish_progress(struct job *job, uint64_t len)
{
    struct event event = {
        .kind = EVENT_JOB_PROGRESS, .by = BY_JOB, .offset = job->offset, .bytes = len};

    assert(job->offset <= len);
    if (len != job->len || job->offset != job->published_offset) {
        job->len = len;
        job->published_offset = job->offset;
        host_emit(job->host, &event);
    }
}

void job_advance(struct job *job, uint64_t bytes)
{
    assert(bytes > 0);
    job->offset += bytes;
    if (job->offset > job->len) {
        job_publish_progress(job, job->offset);
    }
}

void job_become_ready(struct job *job)
{
    assert(!job->ready);
    job->ready = true;
    job_emit(job, EVENT_JOB_READY);
}

static enum error_action action_for(enum error_policy policy, int error)
{
    switch (policy) {
    case POLICY_IGNORE:
        return ACTION_IGNORE;
    case POLICY_STOP:
        return ACTION_STOP;
    case POLICY_ENOSPC:
        return error == -ENOSPC ? ACTION_STOP : ACTION_REPORT;
    case POLICY_REPORT:
        break;
    }
    return ACTION_REPORT;
}

/* E4; the first error decides each I/O status. */
static void stop_on_error(struct job *job, enum op op, int error)
{
    enum io_status status = error == -ENOSPC ? IO_STATUS_NOSPACE : IO_STATUS_FAILED;

    job->pause_wanted = true;
    if (job->io_status == IO_STATUS_OK) {
        job->io_status = status;
    }
    if (op == OP_WRITE && job->target_io_status == IO_STATUS_OK) {
        job->target_io_status = status;
        block_io_status_set(job->spec.target, status);
    }
}

enum error_action job_handle_error(struct job *job, enum op op, int error, uint64_t offset,
                                   uint64_t bytes)
{
    bool is_read = op == OP_READ;
    enum error_action action =
        action_for(is_read ? job->spec.on_source_error : job->spec.on_target_error, error);
    struct event event = {.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = (uint8_t)op,
                          .node = block_node_id(is_read ? job->spec.source : job->spec.target),
                          .detail = (uint8_t)action,
                          .ret = error,
                          .offset = offset,
                          .bytes = bytes};

    assert(error < 0 && (op == OP_READ || op == OP_WRITE));
    job->ready = false;
    host_emit(job->host, &event);
    if (action == ACTION_STOP) {
        stop_on_error(job, op, error);
    }
    return action;
}

void job_clear_pause(struct job *job)
{
    job->pause_wanted = false;
    job->io_status = IO_STATUS_OK;
    job->target_io_status = IO_STATUS_OK;
    block_io_status_set(job->spec.target, IO_STATUS_OK);
}

/* Why the job takes no such command now; the first reason counts. */
static const char *obstacle(const struct job *job)
{
    if (job->pause_wanted) {
        return "paused";
    }
    return job->cancelled ? "cancelled" : "not ready";
}

int job_check_verb(const struct job *job, enum job_status status, enum job_verb verb,
                   struct job_error *error)
{
    if (status == JOB_STATUS_CONCLUDING || status == JOB_STATUS_CONCLUDED) {
        return job_refuse(error, REFUSED_NOT_ACTIVE, -ENOTCONN, "the job is about to conclude");
    }
    if (!(legal_verbs[status] & VERB_BIT(verb)) ||
        (verb == VERB_COMPLETE && (job->pause_wanted || job->cancelled))) {
        return job_refuse(error, REFUSED_NOT_READY, -EBUSY, "the job is %s", obstacle(job));
    }
    return 0;
}

int job_refuse(struct job_error *error, enum job_refusal refusal, int ret, const char *format, ...)
{
    va_list args;

    assert(ret < 0 && refusal != REFUSED_NOT);
    error->refusal = refusal;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return ret;
}

void job_digest(const struct job *job, struct digest *digest)
{
    digest_u64(digest, job->speed);
    digest_progress(digest, job->offset);
    digest_progress(digest, job->len);
    digest_progress(digest, job->published_offset);
    digest_u64(digest, (uint64_t)job->pause_wanted | (uint64_t)job->cancelled << 1 |
                           (uint64_t)job->ready << 2 | (uint64_t)job->io_status << 3 |
                           (uint64_t)job->target_io_status << 5);
}

void job_check(const struct job *job)
{
    assert(job->offset <= job->len && job->published_offset <= job->offset);
    assert(job->io_status == IO_STATUS_OK || job->pause_wanted);
    assert(job->target_io_status == IO_STATUS_OK || job->io_status != IO_STATUS_OK);
}
