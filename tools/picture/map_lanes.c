/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lines above the map: when a column is, what the job was at, and what happened as a whole.
 *
 * Declared in tools/picture/map_private.h: a part of the map.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/picture/map_private.h"

/* Lines for events at the same place, at most; the last of them says that there are more. */
#define EVENT_LINES 4u

/* X(kind, letter, meaning): of those that are no part of a row. */
#define LETTERS(X)                                   \
    X(JOB_STARTED, 's', "the job starts")            \
    X(JOB_REFUSED, 'N', "start refused")             \
    X(JOB_READY, 'R', "READY")                       \
    X(JOB_ERROR, 'E', "error told")                  \
    X(JOB_PAUSED, 'p', "paused")                     \
    X(JOB_RESUMED, 'r', "resumed")                   \
    X(JOB_PENDING, 'w', "pending")                   \
    X(JOB_COMPLETED, '%', "the job ends")            \
    X(JOB_CANCELLED, 'x', "the job ends, cancelled") \
    X(JOB_SYNCED, 'y', "actively synced changes")    \
    X(COMMAND_REFUSED, 'n', "command refused")       \
    X(GRAPH_PIVOT, '^', "pivot")                     \
    X(GUEST_MOVED, 'g', "the guest moves")           \
    X(FAULT, 'F', "fault")                           \
    X(MARK, 'm', "mark")                             \
    X(CHECK_FAILED, '!', "a check fails")            \
    X(POWER_CUT, 'Z', "power cut")

/* Commands have letters of their own. */
#define VERBS(X)                   \
    X(COMPLETE, 'C', "complete")   \
    X(CANCEL, 'X', "cancel")       \
    X(PAUSE, 'P', "pause")         \
    X(RESUME, 'U', "resume")       \
    X(SET_SPEED, 'S', "set speed") \
    X(FINALIZE, 'f', "finalize")   \
    X(DISMISS, 'd', "dismiss")     \
    X(CHANGE, 'c', "change of mode")

struct letter {
    char letter; /* 0: not shown */
    const char *meaning;
};

static const struct letter letters[EVENT_KIND_COUNT] = {
#define X(id, shown, text) [EVENT_##id] = {shown, text},
    LETTERS(X)
#undef X
};

static const struct letter verbs[VERB_COUNT] = {
#define X(id, shown, text) [VERB_##id] = {shown, text},
    VERBS(X)
#undef X
};

/* A fault that hit a request with a place is a part of its row. */
static struct letter letter_of(const struct map *map, const struct event *event)
{
    const struct shape_request *request = picture_request(map->picture, event->request);

    if (event->kind == EVENT_COMMAND && event->detail < VERB_COUNT) {
        return verbs[event->detail];
    }
    if (event->kind == EVENT_FAULT && request != NULL && map_has_place(request)) {
        return (struct letter){0};
    }
    return letters[event->kind];
}

/* ---- Time ---- */

static bool is_empty(const struct map *map, const struct cell *cells)
{
    for (uint32_t x = 0; x < map->width; x++) {
        if (cells[x].letter != '\0' || cells[x].glyph != GLYPH_BLANK) {
            return false;
        }
    }
    return true;
}

/* Four digits are enough to tell columns apart: "1.886ms". */
static void time_text(char *text, size_t size, uint64_t ns)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    size_t unit = 0;
    uint64_t whole;
    char fraction[8];
    size_t length;

    while (unit < 3 && ns < units[unit].ns) {
        unit++;
    }
    whole = ns / units[unit].ns;
    snprintf(fraction, sizeof(fraction), ".%03u",
             (unsigned)(ns % units[unit].ns * 1000 / units[unit].ns) % 1000);
    /* Four digits in all, and no zeros at the end. */
    length = whole < 10 ? 4 : whole < 100 ? 3 : whole < 1000 ? 2 : 0;
    while (length > 0 && (fraction[length - 1] == '0' || fraction[length - 1] == '.')) {
        length--;
    }
    fraction[length] = '\0';
    snprintf(text, size, "|%" PRIu64 "%s%s", whole, fraction, units[unit].name);
}

/* Labels that don't fit into the first line go into the second. */
static void show_time(struct map *map, FILE *out)
{
    struct cell *lines[] = {map_cells(map), map_cells(map), map_cells(map)};
    uint32_t next[] = {0, 0};
    char text[40];

    for (size_t i = 0; i < map->column_count; i++) {
        const struct map_column *column = &map->columns[i];
        uint32_t length;
        size_t line;

        time_text(text, sizeof(text), column->now_ns);
        length = (uint32_t)strlen(text);
        line = column->x < next[0];
        if (column->x >= next[line] && column->x + length <= map->width) {
            map_put_text(map, lines[line], column->x, map->width, text);
            next[line] = column->x + length + 1;
        }
        lines[2][column->x].letter = column->is_merged ? '~' : '\0';
    }
    for (size_t i = 0; i < 3; i++) {
        if (!is_empty(map, lines[i])) {
            map_show_line(map, out, i == 0 ? "time" : "", lines[i]);
        }
        free(lines[i]);
    }
}

/* ---- Periods ---- */

static const char *name_of_period(const struct map *map, const struct shape_period *period)
{
    if (period->lane == LANE_PHASE) {
        return map->engine->phase_name(period->value);
    }
    if (period->lane == LANE_STATUS) {
        return period->value < JOB_STATUS_COUNT ? job_status_name((enum job_status)period->value)
                                                : "?";
    }
    if (period->value == SECTION_OF_ALL) {
        return "all";
    }
    return period->node < map->plan->disk_count ? map->plan->disks[period->node].name : "filter";
}

/* Its name where it begins, then a line to its end. */
static void put_period(struct map *map, struct cell *cells, const struct shape_period *period)
{
    uint32_t from = map_x(map, period->from_event);
    uint32_t to = map_x(map, period->to_event);

    for (uint32_t x = from; x < to; x++) {
        cells[x] = (struct cell){.glyph = GLYPH_JOB};
    }
    map_put_text(map, cells, from, to > from ? to : from + 1, name_of_period(map, period));
    if (to > from + 1) {
        cells[to - 1].letter = '\0';
    }
}

static void show_periods(struct map *map, FILE *out, enum shape_lane lane, const char *label)
{
    struct cell *cells = map_cells(map);
    bool is_empty = true;

    for (size_t i = 0; i < map->picture->period_count; i++) {
        const struct shape_period *period = &map->picture->periods[i];

        if (period->lane == lane && map_sees(map, period->from_ns, period->to_ns) &&
            map_x(map, period->from_event) < map_x(map, period->to_event)) {
            put_period(map, cells, period);
            is_empty = false;
        }
    }
    if (!is_empty) {
        map_show_line(map, out, label, cells);
    }
    free(cells);
}

/* ---- Events ---- */

static void put_event(const struct map *map, struct cell **lines, uint64_t number, char letter)
{
    uint32_t x = map_x(map, number);
    uint32_t line = 0;

    while (line < EVENT_LINES && lines[line][x].letter != '\0') {
        if (lines[line][x].letter == letter) {
            return;
        }
        line++;
    }
    if (line == EVENT_LINES) {
        lines[EVENT_LINES - 1][x].letter = '*';
        return;
    }
    lines[line][x].letter = letter;
}

static void put_events(struct map *map, struct cell **lines)
{
    for (size_t i = 0; i < map->picture->instant_count; i++) {
        const struct shape_instant *instant = &map->picture->instants[i];
        struct letter letter = letter_of(map, &instant->event);

        if (letter.letter != '\0' && map_sees(map, instant->event.now_ns, instant->event.now_ns)) {
            put_event(map, lines, instant->number, letter.letter);
        }
    }
}

static void show_events(struct map *map, FILE *out)
{
    struct cell *lines[EVENT_LINES];

    for (size_t i = 0; i < EVENT_LINES; i++) {
        lines[i] = map_cells(map);
    }
    put_events(map, lines);
    if (map->finding != NULL && map_row_of_finding(map) == NULL) {
        lines[0][map_x(map, map->finding_event)] = (struct cell){.glyph = GLYPH_FINDING};
    }
    for (size_t i = 0; i < EVENT_LINES; i++) {
        if (!is_empty(map, lines[i])) {
            map_show_line(map, out, i == 0 ? "events" : "", lines[i]);
        }
        free(lines[i]);
    }
}

void map_show_lanes(struct map *map, FILE *out)
{
    show_time(map, out);
    show_periods(map, out, LANE_STATUS, "job");
    show_periods(map, out, LANE_PHASE, "phase");
    show_periods(map, out, LANE_SECTION, "drained");
    show_events(map, out);
}

/* ---- What the letters mean ---- */

static bool occurs(const struct map *map, struct letter letter)
{
    for (size_t i = 0; i < map->picture->instant_count; i++) {
        const struct event *event = &map->picture->instants[i].event;

        if (letter_of(map, event).meaning == letter.meaning && letter.meaning != NULL &&
            map_sees(map, event->now_ns, event->now_ns)) {
            return true;
        }
    }
    return false;
}

void map_lane_legend(const struct map *map, struct legend *legend)
{
    for (size_t i = 0; i < EVENT_KIND_COUNT; i++) {
        if (occurs(map, letters[i])) {
            map_legend(legend, letters[i].letter, letters[i].meaning);
        }
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (occurs(map, verbs[i])) {
            map_legend(legend, verbs[i].letter, verbs[i].meaning);
        }
    }
}
