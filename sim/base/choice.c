/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choices are counter-based: an answer is a function of (seed, site, nth).
 *
 * Nothing is drawn from a shared stream, so no question can shift another.
 * Recorded answers are sorted by site and number once, at creation; a site's
 * questions come in ascending order, so each walks its own piece of that list
 * with a cursor.
 */
#include "sim/base/choice.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define GOLDEN_RATIO_64 UINT64_C(0x9e3779b97f4a7c15)
#define RECORD_MIN_CAPACITY 16u
#define PPM 1000000u

struct choice_site {
    struct choice_site *next; /* the one made before */
    const char *name;
    uint64_t stream; /* seed and name, mixed */
    uint32_t asked;
    uint32_t cursor; /* first entry of choices->sorted not yet passed ... */
    uint32_t end;    /* ... of those that are this site's */
};

struct choices {
    bool quiet;
    struct arena *arena;
    const struct choice_spec *spec;
    struct choice_site *sites;
    const struct choice_answer **sorted; /* spec->recorded by (site, nth) */
    uint32_t record_count;
    uint32_t record_capacity;
    struct choice_answer *record;
};

/* The finaliser of splitmix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* By site, then number, then place in the list, which is the pointers' order. */
static int compare_answers(const void *a, const void *b)
{
    const struct choice_answer *x = *(const struct choice_answer *const *)a;
    const struct choice_answer *y = *(const struct choice_answer *const *)b;
    int order = strcmp(x->site, y->site);

    if (order == 0) {
        order = (x->nth > y->nth) - (x->nth < y->nth);
    }
    return order ? order : (x > y) - (x < y);
}

static const struct choice_answer **sort_recorded(struct arena *arena,
                                                  const struct choice_spec *spec)
{
    size_t count = spec->recorded_count;
    const struct choice_answer **sorted = arena_alloc(arena, count * sizeof(const void *));

    for (size_t i = 0; i < count; i++) {
        sorted[i] = &spec->recorded[i];
    }
    if (count > 1) {
        qsort(sorted, count, sizeof(const void *), compare_answers);
    }
    return sorted;
}

struct choices *choices_create(struct arena *arena, const struct choice_spec *spec)
{
    struct choices *choices = arena_alloc(arena, sizeof(*choices));

    choices->quiet = spec->seed == 0 && spec->recorded_count == 0 && !spec->backend;
    choices->arena = arena;
    choices->spec = spec;
    choices->sorted = sort_recorded(arena, spec);
    return choices;
}

static void site_find_recorded(const struct choices *choices, struct choice_site *site)
{
    uint32_t count = choices->spec->recorded_count;

    while (site->cursor < count && strcmp(choices->sorted[site->cursor]->site, site->name) != 0) {
        site->cursor++;
    }
    site->end = site->cursor;
    while (site->end < count && strcmp(choices->sorted[site->end]->site, site->name) == 0) {
        site->end++;
    }
}

static uint64_t stream_of(uint64_t seed, const char *site)
{
    return mix(seed ^ XXH3_64bits(site, strlen(site)));
}

struct choice_site *choices_site(struct choices *choices, const char *name)
{
    struct choice_site *site = choices->sites;

    while (site && strcmp(site->name, name) != 0) {
        site = site->next;
    }
    if (!site) {
        site = arena_alloc(choices->arena, sizeof(*site));
        site->name = arena_strdup(choices->arena, name);
        site->stream = stream_of(choices->spec->seed, name);
        site_find_recorded(choices, site);
        site->next = choices->sites;
        choices->sites = site;
    }
    return site;
}

bool choices_quiet(const struct choices *choices)
{
    return choices->quiet;
}

bool choices_open(const struct choices *choices)
{
    return choices->spec->backend != NULL || choices->spec->open;
}

/* True and the pick if the record has an answer to the site's current question. */
static bool answer_recorded(struct choices *choices, struct choice_site *site, uint32_t bound,
                            uint32_t *pick)
{
    const struct choice_answer *answer;

    while (site->cursor < site->end && choices->sorted[site->cursor]->nth < site->asked) {
        site->cursor++;
    }
    if (site->cursor == site->end || choices->sorted[site->cursor]->nth > site->asked) {
        return false;
    }
    answer = choices->sorted[site->cursor++];
    *pick = answer->pick % bound;
    return true;
}

/* The high bits, scaled: the bias is below bound / 2^32, too small to see. */
static uint32_t draw(uint64_t stream, uint32_t nth, uint32_t bound)
{
    uint64_t bits = mix(stream + nth * GOLDEN_RATIO_64);

    return (uint32_t)((bits >> 32) * bound >> 32);
}

static uint32_t answer_seeded(const struct choice_site *site, uint32_t bound)
{
    return draw(site->stream, site->asked, bound);
}

uint32_t choose_seeded(uint64_t seed, const struct question *question)
{
    return draw(stream_of(seed, question->site), question->nth, question->bound);
}

static void record_add(struct choices *choices, const struct choice_site *site, uint32_t pick)
{
    size_t bytes = choices->record_capacity * sizeof(choices->record[0]);

    if (choices->record_count == choices->record_capacity) {
        uint32_t capacity = bytes ? 2 * choices->record_capacity : RECORD_MIN_CAPACITY;
        void *record = arena_alloc(choices->arena, capacity * sizeof(choices->record[0]));

        if (bytes) {
            memcpy(record, choices->record, bytes);
        }
        arena_free(choices->arena, choices->record, bytes);
        choices->record = record;
        choices->record_capacity = capacity;
    }
    choices->record[choices->record_count++] =
        (struct choice_answer){.site = site->name, .nth = site->asked, .pick = pick};
    if (choices->spec->recorded_one != NULL) {
        choices->spec->recorded_one(choices->spec->recorder, choices->record_count - 1,
                                    &choices->record[choices->record_count - 1]);
    }
}

/* The next answer of the site, which is below `bound`; the seed's is `seeded`. */
static uint32_t ask(struct choices *choices, struct choice_site *site, uint32_t bound,
                    const struct candidates *candidates, uint32_t seeded)
{
    const struct choice_spec *spec = choices->spec;
    uint32_t pick = seeded;

    if (!answer_recorded(choices, site, bound, &pick) && spec->backend) {
        const struct question question = {site->name, site->asked, bound, candidates};

        pick = spec->backend(spec->opaque, &question);
    }
    assert(pick < bound);
    if (pick != 0) {
        record_add(choices, site, pick);
    }
    return pick;
}

uint32_t choose(struct choices *choices, struct choice_site *site, uint32_t bound)
{
    return choose_event(choices, site, bound, NULL);
}

uint32_t choose_event(struct choices *choices, struct choice_site *site, uint32_t bound,
                      const struct candidates *candidates)
{
    assert(bound >= 1);
    if (choices->quiet || bound == 1) {
        return 0;
    }
    site->asked++;
    return ask(choices, site, bound, candidates,
               choices->spec->seed != 0 ? answer_seeded(site, bound) : 0);
}

bool choose_chance(struct choices *choices, struct choice_site *site, uint32_t ppm)
{
    bool seeded;

    if (ppm == 0 || ppm >= PPM) {
        return ppm != 0;
    }
    if (choices->quiet) {
        return false;
    }
    site->asked++;
    seeded = choices->spec->seed != 0 && answer_seeded(site, PPM) >= PPM - ppm;
    return ask(choices, site, 2, NULL, seeded) != 0;
}

const struct choice_answer *choices_record(const struct choices *choices, uint32_t *count)
{
    *count = choices->record_count;
    return choices->record;
}

void choices_digest(const struct choices *choices, struct digest *digest)
{
    if (choices_open(choices) || digest->symmetry != NULL) {
        return;
    }
    for (const struct choice_site *site = choices->sites; site; site = site->next) {
        digest_string(digest, site->name);
        digest_u64(digest, site->asked);
    }
}

void choices_check(const struct choices *choices)
{
    for (const struct choice_site *site = choices->sites; site; site = site->next) {
        assert(site->cursor <= site->end && site->end <= choices->spec->recorded_count);
        assert(site->asked == 0 || !choices->quiet);
    }
    assert(choices->record_count <= choices->record_capacity);
    for (uint32_t i = 0; i < choices->record_count; i++) {
        assert(choices->record[i].pick != 0 && choices->record[i].nth > 0);
    }
}
