/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names that traces and scenarios write for the numbers of event.h and engine.h.
 */
#include "engine/event.h"

#include <assert.h>

#include "engine/engine.h"
#include "engine/units.h"

/* A value without a name is our bug, so there is no "unknown". */
#define NAME(names, value) name_at(names, COUNT_OF(names), (unsigned)(value))

static const char *name_at(const char *const *names, unsigned long count, unsigned value)
{
    assert(value < count && names[value]);
    return names[value];
}

#define X(id, name) name,

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {EVENT_KINDS(X)};

    return NAME(names, kind);
}

const char *op_name(enum op op)
{
    static const char *const names[] = {OPS(X)};

    return NAME(names, op);
}

#undef X

const char *by_name(enum by by)
{
    static const char *const names[] = {
        [BY_NONE] = "-",
        [BY_JOB] = "job",
        [BY_GUEST] = "guest",
        [BY_ACTIVE] = "active",
    };

    return NAME(names, by);
}

const char *error_policy_name(enum error_policy policy)
{
    static const char *const names[] = {
        [POLICY_REPORT] = "report",
        [POLICY_IGNORE] = "ignore",
        [POLICY_STOP] = "stop",
        [POLICY_ENOSPC] = "enospc",
    };

    return NAME(names, policy);
}

const char *error_action_name(enum error_action action)
{
    static const char *const names[] = {
        [ACTION_REPORT] = "report",
        [ACTION_IGNORE] = "ignore",
        [ACTION_STOP] = "stop",
    };

    return NAME(names, action);
}

const char *stall_holder_name(enum stall_holder holder)
{
    static const char *const names[] = {
        [STALLED_BY_COPY] = "copy",       [STALLED_BY_ZEROES] = "zeroes",
        [STALLED_BY_DISCARD] = "discard", [STALLED_BY_RUN] = "run",
        [STALLED_BY_GUEST] = "guest",
    };

    return NAME(names, holder);
}

const char *job_verb_name(enum job_verb verb)
{
    static const char *const names[VERB_COUNT] = {
        [VERB_COMPLETE] = "complete", [VERB_CANCEL] = "cancel",       [VERB_PAUSE] = "pause",
        [VERB_RESUME] = "resume",     [VERB_SET_SPEED] = "set-speed", [VERB_FINALIZE] = "finalize",
        [VERB_DISMISS] = "dismiss",   [VERB_CHANGE] = "change",
    };

    return NAME(names, verb);
}

const char *job_refusal_name(enum job_refusal refusal)
{
    static const char *const names[REFUSED_COUNT] = {
        [REFUSED_NOT] = "accepted",
        [REFUSED_NOT_READY] = "not-ready",
        [REFUSED_INVALID_PARAMETER] = "invalid-parameter",
        [REFUSED_BUSY] = "busy",
        [REFUSED_NOT_ACTIVE] = "not-active",
        [REFUSED_NOT_FOUND] = "not-found",
        [REFUSED_BLOCKED] = "blocked",
        [REFUSED_FAILED] = "failed",
        [REFUSED_VERB] = "verb",
        [REFUSED_PAUSED] = "paused",
        [REFUSED_NOT_PAUSED] = "not-paused",
        [REFUSED_MODE] = "mode",
        [REFUSED_TYPE] = "type",
        [REFUSED_ITSELF] = "itself",
        [REFUSED_ID] = "id",
    };

    return NAME(names, refusal);
}

const char *io_status_name(enum io_status status)
{
    static const char *const names[] = {
        [IO_STATUS_OK] = "ok",
        [IO_STATUS_FAILED] = "failed",
        [IO_STATUS_NOSPACE] = "nospace",
    };

    return NAME(names, status);
}

const char *job_status_name(enum job_status status)
{
    static const char *const names[JOB_STATUS_COUNT] = {
        [JOB_STATUS_CREATED] = "created",     [JOB_STATUS_RUNNING] = "running",
        [JOB_STATUS_PAUSED] = "paused",       [JOB_STATUS_READY] = "ready",
        [JOB_STATUS_STANDBY] = "standby",     [JOB_STATUS_CONCLUDING] = "concluding",
        [JOB_STATUS_CONCLUDED] = "concluded", [JOB_STATUS_UNDEFINED] = "undefined",
        [JOB_STATUS_WAITING] = "waiting",     [JOB_STATUS_PENDING] = "pending",
        [JOB_STATUS_ABORTING] = "aborting",   [JOB_STATUS_NULL] = "null",
    };

    return NAME(names, status);
}

const char *job_kind_name(enum job_kind kind)
{
    static const char *const names[] = {
        [JOB_MIRROR] = "mirror",
        [JOB_COMMIT] = "commit",
    };

    return NAME(names, kind);
}

const char *sync_mode_name(enum sync_mode sync)
{
    static const char *const names[] = {
        [SYNC_FULL] = "full",
        [SYNC_TOP] = "top",
        [SYNC_NONE] = "none",
    };

    return NAME(names, sync);
}

const char *copy_mode_name(enum copy_mode mode)
{
    static const char *const names[] = {
        [COPY_BACKGROUND] = "background",
        [COPY_WRITE_BLOCKING] = "write-blocking",
    };

    return NAME(names, mode);
}

const char *backing_mode_name(enum backing_mode mode)
{
    static const char *const names[] = {
        [BACKING_SOURCE] = "source",
        [BACKING_OPEN] = "open",
        [BACKING_LEAVE] = "leave",
    };

    return NAME(names, mode);
}

const char *generation_name(enum generation generation)
{
    static const char *const names[] = {
        [GENERATION_2_2] = "2.2",
        [GENERATION_MODERN] = "modern",
    };

    return NAME(names, generation);
}
