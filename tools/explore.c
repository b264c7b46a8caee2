/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exploring: the list of items, and the search of one.
 */
#include "tools/explore.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario_write.h"
#include "sim/world.h"
#include "tools/suite.h"
#include "tools/support.h"
#include "tools/text.h"

#define MAX_QUESTIONS 32

/* The values that a file leaves to a choice: answers in the order of the questions. */
struct values {
    uint32_t answers[MAX_QUESTIONS];
    uint32_t bounds[MAX_QUESTIONS];
    uint32_t count;
    uint32_t asked;
    bool cut;
};

/* One plan: a case with its values. */
struct base {
    uint32_t case_number;
    struct values values;
    struct variant_list variants;
    uint64_t first_item;
};

struct explore_space {
    const struct explore_options *options;
    struct base *bases;
    uint64_t base_count;
    uint64_t items;
    uint64_t items_per_variant;
    bool cut;
    struct search *search;
    struct hunt *hunt;         /* under way, or NULL ... */
    const struct world *world; /* ... and of a random search its world */
};

/* ---- Values ---- */

static uint32_t answer_value(void *opaque, const struct question *question)
{
    struct values *values = opaque;

    if (values->asked == MAX_QUESTIONS) {
        values->cut = true;
        return 0;
    }
    if (values->asked == values->count) {
        values->answers[values->count] = 0;
        values->bounds[values->count++] = question->bound;
    }
    return values->answers[values->asked++];
}

static struct plan *make_plan(const struct explore_space *space, uint32_t case_number,
                              struct values *values)
{
    const struct choice_spec choices = {.backend = answer_value, .opaque = values};
    struct plan *plan;

    values->asked = 0;
    plan = scenario_plan(space->options->scenario, case_number, &choices);
    plan->untimed = plan->untimed || space->options->untimed;
    return plan;
}

/* The next set of values; false if that was the last. */
static bool next_values(struct values *values)
{
    while (values->count > 0) {
        uint32_t last = values->count - 1;

        if (values->answers[last] + 1 < values->bounds[last]) {
            values->answers[last]++;
            return true;
        }
        values->count--;
    }
    return false;
}

/* ---- The space ---- */

static void add_base(struct explore_space *space, uint32_t case_number, struct values *values)
{
    struct plan *plan = make_plan(space, case_number, values);
    struct base base = {.case_number = case_number, .first_item = space->items};

    base.variants = variants_of(plan, space->options->engine, space->options->faults);
    base.values = *values;
    space->items += base.variants.count * space->items_per_variant;
    space->bases = must_grow(space->bases, space->base_count, sizeof(*space->bases));
    space->bases[space->base_count++] = base;
    plan_destroy(plan);
}

static void add_case(struct explore_space *space, uint32_t case_number)
{
    struct values values = {.count = 0};
    uint32_t sets = 0;

    do {
        add_base(space, case_number, &values);
        sets++;
    } while (next_values(&values) && sets < EXPLORE_MAX_VALUES);
    space->cut = space->cut || values.cut || sets == EXPLORE_MAX_VALUES;
}

struct explore_space *explore_open(const struct explore_options *options)
{
    struct explore_space *space = must_alloc(sizeof(*space));

    space->options = options;
    space->items_per_variant = 1;
    if (options->schedule == SCHEDULE_RANDOM) {
        space->items_per_variant = (options->runs + EXPLORE_SEEDS - 1) / EXPLORE_SEEDS;
    }
    for (uint32_t i = 0; i < scenario_cases(options->scenario); i++) {
        if (options->chosen == NULL || suite_case_is(options->scenario, i, options->chosen)) {
            add_case(space, i);
        }
    }
    space->search = search_create(options->visited_bytes);
    return space;
}

void explore_close(struct explore_space *space)
{
    for (uint64_t i = 0; i < space->base_count; i++) {
        variants_free(&space->bases[i].variants);
    }
    search_destroy(space->search);
    free(space->bases);
    free(space);
}

uint64_t explore_items(const struct explore_space *space)
{
    return space->items;
}

bool explore_is_cut(const struct explore_space *space)
{
    return space->cut;
}

const char *const *explore_unvaried(const struct explore_space *space, uint32_t *count)
{
    return search_unvaried(space->search, count);
}

/* ---- What was found ---- */

/* One item, while it is searched. */
struct hunt {
    struct explore_space *space;
    const struct variant *variant;
    struct plan *plan;
    struct explore_result *result;
    bool oracles_only;
};

static char *write_found(const struct plan *plan)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);

    if (file == NULL) {
        die("there is no memory for a scenario");
    }
    scenario_write(plan, file);
    fclose(file);
    return text;
}

static const struct finding *first_that_counts(const struct hunt *hunt, const struct world *world,
                                               const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        if (!hunt->oracles_only || search_finding_counts(finding, world)) {
            return finding;
        }
    }
    return NULL;
}

/* The run as a scenario of its own: its choices are pinned, and its doc says what it shows. */
static void note_found(struct hunt *hunt, const struct finding *finding,
                       const struct choice_answer *choices, uint32_t choice_count)
{
    struct explore_finding *found = &hunt->result->finding;
    struct plan plan = *hunt->plan;
    char *doc;

    hunt->result->found = true;
    text_copy(found->oracle, sizeof(found->oracle), finding->oracle);
    text_copy(found->kind, sizeof(found->kind), finding->kind);
    text_copy(found->text, sizeof(found->text), finding->text);
    variant_text(hunt->variant, hunt->plan, found->variant);
    found->now_ns = finding->now_ns;
    found->item = hunt->result->item;
    doc =
        must_printf("Found by exploring %s: %s%s%s", scenario_file(hunt->space->options->scenario),
                    found->text, *found->variant != '\0' ? "\nIn it " : "", found->variant);
    plan.doc = doc;
    plan.choices = (struct choice_answer *)(uintptr_t)choices;
    plan.choice_count = choice_count;
    plan.quiet = false;
    hunt->result->scenario = write_found(&plan);
    free(doc);
}

static bool found(void *opaque, const struct verdict *verdict, const struct choice_answer *choices,
                  uint32_t choice_count)
{
    struct hunt *hunt = opaque;

    note_found(hunt, first_that_counts(hunt, search_world(hunt->space->search), verdict), choices,
               choice_count);
    return false;
}

static bool stop(void *opaque, const struct search_figures *figures)
{
    struct hunt *hunt = opaque;

    (void)figures;
    hunt->result->stopped = hunt->space->options->stop(hunt->space->options->opaque);
    return hunt->result->stopped;
}

/* ---- Searching ---- */

static void search_all(struct hunt *hunt)
{
    const struct search_options options = {.engine = hunt->space->options->engine,
                                           .oracles_only = hunt->oracles_only,
                                           .found = found,
                                           .stop = stop,
                                           .opaque = hunt};

    search_run(hunt->space->search, hunt->plan, &options, &hunt->result->figures);
}

static void run_seed(struct hunt *hunt, struct world *world)
{
    struct search_figures *figures = &hunt->result->figures;
    const struct verdict *verdict;
    const struct finding *finding;
    const struct choice_answer *choices;
    uint32_t count;

    world_run(world, UINT64_MAX);
    verdict = world_judge(world);
    figures->ends++;
    figures->transitions += verdict->events;
    finding = outcome_is_bad(verdict->outcome) ? first_that_counts(hunt, world, verdict) : NULL;
    if (finding != NULL) {
        choices = world_choices(world, &count);
        note_found(hunt, finding, choices, count);
    }
}

static void run_seeds(struct hunt *hunt, uint64_t first, uint64_t count)
{
    struct world_options options = {
        .engine = hunt->space->options->engine,
        .choices = {.recorded = hunt->plan->choices, .recorded_count = hunt->plan->choice_count}};
    struct world *world = NULL;
    struct trace trace;

    trace_init(&trace, true);
    for (uint64_t seed = first; seed < first + count && !hunt->result->found; seed++) {
        if (hunt->space->options->stop(hunt->space->options->opaque)) {
            hunt->result->stopped = true;
            break;
        }
        options.choices.seed = seed;
        world = world == NULL ? world_create(hunt->plan, &options, &trace)
                              : world_renew(world, hunt->plan, &options, &trace);
        if (world == NULL) {
            die("there is no memory for a world");
        }
        hunt->space->world = world;
        run_seed(hunt, world);
    }
    hunt->space->world = NULL;
    world_destroy(world);
    trace_free(&trace);
}

static const struct base *base_of(const struct explore_space *space, uint64_t item)
{
    uint64_t low = 0;
    uint64_t high = space->base_count - 1;

    while (low < high) {
        uint64_t middle = high - (high - low) / 2;

        if (space->bases[middle].first_item <= item) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &space->bases[low];
}

void explore_item(struct explore_space *space, uint64_t item, struct explore_result *result)
{
    const struct base *base = base_of(space, item);
    uint64_t place = item - base->first_item;
    uint64_t block = place % space->items_per_variant;
    struct values values = base->values;
    struct hunt hunt = {.space = space,
                        .variant = &base->variants.list[place / space->items_per_variant],
                        .result = result};
    uint64_t first = block * EXPLORE_SEEDS;

    *result = (struct explore_result){.item = item};
    hunt.plan = make_plan(space, base->case_number, &values);
    hunt.oracles_only = hunt.variant->fault_count > 0 || hunt.variant->cuts_power;
    variant_apply(hunt.variant, hunt.plan);
    space->hunt = &hunt;
    if (space->options->schedule == SCHEDULE_EXHAUSTIVE) {
        search_all(&hunt);
    } else {
        uint64_t left = space->options->runs - first;

        run_seeds(&hunt, first, left < EXPLORE_SEEDS ? left : EXPLORE_SEEDS);
    }
    space->hunt = NULL;
    plan_destroy(hunt.plan);
}

void explore_item_died(struct explore_space *space, struct explore_result *result,
                       int signal_number)
{
    struct hunt *hunt = space->hunt;
    const struct world *world = space->world != NULL ? space->world : search_world(space->search);
    struct finding finding = {.oracle = "crash"};
    const struct choice_answer *choices = NULL;
    uint32_t count = 0;

    if (hunt == NULL) {
        return;
    }
    text_copy(finding.kind, sizeof(finding.kind), signal_number == SIGVTALRM ? "hang" : "crash");
    snprintf(finding.text, sizeof(finding.text), "%s",
             signal_number == SIGVTALRM ? "The engine went on inside one event for ever."
                                        : "The engine died.");
    if (world != NULL) {
        finding.now_ns = world_now_ns(world);
        choices = world_choices(world, &count);
    }
    note_found(hunt, &finding, choices, count);
    *result = *hunt->result;
}
