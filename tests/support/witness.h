/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A witness: hand-made evidence, for the tests of oracles.
 *
 * A test plays the world and the job: it emits events one by one and checks
 * what the oracle under test has found.  The functions make a correct history;
 * a test deviates from it in one point.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_WITNESS_H
#define MIRRORSIM_TESTS_SUPPORT_WITNESS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/oracle/oracles.h"
#include "sim/verdict/verdict.h"
#include "tests/support/units.h"

#define CHUNK (64 * KIB)
#define CHUNKS 4
#define LENGTH (CHUNKS * CHUNK)
#define BUFFERS 32

enum { SRC, DST, THIRD, WITNESS_DISKS };

/* A request that has been submitted. */
struct ticket {
    uint8_t node;
    enum op op;
    enum by by;
    uint64_t offset;
    uint64_t bytes;
    uint32_t number;
};

struct witness {
    struct plan *plan;
    struct evidence evidence;
    struct disk_state disks[WITNESS_DISKS];
    struct verdict verdict;
    struct trace trace;
    const struct oracle *oracle;
    void *state;
    uint32_t requests;
    uint64_t copied;
};

/* ---- Setting up ---- */

static inline void witness_disk(struct witness *w, uint32_t number, const char *name)
{
    w->plan->disks[number].name = name;
    w->plan->disks[number].bytes = LENGTH;
    w->disks[number] = (struct disk_state){
        .image = image_create(w->plan->arena), .bytes = LENGTH, .backing = PLAN_NONE};
    w->evidence.disks[number] = &w->disks[number];
}

/* The disk has a volatile cache, and nothing of it is durable yet. */
static inline void witness_disk_is_volatile(struct witness *w, uint32_t number)
{
    w->plan->disks[number].volatile_cache = true;
    w->disks[number].durable = image_create(w->plan->arena);
}

static inline int witness_set_up(void **state)
{
    struct plan *plan = plan_create();
    struct witness *w = arena_alloc(plan->arena, sizeof(*w));

    w->plan = plan;
    plan->disk_count = WITNESS_DISKS;
    plan->job.source = SRC;
    plan->job.target = DST;
    trace_init(&w->trace, true);
    verdict_init(&w->verdict);
    w->evidence.plan = plan;
    w->evidence.arena = plan->arena;
    w->evidence.trace = &w->trace;
    w->evidence.verdict = &w->verdict;
    witness_disk(w, SRC, "src");
    witness_disk(w, DST, "dst");
    witness_disk(w, THIRD, "third");
    plan->disks[SRC].fill = FILL_UNIQUE;
    image_write(w->disks[SRC].image, run_fill(SRC, 0, LENGTH));
    *state = w;
    return 0;
}

static inline int witness_tear_down(void **state)
{
    struct witness *w = *state;

    trace_free(&w->trace);
    plan_destroy(w->plan);
    return 0;
}

/* Opens the oracle under test; to be called when plan and disks are set up. */
static inline void witness_call(struct witness *w, const struct oracle *oracle)
{
    w->oracle = oracle;
    w->state = arena_alloc(w->plan->arena, oracle->state_bytes);
    if (oracle->open != NULL) {
        oracle->open(w->state, &w->evidence);
    }
}

/* ---- What the oracle sees ---- */

static inline void see(struct witness *w, struct event event)
{
    event.now_ns = w->evidence.now_ns;
    w->evidence.event_number = w->trace.count;
    if (oracle_sees(w->oracle, oracle_kinds(w->oracle, w->plan), event_kind(&event),
                    event_by(&event))) {
        w->oracle->on[event.kind](w->state, &w->evidence, &event);
    }
    trace_append(&w->trace, &event);
}

static inline void settle(struct witness *w)
{
    if (w->oracle->settled != NULL) {
        w->oracle->settled(w->state, &w->evidence);
    }
    if (w->oracle->check != NULL) {
        w->oracle->check(w->state);
    }
}

static inline void end_run(struct witness *w, enum world_end end)
{
    w->evidence.end = end;
    if (w->oracle->close != NULL) {
        w->oracle->close(w->state, &w->evidence);
    }
}

/* Emits an event of the job without further fields. */
static inline void say(struct witness *w, enum event_kind kind)
{
    see(w, (struct event){.kind = (uint8_t)kind, .by = BY_JOB});
}

static inline void say_of(struct witness *w, enum event_kind kind, uint8_t node)
{
    see(w, (struct event){.kind = (uint8_t)kind, .by = BY_JOB, .node = node});
}

static inline void dirty(struct witness *w, enum event_kind kind, uint64_t offset, uint64_t bytes)
{
    see(w, (struct event){
               .kind = (uint8_t)kind, .by = BY_JOB, .node = SRC, .offset = offset, .bytes = bytes});
}

/* ---- Requests ---- */

static inline void request_event(struct witness *w, enum event_kind kind, struct ticket ticket,
                                 int ret)
{
    see(w, (struct event){.kind = (uint8_t)kind,
                          .node = ticket.node,
                          .op = (uint8_t)ticket.op,
                          .by = (uint8_t)ticket.by,
                          .request = ticket.number,
                          .offset = ticket.offset,
                          .bytes = ticket.bytes,
                          .ret = ret});
}

static inline struct ticket submit(struct witness *w, enum by by, uint8_t node, enum op op,
                                   uint64_t offset, uint64_t bytes)
{
    struct ticket ticket = {node, op, by, offset, bytes, ++w->requests};

    request_event(w, EVENT_REQUEST_SUBMIT, ticket, 0);
    return ticket;
}

static inline void done(struct witness *w, struct ticket ticket, int ret)
{
    request_event(w, EVENT_REQUEST_DONE, ticket, ret);
}

/* The job cleans the chunks, then starts to read them. */
static inline struct ticket begin_read(struct witness *w, uint64_t offset, uint64_t bytes)
{
    dirty(w, EVENT_DIRTY_CLEAR, offset, bytes);
    return submit(w, BY_JOB, SRC, OP_READ, offset, bytes);
}

static inline struct ticket begin_write(struct witness *w, struct ticket read)
{
    done(w, read, 0);
    return submit(w, BY_JOB, DST, OP_WRITE, read.offset, read.bytes);
}

/* Copies what the source holds now to the target. */
static inline void copy_content(struct witness *w, uint64_t offset, uint64_t bytes)
{
    uint64_t end = (offset + bytes) / SECTOR_BYTES;

    for (uint64_t sector = offset / SECTOR_BYTES; sector < end;) {
        struct run run;

        image_lookup(w->disks[SRC].image, sector, end, &run);
        image_write(w->disks[DST].image, run);
        sector += run.sectors;
    }
}

static inline void end_write(struct witness *w, struct ticket write)
{
    copy_content(w, write.offset, write.bytes);
    request_event(w, EVENT_REQUEST_EFFECT, write, 0);
    done(w, write, 0);
    w->copied += write.bytes;
}

/* One whole operation, in three timeline events. */
static inline void copy(struct witness *w, uint64_t offset, uint64_t bytes)
{
    struct ticket ticket = begin_read(w, offset, bytes);

    settle(w);
    ticket = begin_write(w, ticket);
    settle(w);
    end_write(w, ticket);
    settle(w);
}

static inline void flush(struct witness *w, int ret)
{
    struct ticket ticket = submit(w, BY_JOB, DST, OP_FLUSH, 0, 0);

    settle(w);
    done(w, ticket, ret);
}

/* A guest write: its data moves on the disk it goes to. */
static inline void guest_effect(struct witness *w, struct ticket write)
{
    image_write(w->disks[write.node].image,
                (struct run){write.offset / SECTOR_BYTES, write.bytes / SECTOR_BYTES,
                             tag_guest(write.number, 0), 1, false});
    request_event(w, EVENT_REQUEST_EFFECT, write, 0);
}

static inline void guest_done(struct witness *w, struct ticket write)
{
    dirty(w, EVENT_DIRTY_SET, align_down(write.offset, CHUNK),
          align_up(write.offset + write.bytes, CHUNK) - align_down(write.offset, CHUNK));
    done(w, write, 0);
}

static inline void guest_write(struct witness *w, uint64_t offset, uint64_t bytes)
{
    struct ticket ticket = submit(w, BY_GUEST, SRC, OP_WRITE, offset, bytes);

    settle(w);
    guest_effect(w, ticket);
    guest_done(w, ticket);
    settle(w);
}

/* ---- The life of a job ---- */

static inline void command(struct witness *w, enum job_verb verb)
{
    see(w, (struct event){.kind = EVENT_COMMAND, .detail = (uint8_t)verb});
}

static inline void refuse(struct witness *w, enum job_verb verb, enum job_refusal refusal)
{
    see(w, (struct event){.kind = EVENT_COMMAND_REFUSED,
                          .detail = (uint8_t)verb,
                          .detail2 = (uint8_t)refusal,
                          .ret = -EBUSY});
}

static inline void error_event(struct witness *w, enum op op, int ret, enum error_action action)
{
    see(w, (struct event){.kind = EVENT_JOB_ERROR,
                          .by = BY_JOB,
                          .op = (uint8_t)op,
                          .node = op == OP_READ ? SRC : DST,
                          .ret = ret,
                          .detail = (uint8_t)action});
}

static inline void claim(struct witness *w)
{
    dirty(w, EVENT_DIRTY_CREATE, 0, CHUNK);
    say_of(w, EVENT_GRAPH_REF, SRC);
    say_of(w, EVENT_GRAPH_BLOCK, SRC);
    say_of(w, EVENT_GRAPH_REF, DST);
    say_of(w, EVENT_GRAPH_BLOCK, DST);
}

/* Starts a job with everything dirty; the timeline event is not over. */
static inline void start(struct witness *w)
{
    claim(w);
    say(w, EVENT_JOB_STARTED);
    see(w, (struct event){.kind = EVENT_BUFFERS_CREATE, .bytes = CHUNK, .offset = BUFFERS});
    if (w->disks[SRC].bytes > 0) {
        dirty(w, EVENT_DIRTY_SET, 0, w->disks[SRC].bytes);
    }
}

/* From the start to READY with everything copied; the timeline event is over. */
static inline void become_ready(struct witness *w)
{
    start(w);
    for (uint64_t offset = 0; offset < w->disks[SRC].bytes; offset += CHUNK) {
        copy(w, offset, min_u64(CHUNK, w->disks[SRC].bytes - offset));
    }
    flush(w, 0);
    say(w, EVENT_JOB_READY);
    settle(w);
}

/* The copy loop ends with the source drained. */
static inline void wind_down(struct witness *w)
{
    say_of(w, EVENT_DRAIN_BEGIN, SRC);
    say_of(w, EVENT_DRAINED, SRC);
    dirty(w, EVENT_DIRTY_RELEASE, 0, 0);
    say(w, EVENT_BUFFERS_RELEASE);
    settle(w);
}

static inline void pivot(struct witness *w, uint8_t to, uint16_t from)
{
    see(w, (struct event){.kind = EVENT_GRAPH_PIVOT, .by = BY_JOB, .node = to, .index = from});
}

/* The job ends and gives back what it held. */
static inline void conclude(struct witness *w, enum event_kind kind, int ret)
{
    say_of(w, EVENT_DRAIN_END, SRC);
    say_of(w, EVENT_GRAPH_UNBLOCK, DST);
    say_of(w, EVENT_GRAPH_UNREF, DST);
    see(w, (struct event){.kind = (uint8_t)kind,
                          .by = BY_JOB,
                          .node = SRC,
                          .ret = ret,
                          .offset = w->copied,
                          .bytes = w->copied});
    say_of(w, EVENT_GRAPH_UNBLOCK, SRC);
    say_of(w, EVENT_GRAPH_UNREF, SRC);
    settle(w);
}

/* From ready to the pivot. */
static inline void complete(struct witness *w)
{
    command(w, VERB_COMPLETE);
    settle(w);
    flush(w, 0);
    wind_down(w);
    pivot(w, DST, SRC);
    conclude(w, EVENT_JOB_COMPLETED, 0);
}

/* ---- What it has found ---- */

static inline void assert_silent(const struct witness *w)
{
    if (w->verdict.finding_count > 0) {
        fail_msg("unexpected finding: %s", w->verdict.findings[0].text);
    }
}

/* Asserts that the first finding is of that kind and its text contains `says`. */
static inline void assert_found(const struct witness *w, const char *kind, const char *says)
{
    if (w->verdict.finding_count == 0) {
        fail_msg("there is no finding; \"%s\" was expected", kind);
    }
    assert_string_equal(finding_kind_name(w->verdict.findings[0].id), kind);
    if (strstr(w->verdict.findings[0].text, says) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", w->verdict.findings[0].text, says);
    }
}

#define WITNESS_TEST(test) cmocka_unit_test_setup_teardown(test, witness_set_up, witness_tear_down)

#endif
