/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Searching one plan in full, or with seeds, and writing down what was found.
 */
#include "tools/explore/hunt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/world/world.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/explore/hunt_saved.h"
#include "tools/explore/pct.h"
#include "tools/run/plan_text.h"
#include "tools/run/runner.h"

/* Later events of a run add little to the estimate, and a run may follow the guest for an hour. */
#define WATCHED_EVENTS 2000

/* A probability in parts of this is certain. */
#define PPM 1000000u

/* A variant is judged by the oracles only: what the scenario expects need not hold in it. */
static bool oracles_only(const struct hunt *hunt)
{
    return hunt->variant->fault_count > 0 || hunt->variant->cuts_power;
}

/* ---- What was found ---- */

static bool is_known(const struct explore_result *result, const struct finding *finding)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (result->findings[i].id == finding->id) {
            return true;
        }
    }
    return false;
}

/*
 * What must come in some run of the explored file need not come in this one.  Copies the lists,
 * because the plan's own must not change; the copies are the caller's.
 */
static void make_optional(struct plan *plan)
{
    struct react_spec *reacts = must_alloc((plan->react_count + 1) * sizeof(*reacts));
    struct fault_spec *faults = must_alloc((plan->fault_count + 1) * sizeof(*faults));

    for (uint32_t i = 0; i < plan->react_count; i++) {
        reacts[i] = plan->reacts[i];
        reacts[i].optional = true;
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        bool is_drawn =
            plan->faults[i].probability_ppm > 0 && plan->faults[i].probability_ppm < PPM;

        faults[i] = plan->faults[i];
        faults[i].optional = faults[i].optional || is_drawn;
    }
    plan->reacts = reacts;
    plan->faults = faults;
}

/*
 * The run as a scenario of its own: it has a name of its own, its choices are pinned, and its doc
 * says what it shows.  It is no scenario of the rules that the explored one refers to.  The answers
 * are copied, because the plan's own list must not change.
 */
static char *found_scenario(const struct hunt *hunt, const struct explore_finding *found,
                            const struct choice_answer *choices, uint32_t choice_count)
{
    struct plan plan = *hunt->plan;
    struct choice_answer *pinned = must_alloc(choice_count * sizeof(*pinned));
    char *doc = must_printf("Found by exploring %s: %s%s%s", scenario_file(hunt->options->scenario),
                            found->text, *found->variant != '\0' ? "\nIn it " : "", found->variant);
    char *name = must_printf("%s-found", plan.name);
    char *text;

    if (choice_count > 0) {
        memcpy(pinned, choices, choice_count * sizeof(*pinned));
    }
    plan.name = name;
    plan.doc = doc;
    plan.ref_count = 0;
    plan.choices = pinned;
    plan.choice_count = choice_count;
    plan.quiet = false;
    make_optional(&plan);
    text = plan_text(&plan);
    free(plan.reacts);
    free(plan.faults);
    free(pinned);
    free(name);
    free(doc);
    return text;
}

static void tell_choices(char text[EXPLORE_CHOICES_BYTES], const struct choice_answer *choices,
                         uint32_t count)
{
    size_t length = 0;

    for (uint32_t i = 0; i < count; i++) {
        char one[64];
        size_t bytes =
            (size_t)snprintf(one, sizeof(one), "%s%s %" PRIu32 " = %" PRIu32, i > 0 ? ", " : "",
                             choices[i].site, choices[i].nth, choices[i].pick);

        /* Room is kept for how many more there are. */
        if (bytes >= sizeof(one) || length + bytes + 24 > EXPLORE_CHOICES_BYTES) {
            snprintf(text + length, EXPLORE_CHOICES_BYTES - length, " and %" PRIu32 " more",
                     count - i);
            return;
        }
        memcpy(text + length, one, bytes + 1);
        length += bytes;
    }
}

/*
 * `world` is the run that has the finding, at its end; NULL if its process has died, and then it
 * was at `stack`.
 */
static void note_found(struct hunt *hunt, const struct world *world, const char *stack,
                       const struct finding *finding, const struct choice_answer *choices,
                       uint32_t choice_count)
{
    struct explore_result *result = &hunt->record->result;
    struct explore_finding *found = &result->findings[result->finding_count];
    char *scenario;

    if (result->finding_count == EXPLORE_MAX_FINDINGS || is_known(result, finding)) {
        return;
    }
    *found = (struct explore_finding){
        .id = finding->id, .now_ns = finding->now_ns, .item = result->item};
    text_copy(found->text, sizeof(found->text), finding->text);
    text_copy(found->stack, sizeof(found->stack), stack);
    variant_text(hunt->variant, hunt->plan, found->variant);
    tell_choices(found->choices, choices, choice_count);
    if (world != NULL && finding->id == FINDING_LIVENESS_LIVELOCK) {
        lasso_tell(world, hunt->options->engine, found->lasso);
    }
    scenario = found_scenario(hunt, found, choices, choice_count);
    hunt->options->found(hunt->options->opaque, found, scenario);
    free(scenario);
    result->finding_count++;
}

/* The first finding that counts; of a search for all, the others, too. */
static void note_verdict(struct hunt *hunt, const struct world *world,
                         const struct verdict *verdict, const struct choice_answer *choices,
                         uint32_t choice_count)
{
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];

        if (search_finding_counts(finding, world, oracles_only(hunt))) {
            note_found(hunt, world, "", finding, choices, choice_count);
            if (!hunt->options->all) {
                return;
            }
        }
    }
}

static bool has_enough(const struct hunt *hunt)
{
    return hunt->record->result.finding_count >= (hunt->options->all ? EXPLORE_MAX_FINDINGS : 1);
}

/* Have all failures of the variant happened? */
static void note_fired(struct hunt *hunt, const struct world *world)
{
    uint32_t first = hunt->plan->fault_count - hunt->variant->fault_count;
    bool fired = hunt->variant->fault_count > 0;

    for (uint32_t i = first; i < hunt->plan->fault_count; i++) {
        fired = fired && world_fault_hits(world, i) > 0;
    }
    hunt->record->result.fired = hunt->record->result.fired || fired;
}

/* ---- How far it has come ---- */

/* Answers beyond the record's capacity are missing from the scenario of a death. */
static void note_choice(void *recorder, uint32_t index, const struct choice_answer *answer)
{
    struct explore_record *record = recorder;

    if (index < EXPLORE_NOTED_CHOICES) {
        text_copy(record->choices[index].site, EXPLORE_SITE_BYTES, answer->site);
        record->choices[index].nth = answer->nth;
        record->choices[index].pick = answer->pick;
        record->choice_count = index + 1;
    }
}

/*
 * Before a timeline event.  note_choice() has recorded the answers that lead here; if the search
 * has backtracked, the record holds answers of the abandoned path after them.
 */
static void note_step(void *opaque, const struct world *world)
{
    struct explore_record *record = ((struct hunt *)opaque)->record;
    uint32_t count;

    world_choices(world, &count);
    record->now_ns = world_now_ns(world);
    record->choice_count = (uint32_t)min_u64(count, EXPLORE_NOTED_CHOICES);
}

/* ---- Every answer ---- */

static bool found(void *opaque, const struct verdict *verdict, const struct choice_answer *choices,
                  uint32_t choice_count)
{
    struct hunt *hunt = opaque;

    note_verdict(hunt, search_world(hunt->search), verdict, choices, choice_count);
    return !has_enough(hunt);
}

static void ended(void *opaque, const struct world *world)
{
    note_fired(opaque, world);
}

static bool stop(void *opaque, const struct search_figures *figures)
{
    struct hunt *hunt = opaque;

    (void)figures;
    hunt->record->result.stopped = hunt->options->stop(hunt->options->opaque);
    hunt_save(hunt, 0);
    return hunt->record->result.stopped;
}

static void search_all(struct hunt *hunt)
{
    const struct search_saved saved = {.next = hunt_next_piece, .opaque = hunt};
    const struct search_options options = {.engine = hunt->options->engine,
                                           .oracles_only = oracles_only(hunt),
                                           .no_reduction = hunt->options->every_order,
                                           .found = found,
                                           .keeps_states = hunt->options->save != NULL,
                                           .saved = hunt->options->saved != NULL ? &saved : NULL,
                                           .stepping = note_step,
                                           .ended = ended,
                                           .stop = stop,
                                           .recorded_one = note_choice,
                                           .recorder = hunt->record,
                                           .opaque = hunt};

    search_run(hunt->search, hunt->plan, &options, &hunt->record->result.figures);
}

/* ---- Seeds ---- */

/* Runs with one seed after the other, in the same memory. */
struct runs {
    struct hunt *hunt;
    struct world_options options;
    struct world *world;
    struct trace trace;
    struct pct pct;
};

static void begin_run(struct runs *runs)
{
    runs->world = runner_world(runs->world, runs->hunt->plan, &runs->options, &runs->trace);
}

static void step_to_end(struct runs *runs)
{
    do {
        note_step(runs->hunt, runs->world);
    } while (world_step(runs->world));
}

static void judge_run(struct runs *runs)
{
    struct hunt *hunt = runs->hunt;
    const struct verdict *verdict = world_judge(runs->world);
    const struct choice_answer *choices;
    uint32_t count;

    hunt->record->result.figures.ends++;
    hunt->record->result.figures.transitions += verdict->events;
    note_fired(hunt, runs->world);
    hunt->record->result.chains = (uint32_t)max_u64(hunt->record->result.chains, runs->pct.chains);
    if (outcome_is_bad(verdict->outcome)) {
        choices = world_choices(runs->world, &count);
        note_verdict(hunt, runs->world, verdict, choices, count);
    }
}

/* The quiet run, whose questions about the order are counted. */
static uint32_t answer_quietly(void *opaque, const struct question *question)
{
    struct pct *pct = opaque;

    pct->asked += question->candidates != NULL;
    return 0;
}

static uint64_t count_questions(struct runs *runs)
{
    runs->pct = (struct pct){.asked = 0};
    runs->options.choices.backend = answer_quietly;
    runs->options.choices.opaque = &runs->pct;
    begin_run(runs);
    step_to_end(runs);
    return runs->pct.asked;
}

static bool uses_pct(const struct runs *runs)
{
    return runs->hunt->options->schedule == SCHEDULE_PCT;
}

static void open_runs(struct runs *runs, struct hunt *hunt)
{
    *runs = (struct runs){.hunt = hunt,
                          .options = runner_options(hunt->plan, hunt->options->engine, 0)};
    runs->options.choices.open = true;
    runs->options.choices.recorded_one = note_choice;
    runs->options.choices.recorder = hunt->record;
    trace_init(&runs->trace, true);
    hunt->record->result.questions = uses_pct(runs) ? count_questions(runs) : 0;
}

static void close_runs(struct runs *runs)
{
    world_destroy(runs->world);
    trace_free(&runs->trace);
}

/* The world of a seed, nothing run yet. */
static void begin_seed(struct runs *runs, uint64_t seed)
{
    const struct hunt *hunt = runs->hunt;

    runs->options.choices.seed = seed;
    if (uses_pct(runs)) {
        pct_begin(&runs->pct, seed, hunt->options->depth, hunt->record->result.questions);
        runs->options.choices.backend = pct_answer;
    }
    begin_run(runs);
}

static void run_seeds(struct hunt *hunt)
{
    struct runs runs;

    open_runs(&runs, hunt);
    for (uint64_t i = hunt_restore_seeds(hunt); i < hunt->seeds && !has_enough(hunt); i++) {
        hunt->record->result.stopped = hunt->options->stop(hunt->options->opaque);
        hunt_save(hunt, i);
        if (hunt->record->result.stopped) {
            break;
        }
        begin_seed(&runs, hunt->first_seed + i);
        step_to_end(&runs);
        judge_run(&runs);
    }
    close_runs(&runs);
}

/* ---- The hunt ---- */

void hunt_run(struct hunt *hunt)
{
    if (hunt->options->schedule == SCHEDULE_EXHAUSTIVE) {
        search_all(hunt);
    } else {
        run_seeds(hunt);
    }
}

void hunt_watch(struct hunt *hunt, uint64_t seed,
                void (*show)(void *opaque, const struct world *world), void *opaque)
{
    struct runs runs;

    open_runs(&runs, hunt);
    begin_seed(&runs, hunt->first_seed + seed % hunt->seeds);
    while (world_events(runs.world) < WATCHED_EVENTS && world_step(runs.world)) {
        show(opaque, runs.world);
    }
    close_runs(&runs);
}

void hunt_died(struct hunt *hunt, const struct isolate_death *death)
{
    const struct explore_record *record = hunt->record;
    struct finding finding = {.id = isolate_finding(death), .now_ns = record->now_ns};
    struct choice_answer *choices = must_alloc(record->choice_count * sizeof(*choices));

    for (uint32_t i = 0; i < record->choice_count; i++) {
        choices[i] = (struct choice_answer){.site = record->choices[i].site,
                                            .nth = record->choices[i].nth,
                                            .pick = record->choices[i].pick};
    }
    isolate_describe(death, finding.text, sizeof(finding.text));
    note_found(hunt, NULL, death->stack, &finding, choices, record->choice_count);
    free(choices);
}
