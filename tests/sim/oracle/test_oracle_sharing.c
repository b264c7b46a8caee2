/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "sharing": silent when other users are not disturbed; finds cleaned
 * bitmaps, unmarked writes, and other users that get access.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

/* Two other users' bitmaps on the source; the job's own is the next. */
enum { BACKUP, REPLICA, OTHERS, OWN = OTHERS };

static struct witness *called(void **state)
{
    struct witness *w = *state;
    struct disk_spec *source = &w->plan->disks[SRC];

    source->bitmap_count = OTHERS;
    source->bitmaps = arena_alloc(w->plan->arena, OTHERS * sizeof(source->bitmaps[0]));
    source->bitmaps[BACKUP].name = "backup";
    source->bitmaps[REPLICA].name = "replica";
    witness_call(w, &oracle_sharing);
    return w;
}

static void bitmap_event(struct witness *w, enum event_kind kind, enum by by, uint16_t index)
{
    see(w,
        (struct event){
            .kind = (uint8_t)kind, .by = (uint8_t)by, .node = SRC, .index = index, .bytes = CHUNK});
}

/* A guest request of the first chunk, marked in the bitmaps from `first` on. */
static void guest_request(struct witness *w, enum op op, uint16_t first)
{
    struct ticket ticket = submit(w, BY_GUEST, SRC, op, 0, CHUNK);

    for (uint16_t i = first; i <= OWN; i++) {
        bitmap_event(w, EVENT_DIRTY_SET, BY_GUEST, i);
    }
    done(w, ticket, 0);
}

static void use(struct witness *w, uint8_t node, int ret)
{
    see(w, (struct event){.kind = EVENT_GRAPH_USE, .node = node, .ret = ret});
}

static void test_sharing_is_silent_when_the_job_cleans_its_own_bitmap(void **state)
{
    struct witness *w = called(state);

    guest_request(w, OP_WRITE, BACKUP);
    bitmap_event(w, EVENT_DIRTY_CLEAR, BY_JOB, OWN);
    guest_request(w, OP_DISCARD, BACKUP);
    assert_silent(w);
    assert_int_equal(w->verdict.checks, 2);
}

static void test_sharing_finds_a_cleaned_bitmap_when_it_is_another_users(void **state)
{
    struct witness *w = called(state);

    bitmap_event(w, EVENT_DIRTY_CLEAR, BY_JOB, REPLICA);
    assert_found(w, "foreign-bitmap", "cleaned [0B, 64KiB) in dirty bitmap replica of src");
}

/* Marks by the job or by an earlier write do not count for this one. */
static void test_sharing_finds_a_write_that_a_bitmap_does_not_have(void **state)
{
    struct witness *w = called(state);

    guest_request(w, OP_WRITE, BACKUP);
    bitmap_event(w, EVENT_DIRTY_SET, BY_JOB, BACKUP);
    assert_silent(w);
    guest_request(w, OP_WRITE, REPLICA);
    assert_found(
        w, "write-not-marked",
        "Guest write #2 of [0B, 64KiB) is done, but not marked in dirty bitmap backup of src");
}

static void test_sharing_asks_for_no_mark_when_nothing_was_written(void **state)
{
    struct witness *w = called(state);

    guest_request(w, OP_READ, OWN + 1);
    guest_request(w, OP_FLUSH, OWN + 1);
    assert_silent(w);
}

static void test_sharing_finds_a_second_user_of_each_disk_while_the_job_lives(void **state)
{
    static const uint8_t disks[] = {SRC, DST};

    for (uint32_t i = 0; i < sizeof(disks); i++) {
        struct witness *w = called(state);

        say(w, EVENT_JOB_STARTED);
        use(w, disks[i], -EBUSY);
        use(w, THIRD, 0);
        assert_silent(w);
        use(w, disks[i], 0);
        assert_found(w, "unguarded",
                     disks[i] == SRC ? "got access to src at 0s" : "got access to dst at 0s");
        verdict_init(&w->verdict);
    }
}

static void test_sharing_lets_others_on_before_and_after_the_job(void **state)
{
    static const enum event_kind ends[] = {EVENT_JOB_COMPLETED, EVENT_JOB_CANCELLED};

    for (uint32_t i = 0; i < COUNT_OF(ends); i++) {
        struct witness *w = called(state);

        use(w, DST, 0);
        say(w, EVENT_JOB_STARTED);
        say(w, ends[i]);
        use(w, SRC, 0);
        use(w, DST, 0);
        assert_silent(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_sharing_is_silent_when_the_job_cleans_its_own_bitmap),
        WITNESS_TEST(test_sharing_finds_a_cleaned_bitmap_when_it_is_another_users),
        WITNESS_TEST(test_sharing_finds_a_write_that_a_bitmap_does_not_have),
        WITNESS_TEST(test_sharing_asks_for_no_mark_when_nothing_was_written),
        WITNESS_TEST(test_sharing_finds_a_second_user_of_each_disk_while_the_job_lives),
        WITNESS_TEST(test_sharing_lets_others_on_before_and_after_the_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
