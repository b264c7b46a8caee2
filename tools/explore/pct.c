/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Priorities are functions of the seed and the chain's number, so that only the lowered chains
 * have to be stored.
 */
#include "tools/explore/pct.h"

#include <assert.h>

/* Numbers derived from a seed, other than the answers of choose_seeded(). */
static uint64_t number_of(const struct pct *pct, const char *what, uint32_t nth, uint64_t bound)
{
    const struct question high = {.site = what, .nth = 2 * nth + 1, .bound = UINT32_MAX};
    const struct question low = {.site = what, .nth = 2 * nth + 2, .bound = UINT32_MAX};
    uint64_t upper = choose_seeded(pct->seed, &high);
    uint64_t lower = choose_seeded(pct->seed, &low);

    return (upper << 32 | lower) % bound;
}

void pct_begin(struct pct *pct, uint64_t seed, uint32_t depth, uint64_t questions)
{
    assert(depth >= 1 && depth <= PCT_MAX_DEPTH);
    *pct = (struct pct){
        .seed = seed, .depth = depth, .questions = questions > 0 ? questions : UINT64_C(1)};
    for (uint32_t i = 0; i + 1 < depth; i++) {
        pct->changes[i].at = number_of(pct, "change", i, pct->questions) + 1;
    }
}

/* Lowered chains are below all others, the last one lowest. */
static uint64_t priority(const struct pct *pct, uint32_t chain)
{
    for (uint32_t i = pct->depth - 1; i > 0; i--) {
        if (pct->changes[i - 1].chain == chain) {
            return pct->depth - i;
        }
    }
    return pct->depth + number_of(pct, "priority", chain, UINT64_MAX - pct->depth);
}

static uint32_t highest(const struct pct *pct, const struct question *question)
{
    const struct candidates *candidates = question->candidates;
    uint64_t best_priority = 0;
    uint32_t best = 0;

    for (uint32_t i = 0; i < question->bound; i++) {
        uint64_t own = priority(pct, candidates->chain(candidates->timeline, i));

        if (own > best_priority) {
            best_priority = own;
            best = i;
        }
    }
    return best;
}

static void note_chains(struct pct *pct, const struct candidates *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t chain = candidates->chain(candidates->timeline, i);

        pct->chains = chain > pct->chains ? chain : pct->chains;
    }
}

uint32_t pct_answer(void *opaque, const struct question *question)
{
    struct pct *pct = opaque;
    const struct candidates *candidates = question->candidates;

    if (candidates == NULL) {
        return choose_seeded(pct->seed, question);
    }
    note_chains(pct, candidates, question->bound);
    if (++pct->asked > pct->questions) {
        return choose_seeded(pct->seed, question);
    }
    for (uint32_t i = 0; i + 1 < pct->depth; i++) {
        if (pct->changes[i].at == pct->asked) {
            pct->changes[i].chain = candidates->chain(candidates->timeline, highest(pct, question));
        }
    }
    return highest(pct, question);
}

double pct_chance(uint32_t chains, uint64_t questions, uint32_t depth)
{
    double chance = 1.0 / (chains > 0 ? chains : 1);

    for (uint32_t i = 1; i < depth; i++) {
        chance /= (double)(questions > 0 ? questions : 1);
    }
    return chance;
}
