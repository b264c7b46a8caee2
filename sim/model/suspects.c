/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Suspects: an array that grows by one with each hit of a silent fault.
 */
#include "sim/model/suspects.h"

#include <stdio.h>
#include <string.h>

#include "engine/range.h"

#define FIRST_CAPACITY 4

static const char *const silent_kinds[] = {
    [FAULT_LOST] = "lost",           [FAULT_TORN] = "torn",   [FAULT_CORRUPT] = "corrupt",
    [FAULT_MISDIRECT] = "misdirect", [FAULT_STALE] = "stale", [FAULT_CLAIM] = "claims",
};

bool fault_is_silent(enum fault_kind kind)
{
    return kind == FAULT_LOST || kind == FAULT_TORN || kind == FAULT_CORRUPT ||
           kind == FAULT_MISDIRECT || kind == FAULT_STALE || kind == FAULT_CLAIM;
}

bool plan_has_silent_fault(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (fault_is_silent(plan->faults[i].kind)) {
            return true;
        }
    }
    return false;
}

static void grow(struct suspects *suspects, struct arena *arena)
{
    uint32_t capacity = suspects->capacity == 0 ? FIRST_CAPACITY : 2 * suspects->capacity;
    struct suspect *list = arena_alloc(arena, capacity * sizeof(*list));

    if (suspects->count > 0) {
        memcpy(list, suspects->list, suspects->count * sizeof(*list));
    }
    arena_free(arena, suspects->list, suspects->capacity * sizeof(*list));
    suspects->list = list;
    suspects->capacity = capacity;
}

void suspects_note(struct suspects *suspects, const struct evidence *evidence,
                   const struct event *event)
{
    if (!fault_is_silent(evidence->plan->faults[event->index].kind)) {
        return;
    }
    if (suspects->count == suspects->capacity) {
        grow(suspects, evidence->arena);
    }
    suspects->list[suspects->count++] = (struct suspect){.offset = event->offset,
                                                         .bytes = event->bytes,
                                                         .now_ns = evidence->now_ns,
                                                         .request = event->request,
                                                         .fault = event->index,
                                                         .node = event->node,
                                                         .op = event->op,
                                                         .by = event->by};
}

struct suspect *suspects_find(const struct suspects *suspects, uint32_t request)
{
    for (uint32_t i = suspects->count; i > 0; i--) {
        if (suspects->list[i - 1].request == request) {
            return &suspects->list[i - 1];
        }
    }
    return NULL;
}

bool suspect_elsewhere(const struct suspect *suspect, const struct evidence *evidence,
                       uint64_t *offset)
{
    const struct fault_spec *spec = &evidence->plan->faults[suspect->fault];

    *offset = spec->bytes;
    return spec->kind == FAULT_MISDIRECT;
}

struct phrase phrase_suspect(const struct evidence *evidence, const struct suspect *suspect)
{
    const struct fault_spec *spec = &evidence->plan->faults[suspect->fault];
    struct phrase phrase;

    snprintf(phrase.text, sizeof(phrase.text), "fault %.24s (%s) hit %s%s%.11s of %.24s",
             spec->name, silent_kinds[spec->kind], suspect->by == BY_GUEST ? "guest " : "",
             op_name((enum op)suspect->op), phrase_number(suspect->request).text,
             phrase_disk(evidence, suspect->node));
    return phrase;
}

static bool covers(const struct suspect *suspect, const struct evidence *evidence, uint64_t at)
{
    uint64_t offset;

    return at - suspect->offset < suspect->bytes ||
           (suspect_elsewhere(suspect, evidence, &offset) && at - offset < suspect->bytes);
}

struct phrase suspects_blame(const struct suspects *suspects, const struct evidence *evidence,
                             uint32_t disk, uint64_t sector)
{
    struct phrase blame = {""};

    for (uint32_t i = suspects->count; i > 0; i--) {
        const struct suspect *suspect = &suspects->list[i - 1];

        if ((suspect->op == OP_FLUSH && suspect->node == disk) ||
            covers(suspect, evidence, sector * SECTOR_BYTES)) {
            snprintf(blame.text, sizeof(blame.text), "; %.100s",
                     phrase_suspect(evidence, suspect).text);
            break;
        }
    }
    return blame;
}

void suspects_digest(const struct suspects *suspects, struct digest *digest)
{
    for (uint32_t i = 0; i < suspects->count; i++) {
        const struct suspect *suspect = &suspects->list[i];

        if (!suspect->told) {
            digest_u64(digest, (uint64_t)suspect->fault | (uint64_t)suspect->node << 16 |
                                   (uint64_t)suspect->op << 24 | (uint64_t)suspect->by << 32);
            digest_u64(digest, suspect->offset);
            digest_u64(digest, suspect->bytes);
        }
    }
}
