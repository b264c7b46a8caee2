/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exploring: the list of items, and the search of one.
 */
#include "tools/explore/explore.h"

#include <stdlib.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/explore/hunt.h"
#include "tools/run/suite.h"

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
    const struct quiet_run quiet = {plan, space->options->engine, space->options->cpu_limit_ms};
    struct base base = {.case_number = case_number, .first_item = space->items};

    base.variants = variants_of(&quiet, space->options->faults);
    base.values = *values;
    space->cut = space->cut || base.variants.cut;
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
    if (options->schedule != SCHEDULE_EXHAUSTIVE) {
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

uint64_t explore_plan_number(const struct explore_space *space, uint64_t item)
{
    return item / space->items_per_variant;
}

static const struct variant *variant_of(const struct explore_space *space, uint64_t item)
{
    const struct base *base = base_of(space, item);

    return &base->variants.list[(item - base->first_item) / space->items_per_variant];
}

/* The item's plan is the caller's to destroy. */
static struct hunt make_hunt(struct explore_space *space, uint64_t item)
{
    const struct base *base = base_of(space, item);
    uint64_t first_seed = (item - base->first_item) % space->items_per_variant * EXPLORE_SEEDS;
    struct values values = base->values;
    struct hunt hunt = {.options = space->options,
                        .search = space->search,
                        .variant = variant_of(space, item),
                        .plan = make_plan(space, base->case_number, &values),
                        .first_seed = first_seed,
                        .seeds = min_u64(space->options->runs - first_seed, EXPLORE_SEEDS)};

    variant_apply(hunt.variant, hunt.plan);
    return hunt;
}

void explore_item(struct explore_space *space, uint64_t item, struct explore_record *record)
{
    struct hunt hunt = make_hunt(space, item);

    record->result = (struct explore_result){.item = item};
    record->choice_count = 0;
    hunt.record = record;
    record->under_way = true;
    hunt_run(&hunt);
    record->under_way = false;
    plan_destroy(hunt.plan);
}

void explore_item_died(struct explore_space *space, struct explore_record *record,
                       const struct isolate_death *death)
{
    struct hunt hunt = make_hunt(space, record->result.item);

    hunt.record = record;
    hunt_died(&hunt, death);
    plan_destroy(hunt.plan);
}

void explore_watch(struct explore_space *space, uint64_t item, uint64_t seed,
                   void (*show)(void *opaque, const struct world *world), void *opaque)
{
    struct explore_record *record = must_alloc(sizeof(*record));
    struct hunt hunt = make_hunt(space, item);

    record->result.item = item;
    hunt.record = record;
    hunt_watch(&hunt, seed, show, opaque);
    plan_destroy(hunt.plan);
    free(record);
}

void explore_note_failures(const struct explore_space *space, uint64_t item,
                           bool failures[VARIANT_FAILURES])
{
    const struct base *base = base_of(space, item);
    const struct variant *variant = variant_of(space, item);
    struct values values = base->values;
    struct plan *plan = make_plan(space, base->case_number, &values);
    uint32_t number;

    for (uint32_t i = 0; i < variant->fault_count; i++) {
        if (variant_failure(&variant->faults[i], plan, &number)) {
            failures[number] = true;
        }
    }
    plan_destroy(plan);
}
