/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deciding whether a result has the same finding.
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <string.h>

#include "engine/units.h"
#include "tools/base/text.h"
#include "tools/shrink/private.h"

static const struct run_finding *find(const struct run_result *result, enum finding_id id)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (result->findings[i].id == id) {
            return &result->findings[i];
        }
    }
    return NULL;
}

/* The length of the word if it is a time or a request number, like "5ms" or "#3"; else 0. */
static size_t amount_length(const char *text)
{
    size_t length = strcspn(text, " ,;");
    size_t digits = strspn(text, "0123456789");

    return digits < length && strcspn(text, "0123456789") < length ? length : 0;
}

/* True if both texts are equal except for times and request numbers. */
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

/* ---- Findings about expectations ---- */

/* How much of the sentence says which expectation it is, and on which side it was missed. */
enum told {
    TOLD_WHOLLY,  /* all of it: "... exactly 11 times, but it happened 12 times." */
    TOLD_AT_ONCE, /* what comes before ", but" or ": ", in which numbers don't count: places and
                     amounts shrink with the disks, and there is one side to miss it on */
};

static enum told told_by(enum finding_id id)
{
    static const enum finding_id at_once[] = {
        FINDING_EXPECT_NEVER,        FINDING_EXPECT_AT_MOST,       FINDING_EXPECT_GUEST_STALL,
        FINDING_EXPECT_SAME,         FINDING_EXPECT_DIFFER,        FINDING_EXPECT_SECTOR,
        FINDING_EXPECT_LENGTH,       FINDING_EXPECT_ALLOCATED,     FINDING_VACUOUS_NEVER_FIRED,
        FINDING_VACUOUS_NEVER_BEGAN, FINDING_VACUOUS_STEPS_NOT_RUN};

    for (size_t i = 0; i < COUNT_OF(at_once); i++) {
        if (at_once[i] == id) {
            return TOLD_AT_ONCE;
        }
    }
    return TOLD_WHOLLY;
}

static void cut_at(char *text, const char *words)
{
    char *at = strstr(text, words);

    if (at != NULL) {
        *at = '\0';
    }
}

static void drop_digits(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            *to++ = *text;
        }
    }
    *to = '\0';
}

/* The part of the sentence that stays the same however the rest of the scenario shrinks. */
static void tell_role(const struct run_finding *finding, char role[FINDING_TEXT_BYTES])
{
    const char *text = finding->text;

    /* Steps before it may go. */
    if (strncmp(text, "Step ", 5) == 0) {
        text += 5 + strspn(text + 5, "0123456789");
    }
    text_copy(role, FINDING_TEXT_BYTES, text);
    if (told_by(finding->id) == TOLD_AT_ONCE) {
        cut_at(role, ", but");
        cut_at(role, ": ");
        drop_digits(role);
    }
    /* A wait in vain says what the job does instead; how far it has come will change. */
    cut_at(role, ", having done");
}

static bool has_same_role(const struct run_finding *a, const struct run_finding *b)
{
    char roles[2][FINDING_TEXT_BYTES];

    tell_role(a, roles[0]);
    tell_role(b, roles[1]);
    return says_same(roles[0], roles[1]);
}

/*
 * True if it is the target.  A common finding has many possible causes: any story without an end
 * has a hanging job, and there are many ways to crash.  So its sentence must be the same, too: it
 * tells the job's state, or where the engine crashed.  One about the scenario is about one entry of
 * it.
 */
static bool is_target(const struct shrinker *shrinker, const struct run_finding *finding)
{
    const struct run_finding *target = &shrinker->target;

    if (finding->id != target->id) {
        return false;
    }
    if (finding_is(target->id, FINDING_OF_SCENARIO)) {
        return has_same_role(finding, target);
    }
    return !finding_is(target->id, FINDING_COMMON) || says_same(finding->text, target->text);
}

const struct run_finding *shrink_find_target(const struct shrinker *shrinker,
                                             const struct run_result *result)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (is_target(shrinker, &result->findings[i])) {
            return &result->findings[i];
        }
    }
    return NULL;
}

bool shrink_is_as_bad(const struct shrinker *shrinker, const struct run_result *result)
{
    if (result->outcome != OUTCOME_FAIL || shrink_find_target(shrinker, result) == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (find(shrinker->found, result->findings[i].id) == NULL) {
            return false;
        }
    }
    return true;
}

/*
 * A failed expectation or a hanging job can have many causes; the findings of
 * other oracles are more specific.
 */
static bool is_vague(const struct run_finding *finding)
{
    return finding_is(finding->id, FINDING_VAGUE);
}

bool shrink_choose_target(struct shrinker *shrinker, const struct run_result *result)
{
    const struct run_finding *target = NULL;

    if (result->outcome != OUTCOME_FAIL) {
        return false;
    }
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const struct run_finding *finding = &result->findings[i];

        if (finding_fits(&shrinker->options->wanted, finding->id) &&
            (target == NULL || (is_vague(target) && !is_vague(finding)))) {
            target = finding;
        }
    }
    if (target != NULL) {
        shrinker->report->id = target->id;
        shrinker->target = *target;
    }
    return target != NULL;
}
