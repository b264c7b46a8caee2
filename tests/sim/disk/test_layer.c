/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block layer by itself: its hook, its snapshot, and that its checks can
 * fail.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/units.h"
#include "tests/support/disks.h"

#define CHUNK (64 * KIB)

/* The hook sees each event at its instant, before the function that causes it returns. */
static void test_layer_emits_from_inside_what_causes_the_event(void **state)
{
    struct disks *disks = *state;

    disks_open(disks);
    assert_int_equal(disks->trace.count, 0);
    disks_guest(disks, OP_WRITE, 0, CHUNK);
    assert_int_equal(disks->trace.count, 1);
    assert_int_equal(disks->trace.events[0].kind, EVENT_REQUEST_SUBMIT);
    disks_run(disks);
    assert_int_equal(disks_event(disks, EVENT_REQUEST_DONE, 0)->now_ns, WRITE_NS);
}

/* During the effect of a read, and only then, evidence shows what was read. */
struct seen {
    uint64_t tag;
    uint32_t effects;
};

static struct seen seen;

static void look_at_read(struct block_layer *layer, struct event *event)
{
    if (event->kind == EVENT_REQUEST_EFFECT) {
        seen.effects++;
        seen.tag = layer->evidence->read_runs[0].tag;
    } else {
        assert_null(layer->evidence->read_runs);
    }
    disks_note(layer, event);
}

static void test_layer_shows_what_a_read_sees_during_its_effect(void **state)
{
    struct disks *disks = *state;

    seen = (struct seen){0};
    disks_open(disks)->emit = look_at_read;
    disks_guest(disks, OP_READ, CHUNK, CHUNK);
    disks_run(disks);
    assert_int_equal(seen.effects, 1);
    assert_int_equal(seen.tag, tag_fill(SRC, CHUNK / 512));
    assert_null(disks->ground->evidence.read_runs);
}

/*
 * Everything that changes is in the arena: when that is copied back, the disks
 * continue as before.
 */
static void test_layer_goes_on_the_same_when_its_arena_is_restored(void **state)
{
    struct disks *disks = *state;
    uint64_t count;
    uint64_t hash;
    uint64_t end;
    size_t bytes;
    void *copy;

    disks->plan->disks[SRC].lanes = 1;
    disks->plan->disks[SRC].volatile_cache = true;
    disks_open(disks);
    for (uint64_t i = 0; i < 4; i++) {
        disks_guest(disks, i == 2 ? OP_FLUSH : OP_WRITE, i == 2 ? 0 : i * CHUNK,
                    i == 2 ? 0 : CHUNK);
    }
    disks_step(disks);
    bytes = arena_used_bytes(disks->arena);
    copy = malloc(bytes);
    assert_non_null(copy);
    arena_save(disks->arena, copy);
    count = disks->trace.count;
    hash = disks->trace.hash;
    disks_run(disks);
    end = disks->trace.hash;
    arena_load(disks->arena, copy, bytes);
    trace_rewind(&disks->trace, count, hash);
    layer_check(disks->layer);
    assert_int_equal(disks->layer->guest_requests, 3);
    disks_run(disks);
    assert_int_equal(disks->trace.hash, end);
    assert_true(layer_guest_idle(disks->layer));
    free(copy);
}

/* ---- That a check can fail ---- */

/* Runs the check in its own process; true if that dies of a failed assertion. */
static bool check_dies(const struct block_layer *layer)
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        fclose(stderr);
        layer_check(layer);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void break_in_flight(struct block_layer *layer)
{
    layer->nodes[SRC].in_flight++;
}

static void break_guest_requests(struct block_layer *layer)
{
    layer->guest_requests++;
}

static void break_served(struct block_layer *layer)
{
    layer->nodes[SRC].served--;
}

static void break_state(struct block_layer *layer)
{
    TAILQ_FIRST(&layer->requests)->state = REQUEST_HELD;
}

static void break_link(struct block_layer *layer)
{
    layer->nodes[DST].disk.backing_open = true;
}

static void break_length(struct block_layer *layer)
{
    layer->nodes[SRC].disk.bytes = CHUNK;
}

static void break_drain(struct block_layer *layer)
{
    layer->nodes[SRC].drained = true;
    layer->nodes[SRC].idles = true;
}

static void break_scratch(struct block_layer *layer)
{
    layer->scratch.count = layer->scratch.capacity + 1;
}

static void break_guest_node(struct block_layer *layer)
{
    layer->guest_node = DISKS;
}

static void break_fault(struct block_layer *layer)
{
    layer->faults[0].most_hits = 0;
}

static void break_writers(struct block_layer *layer)
{
    layer->writers.list[0].request = layer->writers.list[1].request;
}

/* The layer is correct except for one thing. */
static void test_layer_check_dies_when_one_thing_is_wrong(void **state)
{
    static void (*const breaks[])(struct block_layer * layer) = {
        break_in_flight,  break_guest_requests, break_served,  break_state,
        break_link,       break_length,         break_drain,   break_scratch,
        break_guest_node, break_fault,          break_writers,
    };
    struct disks *disks = *state;

    disks_fault(disks, FAULT_DELAY);
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        disks_open(disks);
        disks_guest(disks, OP_WRITE, 0, CHUNK);
        disks_guest(disks, OP_WRITE, CHUNK, CHUNK);
        assert_false(check_dies(disks->layer));
        breaks[i](disks->layer);
        assert_true(check_dies(disks->layer));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISKS_TEST(test_layer_emits_from_inside_what_causes_the_event),
        DISKS_TEST(test_layer_shows_what_a_read_sees_during_its_effect),
        DISKS_TEST(test_layer_goes_on_the_same_when_its_arena_is_restored),
        DISKS_TEST(test_layer_check_dies_when_one_thing_is_wrong),
    };

    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
