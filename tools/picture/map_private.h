/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the map share; map.h is its contract.
 *
 *   map_rows.c     which addresses have a row of their own
 *   map_columns.c  which instants have a column of their own
 *   map_draw.c     requests, dirty ranges, holds and the finding into cells
 *   map_lanes.c    the lines above: time, status, phase, sections, events
 *   map.c          all of it as text
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_MAP_PRIVATE_H
#define MIRRORSIM_TOOLS_PICTURE_MAP_PRIVATE_H

#include "tools/picture/map.h"

/* X(name, in Unicode, in ASCII, colour, meaning for the legend) */
#define GLYPHS(X)                                       \
    X(BLANK, " ", " ", 0, "")                           \
    X(DIRTY, "░", ".", 33, "dirty")                     \
    X(JOB, "─", "-", 36, "request of the job")          \
    X(ACTIVE, "╌", "~", 35, "active request")           \
    X(GUEST, "═", "=", 32, "request of the guest")      \
    X(WAITS, "┈", "_", 32, "guest waits")               \
    X(HELD, "▒", "%", 31, "held")                       \
    X(JOB_READ, "r", "r", 36, "read has its data")      \
    X(JOB_WRITE, "w", "w", 36, "write took effect")     \
    X(JOB_ZEROES, "z", "z", 36, "zeroes took effect")   \
    X(JOB_DISCARD, "d", "d", 36, "discard took effect") \
    X(GUEST_READ, "R", "R", 32, "guest's read")         \
    X(GUEST_WRITE, "W", "W", 32, "guest's write")       \
    X(GUEST_ZEROES, "Z", "Z", 32, "guest's zeroes")     \
    X(GUEST_DISCARD, "D", "D", 32, "guest's discard")   \
    X(NO_EFFECT, "|", "|", 36, "over without effect")   \
    X(FAULT, "F", "F", 31, "fault")                     \
    X(FAILED, "!", "!", 31, "failed")                   \
    X(SEVERAL, "*", "*", 0, "several in one cell")      \
    X(FINDING, "✗", "X", 31, "the finding")

enum glyph {
#define X(id, unicode, ascii, colour, meaning) GLYPH_##id,
    GLYPHS(X)
#undef X
        GLYPH_COUNT
};

/* A cell shows a character of text, if it has one, or a glyph. */
struct cell {
    char letter;
    uint8_t glyph; /* enum glyph; of a letter: whose colour it has */
};

struct map_line {
    uint8_t node;
    uint64_t free_ns; /* the last request on it is over then */
    bool is_used;
    struct cell *cells;
};

struct map_row {
    uint64_t offset;
    uint64_t end;
    bool is_dense; /* requests are counted, not drawn */
    struct map_line *lines;
    size_t line_count;
};

/* Events from `event` on are in this column, up to the next one's. */
struct map_column {
    uint64_t event;
    uint64_t now_ns;
    uint32_t weight;
    uint32_t x;
    bool is_merged; /* several instants */
};

struct legend;

struct map {
    const struct plan *plan;
    const struct engine *engine;
    const struct picture *picture;
    const struct run_finding *finding;
    const struct map_options *options;
    uint32_t gutter;
    uint32_t width; /* of the plot */

    struct map_row *rows;
    size_t row_count;
    struct map_column *columns;
    size_t column_count;
    bool is_used[GLYPH_COUNT];

    /* Where the finding is: its sector, or what the last request before it was about. */
    bool has_focus;
    uint8_t focus_node;
    uint64_t focus;
    uint64_t finding_event; /* the last one before it */
};

/* True if something of this span is to be shown. */
bool map_sees(const struct map *map, uint64_t from_ns, uint64_t to_ns);

/* True for reads and all that writes: what has a place in the map. */
bool map_has_place(const struct shape_request *request);

/* The row of the finding; NULL: it has no place, or there is no such row. */
struct map_row *map_row_of_finding(const struct map *map);

/* To be called first. */
void map_find_focus(struct map *map);

void map_make_rows(struct map *map);
void map_make_columns(struct map *map);

/* Where an event is; one that never comes is at the right end. */
uint32_t map_x(const struct map *map, uint64_t event);

void map_draw(struct map *map);

struct cell *map_cells(const struct map *map);
void map_put_text(const struct map *map, struct cell *cells, uint32_t x, uint32_t end,
                  const char *text);

/* Writes the lines above the map; what their letters mean goes into the legend. */
void map_show_lanes(struct map *map, FILE *out);
void map_lane_legend(const struct map *map, struct legend *legend);

/* Adds what a letter means. */
void map_legend(struct legend *legend, char letter, const char *meaning);

/* One line: what stands before it, then its cells. */
void map_show_line(struct map *map, FILE *out, const char *label, const struct cell *cells);

#endif
