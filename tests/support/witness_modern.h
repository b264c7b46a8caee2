/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hand-made evidence of a job of today's generation, for the tests of oracles.
 *
 * As in witness.h: the functions make a correct history; a test deviates from it in one point.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_WITNESS_MODERN_H
#define MIRRORSIM_TESTS_SUPPORT_WITNESS_MODERN_H

#include "engine/interposer.h"
#include "tests/support/witness.h"

/* The witness of a story of today, with a fresh oracle and an empty verdict. */
static inline struct witness *modern(void **state, const struct oracle *oracle)
{
    struct witness *w = *state;

    w->plan->generation = GENERATION_MODERN;
    w->plan->job.auto_finalize = w->plan->job.auto_dismiss = true;
    w->plan->job.backing_mode = BACKING_LEAVE;
    w->copied = 0;
    verdict_init(&w->verdict);
    witness_call(w, oracle);
    return w;
}

/* ---- Status ---- */

static inline void become(struct witness *w, enum job_status from, enum job_status to)
{
    see(w, (struct event){.kind = EVENT_JOB_STATUS,
                          .by = BY_JOB,
                          .detail = (uint8_t)from,
                          .detail2 = (uint8_t)to});
}

static inline void synced(struct witness *w, bool is)
{
    see(w, (struct event){.kind = EVENT_JOB_SYNCED, .by = BY_JOB, .detail = is});
}

static inline void progress_to(struct witness *w, uint64_t offset, uint64_t len)
{
    see(w,
        (struct event){
            .kind = EVENT_JOB_PROGRESS, .by = BY_JOB, .node = SRC, .offset = offset, .bytes = len});
}

static inline void section(struct witness *w, enum by by, enum section_step step, uint8_t node)
{
    see(w, (struct event){
               .kind = EVENT_SECTION, .by = (uint8_t)by, .node = node, .detail = (uint8_t)step});
}

/* ---- The guest ---- */

static inline void move_guest(struct witness *w, uint8_t to, uint16_t from)
{
    see(w, (struct event){.kind = EVENT_GUEST_MOVED, .by = BY_JOB, .node = to, .index = from});
}

/* The request arrives at the filter, and is passed on to the source under its number. */
static inline struct ticket arrive(struct witness *w, enum op op, uint64_t offset, uint64_t bytes)
{
    struct ticket ticket = {SRC, op, BY_GUEST, offset, bytes, ++w->requests};

    request_event(w, EVENT_ARRIVE, ticket, 0);
    return ticket;
}

static inline void pass(struct witness *w, struct ticket ticket)
{
    request_event(w, EVENT_REQUEST_SUBMIT, ticket, 0);
    settle(w);
    guest_effect(w, ticket);
}

/* In copy mode background: done, marked, answered. */
static inline void answer_marked(struct witness *w, struct ticket ticket)
{
    done(w, ticket, 0);
    dirty(w, EVENT_DIRTY_SET, align_down(ticket.offset, CHUNK), CHUNK);
    request_event(w, EVENT_ANSWERED, ticket, 0);
    settle(w);
}

/* In copy mode write-blocking, after its part on the source. */
static inline struct ticket begin_active(struct witness *w, struct ticket guest)
{
    done(w, guest, 0);
    return submit(w, BY_ACTIVE, DST, guest.op, guest.offset, guest.bytes);
}

static inline void end_active(struct witness *w, struct ticket active, struct ticket guest)
{
    copy_content(w, active.offset, active.bytes);
    request_event(w, EVENT_REQUEST_EFFECT, active, 0);
    done(w, active, 0);
    w->copied += active.bytes;
    request_event(w, EVENT_ANSWERED, guest, 0);
    settle(w);
}

/* ---- The life of a job ---- */

/* Up to RUNNING with everything dirty; the timeline event is not over. */
static inline void modern_start(struct witness *w)
{
    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    become(w, JOB_STATUS_UNDEFINED, JOB_STATUS_CREATED);
    see(w, (struct event){.kind = EVENT_JOB_STARTED, .by = BY_JOB, .node = SRC, .index = DST});
    become(w, JOB_STATUS_CREATED, JOB_STATUS_RUNNING);
    see(w, (struct event){.kind = EVENT_BUFFERS_CREATE, .bytes = CHUNK, .offset = BUFFERS});
    if (w->disks[SRC].bytes > 0) {
        dirty(w, EVENT_DIRTY_SET, 0, w->disks[SRC].bytes);
    }
}

static inline void modern_ready(struct witness *w)
{
    modern_start(w);
    for (uint64_t offset = 0; offset < w->disks[SRC].bytes; offset += CHUNK) {
        copy(w, offset, min_u64(CHUNK, w->disks[SRC].bytes - offset));
    }
    progress_to(w, w->copied, w->copied);
    flush(w, 0);
    become(w, JOB_STATUS_RUNNING, JOB_STATUS_READY);
    say(w, EVENT_JOB_READY);
    settle(w);
}

/* The last drain and flush; the run ends. */
static inline void modern_run_ends(struct witness *w)
{
    section(w, BY_JOB, SECTION_BEGUN, SRC);
    section(w, BY_JOB, SECTION_QUIET, SRC);
    flush(w, 0);
    say(w, EVENT_BUFFERS_RELEASE);
    settle(w);
}

static inline void modern_end(struct witness *w, enum event_kind kind, int ret)
{
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    section(w, BY_JOB, SECTION_ENDED, SRC);
    see(w, (struct event){.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = SRC,
                          .ret = ret,
                          .offset = w->copied,
                          .bytes = w->copied});
}

static inline void modern_pending(struct witness *w)
{
    become(w, JOB_STATUS_READY, JOB_STATUS_WAITING);
    become(w, JOB_STATUS_WAITING, JOB_STATUS_PENDING);
}

static inline void modern_gone(struct witness *w, enum job_status from)
{
    become(w, from, JOB_STATUS_CONCLUDED);
    become(w, JOB_STATUS_CONCLUDED, JOB_STATUS_NULL);
    settle(w);
}

/* From READY to the pivot. */
static inline void modern_complete(struct witness *w)
{
    command(w, VERB_COMPLETE);
    settle(w);
    modern_run_ends(w);
    modern_pending(w);
    pivot(w, DST, SRC);
    modern_end(w, EVENT_JOB_COMPLETED, 0);
    modern_gone(w, JOB_STATUS_PENDING);
}

static inline void command_with(struct witness *w, enum job_verb verb, uint64_t argument)
{
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = (uint8_t)verb, .offset = argument});
}

#endif
