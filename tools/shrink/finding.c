/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is it still the same finding?
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <string.h>

#include "tools/base/text.h"
#include "tools/shrink/private.h"

static bool is_same(const struct run_finding *a, const struct run_finding *b)
{
    return strcmp(a->oracle, b->oracle) == 0 && strcmp(a->kind, b->kind) == 0;
}

const struct run_finding *shrink_find_target(const struct shrinker *shrinker,
                                             const struct run_result *result)
{
    const struct shrink_report *report = shrinker->report;

    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (strcmp(result->findings[i].oracle, report->oracle) == 0 &&
            strcmp(result->findings[i].kind, report->kind) == 0) {
            return &result->findings[i];
        }
    }
    return NULL;
}

static bool has_finding(const struct run_result *result, const struct run_finding *wanted)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (is_same(&result->findings[i], wanted)) {
            return true;
        }
    }
    return false;
}

/* The length of a word, if it is a time or the number of a request, like "5ms" and "#3"; or 0. */
static size_t amount_length(const char *text)
{
    size_t length = strcspn(text, " ,;");
    size_t digits = strspn(text, "0123456789");

    return digits < length && strcspn(text, "0123456789") < length ? length : 0;
}

/* Do both say the same, but for times and numbers of requests? */
static bool says_same(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        size_t skipped = amount_length(a);

        if ((skipped > 0) != (amount_length(b) > 0) || (skipped == 0 && *a != *b)) {
            return false;
        }
        a += skipped > 0 ? skipped : 1;
        b += skipped > 0 ? amount_length(b) : 1;
    }
    return *a == *b;
}

/* Any story without an end has a job that hangs, and there are many ways to crash. */
static bool is_common(const struct run_finding *finding)
{
    return strcmp(finding->oracle, "liveness") == 0 || strcmp(finding->oracle, "crash") == 0;
}

/*
 * Is it the finding that is meant?  Of common ones the sentence, which says in what state the job
 * is, or where the engine crashed, must be the same, too.
 */
static bool has_target(const struct shrinker *shrinker, const struct run_result *result)
{
    const struct run_finding *target = shrink_find_target(shrinker, result);

    return target != NULL &&
           (!is_common(target) ||
            says_same(target->text, shrink_find_target(shrinker, shrinker->found)->text));
}

bool shrink_is_as_bad(const struct shrinker *shrinker, const struct run_result *result)
{
    if (result->outcome != OUTCOME_FAIL || !has_target(shrinker, result)) {
        return false;
    }
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (!has_finding(shrinker->found, &result->findings[i])) {
            return false;
        }
    }
    return true;
}

/* What an expectation or a hanging job says can have many reasons; other oracles know better. */
static bool is_vague(const struct run_finding *finding)
{
    static const char *const oracles[] = {"expect", "liveness", "vacuous"};

    for (size_t i = 0; i < sizeof(oracles) / sizeof(oracles[0]); i++) {
        if (strcmp(finding->oracle, oracles[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct shrink_options *options, const struct run_finding *finding)
{
    return (options->oracle == NULL || strcmp(options->oracle, finding->oracle) == 0) &&
           (options->kind == NULL || strcmp(options->kind, finding->kind) == 0);
}

bool shrink_choose_target(struct shrinker *shrinker, const struct run_result *result)
{
    const struct run_finding *target = NULL;

    for (uint32_t i = 0; i < result->finding_count && result->outcome == OUTCOME_FAIL; i++) {
        const struct run_finding *finding = &result->findings[i];

        if (fits(shrinker->options, finding) &&
            (target == NULL || (is_vague(target) && !is_vague(finding)))) {
            target = finding;
        }
    }
    if (target != NULL) {
        text_copy(shrinker->report->oracle, sizeof(shrinker->report->oracle), target->oracle);
        text_copy(shrinker->report->kind, sizeof(shrinker->report->kind), target->kind);
    }
    return target != NULL;
}
