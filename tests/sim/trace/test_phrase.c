/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phrases: what findings say of places, tags, events and matches.
 */
#include "engine/units.h"
#include "sim/trace/phrase.h"
#include "tests/support/witness.h"

#define KIND(kind) (UINT64_C(1) << EVENT_##kind)

static void test_phrase_places_say_sector_and_size(void **state)
{
    (void)state;
    assert_string_equal(phrase_sector(1284).text, "sector 1284 (642KiB)");
    assert_string_equal(phrase_range(CHUNK, 512).text, "[64KiB, 66048B)");
}

static void test_phrase_result_names_errors(void **state)
{
    (void)state;
    assert_string_equal(phrase_result(0).text, "success");
    assert_string_equal(phrase_result(-EIO).text, "EIO");
    assert_string_equal(phrase_result(-4000).text, "errno 4000");
}

/* A cancelled job has not ended with success, whatever its result. */
static void test_phrase_end_says_how_a_job_ended(void **state)
{
    static const struct {
        enum event_kind kind;
        int ret;
        const char *says;
    } ends[] = {
        {EVENT_JOB_COMPLETED, 0, "ended with success"},
        {EVENT_JOB_COMPLETED, -EIO, "ended with EIO"},
        {EVENT_JOB_CANCELLED, 0, "was cancelled"},
        {EVENT_JOB_CANCELLED, -ECANCELED, "was cancelled"},
        {EVENT_JOB_CANCELLED, -ENOSPC, "was cancelled, with ENOSPC"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        const struct event end = {.kind = (uint8_t)ends[i].kind, .ret = ends[i].ret};

        assert_string_equal(phrase_end(&end).text, ends[i].says);
    }
}

static void test_phrase_job_says_where_it_stands_or_how_it_ended(void **state)
{
    struct witness *w = *state;
    struct job_info info = {
        .status = JOB_STATUS_READY, .ready = true, .offset = CHUNK, .len = 2 * CHUNK};

    assert_string_equal(phrase_job(&w->evidence, NULL, false).text, "there has been no job");
    assert_string_equal(phrase_job(&w->evidence, &info, true).text,
                        "the job is ready, having done 64KiB of 128KiB");
    trace_append(&w->trace, &(struct event){.kind = EVENT_JOB_ERROR,
                                            .now_ns = 3 * MS,
                                            .node = DST,
                                            .op = OP_WRITE,
                                            .ret = -EIO,
                                            .detail = ACTION_IGNORE});
    info.cancelled = true;
    assert_string_equal(phrase_job(&w->evidence, &info, true).text,
                        "the job is ready and cancelled, having done 64KiB of 128KiB; its last "
                        "error was EIO (write of dst, ignore) at 3ms");
    trace_append(&w->trace, &(struct event){.kind = EVENT_JOB_COMPLETED,
                                            .now_ns = 4 * MS,
                                            .offset = CHUNK,
                                            .bytes = CHUNK,
                                            .ret = -EIO});
    assert_string_equal(phrase_job(&w->evidence, &info, false).text,
                        "the job ended with EIO at 4ms, having done 64KiB of 64KiB; its last "
                        "error was EIO (write of dst, ignore) at 3ms");
}

static void test_phrase_tag_says_who_wrote_it(void **state)
{
    struct witness *w = *state;
    struct evidence *evidence = &w->evidence;

    assert_string_equal(phrase_tag(evidence, TAG_ZERO, 0).text, "zeroes");
    assert_string_equal(phrase_tag(evidence, tag_fill(DST, 7), 7).text, "the initial fill of dst");
    assert_string_equal(phrase_tag(evidence, tag_fill(DST, 7), 8).text,
                        "the initial fill of sector 7 of dst");
    assert_string_equal(phrase_content(evidence, SRC, 3).text, "the initial fill of src");
    assert_string_equal(phrase_content(evidence, DST, 3).text, "zeroes");
    assert_string_equal(phrase_tag(evidence, tag_guest(17, 3), 0).text, "guest write #17");
}

static void test_phrase_tag_names_the_write_when_the_scenario_does(void **state)
{
    struct witness *w = *state;
    struct action steps[] = {{.kind = DO_START},
                             {.kind = DO_GUEST, .guest = {.op = OP_WRITE, .tag = "newer"}}};
    struct event submitted = {.kind = EVENT_REQUEST_SUBMIT, .request = 17, .index = 2};

    w->plan->steps = steps;
    w->plan->step_count = 2;
    trace_append(&w->trace, &submitted);
    assert_string_equal(phrase_tag(&w->evidence, tag_guest(17, 3), 0).text,
                        "guest write #17 (tag newer)");
    assert_string_equal(phrase_name_of_tag(&w->evidence, tag_guest(17, 3)), "newer");
    assert_null(phrase_name_of_tag(&w->evidence, tag_guest(18, 3)));
    w->evidence.trace = NULL;
    assert_null(phrase_name_of_tag(&w->evidence, tag_guest(17, 3)));
}

static const struct {
    struct event event;
    const char *text;
} events[] = {
    {{.kind = EVENT_JOB_READY}, "ready"},
    {{.kind = EVENT_JOB_ERROR, .op = OP_WRITE, .node = DST, .ret = -EIO, .detail = ACTION_STOP},
     "error (write, dst, stop, EIO)"},
    {{.kind = EVENT_JOB_COMPLETED, .ret = -ENOSPC}, "completed (ENOSPC)"},
    {{.kind = EVENT_COMMAND, .detail = VERB_SET_SPEED}, "command (set-speed)"},
    {{.kind = EVENT_MARK, .index = 0}, "mark (near)"},
    {{.kind = EVENT_FAULT, .index = 0, .op = OP_READ, .node = SRC}, "fault (bad, read, src)"},
};

static const struct {
    struct event_match match;
    const char *text;
} matches[] = {
    {{.action = MATCH_ANY, .verb = MATCH_ANY, .refusal = MATCH_ANY, .index = MATCH_ANY},
     "any event"},
    {{.kinds = KIND(JOB_READY),
      .action = MATCH_ANY,
      .verb = MATCH_ANY,
      .refusal = MATCH_ANY,
      .index = MATCH_ANY},
     "ready"},
    {{.kinds = KIND(JOB_ERROR),
      .request = {.ops = 1 << OP_WRITE, .disks = 1 << DST},
      .action = ACTION_STOP,
      .verb = MATCH_ANY,
      .refusal = MATCH_ANY,
      .index = MATCH_ANY,
      .has_ret = true,
      .ret = -EIO},
     "error (write, dst, stop, EIO)"},
    {{.kinds = KIND(JOB_COMPLETED) | KIND(JOB_CANCELLED),
      .action = MATCH_ANY,
      .verb = MATCH_ANY,
      .refusal = MATCH_ANY,
      .index = MATCH_ANY,
      .has_ret = true},
     "completed|cancelled (success)"},
    {{.kinds = KIND(COMMAND_REFUSED),
      .action = MATCH_ANY,
      .verb = VERB_COMPLETE,
      .refusal = REFUSED_NOT_READY,
      .index = MATCH_ANY},
     "refused (complete, not-ready)"},
    {{.kinds = KIND(MARK),
      .action = MATCH_ANY,
      .verb = MATCH_ANY,
      .refusal = MATCH_ANY,
      .index = 0},
     "mark (near)"},
    {{.kinds = KIND(REQUEST_DONE),
      .request = {.by = BY_GUEST, .has_range = true, .offset = CHUNK, .bytes = CHUNK},
      .action = MATCH_ANY,
      .verb = MATCH_ANY,
      .refusal = MATCH_ANY,
      .index = MATCH_ANY},
     "done (guest, [64KiB, 128KiB))"},
};

static void test_phrase_event_and_match_say_what_narrows_them(void **state)
{
    struct fault_spec fault = {.name = "bad"};
    const char *mark = "near";
    struct witness *w = *state;

    w->plan->faults = &fault;
    w->plan->fault_count = 1;
    w->plan->marks = &mark;
    w->plan->mark_count = 1;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        assert_string_equal(phrase_event(&w->evidence, &events[i].event).text, events[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(matches); i++) {
        assert_string_equal(phrase_match(&w->evidence, &matches[i].match).text, matches[i].text);
    }
}

/* The text of a match with all conditions at once is cut and does not overrun. */
static void test_phrase_match_is_cut_when_it_is_too_long(void **state)
{
    struct witness *w = *state;
    struct event_match match = event_match_kind(EVENT_JOB_READY);

    match.kinds = (UINT64_C(1) << EVENT_KIND_COUNT) - 1;
    assert_int_equal(strlen(phrase_match(&w->evidence, &match).text), sizeof(struct phrase) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phrase_places_say_sector_and_size),
        cmocka_unit_test(test_phrase_result_names_errors),
        cmocka_unit_test(test_phrase_end_says_how_a_job_ended),
        WITNESS_TEST(test_phrase_job_says_where_it_stands_or_how_it_ended),
        WITNESS_TEST(test_phrase_tag_says_who_wrote_it),
        WITNESS_TEST(test_phrase_tag_names_the_write_when_the_scenario_does),
        WITNESS_TEST(test_phrase_event_and_match_say_what_narrows_them),
        WITNESS_TEST(test_phrase_match_is_cut_when_it_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
