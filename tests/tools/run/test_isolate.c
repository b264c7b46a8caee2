/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Isolation: each way in which a child can end is told from the others, and what it has noted and
 * sent before is there.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/units.h"
#include "tools/run/isolate.h"
#include "tools/run/pipe.h"

struct note {
    int number;
};

/* Starts the body, waits for its end, and says what it noted. */
static struct isolate_death end_of(isolate_body *body, void *opaque, struct note *note)
{
    struct isolate isolate;
    struct isolate_death death;

    isolate_open(&isolate, sizeof(*note));
    isolate_start(&isolate, body, opaque);
    death = isolate_end(&isolate);
    *note = *(struct note *)isolate.record;
    isolate_close(&isolate);
    return death;
}

/* ---- Bodies ---- */

static void end_well(void *opaque, void *record, int results)
{
    struct note *note = record;

    note->number = *(const int *)opaque;
    (void)results;
}

static void leave(void *opaque, void *record, int results)
{
    end_well(opaque, record, results);
    fputs("first words\nlast words.\n", stderr);
    _exit(7);
}

static void die_by(void *opaque, void *record, int results)
{
    end_well(opaque, record, results);
    signal(*(const int *)opaque, SIG_DFL); /* cmocka has a handler */
    raise(*(const int *)opaque);
}

static void spin(void *opaque, void *record, int results)
{
    const struct isolate_limits limits = {.cpu_ms = 50};

    end_well(opaque, record, results);
    isolate_watch(&limits);
    for (;;) {
    }
}

static void eat(void *opaque, void *record, int results)
{
    const struct isolate_limits limits = {.memory_bytes = UINT64_C(8) << 20};
    const size_t bytes = 1 << 20;

    end_well(opaque, record, results);
    isolate_watch(&limits);
    for (;;) {
        void *memory = malloc(bytes);

        memset(memory, 1, bytes);
        *(void *volatile *)memory = memory;
    }
}

static void emit_too_much(void *opaque, void *record, int results)
{
    end_well(opaque, record, results);
    isolate_step_limit(99);
}

/* ---- Deaths ---- */

static bool is_limit(enum isolate_cause cause)
{
    return cause == CAUSE_CPU || cause == CAUSE_MEMORY || cause == CAUSE_EVENTS;
}

static void test_isolate_tells_the_causes_of_a_death_apart(void **state)
{
    static const struct {
        isolate_body *body;
        int given;
        enum isolate_cause cause;
        enum finding_id finding;
        const char *says;
    } cases[] = {
        {leave, 1, CAUSE_EXIT, FINDING_CRASH_CRASH,
         "The run's process ended with status 7: last words."},
        {die_by, SIGSEGV, CAUSE_SIGNAL, FINDING_CRASH_CRASH, "The run died of SIGSEGV."},
        {die_by, ENGINE_SIGNAL_UNSUPPORTED, CAUSE_UNSUPPORTED, FINDING_HARNESS_UNSUPPORTED,
         "The engine asked for what its environment has not got: ."},
        {spin, 2, CAUSE_CPU, FINDING_CRASH_HANG,
         "The run used 0.05 s of processor time without coming to an end."},
        {eat, 3, CAUSE_MEMORY, FINDING_CRASH_MEMORY,
         "The run needs more than 8 MiB of memory, its limit."},
        {emit_too_much, 4, CAUSE_EVENTS, FINDING_CRASH_HANG,
         "The run emitted 99 events within one event of the timeline, its limit (limits: "
         "events-at-once)."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int given = cases[i].given;
        struct note note;
        struct isolate_death death = end_of(cases[i].body, &given, &note);
        char text[400];

        assert_int_equal(death.cause, cases[i].cause);
        assert_int_equal(isolate_finding(&death), cases[i].finding);
        assert_int_equal(note.number, given);
        isolate_describe(&death, text, sizeof(text));
        assert_string_equal(text, cases[i].says);
        /* cmocka has handlers of its own for signals. */
        assert_int_equal(*death.stack != '\0', is_limit(cases[i].cause));
        free(death.words);
    }
}

static void test_isolate_ends_with_status_0_when_the_body_returns(void **state)
{
    int given = 5;
    struct note note;
    struct isolate_death death = end_of(end_well, &given, &note);

    (void)state;
    assert_int_equal(death.cause, CAUSE_EXIT);
    assert_int_equal(death.number, 0);
    assert_int_equal(note.number, 5);
    assert_string_equal(death.words, "");
    assert_true(death.peak_bytes > 0);
    free(death.words);
}

/* ---- Limits counted anew ---- */

/* Each piece of work is within the limit, all together are not. */
static void spin_in_pieces(void *opaque, void *record, int results)
{
    const struct isolate_limits limits = {.cpu_ms = 200};

    end_well(opaque, record, results);
    for (int i = 0; i < 4; i++) {
        clock_t begin = clock();

        isolate_watch(&limits);
        while (clock() - begin < CLOCKS_PER_SEC / 10) {
        }
    }
}

static void test_isolate_counts_limits_anew_when_they_are_set(void **state)
{
    int given = 0;
    struct note note;
    struct isolate_death death = end_of(spin_in_pieces, &given, &note);

    (void)state;
    assert_int_equal(death.cause, CAUSE_EXIT);
    assert_int_equal(death.number, 0);
    free(death.words);
}

/* ---- Last words ---- */

static int last_words_to;

static void say_last_words(void)
{
    pipe_send(last_words_to, "bye", 3);
}

static void spin_with_last_words(void *opaque, void *record, int results)
{
    last_words_to = results;
    isolate_at_death(say_last_words);
    spin(opaque, record, results);
}

static void abort_with_last_words(void *opaque, void *record, int results)
{
    end_well(opaque, record, results);
    last_words_to = results;
    isolate_at_death(say_last_words);
    abort();
}

static void test_isolate_lets_the_child_say_last_words_when_it_dies(void **state)
{
    static isolate_body *const bodies[] = {spin_with_last_words, abort_with_last_words};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        int given = 0;
        size_t bytes = 0;
        struct isolate isolate;
        char *words;

        isolate_open(&isolate, sizeof(struct note));
        isolate_start(&isolate, bodies[i], &given);
        words = pipe_receive(isolate.results, 10, &bytes);
        assert_non_null(words);
        assert_string_equal(words, "bye");
        assert_null(pipe_receive(isolate.results, 10, &bytes));
        free(words);
        free(isolate_end(&isolate).words);
        isolate_close(&isolate);
    }
}

/* ---- Records ---- */

static void test_pipe_receives_records_as_they_were_sent(void **state)
{
    int ends[2];
    size_t bytes = 1;
    char *record;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(pipe_send(ends[1], NULL, 0));
    assert_true(pipe_send(ends[1], "one", 3));
    close(ends[1]);
    record = pipe_receive(ends[0], 3, &bytes);
    assert_non_null(record);
    assert_int_equal(bytes, 0);
    free(record);
    record = pipe_receive(ends[0], 3, &bytes);
    assert_non_null(record);
    assert_int_equal(bytes, 3);
    assert_string_equal(record, "one");
    free(record);
    assert_null(pipe_receive(ends[0], 3, &bytes));
    close(ends[0]);
}

static void test_pipe_receives_nothing_when_a_record_is_too_long_or_cut_off(void **state)
{
    const size_t length = 4;
    int ends[2];
    size_t bytes;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(pipe_send(ends[1], "long", 4));
    assert_null(pipe_receive(ends[0], 3, &bytes));
    assert_int_equal(read(ends[0], (char[4]){0}, 4), 4);
    assert_int_equal(write(ends[1], &length, sizeof(length)), sizeof(length));
    assert_int_equal(write(ends[1], "cut", 3), 3);
    close(ends[1]);
    assert_null(pipe_receive(ends[0], 4, &bytes));
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolate_tells_the_causes_of_a_death_apart),
        cmocka_unit_test(test_isolate_ends_with_status_0_when_the_body_returns),
        cmocka_unit_test(test_isolate_counts_limits_anew_when_they_are_set),
        cmocka_unit_test(test_isolate_lets_the_child_say_last_words_when_it_dies),
        cmocka_unit_test(test_pipe_receives_records_as_they_were_sent),
        cmocka_unit_test(test_pipe_receives_nothing_when_a_record_is_too_long_or_cut_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
