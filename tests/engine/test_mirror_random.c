/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random lives of jobs: in whatever order requests finish and fail, the guest
 * writes and commands come, the invariant of section 10 holds after every step,
 * a job that waits can be woken, and success means equal disks.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/engine/stub_block.h"

#define LIVES 3000
#define STEPS 400
#define SECTORS (256 * KIB / SECTOR_BYTES)

struct life {
    struct host *host;
    uint64_t random;
    uint64_t granularity;
    uint64_t cluster;
    bool is_full;
    uint64_t last_offset;
};

/* splitmix64 */
static uint64_t below(struct life *life, uint64_t bound)
{
    uint64_t z = life->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

static bool one_in(struct life *life, uint64_t n)
{
    return below(life, n) == 0;
}

/* ---- Birth ---- */

/* Gives the source's holes and all of the target the content of the same base. */
static void lay_base(struct life *life)
{
    struct block_node *source = stub_source(life->host);
    struct block_node *target = stub_target(life->host);

    for (uint32_t i = 0; i < SECTORS; i++) {
        uint32_t base = life->is_full ? 0 : 2 * STUB_INITIAL + i;

        target->content[i] = base;
        if (source->content[i] == 0) {
            source->content[i] = base;
        }
    }
}

static struct job_spec conceive(struct life *life)
{
    struct job_spec spec;

    stub_node_add(life->host, "source", SECTORS * SECTOR_BYTES);
    stub_node_add(life->host, "target", SECTORS * SECTOR_BYTES);
    stub_node_add(life->host, "base", SECTORS * SECTOR_BYTES);
    spec = stub_spec(life->host);
    life->granularity = UINT64_C(512) << below(life, 8);
    life->is_full = one_in(life, 2);
    spec.granularity = (int64_t)life->granularity;
    spec.buffer_bytes = (int64_t)below(life, one_in(life, 2) ? 128 * KIB : 8 * life->granularity);
    spec.speed = one_in(life, 3) ? (int64_t)below(life, 4 * MIB) : 0;
    spec.on_source_error = (enum error_policy)below(life, 4);
    spec.on_target_error = (enum error_policy)below(life, 4);
    for (uint64_t i = below(life, 9); i > 0; i--) {
        uint64_t first = below(life, SECTORS);

        stub_allocate(stub_source(life->host), first * SECTOR_BYTES,
                      (1 + below(life, min_u64(SECTORS - first, 100))) * SECTOR_BYTES);
    }
    if (life->is_full) {
        stub_target(life->host)->zero_init = true;
    } else {
        life->cluster = life->granularity << below(life, 4);
        stub_target(life->host)->names_backing = true;
        stub_target(life->host)->cluster = life->cluster;
        stub_source(life->host)->backing = &life->host->nodes[2];
        spec.sync = SYNC_TOP;
    }
    stub_source(life->host)->slow_status = one_in(life, 4);
    stub_source(life->host)->bytes -= below(life, 200) * SECTOR_BYTES;
    lay_base(life);
    return spec;
}

/* ---- What must always hold (section 10) ---- */

static bool is_in_flight(const struct life *life, uint64_t chunk)
{
    for (uint32_t i = 0; i < life->host->request_count; i++) {
        const struct stub_request *request = &life->host->requests[i];
        uint64_t offset = chunk * life->granularity;

        if (request->op != OP_FLUSH &&
            range_overlaps(offset, life->granularity, request->offset, request->bytes)) {
            return true;
        }
    }
    return false;
}

/* Asserts that every chunk is equal, dirty, or in flight. */
static void check_debt(const struct life *life)
{
    struct block_node *source = stub_source(life->host);
    struct block_node *target = stub_target(life->host);
    uint64_t per_chunk = life->granularity / SECTOR_BYTES;
    uint64_t sectors = source->bytes / SECTOR_BYTES;

    for (uint64_t i = 0; i < sectors; i++) {
        if (source->content[i] != target->content[i] && !stub_is_dirty(life->host, i * 512) &&
            !is_in_flight(life, i / per_chunk)) {
            fail_msg("sector %u is lost", (unsigned)i);
        }
    }
}

static void check_progress(struct life *life)
{
    struct job_info info = stub_query(life->host);

    assert_true(info.offset >= life->last_offset);
    assert_true(info.offset <= info.len);
    life->last_offset = info.offset;
}

/* Asserts that something will wake a job that is neither parked nor ready. */
static void check_waits_for_something(const struct life *life)
{
    const struct host *host = life->host;
    enum job_status status = stub_query(host).status;

    if (status != JOB_STATUS_PAUSED && status != JOB_STATUS_STANDBY) {
        assert_true(host->request_count > 0 || host->timer != NULL || host->status_done != NULL ||
                    host->nodes[0].guest_in_flight > 0);
    }
}

static void check(struct life *life)
{
    struct host *host = life->host;

    if (host->job != NULL) {
        check_progress(life);
        check_waits_for_something(life);
        /* Before the first progress event the bitmap is still being populated. */
        if (host->nodes[0].bitmap_count > 0 && stub_event_count(host, EVENT_JOB_PROGRESS) > 0) {
            check_debt(life);
        }
    }
}

/* ---- Steps ---- */

static void guest_step(struct life *life)
{
    struct block_node *source = stub_source(life->host);
    uint64_t first = below(life, source->bytes / SECTOR_BYTES);

    if (source->guest_in_flight > 0) {
        stub_guest_end(life->host, first * SECTOR_BYTES,
                       below(life, min_u64(source->bytes / SECTOR_BYTES - first, 40) + 1) * 512);
    } else if (!source->drained) {
        stub_guest_begin(life->host);
    }
}

static void command_step(struct life *life)
{
    static const enum job_verb verbs[] = {
        VERB_PAUSE,    VERB_PAUSE,     VERB_RESUME,    VERB_RESUME,    VERB_RESUME, VERB_COMPLETE,
        VERB_COMPLETE, VERB_SET_SPEED, VERB_SET_SPEED, VERB_SET_SPEED, VERB_CANCEL};
    enum job_verb verb = verbs[below(life, COUNT_OF(verbs))];

    stub_command(life->host, verb, one_in(life, 2) ? 0 : (int64_t)below(life, 8 * MIB));
}

static void device_step(struct life *life, bool may_fail)
{
    struct host *host = life->host;
    uint64_t choice = below(life, 3);

    host->now_ns += one_in(life, 10) ? below(life, 60 * MS) : below(life, MS);
    if (choice == 0 && host->timer != NULL) {
        stub_fire_late(host, one_in(life, 3) ? below(life, 20 * MS) : 0);
    } else if (choice == 1 && host->status_done != NULL) {
        stub_answer(host);
    } else if (host->request_count > 0) {
        int error = one_in(life, 2) ? -ENOSPC : -EIO;
        bool fails = may_fail && one_in(life, 12);

        stub_finish_at(host, (uint32_t)below(life, host->request_count), fails ? error : 0);
    }
}

/* From here on everything succeeds, so the job must come to an end. */
static void grow_old(struct life *life)
{
    struct host *host = life->host;

    for (uint32_t i = 0; host->job != NULL; i++) {
        assert_true(i < 100000);
        if (host->nodes[0].guest_in_flight > 0) {
            guest_step(life);
        } else if (stub_query(host).paused && stub_query(host).status != JOB_STATUS_CONCLUDING) {
            stub_command(host, VERB_RESUME, 0);
        } else if (stub_query(host).status == JOB_STATUS_READY && !stub_query(host).cancelled) {
            stub_command(host, VERB_COMPLETE, 0);
            device_step(life, false);
        } else {
            device_step(life, false);
        }
        check(life);
    }
}

static void live(uint64_t seed)
{
    struct life life = {.host = stub_create(), .random = seed};
    struct job_spec spec = conceive(&life);
    uint32_t steps = (uint32_t)below(&life, STEPS);

    assert_int_equal(stub_start(life.host, &spec), 0);
    check(&life);
    for (uint32_t i = 0; i < steps && life.host->job != NULL; i++) {
        if (one_in(&life, 6)) {
            guest_step(&life);
        } else if (one_in(&life, 25)) {
            command_step(&life);
        } else {
            device_step(&life, true);
        }
        check(&life);
    }
    grow_old(&life);
    if (stub_event_count(life.host, EVENT_JOB_COMPLETED) == 1 && life.host->ret == 0) {
        stub_assert_equal(stub_source(life.host), stub_target(life.host));
    }
    stub_destroy(life.host);
}

static void test_mirror_random_lives_lose_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < LIVES; seed++) {
        live(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror_random_lives_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
