/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a failing run can't judge, and so can't be left out: an engine without the bug may need it.
 */
#include <string.h>

#include "tools/shrink_private.h"

static bool is_ready_wait(const struct tree_node *step)
{
    const struct tree_node *wait = tree_get(step, "wait");

    return wait != NULL && ((wait->kind == YAML_SCALAR && strcmp(wait->text, "ready") == 0) ||
                            (tree_get(wait, "event") != NULL &&
                             strcmp(tree_get(wait, "event")->text, "ready") == 0));
}

static bool is_word(const struct tree_node *step, const char *word)
{
    return step->kind == YAML_SCALAR && strcmp(step->text, word) == 0;
}

/* Queries only look, and time passes anyway. */
static bool acts(const struct tree_node *step)
{
    const struct tree_node *wait = tree_get(step, "wait");
    bool is_span = wait != NULL && wait->kind == YAML_SCALAR && strchr("0123456789", *wait->text);

    return tree_get(step, "query") == NULL && tree_get(step, "query-disk") == NULL &&
           tree_get(step, "at") == NULL && !is_span;
}

/*
 * Steps that failed, or that the run has not come to; what ends the job; and the last wait for
 * READY before it is completed: an engine with a bug may be ready, or at its end, too soon.
 */
static void keep_steps(struct tree_node *steps, const struct judge_record *record)
{
    struct tree_node *ready = NULL;
    struct tree_node *end = NULL;
    uint32_t number = 0;

    for (struct tree_node *step = tree_first(steps); step != NULL; step = tree_next(step)) {
        step->stays = number >= record->steps && acts(step);
        for (uint32_t i = 0; i < record->failed_count; i++) {
            step->stays |= record->failed[i] == number;
        }
        if (is_ready_wait(step)) {
            ready = step;
        } else if (is_word(step, "complete") && ready != NULL) {
            ready->stays = true;
        }
        if (is_word(step, "complete") || is_word(step, "cancel")) {
            end = step;
        }
        number++;
    }
    if (end != NULL) {
        end->stays = true;
    }
}

/* The error that the job is to end with. */
static void keep_expected_errors(struct tree_node *expects)
{
    for (struct tree_node *expect = tree_first(expects); expect; expect = tree_next(expect)) {
        const struct tree_node *result = tree_get(expect, "result");

        expect->stays = result != NULL && strcmp(result->text, "OK") != 0;
    }
}

void shrink_keep_unjudged(struct shrinker *shrinker, const struct judge_record *record)
{
    struct tree_node *expects = tree_get(shrinker->tree.root, "expect");

    keep_steps(tree_get(shrinker->tree.root, "steps"), record);
    if (expects != NULL) {
        keep_expected_errors(expects);
    }
}
