/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Columns: every instant at which something of the map happens has one, if they fit. If they don't,
 * those of least weight that are neighbours become one column.
 *
 * Two effects on the same row at the same instant have a column each: their order is what a race
 * is about.
 *
 * Declared in tools/picture/map_private.h: a part of the map.
 */
#include <stdlib.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/picture/map_private.h"

enum {
    WEIGHT_DENSE = 1, /* something in a row that only counts, or a dirty range */
    WEIGHT_REQUEST,   /* of the job, in a row of its own */
    WEIGHT_GUEST,
    WEIGHT_EVENT,   /* what the job tells, commands, faults, holds */
    WEIGHT_FINDING, /* in the row of the finding, and the finding itself */
};

/* Spare room between two instants, at most. */
#define MAX_GAP 9u

struct mark {
    uint64_t event;
    uint64_t now_ns;
    uint32_t weight;
    bool is_alone; /* nothing that came before at the same instant is in the same column */
};

struct marks {
    struct mark *list;
    size_t count;
};

static void add(const struct map *map, struct marks *marks, uint64_t event, uint64_t now_ns,
                uint32_t weight)
{
    if (event == SHAPE_NEVER || !map_sees(map, now_ns, now_ns)) {
        return;
    }
    marks->list = must_grow(marks->list, marks->count, sizeof(*marks->list));
    marks->list[marks->count++] = (struct mark){.event = event, .now_ns = now_ns, .weight = weight};
}

/* ---- What is marked ---- */

/* By the row of most weight that it touches. */
static uint32_t weight_in_rows(const struct map *map, uint64_t offset, uint64_t bytes,
                               uint32_t weight)
{
    const struct map_row *of_finding = map_row_of_finding(map);
    uint32_t found = 0;

    for (size_t i = 0; i < map->row_count; i++) {
        const struct map_row *row = &map->rows[i];

        if (range_overlaps(row->offset, row->end - row->offset, offset, bytes)) {
            found = (uint32_t)max_u64(found, row == of_finding ? WEIGHT_FINDING
                                             : row->is_dense   ? WEIGHT_DENSE
                                                               : weight);
        }
    }
    return found;
}

static void mark_requests(const struct map *map, struct marks *marks)
{
    for (size_t i = 0; i < map->picture->request_count; i++) {
        const struct shape_request *request = &map->picture->requests[i];
        uint32_t weight = request->by == BY_GUEST ? WEIGHT_GUEST : WEIGHT_REQUEST;

        if (map_has_place(request)) {
            weight = weight_in_rows(map, request->offset, request->bytes, weight);
            add(map, marks, request->came_event, request->came_ns, weight);
            add(map, marks, request->submit_event, request->submit_ns, weight);
            add(map, marks, request->effect_event, request->effect_ns, weight);
            add(map, marks, request->done_event, request->done_ns, weight);
            add(map, marks, request->over_event, request->over_ns, weight);
        }
    }
}

static void mark_ranges(const struct map *map, struct marks *marks)
{
    for (size_t i = 0; i < map->picture->range_count; i++) {
        const struct shape_range *range = &map->picture->ranges[i];

        if (range->kind == RANGE_DIRTY && range->jobs &&
            weight_in_rows(map, range->offset, range->bytes, WEIGHT_REQUEST) > WEIGHT_DENSE) {
            add(map, marks, range->from_event, range->from_ns, WEIGHT_DENSE);
            add(map, marks, range->to_event, range->to_ns, WEIGHT_DENSE);
        }
    }
}

static void mark_periods(const struct map *map, struct marks *marks)
{
    for (size_t i = 0; i < map->picture->period_count; i++) {
        const struct shape_period *period = &map->picture->periods[i];
        uint32_t weight = period->lane == LANE_PHASE ? WEIGHT_DENSE : WEIGHT_EVENT;

        if (period->lane != LANE_PHASE || period->from_ns != period->to_ns) {
            add(map, marks, period->from_event, period->from_ns, weight);
            add(map, marks, period->to_event, period->to_ns, weight);
        }
    }
}

static void mark_instants(const struct map *map, struct marks *marks)
{
    for (size_t i = 0; i < map->picture->instant_count; i++) {
        const struct shape_instant *instant = &map->picture->instants[i];
        bool of_story = instant->event.kind == EVENT_STEP || instant->event.kind == EVENT_REACT ||
                        instant->event.kind == EVENT_QUERY;

        if (!of_story) {
            add(map, marks, instant->number, instant->event.now_ns, WEIGHT_EVENT);
        }
    }
    if (map->finding != NULL) {
        add(map, marks, map->finding_event, map->finding->now_ns, WEIGHT_FINDING);
    }
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *first = a;
    const struct mark *second = b;

    return (first->event > second->event) - (first->event < second->event);
}

/* The effects on a row, in order; one at the same instant as the last is alone. */
static void part_effects(const struct map *map, const struct map_row *row, struct marks *marks)
{
    const struct picture *picture = map->picture;
    struct marks effects = {0};

    for (size_t i = 0; i < picture->request_count; i++) {
        const struct shape_request *request = &picture->requests[i];

        if (map_has_place(request) &&
            range_overlaps(row->offset, row->end - row->offset, request->offset, request->bytes)) {
            add(map, &effects, request->effect_event, request->effect_ns, 0);
        }
    }
    if (effects.count > 1) {
        qsort(effects.list, effects.count, sizeof(*effects.list), compare_marks);
    }
    for (size_t i = 1; i < effects.count; i++) {
        struct mark *mark;

        if (effects.list[i].now_ns == effects.list[i - 1].now_ns) {
            mark = bsearch(&effects.list[i], marks->list, marks->count, sizeof(*marks->list),
                           compare_marks);
            mark->is_alone = true;
        }
    }
    free(effects.list);
}

static struct marks mark_all(const struct map *map)
{
    struct marks marks = {0};

    mark_requests(map, &marks);
    mark_ranges(map, &marks);
    mark_periods(map, &marks);
    mark_instants(map, &marks);
    if (marks.count > 0) {
        qsort(marks.list, marks.count, sizeof(*marks.list), compare_marks);
    }
    for (size_t i = 0; i < map->row_count; i++) {
        if (!map->rows[i].is_dense) {
            part_effects(map, &map->rows[i], &marks);
        }
    }
    return marks;
}

/* ---- Columns ---- */

static void add_column(struct map *map, const struct mark *mark)
{
    map->columns = must_grow(map->columns, map->column_count, sizeof(*map->columns));
    map->columns[map->column_count++] =
        (struct map_column){.event = mark->event, .now_ns = mark->now_ns, .weight = mark->weight};
}

/* One for each instant. */
static void part(struct map *map, const struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        const struct mark *mark = &marks->list[i];
        struct map_column *last =
            map->column_count > 0 ? &map->columns[map->column_count - 1] : NULL;

        if (last == NULL || last->now_ns != mark->now_ns ||
            (mark->is_alone && last->event != mark->event)) {
            add_column(map, mark);
        } else {
            last->weight = (uint32_t)max_u64(last->weight, mark->weight);
        }
    }
}

/* The number of columns if those below a weight are put together with their neighbours. */
static size_t count_with(const struct map *map, uint32_t weight)
{
    bool was_light = false;
    size_t count = 0;

    for (size_t i = 0; i < map->column_count; i++) {
        bool is_light = map->columns[i].weight < weight;

        count += !(is_light && was_light);
        was_light = is_light;
    }
    return count;
}

/*
 * Puts columns below the weight together, `most` at a time, as long as there are more than the
 * width has room for.
 */
static void merge(struct map *map, uint32_t weight, size_t most)
{
    size_t kept = 0;
    size_t merged = 0;

    for (size_t i = 0; i < map->column_count; i++) {
        struct map_column *last = kept > 0 ? &map->columns[kept - 1] : NULL;
        bool is_light = map->columns[i].weight < weight;

        if (is_light && last != NULL && last->weight < weight && merged + 1 < most) {
            last->is_merged = true;
            merged++;
            continue;
        }
        map->columns[kept++] = map->columns[i];
        merged = 0;
    }
    map->column_count = kept;
}

/* How many of the light ones have to be put together for all to fit. */
static size_t light_in_one(const struct map *map, uint32_t weight)
{
    size_t light = 0;
    size_t runs = 0;
    size_t room;
    bool was_light = false;

    for (size_t i = 0; i < map->column_count; i++) {
        bool is_light = map->columns[i].weight < weight;

        light += is_light;
        runs += is_light && !was_light;
        was_light = is_light;
    }
    /* Each run of them may need a column more than its share. */
    room = map->width - (map->column_count - light);
    return room > 2 * runs ? light / (room - runs) + 1 : SIZE_MAX;
}

/* So many that even those of most weight don't fit: all of them alike. */
static void merge_evenly(struct map *map)
{
    size_t in_one = map->column_count / map->width + 1;

    merge(map, UINT32_MAX, in_one);
}

/* ---- Around a finding ---- */

static size_t column_of_finding(const struct map *map)
{
    size_t found = 0;

    for (size_t i = 0; i < map->column_count && map->columns[i].event <= map->finding_event; i++) {
        found = i;
    }
    return found;
}

/*
 * What happened in the finding's row before it has columns of its own, the latest first, and so
 * has what happened just before and after it. All else can be put together.
 */
static void weigh_by_finding(struct map *map)
{
    size_t found = column_of_finding(map);
    size_t in_row = map->width / 3;
    size_t before = map->width / 3;
    size_t after = map->width / 8;

    for (size_t i = found + 1; i-- > 0;) {
        struct map_column *column = &map->columns[i];
        bool is_of_row = column->weight == WEIGHT_FINDING && in_row > 0;

        in_row -= is_of_row;
        column->weight = is_of_row || found - i <= before ? WEIGHT_FINDING : WEIGHT_DENSE;
    }
    for (size_t i = found + 1; i < map->column_count; i++) {
        map->columns[i].weight = i - found <= after ? WEIGHT_FINDING : WEIGHT_DENSE;
    }
}

static void fit(struct map *map)
{
    uint32_t weight = WEIGHT_REQUEST;

    if (map->column_count <= map->width) {
        return;
    }
    if (map->finding != NULL) {
        weigh_by_finding(map);
    }
    while (weight <= WEIGHT_FINDING && count_with(map, weight) > map->width) {
        weight++;
    }
    if (weight <= WEIGHT_FINDING) {
        merge(map, weight, light_in_one(map, weight));
    } else {
        merge_evenly(map);
    }
}

/* ---- Places ---- */

static uint32_t bits_of(uint64_t value)
{
    uint32_t bits = 1;

    for (; value > 1; value >>= 1) {
        bits++;
    }
    return bits;
}

/* Longer pauses get more of the room that is left, but not in proportion. */
static void place(struct map *map)
{
    size_t found = map->finding != NULL ? column_of_finding(map) : SIZE_MAX;
    uint64_t spare = map->width - map->column_count;
    uint64_t bits = 0;
    uint32_t x = 0;

    /* So that the cross can stand behind the effect that it is about. */
    if (spare > 0 && found != SIZE_MAX) {
        spare--;
    } else {
        found = SIZE_MAX;
    }

    for (size_t i = 1; i < map->column_count; i++) {
        bits += bits_of(map->columns[i].now_ns - map->columns[i - 1].now_ns);
    }
    for (size_t i = 0; i < map->column_count; i++) {
        if (i > 0) {
            uint64_t share = bits_of(map->columns[i].now_ns - map->columns[i - 1].now_ns) * spare;

            x += 1 + (uint32_t)min_u64(MAX_GAP, share / bits) + (found + 1 == i);
        }
        map->columns[i].x = x;
    }
    if (map->column_count > 0) {
        map->width = (uint32_t)min_u64(map->width, x + UINT64_C(2));
    }
}

void map_make_columns(struct map *map)
{
    struct marks marks = mark_all(map);

    part(map, &marks);
    free(marks.list);
    fit(map);
    place(map);
}

uint32_t map_x(const struct map *map, uint64_t event)
{
    size_t low = 0;
    size_t high = map->column_count;

    if (event == SHAPE_NEVER) {
        return map->width - 1;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (map->columns[middle].event > event) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low > 0 ? map->columns[low - 1].x : 0;
}
