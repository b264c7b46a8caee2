/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shrinking: from the failing run to a file that shows why it fails.
 *
 * First the run's choices are written into the plan, so that the seed no longer matters, or
 * dropped, if the run fails without them.  Then all changes are tried until none can be kept.
 * Then the same is done with the requests of generators written out, and the shorter result is
 * taken.
 */
#include "tools/shrink/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/digest.h"
#include "engine/units.h"
#include "sim/scenario/scenario.h"
#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/plan_text.h"
#include "tools/shrink/private.h"

#define TRIED_BYTES (UINT64_C(64) << 20)

/* How much longer than the smallest scenario so far a candidate may run. */
#define MORE_EVENTS 1000
#define MORE_MS 100

#define DOC_COLUMNS 100

/* ---- Trying ---- */

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 0;

    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static uint64_t hash_text(const char *text)
{
    struct digest digest;

    digest_init(&digest);
    digest_string(&digest, text);
    return digest_value(&digest);
}

/* Runs a candidate; notes whether it was the last run allowed. */
static struct run_result *run_candidate(struct shrinker *shrinker, const char *text)
{
    const struct shrink_options *options = shrinker->options;
    const struct run_result *found = shrinker->found;
    struct judge_question question = {.max_events = found->died ? UINT64_MAX
                                                                : 2 * found->events + MORE_EVENTS,
                                      .cpu_limit_ms = shrinker->cpu_limit_ms};
    struct run_result *result = judge_ask(&shrinker->judge, &question, text);

    shrinker->report->runs = shrinker->judge.runs;
    if ((options->max_runs > 0 && shrinker->judge.runs >= options->max_runs) ||
        (options->go_on != NULL && !options->go_on(options->opaque, shrinker->report))) {
        shrinker->stopped = true;
    }
    return result;
}

/* Does the sound engine, if there is one, pass it? */
static bool is_passed(struct shrinker *shrinker, const char *text, uint64_t seed)
{
    const struct judge_question question = {
        .seed = seed, .max_events = UINT64_MAX, .cpu_limit_ms = shrinker->cpu_limit_ms};
    struct run_result *result;
    bool passed;

    if (shrinker->options->sound == NULL) {
        return true;
    }
    result = judge_ask(&shrinker->sound, &question, text);
    passed = !outcome_is_bad(result->outcome);
    free(result);
    return passed;
}

/* Makes it the smallest scenario so far if it fails in the same way. */
static bool adopt(struct shrinker *shrinker, const char *text)
{
    struct run_result *result = run_candidate(shrinker, text);

    if (!shrink_is_as_bad(shrinker, result) || !is_passed(shrinker, text, 0)) {
        free(result);
        return false;
    }
    free(shrinker->found);
    shrinker->found = result;
    shrinker->report->lines = count_lines(text);
    return true;
}

bool shrink_try(struct shrinker *shrinker)
{
    char *text;
    bool kept;

    if (shrinker->stopped || shrinker->tree.change_count == 0) {
        tree_undo(&shrinker->tree);
        return false;
    }
    text = tree_write(&shrinker->tree);
    kept = visited_add(&shrinker->tried, hash_text(text)) && adopt(shrinker, text);
    free(text);
    if (kept) {
        tree_keep(&shrinker->tree);
        shrinker->kept++;
    } else {
        tree_undo(&shrinker->tree);
    }
    return kept;
}

bool shrink_may_change(const struct tree_node *section)
{
    static const char *const fixed[] = {"scenario", "name", "doc", "refs", "tags"};

    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        if (strcmp(section->key, fixed[i]) == 0) {
            return false;
        }
    }
    /* `choices: quiet` is a property of the story, not an answer. */
    return strcmp(section->key, "choices") != 0 || section->kind != YAML_SCALAR;
}

bool shrink_is_expectation(const struct tree_node *section)
{
    return strcmp(section->key, "expect") == 0;
}

static void shrink_tree(struct shrinker *shrinker)
{
    uint64_t before;

    do {
        before = shrinker->kept;
        shrink_structure(shrinker);
        shrink_numbers(shrinker);
    } while (shrinker->kept > before && !shrinker->stopped);
}

/* ---- Generators ---- */

/* The smallest scenario so far with the requests of its generators written out, if it has any. */
static char *script(struct shrinker *shrinker)
{
    const struct judge_question question = {
        .task = JUDGE_SCRIPT, .max_events = UINT64_MAX, .cpu_limit_ms = shrinker->cpu_limit_ms};
    char *text = tree_write(&shrinker->tree);
    char *answer;

    free(judge_ask(&shrinker->judge, &question, text));
    answer = judge_answer(&shrinker->judge);
    free(text);
    return answer;
}

static void use_text(struct shrinker *shrinker, const char *text)
{
    if (shrinker->tree.root != NULL) {
        tree_free(&shrinker->tree);
    }
    tree_parse(&shrinker->tree, text);
    visited_clear(&shrinker->tried);
}

/* Shrinks the script; true if the result is shorter than `than` bytes. */
static bool script_is_shorter(struct shrinker *shrinker, const char *scripted, size_t than)
{
    char *text;
    size_t bytes;

    if (*scripted == '\0' || !adopt(shrinker, scripted)) {
        return false;
    }
    use_text(shrinker, scripted);
    shrink_tree(shrinker);
    text = tree_write(&shrinker->tree);
    bytes = strlen(text);
    free(text);
    return bytes < than;
}

/* Shrinks a second time, from the script, and takes the shorter result. */
static void shrink_script(struct shrinker *shrinker)
{
    char *before = tree_write(&shrinker->tree);
    char *scripted = script(shrinker);
    size_t found_bytes = run_result_bytes(shrinker->found->finding_count);
    struct run_result *found = must_alloc(found_bytes);

    memcpy(found, shrinker->found, found_bytes);
    if (script_is_shorter(shrinker, scripted, strlen(before))) {
        free(found);
    } else {
        use_text(shrinker, before);
        free(shrinker->found);
        shrinker->found = found;
    }
    free(scripted);
    free(before);
}

static bool has_generator(const struct shrinker *shrinker)
{
    static const char *const paces[] = {"rate", "every", "outstanding"};
    const struct tree_node *guest = tree_get(shrinker->tree.root, "guest");

    for (const struct tree_node *entry = guest ? tree_first(guest) : NULL; entry;
         entry = tree_next(entry)) {
        for (size_t i = 0; i < COUNT_OF(paces); i++) {
            if (tree_get(entry, paces[i]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- First run ---- */

/* The plan with exactly these choices. */
static char *write_pinned(const struct plan *plan, struct choice_answer *choices, uint32_t count)
{
    struct plan pinned = *plan;

    pinned.choices = choices;
    pinned.choice_count = count;
    pinned.doc = "Shrunk.";
    return plan_text(&pinned);
}

/*
 * Makes the run as it was given; false, with the reason in the report, if there
 * is nothing to shrink.
 */
static bool run_first(struct shrinker *shrinker, const struct plan *plan,
                      struct judge_record *record)
{
    const uint64_t limit_ms = shrinker->options->cpu_limit_ms;
    const struct judge_question question = {.task = JUDGE_RECORD,
                                            .seed = shrinker->options->seed,
                                            .max_events = UINT64_MAX,
                                            .cpu_limit_ms = limit_ms};
    uint64_t start_ms = clock_ms();
    char *text = plan_text(plan);

    shrinker->report->lines_before = count_lines(text);
    shrinker->found = judge_ask(&shrinker->judge, &question, text);
    shrinker->cpu_limit_ms = MORE_MS + (shrinker->found->died ? 0 : 10 * (clock_ms() - start_ms));
    judge_record_read(&shrinker->judge, record);
    if (!shrink_choose_target(shrinker, shrinker->found)) {
        shrinker->report->end = SHRINK_NO_FINDING;
    } else if (!is_passed(shrinker, text, shrinker->options->seed)) {
        shrinker->report->end = SHRINK_UNSOUND;
    }
    free(text);
    return shrinker->report->end == SHRINK_DONE;
}

/*
 * Starts from the run without any choices if that has the finding, else from
 * the run with all of them.
 */
static bool begin(struct shrinker *shrinker, const struct plan *plan,
                  const struct judge_record *record)
{
    char *text = write_pinned(plan, NULL, 0);
    bool repeated = adopt(shrinker, text);

    if (!repeated) {
        free(text);
        text = write_pinned(plan, record->choices, record->choice_count);
        repeated = adopt(shrinker, text);
    }
    if (repeated) {
        use_text(shrinker, text);
        if (shrinker->options->sound == NULL) {
            shrink_keep_unjudged(shrinker, record);
        }
    }
    free(text);
    return repeated;
}

/* ---- The end ---- */

/* Breaks lines between words. */
static char *wrap(const char *text)
{
    char *wrapped = must_printf("%s\n", text);
    char *line = wrapped;

    while (strlen(line) > DOC_COLUMNS) {
        char *space = memrchr(line, ' ', DOC_COLUMNS);

        space = space != NULL ? space : strchr(line, ' ');
        if (space == NULL) {
            break;
        }
        *space = '\n';
        line = space + 1;
    }
    return wrapped;
}

static unsigned long nth_of(const struct tree_node *choice)
{
    const struct tree_node *nth = tree_get(choice, "nth");

    return nth != NULL ? strtoul(nth->text, NULL, 10) : 1;
}

/* Restores the order of answers at one site to that of the questions. */
static void sort_choices(struct shrinker *shrinker)
{
    const struct tree_node *choices = tree_get(shrinker->tree.root, "choices");
    struct tree_node *a = choices != NULL ? tree_first(choices) : NULL;

    for (; a != NULL; a = tree_next(a)) {
        for (struct tree_node *b = tree_next(a); b != NULL; b = tree_next(b)) {
            const struct tree_node was = *a;

            if (strcmp(tree_get(a, "at")->text, tree_get(b, "at")->text) == 0 &&
                nth_of(a) > nth_of(b)) {
                tree_set_value(&shrinker->tree, a, b);
                tree_set_value(&shrinker->tree, b, &was);
            }
        }
    }
}

/* The result's `doc` says what it was shrunk from and what it shows. */
static char *write_result(struct shrinker *shrinker)
{
    struct shrink_report *report = shrinker->report;
    const struct run_finding *target = shrink_find_target(shrinker, shrinker->found);
    char *said =
        must_printf("Shrunk from %s. What it shows (%s, %s): %s", shrinker->options->origin,
                    finding_by(report->id), finding_kind_name(report->id), target->text);
    char *doc = wrap(said);
    char *text;

    text_copy(report->text, sizeof(report->text), target->text);
    tree_set_text(&shrinker->tree, tree_get(shrinker->tree.root, "doc"), doc);
    text = tree_write(&shrinker->tree);
    free(doc);
    free(said);
    return text;
}

/*
 * Runs the final text once more, with the full time limit, so that exactly what
 * is returned has been run.
 */
static struct plan *finish(struct shrinker *shrinker)
{
    const struct choice_spec quiet = {0};
    struct shrink_report *report = shrinker->report;
    struct scenario *scenario;
    struct plan *plan;

    shrinker->cpu_limit_ms = shrinker->options->cpu_limit_ms;
    sort_choices(shrinker);
    report->scenario = write_result(shrinker);
    report->end = shrinker->stopped ? SHRINK_STOPPED : SHRINK_DONE;
    if (!adopt(shrinker, report->scenario)) {
        die("the shrunk scenario does not fail as it did before");
    }
    scenario = scenario_load_text("shrunk", report->scenario, strlen(report->scenario));
    plan = scenario_plan(scenario, 0, &quiet);
    scenario_free(scenario);
    return plan;
}

static struct plan *shrink_from_there(struct shrinker *shrinker)
{
    shrink_tree(shrinker);
    if (has_generator(shrinker) && !shrinker->stopped) {
        shrink_script(shrinker);
    }
    return finish(shrinker);
}

static struct plan *shrink(struct shrinker *shrinker, const struct plan *plan)
{
    struct judge_record record = {0};
    struct plan *result = NULL;

    if (run_first(shrinker, plan, &record)) {
        shrinker->report->end = SHRINK_NOT_REPEATED;
        if (begin(shrinker, plan, &record)) {
            result = shrink_from_there(shrinker);
        }
    }
    shrinker->report->runs = shrinker->judge.runs;
    judge_record_free(&record);
    return result;
}
struct plan *shrink_plan(const struct plan *plan, const struct engine *engine,
                         const struct shrink_options *options, struct shrink_report *report)
{
    struct shrinker shrinker = {.options = options, .report = report};
    struct plan *result;

    *report = (struct shrink_report){0};
    judge_open(&shrinker.judge, engine, options->cpu_limit_ms);
    judge_open(&shrinker.sound, options->sound, options->cpu_limit_ms);
    visited_init(&shrinker.tried, TRIED_BYTES);
    result = shrink(&shrinker, plan);
    visited_free(&shrinker.tried);
    judge_close(&shrinker.sound);
    judge_close(&shrinker.judge);
    if (shrinker.tree.root != NULL) {
        tree_free(&shrinker.tree);
    }
    free(shrinker.found);
    return result;
}
