/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All oracles at once, on whole runs of a toy engine with a selectable defect.
 *
 * The toy copies one chunk after the other and ignores errors.  Without a
 * defect no oracle finds anything; with one, the oracle in charge of it does.
 * The plan's buffer size, which the toy does not otherwise use, selects the
 * defect.
 */
#include <errno.h>
#include <string.h>

#include "engine/units.h"
#include "tests/support/stage.h"

#define CHUNK (64 * KIB)
#define POLL_NS 1000000
#define SECOND_NS UINT64_C(1000000000)

enum defect {
    DEFECT_NONE,
    CLEANS_WITHOUT_COPY,
    FORGETS_FAILED_CHUNK,
    HIDES_ERROR,
    SKIPS_FLUSH,
    READS_BEYOND_END,
    KEEPS_REFERENCE,
    KEEPS_BITMAP,
    PIVOTS_UNDRAINED,
    COMPLETES_DIRTY,
    NEVER_COMPLETES,
    IGNORES_SPEED,
    LIES_ABOUT_PROGRESS,
    NEVER_CLEANS,
    MISNAMES_ERROR,
    KEEPS_MEMORY,
};

struct engine_job {
    struct host *host;
    struct job_spec spec;
    enum defect defect;
    struct block_dirty *dirty;
    struct block_buffers *buffers;
    uint32_t buffer; /* the list of its one buffer */
    uint64_t length;
    uint64_t at; /* chunk being copied, as a range */
    uint64_t bytes;
    uint64_t offset;
    bool ready;
    bool complete;
};

static void toy_step(void *opaque);

/* ---- What it says ---- */

static void say(struct engine_job *job, enum event_kind kind, uint64_t offset, uint64_t bytes)
{
    host_emit(job->host, &(struct event){.kind = (uint8_t)kind,
                                         .by = BY_JOB,
                                         .node = block_node_id(job->spec.source),
                                         .index = block_node_id(job->spec.target),
                                         .offset = offset,
                                         .bytes = bytes});
}

static void say_error(struct engine_job *job, enum op op, int ret)
{
    struct block_node *node = op == OP_READ ? job->spec.source : job->spec.target;

    if (job->defect != HIDES_ERROR) {
        host_emit(job->host,
                  &(struct event){.kind = EVENT_JOB_ERROR,
                                  .by = BY_JOB,
                                  .op = (uint8_t)op,
                                  .node = block_node_id(node),
                                  .detail = ACTION_IGNORE,
                                  .ret = ret,
                                  .offset = job->at,
                                  .bytes = job->bytes - (job->defect == MISNAMES_ERROR)});
    }
}

/* ---- The end ---- */

static void toy_conclude(void *opaque)
{
    struct engine_job *job = opaque;
    struct job_spec spec = job->spec;

    block_replace(spec.source, spec.target);
    if (job->defect != PIVOTS_UNDRAINED) {
        block_drain_end(spec.source);
    }
    block_op_unblock_all(spec.target);
    block_unref(spec.target);
    say(job, EVENT_JOB_PROGRESS, job->offset, job->offset);
    say(job, EVENT_JOB_COMPLETED, job->offset, job->offset);
    block_op_unblock_all(spec.source);
    if (job->defect != KEEPS_REFERENCE) {
        block_unref(spec.source);
    }
    if (job->defect != KEEPS_MEMORY) {
        host_free(job->host, job, sizeof(*job));
    }
    spec.concluded(spec.opaque, 0);
}

static void toy_finish(struct engine_job *job)
{
    block_buffers_release(job->buffers);
    if (job->defect != KEEPS_BITMAP) {
        block_dirty_release(job->dirty);
    }
    host_timer_start(job->host, 0, toy_conclude, job);
}

static void toy_drained(void *opaque)
{
    struct engine_job *job = opaque;

    if (block_dirty_bits(job->dirty)->count > 0 && job->defect != COMPLETES_DIRTY) {
        block_drain_end(job->spec.source);
        toy_step(job);
    } else {
        toy_finish(job);
    }
}

static void toy_drain(struct engine_job *job)
{
    if (job->defect == PIVOTS_UNDRAINED) {
        toy_finish(job);
    } else if (block_drain_begin(job->spec.source, toy_drained, job)) {
        toy_drained(job);
    }
}

/* ---- Copying ---- */

static struct block_iov toy_iov(const struct engine_job *job)
{
    return (struct block_iov){job->buffers, &job->buffer, 1};
}

static void toy_failed(struct engine_job *job, enum op op, int ret)
{
    if (job->defect != FORGETS_FAILED_CHUNK) {
        block_dirty_set(job->dirty, job->at, job->bytes);
    }
    job->ready = false;
    say_error(job, op, ret);
    toy_step(job);
}

static void toy_written(void *opaque, int ret)
{
    struct engine_job *job = opaque;

    if (ret < 0) {
        toy_failed(job, OP_WRITE, ret);
        return;
    }
    job->offset += job->defect == LIES_ABOUT_PROGRESS ? job->length : job->bytes;
    if (job->spec.speed > 0 && !job->ready && job->defect != IGNORES_SPEED) {
        uint64_t delay_ns = job->bytes * SECOND_NS / (uint64_t)job->spec.speed;

        host_timer_start(job->host, delay_ns, toy_step, job);
    } else {
        toy_step(job);
    }
}

static void toy_read(void *opaque, int ret)
{
    struct engine_job *job = opaque;

    if (ret < 0) {
        toy_failed(job, OP_READ, ret);
    } else {
        block_write(job->spec.target, job->at, job->bytes, toy_iov(job), toy_written, job);
    }
}

static void toy_copy(struct engine_job *job, uint64_t chunk)
{
    job->at = chunk * CHUNK;
    job->bytes = min_u64(CHUNK, job->length - job->at);
    if (job->defect != NEVER_CLEANS) {
        block_dirty_clear(job->dirty, job->at, job->bytes);
    }
    if (job->defect == CLEANS_WITHOUT_COPY && chunk == 3) {
        toy_step(job);
        return;
    }
    if (job->defect == READS_BEYOND_END && job->bytes < CHUNK) {
        job->bytes = CHUNK;
    }
    block_read(job->spec.source, job->at, job->bytes, toy_iov(job), toy_read, job);
}

static void toy_synced(void *opaque, int ret)
{
    struct engine_job *job = opaque;

    if (ret < 0) {
        job->ready = false;
        say_error(job, OP_WRITE, ret);
        toy_step(job);
        return;
    }
    if (!job->ready) {
        job->ready = true;
        say(job, EVENT_JOB_READY, 0, 0);
    }
    if (job->complete && job->defect != NEVER_COMPLETES) {
        toy_drain(job);
    } else {
        host_timer_start(job->host, POLL_NS, toy_step, job);
    }
}

static void toy_step(void *opaque)
{
    struct engine_job *job = opaque;
    uint64_t chunk;

    if (job->complete && job->defect == COMPLETES_DIRTY) {
        toy_drain(job);
    } else if (bitmap_next_set(block_dirty_bits(job->dirty), 0, &chunk)) {
        toy_copy(job, chunk);
    } else if (job->defect == SKIPS_FLUSH) {
        toy_synced(job, 0);
    } else {
        block_flush(job->spec.target, toy_synced, job);
    }
}

/* ---- The port ---- */

static int toy_start(struct host *host, const struct job_spec *spec, struct engine_job **started,
                     struct job_error *error)
{
    struct engine_job *job = host_alloc(host, sizeof(*job));

    (void)error;
    *started = job;
    job->host = host;
    job->spec = *spec;
    job->defect = (enum defect)spec->buffer_bytes;
    assert_int_equal(block_getlength(spec->source, &job->length), 0);
    assert_int_equal(block_dirty_create(spec->source, CHUNK, &job->dirty), 0);
    block_ref(spec->source);
    block_op_block_all(spec->source);
    block_ref(spec->target);
    block_op_block_all(spec->target);
    say(job, EVENT_JOB_STARTED, 0, 0);
    assert_int_equal(block_buffers_create(spec->source, CHUNK, 1, &job->buffers), 0);
    block_dirty_set(job->dirty, 0, job->length);
    toy_step(job);
    return 0;
}

static int toy_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                       struct job_error *error)
{
    (void)arg;
    (void)error;
    job->complete = job->complete || verb == VERB_COMPLETE;
    return 0;
}

static void toy_query(const struct engine_job *job, struct job_info *info)
{
    *info = (struct job_info){.offset = job->offset, .len = job->offset, .ready = job->ready};
}

static void toy_digest(const struct engine_job *job, struct digest *digest)
{
    digest_u64(digest, job->offset);
}

static void toy_check(const struct engine_job *job)
{
    (void)job;
}

static const char *toy_phase_name(unsigned phase)
{
    (void)phase;
    return "toy";
}

static const struct engine toy_engine = {
    .name = "toy",
    .summary = "copies one chunk after the other",
    .start = toy_start,
    .command = toy_command,
    .query = toy_query,
    .digest = toy_digest,
    .check = toy_check,
    .phase_name = toy_phase_name,
};

/* ---- Runs ---- */

static void add_guest(struct stage *stage, enum op op, uint64_t offset)
{
    stage_step(stage, DO_GUEST)->guest =
        (struct guest_request){.op = op, .offset = offset, .bytes = 4 * KIB};
}

/*
 * A short last chunk, one failed write, guest writes before READY and just
 * before `complete`, and a guest that reads it all at the end.
 */
static const struct verdict *run(struct stage *stage, enum defect defect)
{
    struct plan *plan = stage->plan;
    struct fault_spec *fault;

    for (uint32_t i = 0; i < STAGE_DISKS; i++) {
        plan->disks[i].bytes = 8 * CHUNK + 4 * KIB;
    }
    plan->disks[DST].volatile_cache = true;
    plan->job.on_source_error = POLICY_IGNORE;
    plan->job.on_target_error = POLICY_IGNORE;
    plan->job.buffer_bytes = defect;
    plan->job.speed = INT64_C(1) << 20;
    plan->limits.time_ns = 10 * SECOND_NS;
    plan->limits.events = 100000;
    stage->options.engine = &toy_engine;
    fault = stage_fault(stage, FAULT_ERROR);
    fault->match = (struct request_match){.disks = 1 << DST, .ops = 1 << OP_WRITE};
    fault->nth = 5;
    fault->times = 1;
    fault->error = -EIO;
    stage_step(stage, DO_START);
    add_guest(stage, OP_WRITE, CHUNK);
    stage_wait_event(stage, EVENT_JOB_READY);
    add_guest(stage, OP_WRITE, 2 * CHUNK);
    stage_wait(stage, WAIT_GUEST_IDLE);
    add_guest(stage, OP_WRITE, 3 * CHUNK);
    stage_step(stage, DO_COMPLETE);
    stage_wait(stage, WAIT_CONCLUDED)->wait.within_ns = 5 * SECOND_NS;
    add_guest(stage, OP_READ, 2 * CHUNK);
    stage_open(stage);
    stage_run(stage);
    return world_judge(stage->world);
}

static bool says(const struct verdict *verdict, const char *oracle, const char *kind)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (verdict->findings[i].id == finding_find(oracle, kind)) {
            return true;
        }
    }
    return false;
}

static void test_oracles_are_silent_when_the_toy_is_right(void **state)
{
    const struct verdict *verdict = run(*state, DEFECT_NONE);

    if (verdict->finding_count > 0) {
        fail_msg("%s", verdict->findings[0].text);
    }
    assert_int_equal(verdict->outcome, OUTCOME_PASS);
    assert_true(verdict->checks > 20);
}

static const struct {
    enum defect defect;
    const char *oracle;
    const char *kind;
} defects[] = {
    {CLEANS_WITHOUT_COPY, "debt", "forgotten-sector"},
    {CLEANS_WITHOUT_COPY, "content", "stale-sector"},
    {FORGETS_FAILED_CHUNK, "debt", "forgotten-sector"},
    {FORGETS_FAILED_CHUNK, "content", "stale-sector"},
    {FORGETS_FAILED_CHUNK, "ledger", "swallowed"},
    {HIDES_ERROR, "job", "missing-error"},
    {HIDES_ERROR, "ledger", "unreported"},
    {SKIPS_FLUSH, "job", "ready-before-flush"},
    {SKIPS_FLUSH, "ready", "unflushed"},
    {SKIPS_FLUSH, "durable", "not-durable"},
    {READS_BEYOND_END, "bounds", "out-of-range"},
    {KEEPS_REFERENCE, "bounds", "left-over"},
    {KEEPS_BITMAP, "bounds", "left-over"},
    {PIVOTS_UNDRAINED, "job", "illegal-pivot"},
    {COMPLETES_DIRTY, "content", "stale-sector"},
    {COMPLETES_DIRTY, "guest", "wrong-data"},
    {NEVER_COMPLETES, "liveness", "livelock"},
    {IGNORES_SPEED, "limit", "too-fast"},
    {LIES_ABOUT_PROGRESS, "job", "progress"},
    {NEVER_CLEANS, "debt", "not-cleaned"},
    {MISNAMES_ERROR, "naming", "wrong-range"},
    {KEEPS_MEMORY, "bounds", "memory-left"},
};

static void test_oracles_find_each_defect_of_the_toy(void **state)
{
    for (size_t i = 0; i < COUNT_OF(defects); i++) {
        assert_int_equal(stage_set_up(state), 0);
        if (!says(run(*state, defects[i].defect), defects[i].oracle, defects[i].kind)) {
            fail_msg("defect %d: oracle %s does not say %s", (int)defects[i].defect,
                     defects[i].oracle, defects[i].kind);
        }
        stage_tear_down(state);
    }
}

/* An engine that copies for ever is found out in bounded time. */
static void test_oracles_end_the_run_when_there_are_more_findings_than_are_kept(void **state)
{
    struct stage *stage = *state;
    const struct verdict *verdict = run(stage, NEVER_CLEANS);

    assert_int_equal(world_ended(stage->world), END_FINDINGS);
    assert_int_equal(verdict->finding_count, VERDICT_MAX_PER_KIND);
    assert_int_equal(verdict->outcome, OUTCOME_FAIL);
}

static void test_oracles_have_names_and_say_what_they_prove(void **state)
{
    (void)state;
    for (size_t i = 0; oracles[i] != NULL; i++) {
        assert_true(strlen(finding_oracle_name(oracles[i]->id)) > 0);
        assert_int_equal(oracles[i]->proves[strlen(oracles[i]->proves) - 1], '.');
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(oracles[i]->id, oracles[j]->id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_oracles_are_silent_when_the_toy_is_right),
        cmocka_unit_test(test_oracles_find_each_defect_of_the_toy),
        STAGE_TEST(test_oracles_end_the_run_when_there_are_more_findings_than_are_kept),
        cmocka_unit_test(test_oracles_have_names_and_say_what_they_prove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
