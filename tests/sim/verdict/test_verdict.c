/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verdicts: bounds of the lists of findings, and the outcome.
 */
#include "engine/units.h"
#include "tests/support/witness.h"

/* One more finding. */
static struct finding *add(struct witness *w, enum finding_id id)
{
    return verdict_add(&w->evidence, id, "Finding number %d.", 1);
}

static enum outcome concluded(struct witness *w)
{
    verdict_conclude(&w->evidence, "toy");
    return w->verdict.outcome;
}

/* ---- Findings ---- */

static void test_verdict_keeps_what_a_finding_is_about(void **state)
{
    struct witness *w = *state;
    const struct finding *finding;

    w->evidence.now_ns = 7;
    w->evidence.event_number = 5;
    finding = add(w, FINDING_JOB_ACCEPTED);
    assert_ptr_equal(finding, &w->verdict.findings[0]);
    assert_int_equal(finding->id, FINDING_JOB_ACCEPTED);
    assert_string_equal(finding->text, "Finding number 1.");
    assert_int_equal(finding->now_ns, 7);
    assert_int_equal(finding->event_number, 5);
    assert_false(finding->has_sector);
}

static void test_verdict_keeps_few_findings_of_one_kind_and_counts_the_rest(void **state)
{
    struct witness *w = *state;

    for (int i = 0; i < VERDICT_MAX_PER_KIND; i++) {
        assert_non_null(add(w, FINDING_DEBT_FORGOTTEN_SECTOR));
    }
    assert_null(add(w, FINDING_DEBT_FORGOTTEN_SECTOR));
    assert_non_null(add(w, FINDING_CONTENT_STALE_SECTOR));
    assert_non_null(add(w, FINDING_DEBT_NOT_CLEANED));
    assert_int_equal(w->verdict.finding_count, VERDICT_MAX_PER_KIND + 2);
    assert_int_equal(w->verdict.dropped, 1);
}

static void test_verdict_drops_findings_when_it_is_full(void **state)
{
    struct witness *w = *state;

    for (uint32_t i = 0; i < 18; i++) {
        struct finding *finding = add(w, FINDING_JOB_ILLEGAL_ISSUE + i / 3);

        assert_int_equal(finding != NULL, i < VERDICT_MAX_FINDINGS);
    }
    assert_int_equal(w->verdict.dropped, 2);
}

static void test_verdict_cuts_a_text_that_is_too_long(void **state)
{
    struct witness *w = *state;
    char text[2 * FINDING_TEXT_BYTES];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    verdict_add(&w->evidence, FINDING_JOB_ACCEPTED, "%s", text);
    assert_int_equal(strlen(w->verdict.findings[0].text), FINDING_TEXT_BYTES - 1);
}

static void test_verdict_lets_no_name_control_a_terminal(void **state)
{
    struct witness *w = *state;

    verdict_add(&w->evidence, FINDING_JOB_ACCEPTED, "Disk %s.", "a\033[2J\nb\x7f");
    assert_string_equal(w->verdict.findings[0].text, "Disk a?[2J?b?.");
}

/* ---- Outcomes ---- */

static void test_verdict_passes_when_there_are_checks_and_no_findings(void **state)
{
    struct witness *w = *state;

    verdict_checked(&w->evidence);
    assert_int_equal(concluded(w), OUTCOME_PASS);
    assert_false(outcome_is_bad(w->verdict.outcome));
}

static void test_verdict_is_vacuous_when_nothing_was_checked(void **state)
{
    struct witness *w = *state;

    assert_int_equal(concluded(w), OUTCOME_FAIL);
    assert_string_equal(finding_by(w->verdict.findings[0].id), "vacuous");
    assert_found(w, "nothing-checked", "Nothing was checked");
}

static void test_verdict_fails_when_there_is_a_finding(void **state)
{
    struct witness *w = *state;

    add(w, FINDING_CONTENT_STALE_SECTOR);
    assert_int_equal(concluded(w), OUTCOME_FAIL);
    assert_true(outcome_is_bad(w->verdict.outcome));
}

static const struct {
    struct xfail_spec xfail;
    enum finding_id findings[2];
    enum outcome outcome;
} xfails[] = {
    {{.oracle = "content"}, {FINDING_CONTENT_STALE_SECTOR}, OUTCOME_XFAIL},
    {{.oracle = NULL}, {FINDING_CONTENT_STALE_SECTOR, FINDING_DEBT_NOT_CLEANED}, OUTCOME_XFAIL},
    {{.oracle = "content"}, {FINDING_CONTENT_STALE_SECTOR, FINDING_DEBT_NOT_CLEANED}, OUTCOME_FAIL},
    {{.oracle = "content"}, {FINDING_DEBT_NOT_CLEANED}, OUTCOME_FAIL},
    {{.oracle = NULL}, {FINDING_NONE}, OUTCOME_XPASS},
    {{.oracle = NULL}, {FINDING_VACUOUS_NEVER_FIRED}, OUTCOME_FAIL},
    {{.oracle = "vacuous"}, {FINDING_VACUOUS_NEVER_FIRED}, OUTCOME_XFAIL},
    {{.engine = "toy"}, {FINDING_JOB_ACCEPTED}, OUTCOME_XFAIL},
    {{.engine = "other"}, {FINDING_JOB_ACCEPTED}, OUTCOME_FAIL},
    {{.engine = "other"}, {FINDING_NONE}, OUTCOME_PASS},
    {{.oracle = "compare"}, {FINDING_NONE}, OUTCOME_PASS},
    {{.oracle = "compare"}, {FINDING_CONTENT_STALE_SECTOR}, OUTCOME_FAIL},
};

static void test_verdict_weighs_findings_against_an_xfail(void **state)
{
    struct witness *w = *state;

    for (size_t i = 0; i < COUNT_OF(xfails); i++) {
        struct xfail_spec xfail = xfails[i].xfail;

        verdict_init(&w->verdict);
        verdict_checked(&w->evidence);
        w->plan->xfails = &xfail;
        w->plan->xfail_count = 1;
        for (int j = 0; j < 2 && xfails[i].findings[j] != FINDING_NONE; j++) {
            add(w, xfails[i].findings[j]);
        }
        assert_int_equal(concluded(w), xfails[i].outcome);
    }
}

static void test_verdict_names_every_outcome_and_knows_the_bad_ones(void **state)
{
    static const struct {
        enum outcome outcome;
        const char *name;
        bool is_bad;
    } outcomes[] = {
        {OUTCOME_PASS, "pass", false},      {OUTCOME_FAIL, "fail", true},
        {OUTCOME_XFAIL, "xfail", false},    {OUTCOME_XPASS, "xpass", true},
        {OUTCOME_INVALID, "invalid", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        assert_string_equal(outcome_name(outcomes[i].outcome), outcomes[i].name);
        assert_int_equal(outcome_is_bad(outcomes[i].outcome), outcomes[i].is_bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESS_TEST(test_verdict_keeps_what_a_finding_is_about),
        WITNESS_TEST(test_verdict_keeps_few_findings_of_one_kind_and_counts_the_rest),
        WITNESS_TEST(test_verdict_drops_findings_when_it_is_full),
        WITNESS_TEST(test_verdict_cuts_a_text_that_is_too_long),
        WITNESS_TEST(test_verdict_lets_no_name_control_a_terminal),
        WITNESS_TEST(test_verdict_passes_when_there_are_checks_and_no_findings),
        WITNESS_TEST(test_verdict_is_vacuous_when_nothing_was_checked),
        WITNESS_TEST(test_verdict_fails_when_there_is_a_finding),
        WITNESS_TEST(test_verdict_weighs_findings_against_an_xfail),
        WITNESS_TEST(test_verdict_names_every_outcome_and_knows_the_bad_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
