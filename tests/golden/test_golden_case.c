/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing a case: every difference is found, and an exception covers only the
 * lines it names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/units.h"
#include "tests/golden/case.h"
#include "tests/support/temporary.h"

/* A case with only an empty disk, and its whole trace. */
#define CONFIG "length source 0\nat 5 complete\n"
#define LINE_1 "0 event READY\n"
#define LINE_2 "5 control complete\n"
#define LINE_3 "5 graph swap target source\n"
#define LINE_4 "5 event COMPLETED\n"
#define LINE_5 "result 0 cancelled=0 ready=1 offset=0 len=0 equal=yes first_diff=-1\n"

/* A folder with files of one test. */
struct folder {
    char path[TEMPORARY_PATH_BYTES];
    char cfg[TEMPORARY_PATH_BYTES + 20];
    char out[TEMPORARY_PATH_BYTES + 20];
    char exceptions[TEMPORARY_PATH_BYTES + 20];
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    assert_non_null(folder);
    if (!temporary_folder(folder->path)) {
        return -1;
    }
    snprintf(folder->cfg, sizeof(folder->cfg), "%s/zero.cfg", folder->path);
    snprintf(folder->out, sizeof(folder->out), "%s/zero.out", folder->path);
    snprintf(folder->exceptions, sizeof(folder->exceptions), "%s/exceptions", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    unlink(folder->cfg);
    unlink(folder->out);
    unlink(folder->exceptions);
    rmdir(folder->path);
    free(folder);
    return 0;
}

/* The outcome of CONFIG against that trace with those exceptions. */
static enum case_outcome outcome_of(const struct folder *folder, const char *trace,
                                    const char *exceptions_text, char *text)
{
    struct exceptions exceptions;
    char error[300];
    write_file(folder->cfg, CONFIG);
    write_file(folder->out, trace);
    write_file(folder->exceptions, exceptions_text);
    assert_true(exceptions_read(folder->exceptions, &exceptions, error, sizeof(error)));
    *text = '\0';
    enum case_outcome outcome =
        case_compare(folder->cfg, "zero", &mirror_engine, &exceptions, text);
    exceptions_free(&exceptions);
    return outcome;
}

static void test_case_passes_when_traces_are_equal(void **state)
{
    char text[CASE_TEXT_BYTES];
    assert_int_equal(
        outcome_of(*state, LINE_1 LINE_2 LINE_3 LINE_4 "residue ref target\n" LINE_5, "", text),
        CASE_PASS);
    assert_string_equal(text, "");
}

/* A line is missing, changed, or added, in every place. */
static void test_case_differs_when_a_line_does(void **state)
{
    static const struct {
        const char *trace;
        const char *says;
    } traces[] = {
        {"", "after the last line"},
        {LINE_2 LINE_3 LINE_4 LINE_5, "line 1\n"},
        {LINE_1 "6 control complete\n" LINE_3 LINE_4 LINE_5, "line 2\n"},
        {LINE_1 LINE_2 LINE_4 LINE_5, "line 3\n  expected: 5 event COMPLETED\n  got:      5 graph"},
        {LINE_1 LINE_2 LINE_3 LINE_4 "result 0\n", "line 5\n"},
        {LINE_1 LINE_2 LINE_3 LINE_4, "after the last line"},
        {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5 LINE_5, "got:      (the end of the trace)"},
    };
    for (size_t i = 0; i < COUNT_OF(traces); i++) {
        char text[CASE_TEXT_BYTES];
        assert_int_equal(outcome_of(*state, traces[i].trace, "", text), CASE_DIFF);
        assert_non_null(strstr(text, traces[i].says));
    }
}

/* The reference trace has a flush that ours lacks, and lacks the swap. */
#define DEFECTIVE LINE_1 LINE_2 "5 submit target flush 0 0\n" LINE_4 LINE_5
#define EDITS "-5 submit target flush 0 0\n+5 graph swap target source\n"

static void test_case_passes_with_its_defect_when_edits_fit(void **state)
{
    char text[CASE_TEXT_BYTES];
    assert_int_equal(outcome_of(*state, DEFECTIVE, "# why\n\nzero D9: one.\n" EDITS, text),
                     CASE_PASS);
    assert_string_equal(text, "D9");
    assert_int_equal(outcome_of(*state, DEFECTIVE, "zero D9: one.\n 0 event READY\n" EDITS, text),
                     CASE_PASS);
    assert_int_equal(outcome_of(*state, DEFECTIVE, "other D9: one.\n" EDITS, text), CASE_DIFF);
}

static void test_case_differs_when_exception_is_wrong(void **state)
{
    static const struct {
        const char *trace;
        const char *exceptions;
        const char *says;
    } cases[] = {
        /* The rest is still compared. */
        {LINE_1 "5 submit target flush 0 0\n" LINE_4 LINE_5, "zero D9: one.\n" EDITS, "line 3\n"},
        /* The edits come in order. */
        {DEFECTIVE, "zero D9: one.\n 5 event COMPLETED\n" EDITS, "no longer applies"},
        {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5, "zero D9: one.\n" EDITS, "no longer applies"},
        {LINE_1 LINE_2 LINE_3 LINE_4 LINE_5, "zero D9: one.\n+7 x\n", "is not needed"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[CASE_TEXT_BYTES];
        assert_int_equal(outcome_of(*state, cases[i].trace, cases[i].exceptions, text), CASE_DIFF);
        assert_non_null(strstr(text, cases[i].says));
    }
}

static void test_exceptions_are_refused_when_malformed(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } files[] = {
        {"zero D9: one.\n", ":1: "},              /* nothing is edited */
        {"zero D9: one.\n a line\n", ":1: "},     /* nor here */
        {"-a line\n", ":1: "},                    /* no heading */
        {"# x\nzero: one.\n-a\n", ":2: "},        /* no defect */
        {"zero D: one.\n-a\n", ":1: "},           /* no number */
        {"zero D9:\n-a\n", ":1: "},               /* no sentence */
        {"a D9: x.\n-a\na D9: x.\n-a\n", ":3: "}, /* twice */
    };
    const struct folder *folder = *state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct exceptions exceptions;
        char error[300];
        write_file(folder->exceptions, files[i].text);
        assert_false(exceptions_read(folder->exceptions, &exceptions, error, sizeof(error)));
        assert_non_null(strstr(error, files[i].says));
        assert_memory_equal(error, folder->exceptions, strlen(folder->exceptions));
    }
}

static void test_case_is_invalid_when_a_file_is_missing(void **state)
{
    const struct folder *folder = *state;
    struct exceptions none = {0};
    char text[CASE_TEXT_BYTES] = "";
    assert_int_equal(case_compare(folder->cfg, "zero", &mirror_engine, &none, text), CASE_INVALID);
    assert_non_null(strstr(text, "zero.cfg"));
    write_file(folder->cfg, CONFIG);
    assert_int_equal(case_compare(folder->cfg, "zero", &mirror_engine, &none, text), CASE_INVALID);
    assert_non_null(strstr(text, "zero.out"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_case_passes_when_traces_are_equal),
        TEST(test_case_differs_when_a_line_does),
        TEST(test_case_passes_with_its_defect_when_edits_fit),
        TEST(test_case_differs_when_exception_is_wrong),
        TEST(test_exceptions_are_refused_when_malformed),
        TEST(test_case_is_invalid_when_a_file_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
