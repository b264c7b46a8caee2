/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child sends a record for each answer.
 */
#include "tools/report/choices.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/isolate.h"
#include "tools/run/pipe.h"
#include "tools/run/runner.h"

#define LIMIT_MS 5000

/* More are not read by anybody. */
#define MAX_TOLD 1000

/* Alternatives that are named. */
#define NAMED 2u

/* ---- In the child ---- */

struct teller {
    const struct plan *plan;
    const struct engine *engine;
    uint64_t seed;
    struct world *world; /* NULL while it is made */
    struct trace trace;
    int results;
};

/* Adds to the text as far as it fits. */
static void add(char *words, size_t size, const char *before, const char *text)
{
    size_t length = strlen(words);

    snprintf(words + length, size - length, "%s%s", before, text);
}

/* The one that comes, and those that would have come before it. */
static void tell_order(struct world *world, struct told_choice *choice)
{
    uint32_t candidates = world_candidates(world);
    uint32_t count = choice->pick < candidates ? choice->pick : candidates;
    char one[160];

    world_tell_candidate(world, choice->pick, choice->words, sizeof(choice->words));
    for (uint32_t i = 0; i < count && i < NAMED; i++) {
        world_tell_candidate(world, i, one, sizeof(one));
        add(choice->words, sizeof(choice->words), i == 0 ? ", before " : ", ", one);
    }
    if (count > NAMED) {
        snprintf(one, sizeof(one), " and %" PRIu32 " more", count - NAMED);
        add(choice->words, sizeof(choice->words), "", one);
    }
}

static void tell_words(struct teller *teller, struct told_choice *choice)
{
    size_t size = sizeof(choice->words);

    if (strcmp(choice->site, "order") == 0 && teller->world != NULL) {
        tell_order(teller->world, choice);
    } else if (strncmp(choice->site, "latency ", 8) == 0) {
        snprintf(choice->words, size, "place %" PRIu32 " of the distribution, not the median",
                 choice->pick);
    } else if (strncmp(choice->site, "fault ", 6) == 0) {
        snprintf(choice->words, size, "it hits, and might not have");
    } else {
        snprintf(choice->words, size, "answer %" PRIu32 ", not the quiet one", choice->pick);
    }
}

static void take(void *opaque, uint32_t index, const struct choice_answer *answer)
{
    struct teller *teller = opaque;
    struct told_choice choice = {.event = teller->trace.count,
                                 .now_ns = teller->world != NULL ? world_now_ns(teller->world) : 0,
                                 .nth = answer->nth,
                                 .pick = answer->pick};

    if (index < MAX_TOLD) {
        text_copy(choice.site, sizeof(choice.site), answer->site);
        tell_words(teller, &choice);
        pipe_send(teller->results, &choice, sizeof(choice));
    }
}

static void run_and_tell(void *opaque, void *record, int results)
{
    static const struct isolate_limits limits = {.cpu_ms = LIMIT_MS,
                                                 .memory_bytes = ISOLATE_MEMORY_BYTES};
    struct teller *teller = opaque;
    struct world_options options = runner_options(teller->plan, teller->engine, teller->seed);

    (void)record;
    isolate_watch(&limits);
    teller->results = results;
    options.choices.recorded_one = take;
    options.choices.recorder = teller;
    trace_init(&teller->trace, true);
    teller->world = runner_world(NULL, teller->plan, &options, &teller->trace);
    world_run(teller->world, UINT64_MAX);
    world_destroy(teller->world);
    trace_free(&teller->trace);
}

/* ---- In the parent ---- */

struct told_choices choices_tell(const struct plan *plan, const struct engine *engine,
                                 uint64_t seed)
{
    struct teller teller = {.plan = plan, .engine = engine, .seed = seed};
    struct told_choices choices = {0};
    struct told_choice *choice;
    struct isolate isolate;
    size_t bytes;

    if (seed == 0 && plan->choice_count == 0) {
        return choices;
    }
    isolate_open(&isolate, 0);
    isolate_start(&isolate, run_and_tell, &teller);
    while ((choice = pipe_receive(isolate.results, sizeof(*choice), &bytes)) != NULL) {
        choices.list = must_grow(choices.list, choices.count, sizeof(*choices.list));
        choices.list[choices.count++] = *choice;
        free(choice);
    }
    free(isolate_end(&isolate).words);
    isolate_close(&isolate);
    return choices;
}

void choices_free(struct told_choices *choices)
{
    free(choices->list);
    *choices = (struct told_choices){0};
}

const struct told_choice *choices_find(const struct told_choices *choices, const char *site,
                                       uint32_t nth)
{
    for (size_t i = 0; i < choices->count; i++) {
        if (choices->list[i].nth == nth && strcmp(choices->list[i].site, site) == 0) {
            return &choices->list[i];
        }
    }
    return NULL;
}

void choices_show(const struct told_choices *choices, FILE *out)
{
    for (size_t i = 0; i < choices->count; i++) {
        const struct told_choice *choice = &choices->list[i];

        fprintf(out, "%5" PRIu64 " %12s  %s, question %" PRIu32 ": %s\n", choice->event,
                quantity_time(choice->now_ns).text, choice->site, choice->nth, choice->words);
    }
}
