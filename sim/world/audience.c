/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening the oracles, and making the lists of who sees what.
 */
#include "sim/world/audience.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* The list at 0 is empty. */
void audience_init(struct audience *audience)
{
    memset(audience, 0, sizeof(*audience));
}

/* ---- Who sees what ---- */

static void add_viewer(struct audience *audience, struct viewer viewer)
{
    assert(audience->viewer_count < AUDIENCE_MAX_VIEWERS);
    audience->viewers[audience->viewer_count++] = viewer;
}

/* The list for a kind of event by an issuer. */
static uint16_t make_list(struct audience *audience, enum event_kind kind, enum by by)
{
    uint32_t first = audience->viewer_count;

    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct member *member = &audience->members[i];

        if (oracle_sees(member->oracle, member->kinds, kind, by)) {
            add_viewer(audience, (struct viewer){member->oracle->on[kind], member->state});
        }
    }
    if (audience->viewer_count == first) {
        return 0;
    }
    add_viewer(audience, (struct viewer){NULL, NULL});
    return (uint16_t)first;
}

static void make_lists_of(struct audience *audience, enum event_kind kind)
{
    uint16_t *first = audience->first[kind];

    first[BY_NONE] = make_list(audience, kind, BY_NONE);
    first[BY_JOB] = first[BY_GUEST] = first[BY_ACTIVE] = first[BY_NONE];
    if (kind_is_of_request(kind)) {
        first[BY_JOB] = make_list(audience, kind, BY_JOB);
        first[BY_GUEST] = make_list(audience, kind, BY_GUEST);
        first[BY_ACTIVE] = first[BY_JOB]; /* oracle_sees_requests_by() */
    }
}

static void make_lists(struct audience *audience)
{
    audience->viewer_count = 1; /* behind the empty list */
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        make_lists_of(audience, (enum event_kind)kind);
    }
}

/* ---- The oracles ---- */

/* Becomes the next member; true if it was that before. */
static bool open_oracle(struct audience *audience, struct evidence *evidence,
                        const struct oracle *oracle, uint64_t kinds)
{
    uint32_t number = audience->member_count++;
    struct member *member = &audience->members[number];
    void *state = arena_alloc(evidence->arena, oracle->state_bytes);
    bool was_there = member->oracle == oracle && member->state == state && member->kinds == kinds;

    *member = (struct member){oracle, state, kinds};
    if (oracle->settled != NULL) {
        audience->settled_by |= UINT32_C(1) << number;
    }
    if (oracle->open != NULL) {
        oracle->open(state, evidence);
    }
    return was_there;
}

/* A world that is made again mostly has the same oracles at the same places: the lists stay. */
void audience_open(struct audience *audience, struct evidence *evidence)
{
    uint32_t count_before = audience->member_count;
    bool is_same = true;

    audience->member_count = 0;
    audience->settled_by = 0;
    for (uint32_t i = 0; oracles[i] != NULL; i++) {
        uint64_t kinds = oracle_kinds(oracles[i], evidence->plan);

        assert(audience->member_count < AUDIENCE_MAX_ORACLES);
        if (kinds != 0) {
            is_same = open_oracle(audience, evidence, oracles[i], kinds) && is_same;
        }
    }
    if (!is_same || audience->member_count != count_before) {
        make_lists(audience);
    }
}

bool audience_repeats(const struct audience *audience, const struct evidence *evidence,
                      uint64_t from_event)
{
    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle->repeats != NULL &&
            oracle->repeats(audience->members[i].state, evidence, from_event)) {
            return true;
        }
    }
    return false;
}

void audience_close(const struct audience *audience, struct evidence *evidence)
{
    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle->close != NULL) {
            oracle->close(audience->members[i].state, evidence);
        }
    }
}

void audience_digest(const struct audience *audience, const struct evidence *evidence,
                     struct digest *digest)
{
    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle->digest != NULL) {
            oracle->digest(audience->members[i].state, evidence, digest);
        }
    }
}

void audience_check(const struct audience *audience)
{
    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle->check != NULL) {
            oracle->check(audience->members[i].state);
        }
    }
}
