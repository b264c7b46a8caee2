/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deciding whether a result has the same finding.
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <string.h>

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

const struct run_finding *shrink_find_target(const struct shrinker *shrinker,
                                             const struct run_result *result)
{
    return find(result, shrinker->report->id);
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

/*
 * True if the result has the target finding.  A common finding has many possible causes: any story
 * without an end has a hanging job, and there are many ways to crash.  So its sentence must be the
 * same, too: it tells the job's state, or where the engine crashed.
 */
static bool has_target(const struct shrinker *shrinker, const struct run_result *result)
{
    const struct run_finding *target = shrink_find_target(shrinker, result);

    return target != NULL &&
           (!finding_is(target->id, FINDING_COMMON) ||
            says_same(target->text, shrink_find_target(shrinker, shrinker->found)->text));
}

bool shrink_is_as_bad(const struct shrinker *shrinker, const struct run_result *result)
{
    if (result->outcome != OUTCOME_FAIL || !has_target(shrinker, result)) {
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
    }
    return target != NULL;
}
