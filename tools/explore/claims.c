/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The number of runs that have seen a state is counted with three sets: states seen by at least
 * one run, by at least two, and by at least three.
 */
#include "tools/explore/claims.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "engine/range.h"
#include "engine/units.h"
#include "tools/explore/pct.h"

/* Runs of the sample, and memory for their states. */
#define SAMPLE 1000
#define SAMPLE_BYTES (UINT64_C(64) << 20)

/* No probability is rounded up to certainty. */
#define MOST_PERCENT 99.99

/* ---- States ---- */

struct census {
    uint64_t plan;         /* states of different plans are different */
    struct visited own;    /* of the run under way */
    struct visited once;   /* seen by one run at least, ... */
    struct visited twice;  /* ... two ... */
    struct visited thrice; /* ... and three */
};

static void count_state(void *opaque, const struct world *world)
{
    struct census *census = opaque;
    uint64_t digest = world_digest_judged(world) + census->plan * UINT64_C(0x9e3779b97f4a7c15);

    if (visited_add(&census->own, digest) && !visited_add(&census->once, digest) &&
        !visited_add(&census->twice, digest)) {
        visited_add(&census->thrice, digest);
    }
}

/* The runs of the sample lie evenly among those of the items that are done. */
static void take_sample(const struct explore_session *session, struct census *census,
                        struct claims *claims)
{
    uint64_t count = min_u64(SAMPLE, session->items * EXPLORE_SEEDS);

    for (uint64_t i = 0; i < count; i++) {
        uint64_t item = i * session->items / count;

        if (session_is_done(session, item)) {
            census->plan = explore_plan_number(session->space, item);
            visited_clear(&census->own);
            explore_watch(session->space, item, i, count_state, census);
            claims->sampled++;
        }
    }
}

/* Chao2 in its bias-corrected form, rounded down. */
static uint64_t estimate_unseen(const struct census *census, uint64_t runs)
{
    double one = (double)(census->once.count - census->twice.count);
    double two = (double)(census->twice.count - census->thrice.count);
    double share = runs > 0 ? (double)(runs - 1) / (double)runs : 0;

    return (uint64_t)(share * one * (one - 1) / (2 * (two + 1)));
}

static void count_states(const struct explore_session *session, struct claims *claims)
{
    struct census census = {.plan = 0};
    struct visited *const sets[] = {&census.own, &census.once, &census.twice, &census.thrice};

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        visited_init(sets[i], SAMPLE_BYTES);
    }
    take_sample(session, &census, claims);
    claims->seen = census.once.count;
    claims->unseen = claims->seen > 0 ? estimate_unseen(&census, claims->sampled) : 0;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        visited_free(sets[i]);
    }
}

/* ---- All of them ---- */

/* 1 - (1 - p)^runs, exact also for a small p. */
static double chance_in_runs(double chance, uint64_t runs)
{
    return -expm1((double)runs * log1p(-fmin(chance, 1 - 1e-9)));
}

struct claims claims_make(const struct explore_session *session)
{
    const struct explore_options *options = session->options;
    struct claims claims = {.chance = 0};

    if (session->finding_count == 0 && options->schedule != SCHEDULE_EXHAUSTIVE) {
        count_states(session, &claims);
    }
    if (options->schedule == SCHEDULE_PCT && session->done_count == session->items) {
        claims.chance = chance_in_runs(
            pct_chance(session->chains, session->questions, options->depth), options->runs);
    }
    for (uint32_t i = 0; i < VARIANT_FAILURES; i++) {
        claims.failures += session->failures[i];
    }
    return claims;
}

void claims_print(const struct claims *claims, const struct explore_session *session)
{
    const struct explore_options *options = session->options;

    if (claims->chance > 0) {
        printf("a bug that needs %" PRIu32
               " events in a certain order would have been found with a "
               "chance of %.4g %% at least, for each plan (at most %" PRIu32 " chains, %" PRIu64
               " questions, %" PRIu64 " runs)\n",
               options->depth, fmin(100 * claims->chance, MOST_PERCENT), session->chains,
               session->questions, options->runs);
    }
    if (claims->sampled > 0) {
        printf("%" PRIu64 " of the runs, sampled, went through %" PRIu64
               " different states; at least some %" PRIu64 " more were not seen\n",
               claims->sampled, claims->seen, claims->unseen);
    }
    if (claims->failures > 0) {
        printf("%" PRIu64
               " of %d kinds of failure have happened (what fails and how, policy, once or "
               "from then on); --json lists the others\n",
               claims->failures, VARIANT_FAILURES);
    }
}

static json_t *untried(const struct explore_session *session)
{
    json_t *list = json_array();
    char buf[VARIANT_TEXT_BYTES];

    for (uint32_t i = 0; i < VARIANT_FAILURES; i++) {
        if (!session->failures[i]) {
            json_array_append_new(list, json_string(variant_failure_text(i, buf)));
        }
    }
    return list;
}

json_t *claims_json(const struct claims *claims, const struct explore_session *session)
{
    json_t *all = json_object();

    if (session->options->schedule == SCHEDULE_PCT) {
        json_object_set_new(all, "pct",
                            json_pack("{s:i, s:I, s:I, s:f}", "depth", (int)session->options->depth,
                                      "chains", (json_int_t)session->chains, "questions",
                                      (json_int_t)session->questions, "chance", claims->chance));
    }
    if (claims->sampled > 0) {
        json_object_set_new(all, "sample",
                            json_pack("{s:I, s:I, s:I}", "runs", (json_int_t)claims->sampled,
                                      "states", (json_int_t)claims->seen, "unseen",
                                      (json_int_t)claims->unseen));
    }
    if (session->options->faults != VARIANTS_NONE &&
        session->options->faults != VARIANTS_POWER_CUTS) {
        json_object_set_new(all, "failures",
                            json_pack("{s:I, s:i, s:o}", "tried", (json_int_t)claims->failures,
                                      "of", VARIANT_FAILURES, "untried", untried(session)));
    }
    return all;
}
