/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening the oracles, and making the lists of who sees what.
 */
#include "sim/world/audience.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* The list at 0 is empty.  What lies beyond the counts is not looked at. */
void audience_init(struct audience *audience)
{
    audience->member_count = 0;
    audience->settled_by = 0;
    audience->viewers[0] = (struct viewer){NULL, NULL};
    audience->viewer_count = 1;
    memset(audience->first, 0, sizeof(audience->first));
}

/* ---- Who sees what ---- */

static void add_viewer(struct audience *audience, struct viewer viewer)
{
    assert(audience->viewer_count < AUDIENCE_MAX_VIEWERS);
    audience->viewers[audience->viewer_count++] = viewer;
}

/* The list for a kind of event by an issuer; `kinds` are those that matter to each member. */
static uint16_t make_list(struct audience *audience, const uint64_t kinds[], enum event_kind kind,
                          enum by by)
{
    uint32_t first = audience->viewer_count;

    for (uint32_t i = 0; i < audience->member_count; i++) {
        const struct oracle *oracle = audience->members[i].oracle;

        if (oracle_sees(oracle, kinds[i], kind, by)) {
            add_viewer(audience, (struct viewer){oracle->on[kind], audience->members[i].state});
        }
    }
    if (audience->viewer_count == first) {
        return 0;
    }
    add_viewer(audience, (struct viewer){NULL, NULL});
    return (uint16_t)first;
}

static void make_lists(struct audience *audience, const uint64_t kinds[], enum event_kind kind)
{
    uint16_t *first = audience->first[kind];

    first[BY_NONE] = make_list(audience, kinds, kind, BY_NONE);
    first[BY_JOB] = first[BY_GUEST] = first[BY_ACTIVE] = first[BY_NONE];
    if (kind_is_of_request(kind)) {
        first[BY_JOB] = make_list(audience, kinds, kind, BY_JOB);
        first[BY_GUEST] = make_list(audience, kinds, kind, BY_GUEST);
        first[BY_ACTIVE] = first[BY_JOB]; /* oracle_sees_requests_by() */
    }
}

/* ---- The oracles ---- */

static void open_oracle(struct audience *audience, struct evidence *evidence,
                        const struct oracle *oracle)
{
    uint32_t number = audience->member_count++;
    void *state = arena_alloc(evidence->arena, oracle->state_bytes);

    audience->members[number].oracle = oracle;
    audience->members[number].state = state;
    if (oracle->settled != NULL) {
        audience->settled_by |= UINT32_C(1) << number;
    }
    if (oracle->open != NULL) {
        oracle->open(state, evidence);
    }
}

void audience_open(struct audience *audience, struct evidence *evidence)
{
    uint64_t kinds[AUDIENCE_MAX_ORACLES];

    for (uint32_t i = 0; oracles[i] != NULL; i++) {
        uint64_t matter = oracle_kinds(oracles[i], evidence->plan);

        assert(audience->member_count < AUDIENCE_MAX_ORACLES);
        if (matter != 0) {
            kinds[audience->member_count] = matter;
            open_oracle(audience, evidence, oracles[i]);
        }
    }
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        make_lists(audience, kinds, (enum event_kind)kind);
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
