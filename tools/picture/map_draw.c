/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens in the rows, into cells.
 *
 * Each disk that a row's requests touch has a line in the row, and one more for each request that
 * overlaps others there, so that an old write that is held and the new one stand below each other.
 *
 * Declared in tools/picture/map_private.h: a part of the map.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "tools/base/support.h"
#include "tools/picture/map_private.h"

/* Lines for requests of one disk that overlap, at most. */
#define MAX_LINES 5u

struct cell *map_cells(const struct map *map)
{
    return must_alloc((map->width + 1) * sizeof(struct cell));
}

void map_put_text(const struct map *map, struct cell *cells, uint32_t x, uint32_t end,
                  const char *text)
{
    for (; *text != '\0' && x < end && x < map->width; x++, text++) {
        cells[x].letter = *text;
    }
}

static bool is_mark(uint8_t glyph)
{
    return glyph >= GLYPH_JOB_READ;
}

/* A mark stays visible; two in one cell are several, but a failure says most. */
static void put(const struct map_line *line, uint32_t x, enum glyph glyph)
{
    struct cell *cell = &line->cells[x];

    if (!is_mark((uint8_t)glyph)) {
        cell->glyph = is_mark(cell->glyph) ? cell->glyph : (uint8_t)glyph;
    } else if (glyph != GLYPH_FAILED && is_mark(cell->glyph) && cell->glyph != GLYPH_FAULT &&
               cell->glyph != GLYPH_NO_EFFECT) {
        cell->glyph = GLYPH_SEVERAL;
    } else {
        cell->glyph = (uint8_t)glyph;
    }
    cell->letter = '\0';
}

static void fill(const struct map_line *line, uint32_t from, uint32_t to, enum glyph glyph)
{
    for (uint32_t x = from; x <= to; x++) {
        put(line, x, glyph);
    }
}

/* ---- Lines ---- */

static struct map_line *add_line(struct map *map, struct map_row *row, size_t at, uint8_t node)
{
    struct map_line *line;

    row->lines = must_grow(row->lines, row->line_count, sizeof(*row->lines));
    line = &row->lines[at];
    memmove(line + 1, line, (row->line_count - at) * sizeof(*line));
    row->line_count++;
    *line = (struct map_line){.node = node, .cells = map_cells(map)};
    return line;
}

/* A line of the disk that is free from then on; or a new one; or, of too many, the last. */
static struct map_line *line_for(struct map *map, struct map_row *row, uint8_t node,
                                 uint64_t from_ns, uint64_t to_ns)
{
    struct map_line *line = NULL;
    size_t of_node = 0;
    size_t i = 0;

    while (i < row->line_count && row->lines[i].node < node) {
        i++;
    }
    for (; i < row->line_count && row->lines[i].node == node; i++, of_node++) {
        line = &row->lines[i];
        if (!line->is_used || line->free_ns < from_ns) {
            break;
        }
    }
    if (i == row->line_count || row->lines[i].node != node) {
        line = of_node < MAX_LINES && !(row->is_dense && of_node > 0) ? add_line(map, row, i, node)
                                                                      : line;
    }
    line->is_used = true;
    line->free_ns = max_u64(line->free_ns, to_ns);
    return line;
}

/* ---- Requests ---- */

static enum glyph line_of(const struct shape_request *request)
{
    return request->by == BY_GUEST    ? GLYPH_GUEST
           : request->by == BY_ACTIVE ? GLYPH_ACTIVE
                                      : GLYPH_JOB;
}

static enum glyph effect_of(const struct shape_request *request)
{
    bool is_guests = request->by == BY_GUEST;

    switch (request->op) {
    case OP_READ:
        return is_guests ? GLYPH_GUEST_READ : GLYPH_JOB_READ;
    case OP_WRITE_ZEROES:
        return is_guests ? GLYPH_GUEST_ZEROES : GLYPH_JOB_ZEROES;
    case OP_DISCARD:
        return is_guests ? GLYPH_GUEST_DISCARD : GLYPH_JOB_DISCARD;
    default:
        return is_guests ? GLYPH_GUEST_WRITE : GLYPH_JOB_WRITE;
    }
}

static void draw_holds(const struct map *map, const struct shape_request *request,
                       const struct map_line *line)
{
    /* A fault stops what it holds. */
    for (size_t i = 0; request->fault > 0 && i < map->picture->period_count; i++) {
        const struct shape_period *period = &map->picture->periods[i];
        uint32_t from;
        uint32_t to;

        if (period->lane == LANE_HOLD && period->request == request->request) {
            from = map_x(map, period->from_event);
            to = map_x(map, period->to_event);
            fill(line, from, to > from ? to - 1 : from, GLYPH_HELD);
        }
    }
}

static void draw_faults(const struct map *map, const struct shape_request *request,
                        const struct map_line *line)
{
    for (size_t i = 0; request->fault > 0 && i < map->picture->instant_count; i++) {
        const struct shape_instant *instant = &map->picture->instants[i];

        if (instant->event.kind == EVENT_FAULT && instant->event.request == request->request) {
            put(line, map_x(map, instant->number), GLYPH_FAULT);
        }
    }
}

/* "#4<#1": write 4 brings what read 1 has read. Where its line is long enough. */
static void draw_number(const struct map *map, const struct shape_request *request,
                        const struct map_line *line, uint32_t from, uint32_t to)
{
    char text[40];
    uint32_t length;
    uint32_t room = 0;

    snprintf(text, sizeof(text), "#%" PRIu32, request->request);
    if (request->carries > 0) {
        snprintf(text, sizeof(text), "#%" PRIu32 "<#%" PRIu32, request->request, request->carries);
    }
    for (;;) {
        length = (uint32_t)strlen(text);
        for (uint32_t x = from; x <= to; x++) {
            room = is_mark(line->cells[x].glyph) || line->cells[x].letter != '\0' ? 0 : room + 1;
            if (room == length + 1) {
                map_put_text(map, line->cells, x + 1 - length, map->width, text);
                return;
            }
        }
        if (strchr(text, '<') == NULL) {
            return;
        }
        *strchr(text, '<') = '\0';
    }
}

static void draw_request(struct map *map, struct map_row *row, const struct shape_request *request)
{
    const struct map_line *line =
        line_for(map, row, request->node, request->came_ns, request->over_ns);
    uint32_t came = map_x(map, request->came_event);
    uint32_t submit = map_x(map, request->submit_event);
    uint32_t done = map_x(map, request->done_event);
    uint32_t over = map_x(map, request->over_event);

    fill(line, came, over, GLYPH_WAITS);
    if (request->submit_event != SHAPE_NEVER) {
        fill(line, submit, done, line_of(request));
    }
    draw_holds(map, request, line);
    draw_faults(map, request, line);
    if (request->effect_event != SHAPE_NEVER) {
        put(line, map_x(map, request->effect_event), effect_of(request));
    }
    if (request->ret != 0) {
        put(line, over, GLYPH_FAILED);
    } else if (request->effect_event == SHAPE_NEVER && request->over_event != SHAPE_NEVER) {
        put(line, over, GLYPH_NO_EFFECT);
    }
    draw_number(map, request, line, came, over);
}

static char more(char digit)
{
    if (digit == '\0') {
        return '1';
    }
    return digit == '9' || digit == '+' ? '+' : (char)(digit + 1);
}

/* Adds one to the digits where it is in flight. */
static void count_request(struct map *map, struct map_row *row, const struct shape_request *request)
{
    const struct map_line *line =
        line_for(map, row, request->node, request->came_ns, request->over_ns);
    uint32_t over = map_x(map, request->over_event);

    for (uint32_t x = map_x(map, request->came_event); x <= over; x++) {
        struct cell *cell = &line->cells[x];

        cell->letter = more(cell->letter);
        cell->glyph = request->ret != 0 ? GLYPH_FAILED : GLYPH_JOB;
    }
}

static void draw_requests(struct map *map)
{
    for (size_t i = 0; i < map->picture->request_count; i++) {
        const struct shape_request *request = &map->picture->requests[i];

        if (!map_has_place(request) || !map_sees(map, request->came_ns, request->over_ns)) {
            continue;
        }
        for (size_t j = 0; j < map->row_count; j++) {
            struct map_row *row = &map->rows[j];

            if (!range_overlaps(row->offset, row->end - row->offset, request->offset,
                                request->bytes)) {
                continue;
            }
            if (row->is_dense) {
                count_request(map, row, request);
            } else {
                draw_request(map, row, request);
            }
        }
    }
}

/* ---- Dirty ranges and the finding ---- */

static struct map_line *line_of_node(struct map *map, struct map_row *row, uint8_t node)
{
    size_t i = 0;

    while (i < row->line_count && row->lines[i].node < node) {
        i++;
    }
    return i < row->line_count && row->lines[i].node == node ? &row->lines[i]
                                                             : add_line(map, row, i, node);
}

/* Behind everything else, in the first line of its disk. */
static void draw_range(struct map *map, struct map_row *row, const struct shape_range *range)
{
    const struct map_line *line = line_of_node(map, row, range->node);
    uint32_t to = map_x(map, range->to_event);

    for (uint32_t x = map_x(map, range->from_event); x < to || range->to_event == SHAPE_NEVER;
         x++) {
        if (x == map->width) {
            break;
        }
        if (line->cells[x].glyph == GLYPH_BLANK && line->cells[x].letter == '\0') {
            line->cells[x].glyph = GLYPH_DIRTY;
        }
    }
}

static void draw_ranges(struct map *map)
{
    for (size_t i = 0; i < map->picture->range_count; i++) {
        const struct shape_range *range = &map->picture->ranges[i];

        for (size_t j = 0; j < map->row_count; j++) {
            struct map_row *row = &map->rows[j];

            if (range->kind == RANGE_DIRTY && range->jobs &&
                map_sees(map, range->from_ns, range->to_ns) &&
                range_overlaps(row->offset, row->end - row->offset, range->offset, range->bytes)) {
                draw_range(map, row, range);
            }
        }
    }
}

/* Behind the effect that it is about, if there is room. */
static void draw_finding(struct map *map)
{
    struct map_row *row = map_row_of_finding(map);
    uint32_t x = map->finding != NULL ? map_x(map, map->finding_event) : 0;
    const struct map_line *line;

    if (row == NULL || !map_sees(map, map->finding->now_ns, map->finding->now_ns)) {
        return;
    }
    line = line_of_node(map, row, map->focus_node);
    if (is_mark(line->cells[x].glyph) && x + 1 < map->width && !is_mark(line->cells[x + 1].glyph)) {
        x++;
    }
    line->cells[x] = (struct cell){.glyph = GLYPH_FINDING};
}

void map_draw(struct map *map)
{
    draw_requests(map);
    draw_ranges(map);
    draw_finding(map);
}
