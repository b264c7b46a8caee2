/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections: counts, the order of telling, the stack of those who wait, the guest's queue.
 */
#include "sim/disk/section.h"

#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* What users and waits say, one letter each, in order. */
struct diary {
    char text[64];
    size_t length;
};

static void note(struct diary *diary, char letter)
{
    assert_true(diary->length + 1 < sizeof(diary->text));
    diary->text[diary->length++] = letter;
}

static void assert_diary(struct diary *diary, const char *text)
{
    assert_string_equal(diary->text, text);
    *diary = (struct diary){0};
}

/* A job as a user: notes its letter when a section begins, and in capitals when it ends. */
struct user {
    struct diary *diary;
    char letter;
    bool busy;
};

static void user_begun(void *opaque)
{
    struct user *user = opaque;

    note(user->diary, user->letter);
}

static bool user_busy(void *opaque)
{
    return ((struct user *)opaque)->busy;
}

static void user_ended(void *opaque)
{
    struct user *user = opaque;

    note(user->diary, (char)(user->letter - 'a' + 'A'));
}

static const struct edge_user job_user = {user_begun, user_busy, user_ended};

/* Who waits: notes its letter when it is quiet. */
struct waiter {
    struct diary *diary;
    char letter;
};

static void now_quiet(void *opaque)
{
    struct waiter *waiter = opaque;

    note(waiter->diary, waiter->letter);
}

static struct block_layer *open_modern(struct disks *disks)
{
    disks->plan->generation = GENERATION_MODERN;
    return disks_open(disks);
}

/* ---- Counts and telling ---- */

static void test_section_tells_each_edge_once_newest_first(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct block_node *node = &layer->nodes[SRC];
    struct diary diary = {0};
    struct user users[] = {{&diary, 'a', false}, {&diary, 'b', false}};
    struct waiter waiter = {&diary, '!'};
    struct block_edge *edges[2];

    for (int i = 0; i < 2; i++) {
        edges[i] = block_edge_attach(node, &job_user, &users[i]);
    }
    block_section_begin(node, now_quiet, &waiter);
    assert_diary(&diary, "ba!");
    block_section_begin(node, now_quiet, &waiter);
    assert_diary(&diary, "!");
    assert_int_equal(block_sections(node), 2);
    block_section_end(node);
    assert_diary(&diary, "");
    block_section_end(node);
    assert_diary(&diary, "BA");
    assert_int_equal(block_sections(node), 0);
    for (int i = 0; i < 2; i++) {
        block_edge_detach(edges[i]);
    }
    layer_check(layer);
}

/* SRC over THIRD, and a job that uses both. */
static struct block_layer *open_overlay(struct disks *disks, struct user users[2])
{
    struct block_layer *layer;

    disks->plan->disks[SRC].backing = THIRD;
    disks->plan->disks[SRC].backing_open = true;
    layer = open_modern(disks);
    block_edge_attach(&layer->nodes[SRC], &job_user, &users[0]);
    block_edge_attach(&layer->nodes[THIRD], &job_user, &users[1]);
    return layer;
}

/* A job that uses the overlay, too, is told by both of its edges. */
static void test_section_goes_up_to_the_nodes_above(void **state)
{
    struct disks *disks = *state;
    struct diary diary = {0};
    struct user users[] = {{&diary, 'a', false}, {&diary, 'b', false}};
    struct waiter waiter = {&diary, '!'};
    struct block_layer *layer = open_overlay(disks, users);

    block_section_begin(&layer->nodes[THIRD], now_quiet, &waiter);
    assert_diary(&diary, "ba!");
    assert_int_equal(block_sections(&layer->nodes[SRC]), 1);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_QUEUED), 1);
    block_section_begin(&layer->nodes[SRC], now_quiet, &waiter);
    block_section_end(&layer->nodes[THIRD]);
    assert_diary(&diary, "!B");
    block_section_end(&layer->nodes[SRC]);
    assert_diary(&diary, "A");
    assert_int_equal(disks_count(disks, EVENT_ARRIVE), 1);
    disks_run(disks);
}

static void test_section_is_told_to_who_comes_and_goes_in_it(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct user user = {&diary, 'a', false};
    struct waiter waiter = {&diary, '!'};
    struct block_edge *edge;

    block_section_begin(&layer->nodes[DST], now_quiet, &waiter);
    edge = block_edge_attach(&layer->nodes[DST], &job_user, &user);
    assert_diary(&diary, "!a");
    block_edge_detach(edge);
    assert_diary(&diary, "A");
    edge = block_edge_attach(&layer->nodes[SRC], &job_user, &user);
    assert_diary(&diary, "");
    block_edge_detach(edge);
    block_section_end(&layer->nodes[DST]);
    assert_diary(&diary, "");
}

static void test_section_over_all_nodes_is_one_over_each(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct host *host = layer_host(layer);
    struct diary diary = {0};
    struct user users[] = {{&diary, 'a', false}, {&diary, 'b', false}};
    struct waiter waiter = {&diary, '!'};

    block_edge_attach(&layer->nodes[SRC], &job_user, &users[0]);
    block_edge_attach(&layer->nodes[DST], &job_user, &users[1]);
    block_section_begin_all(host, now_quiet, &waiter);
    assert_diary(&diary, "ab!");
    assert_int_equal(block_sections(&layer->nodes[THIRD]), 1);
    block_section_begin(&layer->nodes[DST], now_quiet, &waiter);
    block_section_end_all(host);
    assert_diary(&diary, "!A");
    block_section_end(&layer->nodes[DST]);
    assert_diary(&diary, "B");
}

/* ---- Waiting ---- */

static void test_section_waits_for_requests_and_busy_users(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct user user = {&diary, 'a', true};
    struct waiter waiter = {&diary, '!'};

    block_edge_attach(&layer->nodes[SRC], &job_user, &user);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    block_section_begin(&layer->nodes[SRC], now_quiet, &waiter);
    assert_diary(&diary, "a");
    disks_run(disks);
    assert_diary(&diary, "");
    user.busy = false;
    sections_settle(layer);
    assert_diary(&diary, "!");
    assert_int_equal(disks_event(disks, EVENT_SECTION, 1)->detail, SECTION_QUIET);
    block_section_end(&layer->nodes[SRC]);
}

/* The node of the elder is quiet first; it has to wait for the younger all the same. */
static void test_section_waits_are_a_stack(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct user source = {&diary, 's', true};
    struct user target = {&diary, 't', true};
    struct waiter elder = {&diary, '1'};
    struct waiter younger = {&diary, '2'};

    block_edge_attach(&layer->nodes[SRC], &job_user, &source);
    block_edge_attach(&layer->nodes[DST], &job_user, &target);
    block_section_begin(&layer->nodes[SRC], now_quiet, &elder);
    block_section_begin(&layer->nodes[DST], now_quiet, &younger);
    assert_diary(&diary, "st");
    source.busy = false;
    sections_settle(layer);
    assert_diary(&diary, "");
    target.busy = false;
    sections_settle(layer);
    assert_diary(&diary, "21");
}

/* Begun inside a `quiet`: looked at at once, and the elder ones only when the event is over. */
struct nested {
    struct diary *diary;
    struct block_node *node;
    struct waiter *inner;
};

static void begin_inner(void *opaque)
{
    struct nested *nested = opaque;

    note(nested->diary, 'o');
    block_section_begin(nested->node, now_quiet, nested->inner);
    note(nested->diary, 'e');
}

static void test_section_begun_in_another_one_s_quiet_is_looked_at_at_once(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct user busy = {&diary, 'b', true};
    struct waiter eldest = {&diary, '1'};
    struct waiter inner = {&diary, '3'};
    struct nested nested = {&diary, &layer->nodes[THIRD], &inner};

    block_edge_attach(&layer->nodes[SRC], &job_user, &busy);
    block_section_begin(&layer->nodes[SRC], now_quiet, &eldest);
    busy.busy = false;
    block_section_begin(&layer->nodes[DST], begin_inner, &nested);
    assert_diary(&diary, "bo3e");
    sections_settle(layer);
    assert_diary(&diary, "1");
}

/* ---- The guest's queue ---- */

/* M9: a request that is let go makes the node busy for those behind it. */
static void test_section_lets_the_queue_arrive_in_order_all_in_flight(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct waiter waiter = {&diary, '!'};

    block_section_begin(&layer->nodes[SRC], now_quiet, &waiter);
    for (uint64_t i = 0; i < 3; i++) {
        disks_guest(disks, OP_WRITE, i * CHUNK, CHUNK);
    }
    assert_int_equal(layer->guest_in_flight, 0);
    layer_check(layer);
    block_section_end(&layer->nodes[SRC]);
    assert_int_equal(layer->guest_in_flight, 3);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(disks_event(disks, EVENT_ARRIVE, i)->offset, i * CHUNK);
        assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, i)->request, i + 1);
    }
    disks_run(disks);
    assert_int_equal(disks_count(disks, EVENT_ANSWERED), 3);
    assert_true(layer_guest_idle(layer));
}

/* What has queued goes to the disk that the guest uses by then. */
static void test_section_moves_the_guest_and_its_queue(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct waiter waiter = {&diary, '!'};

    block_section_begin(&layer->nodes[SRC], now_quiet, &waiter);
    block_section_begin(&layer->nodes[DST], now_quiet, &waiter);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(block_move_users(&layer->nodes[SRC], &layer->nodes[DST]), 0);
    assert_int_equal(disks_event(disks, EVENT_GUEST_MOVED, 0)->node, DST);
    assert_int_equal(disks_event(disks, EVENT_GRAPH_PIVOT, 0)->node, DST);
    block_section_end(&layer->nodes[SRC]);
    assert_int_equal(disks_count(disks, EVENT_ARRIVE), 0);
    block_section_end(&layer->nodes[DST]);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_SUBMIT, 0)->node, DST);
    disks_run(disks);
}

/* A wait outlives its section, if somebody ends that first. */
static void test_section_that_is_ended_early_is_still_waited_for(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct diary diary = {0};
    struct waiter waiter = {&diary, '!'};

    disks_guest(disks, OP_WRITE, 0, CHUNK);
    block_section_begin(&layer->nodes[SRC], now_quiet, &waiter);
    block_section_end(&layer->nodes[SRC]);
    assert_diary(&diary, "");
    disks_run(disks);
    assert_diary(&diary, "!");
}

/* ---- Sections of the job's own ---- */

static void test_own_section_queues_the_guest_and_leaves_the_job_alone(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct block_node *node = &layer->nodes[SRC];
    struct diary diary = {0};
    struct user user = {&diary, 'a', true};
    struct waiter waiter = {&diary, '!'};

    block_edge_attach(node, &job_user, &user);
    block_section_begin_own(node, now_quiet, &waiter);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(disks_count(disks, EVENT_REQUEST_QUEUED), 1);
    assert_int_equal(block_sections(node), 1);
    assert_diary(&diary, "");
    user.busy = false;
    sections_settle(layer);
    assert_diary(&diary, "!");
    layer_check(layer);
    block_section_end_own(node);
    assert_diary(&diary, "");
    assert_int_equal(disks_count(disks, EVENT_ARRIVE), 1);
    disks_run(disks);
}

static void test_own_section_hides_no_other_one_in_whatever_order_they_end(void **state)
{
    struct disks *disks = *state;
    struct block_layer *layer = open_modern(disks);
    struct block_node *node = &layer->nodes[SRC];
    struct diary diary = {0};
    struct user user = {&diary, 'a', false};
    struct waiter waiter = {&diary, '!'};

    block_edge_attach(node, &job_user, &user);
    block_section_begin_own(node, now_quiet, &waiter);
    block_section_begin(node, now_quiet, &waiter);
    assert_diary(&diary, "!a!");
    block_section_end(node);
    assert_diary(&diary, "A");
    block_section_begin(node, now_quiet, &waiter);
    block_section_end_own(node);
    assert_diary(&diary, "a!");
    layer_check(layer);
    block_section_end(node);
    assert_diary(&diary, "A");
}

/* The node above is in the job's own section for as long as all below it are of that kind. */
static void test_own_section_is_one_over_the_nodes_above(void **state)
{
    struct disks *disks = *state;
    struct diary diary = {0};
    struct user users[] = {{&diary, 'a', false}, {&diary, 'b', false}};
    struct waiter waiter = {&diary, '!'};
    struct block_layer *layer = open_overlay(disks, users);

    block_section_begin_own(&layer->nodes[THIRD], now_quiet, &waiter);
    assert_diary(&diary, "!");
    assert_int_equal(block_sections(&layer->nodes[SRC]), 1);
    block_section_begin(&layer->nodes[THIRD], now_quiet, &waiter);
    assert_diary(&diary, "ba!");
    assert_int_equal(block_sections(&layer->nodes[SRC]), 1);
    layer_check(layer);
    block_section_end(&layer->nodes[THIRD]);
    assert_diary(&diary, "BA");
    layer_check(layer);
    block_section_end_own(&layer->nodes[THIRD]);
    assert_int_equal(block_sections(&layer->nodes[SRC]), 0);
    assert_diary(&diary, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_section_tells_each_edge_once_newest_first),
        DISKS_TEST(test_section_goes_up_to_the_nodes_above),
        DISKS_TEST(test_section_is_told_to_who_comes_and_goes_in_it),
        DISKS_TEST(test_section_over_all_nodes_is_one_over_each),
        DISKS_TEST(test_section_waits_for_requests_and_busy_users),
        DISKS_TEST(test_section_waits_are_a_stack),
        DISKS_TEST(test_section_begun_in_another_one_s_quiet_is_looked_at_at_once),
        DISKS_TEST(test_section_lets_the_queue_arrive_in_order_all_in_flight),
        DISKS_TEST(test_section_moves_the_guest_and_its_queue),
        DISKS_TEST(test_section_that_is_ended_early_is_still_waited_for),
        DISKS_TEST(test_own_section_queues_the_guest_and_leaves_the_job_alone),
        DISKS_TEST(test_own_section_hides_no_other_one_in_whatever_order_they_end),
        DISKS_TEST(test_own_section_is_one_over_the_nodes_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
