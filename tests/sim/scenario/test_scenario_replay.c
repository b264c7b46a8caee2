/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of recorded requests that a scenario names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/units.h"
#include "tests/support/load.h"
#include "tests/support/temporary.h"

static char path[TEMPORARY_PATH_BYTES];

static int make_file(void **state)
{
    int fd = temporary_file(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static struct scenario *load(const char *text)
{
    FILE *file = fopen(path, "w");
    char sections[TEMPORARY_PATH_BYTES + 60];

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    snprintf(sections, sizeof(sections), "guest: {recorded: {replay: \"%s\"}}\n", path);
    return load_sections(sections);
}

static void test_scenario_replay_has_the_requests_of_its_file(void **state)
{
    const struct choice_spec quiet = {.seed = 0};
    struct scenario *scenario = load("mirrorsim requests 1\n"
                                     "0 read 0 512\n"
                                     "5 write 4096 1024\n"
                                     "5 write-zeroes 512 512\n"
                                     "6 discard 1047552 1024\n"
                                     "9000000000 flush 0 0\n");
    const struct generator_spec *spec;
    struct plan *plan;

    (void)state;
    assert_int_equal(scenario_mistakes(scenario)->count, 0);
    plan = scenario_plan(scenario, 0, &quiet);
    spec = &plan->generators[0];
    assert_int_equal(spec->pace, PACE_REPLAY);
    assert_int_equal(spec->replay_count, 5);
    assert_int_equal(spec->requests[1].at_ns, 5);
    assert_int_equal(spec->requests[1].op, OP_WRITE);
    assert_int_equal(spec->requests[1].offset, 4096);
    assert_int_equal(spec->requests[1].bytes, 1024);
    assert_int_equal(spec->requests[2].op, OP_WRITE_ZEROES);
    assert_int_equal(spec->requests[3].op, OP_DISCARD);
    assert_int_equal(spec->requests[4].op, OP_FLUSH);
    plan_destroy(plan);
    scenario_free(scenario);
}

/* Whatever is wrong with the file is said with its line. */
static void test_scenario_replay_refuses_what_is_no_request(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } cases[] = {
        {"", "there is no request"},
        {"1 write 0\n", "line 2: "},
        {"1 write 0 512", "is expected"},
        {"1 write 0 512 7\n", "is expected"},
        {"1 wrote 0 512\n", "is expected"},
        {"-1 write 0 512\n", "is expected"},
        {"1 write 0 99999999999999999999\n", "is expected"},
        {"1 write 0 0\n", "whole sectors"},
        {"1 write 1 512\n", "whole sectors"},
        {"1 flush 0 512\n", "a flush has no range"},
        {"1 write 1048576 512\n", "goes beyond the disk"},
        {"1 write 9223372036854775296 9223372036854775296\n", "goes beyond the disk"},
        {"2 read 0 512\n1 read 0 512\n", "line 3: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];
        struct scenario *scenario;
        char *mistakes;

        snprintf(text, sizeof(text), "mirrorsim requests 1\n%s", cases[i].line);
        scenario = load(text);
        mistakes = load_list_mistakes(scenario);
        assert_non_null(strstr(mistakes, cases[i].why));
        free(mistakes);
        scenario_free(scenario);
    }
}

static void test_scenario_replay_refuses_what_is_no_file_of_requests(void **state)
{
    static const char *const texts[] = {"", "1 write 0 512\n", "mirrorsim requests 2\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct scenario *scenario = load(texts[i]);
        char *mistakes = load_list_mistakes(scenario);

        assert_non_null(strstr(mistakes, "it is no file of requests"));
        free(mistakes);
        scenario_free(scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_replay_has_the_requests_of_its_file),
        cmocka_unit_test(test_scenario_replay_refuses_what_is_no_request),
        cmocka_unit_test(test_scenario_replay_refuses_what_is_no_file_of_requests),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
