/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps what the failing run cannot judge: an engine without the bug may need it.
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <string.h>

#include "engine/units.h"
#include "tools/shrink/private.h"

bool shrink_is_restraint(const struct tree_node *node)
{
    static const char *const keys[] = {"refused", "count", "bytes", "until", "limit"};

    if (node->key == NULL) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (strcmp(node->key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

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

/* False for queries, which change nothing, and for waits for time, which passes anyway. */
static bool acts(const struct tree_node *step)
{
    const struct tree_node *wait = tree_get(step, "wait");
    bool is_span = wait != NULL && wait->kind == YAML_SCALAR && strchr("0123456789", *wait->text);

    return tree_get(step, "query") == NULL && tree_get(step, "query-disk") == NULL &&
           tree_get(step, "at") == NULL && !is_span;
}

/*
 * Keeps steps that failed or that the run has not reached; the step that ends the job; and the
 * last wait for READY before `complete`, because an engine with a bug may become ready or end
 * too soon. Returns true if a step ends the job.
 */
static bool keep_steps(struct tree_node *steps, const struct judge_record *record)
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
    return end != NULL;
}

/* Keeps rules that end the job. */
static void keep_ends(struct tree_node *rules)
{
    for (struct tree_node *rule = tree_first(rules); rule != NULL; rule = tree_next(rule)) {
        const struct tree_node *action = tree_get(rule, "do");

        rule->stays = action != NULL && (is_word(action, "complete") || is_word(action, "cancel"));
    }
}

/* Keeps the error that the job is to end with. */
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
    struct tree_node *rules = tree_get(shrinker->tree.root, "react");

    if (!keep_steps(tree_get(shrinker->tree.root, "steps"), record) && rules != NULL) {
        keep_ends(rules);
    }
    if (expects != NULL) {
        keep_expected_errors(expects);
    }
}

/* ---- Errors ---- */

static bool has_error_fault(const struct tree_node *root)
{
    const struct tree_node *faults = tree_get(root, "faults");
    const struct tree_node *fault = faults != NULL ? tree_first(faults) : NULL;

    while (fault != NULL && tree_get(fault, "error") == NULL) {
        fault = tree_next(fault);
    }
    return fault != NULL;
}

static bool is_policy(const struct tree_node *entry)
{
    return strcmp(entry->key, "on-source-error") == 0 ||
           strcmp(entry->key, "on-target-error") == 0 || strcmp(entry->key, "on-error") == 0;
}

static void keep_resumes(const struct tree_node *steps, bool needed)
{
    for (struct tree_node *step = tree_first(steps); step != NULL; step = tree_next(step)) {
        step->stays_now = needed && is_word(step, "resume");
    }
}

/* True if a rule resumes the job, so that steps need not do it. */
static bool keep_rules(const struct tree_node *rules, bool needed)
{
    bool resumes = false;

    for (struct tree_node *rule = tree_first(rules); rule != NULL; rule = tree_next(rule)) {
        const struct tree_node *action = tree_get(rule, "do");

        rule->stays_now = needed && action != NULL && is_word(action, "resume");
        resumes |= rule->stays_now;
    }
    return resumes;
}

/*
 * An engine with a bug may not notice the error or not act on it, so its run
 * cannot show that error handling is needed.
 */
void shrink_keep_error_handling(struct shrinker *shrinker)
{
    const struct tree_node *root = shrinker->tree.root;
    const struct tree_node *rules = tree_get(root, "react");
    bool needed = shrinker->options->sound == NULL && has_error_fault(root);
    bool stops = false;

    for (struct tree_node *entry = tree_first(tree_get(root, "job")); entry != NULL;
         entry = tree_next(entry)) {
        entry->stays_now = needed && is_policy(entry);
        stops |= entry->stays_now && (is_word(entry, "stop") || is_word(entry, "enospc"));
    }
    if (rules != NULL && keep_rules(rules, stops)) {
        stops = false;
    }
    keep_resumes(tree_get(root, "steps"), stops);
}
