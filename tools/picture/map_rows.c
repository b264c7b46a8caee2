/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows: the ends of all requests cut the addresses into pieces, each of which the same requests
 * touch from its first byte to its last. The pieces of most interest are rows of their own; what
 * is between them is put together.
 *
 * Declared in tools/picture/map_private.h: a part of the map.
 */
#include <stdlib.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/picture/map_private.h"

/* Rows of their own, at most. */
#define MAX_ROWS 5u

/* A piece is of interest because of what touches it; more than enough for a sum of many. */
enum {
    INTEREST_COPY = 1, /* also a second copy of the same piece */
    INTEREST_GUEST = 8,
    INTEREST_TROUBLE = 64, /* a fault, a failure, a hold */
    INTEREST_OF_A_COPY = 2 * INTEREST_COPY,
};

#define INTEREST_FINDING (UINT64_C(1) << 62)

struct piece {
    uint64_t offset;
    uint64_t end;
    uint64_t requests;
    uint64_t interest;
    size_t rank; /* of interest, from 0 */
};

struct pieces {
    struct piece *list;
    size_t count;
};

bool map_sees(const struct map *map, uint64_t from_ns, uint64_t to_ns)
{
    return from_ns <= map->options->to_ns && to_ns >= map->options->from_ns;
}

bool map_has_place(const struct shape_request *request)
{
    return request->bytes > 0 && (request->op == OP_READ || request->op == OP_WRITE ||
                                  request->op == OP_WRITE_ZEROES || request->op == OP_DISCARD);
}

static bool is_shown(const struct map *map, const struct shape_request *request)
{
    return map_has_place(request) && map_sees(map, request->came_ns, request->over_ns);
}

/* ---- Pieces ---- */

static int compare_offsets(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static struct pieces cut(const struct map *map)
{
    const struct picture *picture = map->picture;
    uint64_t *ends = must_alloc((2 * picture->request_count + 1) * sizeof(*ends));
    struct pieces pieces = {
        .list = must_alloc((2 * picture->request_count + 1) * sizeof(struct piece))};
    size_t count = 0;

    for (size_t i = 0; i < picture->request_count; i++) {
        const struct shape_request *request = &picture->requests[i];

        if (is_shown(map, request)) {
            ends[count++] = request->offset;
            ends[count++] = range_end(request->offset, request->bytes);
        }
    }
    qsort(ends, count, sizeof(*ends), compare_offsets);
    for (size_t i = 1; i < count; i++) {
        if (ends[i] > ends[i - 1]) {
            pieces.list[pieces.count++] = (struct piece){.offset = ends[i - 1], .end = ends[i]};
        }
    }
    free(ends);
    return pieces;
}

/* The first piece that ends after the offset. */
static size_t first_after(const struct pieces *pieces, uint64_t offset)
{
    size_t low = 0;
    size_t high = pieces->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pieces->list[middle].end > offset) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static uint64_t interest_of(const struct shape_request *request)
{
    uint64_t interest = request->by == BY_GUEST ? INTEREST_GUEST : INTEREST_COPY;

    return request->fault > 0 || request->ret != 0 ? interest + INTEREST_TROUBLE : interest;
}

/*
 * Adds each request where it begins and takes it away where it ends; the sums over all pieces
 * before are then what touches a piece. (Unsigned numbers that wrap around add up all the same.)
 */
static void add_interest(const struct map *map, struct pieces *pieces)
{
    for (size_t i = 0; i < map->picture->request_count; i++) {
        const struct shape_request *request = &map->picture->requests[i];
        struct piece *piece;
        uint64_t interest = interest_of(request);

        if (!is_shown(map, request)) {
            continue;
        }
        piece = &pieces->list[first_after(pieces, request->offset)];
        piece->requests++;
        piece->interest += interest;
        piece = &pieces->list[first_after(pieces, range_end(request->offset, request->bytes))];
        piece->requests--; /* the list has room for one more than its count */
        piece->interest -= interest;
    }
    for (size_t i = 1; i < pieces->count; i++) {
        pieces->list[i].requests += pieces->list[i - 1].requests;
        pieces->list[i].interest += pieces->list[i - 1].interest;
    }
}

static bool has_event(const struct shape_request *request, uint64_t event)
{
    return request->came_event == event || request->submit_event == event ||
           request->effect_event == event || request->done_event == event ||
           request->over_event == event;
}

void map_find_focus(struct map *map)
{
    const struct run_finding *finding = map->finding;
    const struct picture *picture = map->picture;
    uint32_t disk;

    if (finding == NULL) {
        return;
    }
    map->finding_event = finding->event_number > 0 ? finding->event_number - 1 : 0;
    disk = finding->has_sector ? plan_find_disk(map->plan, finding->disk) : PLAN_NONE;
    if (disk != PLAN_NONE) {
        map->has_focus = true;
        map->focus_node = (uint8_t)disk;
        map->focus = finding->sector * SECTOR_BYTES;
        return;
    }
    /* A vague one is about no request, only about when it was found. */
    for (size_t i = 0; !finding_is(finding->id, FINDING_VAGUE) && i < picture->request_count; i++) {
        const struct shape_request *request = &picture->requests[i];

        if (map_has_place(request) && has_event(request, map->finding_event)) {
            map->has_focus = true;
            map->focus_node = request->node;
            map->focus = request->offset;
        }
    }
}

static void add_finding(const struct map *map, struct pieces *pieces)
{
    size_t found = first_after(pieces, map->focus);

    if (map->has_focus && found < pieces->count && pieces->list[found].offset <= map->focus) {
        pieces->list[found].interest |= INTEREST_FINDING;
    }
}

/* ---- Choosing ---- */

static int compare_interest(const void *a, const void *b)
{
    const struct piece *const *first = a;
    const struct piece *const *second = b;
    int order =
        ((*first)->interest < (*second)->interest) - ((*first)->interest > (*second)->interest);

    return order != 0
               ? order
               : ((*first)->offset > (*second)->offset) - ((*first)->offset < (*second)->offset);
}

static void rank(struct pieces *pieces)
{
    struct piece **order = must_alloc((pieces->count + 1) * sizeof(struct piece *));

    for (size_t i = 0; i < pieces->count; i++) {
        order[i] = &pieces->list[i];
    }
    qsort(order, pieces->count, sizeof(struct piece *), compare_interest);
    for (size_t i = 0; i < pieces->count; i++) {
        order[i]->rank = i;
    }
    free(order);
}

static bool is_row(const struct pieces *pieces, const struct piece *piece)
{
    return piece->rank < MAX_ROWS &&
           (pieces->count <= MAX_ROWS || piece->interest > INTEREST_OF_A_COPY);
}

/* What lies between rows of their own is one row. */
static void add_row(struct map *map, const struct piece *piece, bool is_dense)
{
    struct map_row *last = map->row_count > 0 ? &map->rows[map->row_count - 1] : NULL;

    if (is_dense && last != NULL && last->is_dense) {
        last->end = piece->end;
        return;
    }
    map->rows = must_grow(map->rows, map->row_count, sizeof(*map->rows));
    map->rows[map->row_count++] =
        (struct map_row){.offset = piece->offset, .end = piece->end, .is_dense = is_dense};
}

struct map_row *map_row_of_finding(const struct map *map)
{
    for (size_t i = 0; map->has_focus && i < map->row_count; i++) {
        struct map_row *row = &map->rows[i];

        if (row->offset <= map->focus && map->focus < row->end) {
            return row;
        }
    }
    return NULL;
}

void map_make_rows(struct map *map)
{
    struct pieces pieces = cut(map);

    if (pieces.count > 0) {
        add_interest(map, &pieces);
        add_finding(map, &pieces);
        rank(&pieces);
    }
    for (size_t i = 0; i < pieces.count; i++) {
        if (pieces.list[i].requests > 0) {
            add_row(map, &pieces.list[i], !is_row(&pieces, &pieces.list[i]));
        }
    }
    free(pieces.list);
}
