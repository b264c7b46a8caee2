/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map as text: lanes, rows with their lines, and a legend of what occurs in them.
 */
#include "tools/picture/map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/terminal.h"
#include "tools/picture/map_private.h"

#define GUTTER 17u
#define ADDRESS_COLUMNS 10
#define NAME_COLUMNS 5

static const struct {
    const char *unicode;
    const char *ascii;
    unsigned colour;
    const char *meaning;
} glyphs[GLYPH_COUNT] = {
#define X(id, in_unicode, in_ascii, in_colour, text) \
    [GLYPH_##id] = {in_unicode, in_ascii, in_colour, text},
    GLYPHS(X)
#undef X
};

struct map_options map_options_for(FILE *out)
{
    uint32_t columns = terminal_columns(out);

    return (struct map_options){.columns = columns >= MAP_MIN_COLUMNS ? columns : MAP_COLUMNS,
                                .colour = isatty(fileno(out)) == 1 && getenv("NO_COLOR") == NULL,
                                .to_ns = UINT64_MAX};
}

/* ---- Lines ---- */

static void show_cell(struct map *map, FILE *out, struct cell cell)
{
    const char *glyph = map->options->ascii ? glyphs[cell.glyph].ascii : glyphs[cell.glyph].unicode;
    char letter[2] = {cell.letter, '\0'};
    unsigned colour = map->options->colour ? glyphs[cell.glyph].colour : 0;

    if (cell.letter == '\0') {
        map->is_used[cell.glyph] = true;
    }
    if (colour > 0) {
        fprintf(out, "\033[%um", colour);
    }
    fputs(cell.letter != '\0' ? letter : glyph, out);
    if (colour > 0) {
        fputs("\033[0m", out);
    }
}

void map_show_line(struct map *map, FILE *out, const char *label, const struct cell *cells)
{
    uint32_t width = map->width;

    while (width > 0 && cells[width - 1].letter == '\0' && cells[width - 1].glyph == GLYPH_BLANK) {
        width--;
    }
    fprintf(out, "%-*s", (int)map->gutter, label);
    for (uint32_t x = 0; x < width; x++) {
        show_cell(map, out, cells[x]);
    }
    fputc('\n', out);
}

static const char *disk_name(const struct map *map, unsigned node)
{
    return node < map->plan->disk_count ? map->plan->disks[node].name : "filter";
}

/* Where it begins, then how long it is, then the other lines of the row. */
static const char *address(const struct map_row *row, size_t line, char *buf, size_t size)
{
    if (line == 0) {
        snprintf(buf, size, "%s", quantity_size(row->offset).text);
    } else if (line == 1) {
        snprintf(buf, size, "+%s", quantity_size(row->end - row->offset).text);
    } else {
        *buf = '\0';
    }
    return buf;
}

static void show_row(struct map *map, FILE *out, const struct map_row *row)
{
    struct cell *none = map_cells(map);
    char label[80];
    char text[40];

    for (size_t i = 0; i < row->line_count || i < 2; i++) {
        bool is_line = i < row->line_count;
        bool is_first = is_line && (i == 0 || row->lines[i].node != row->lines[i - 1].node);

        snprintf(label, sizeof(label), "%*s %-*.*s ", ADDRESS_COLUMNS,
                 address(row, i, text, sizeof(text)), NAME_COLUMNS, NAME_COLUMNS,
                 is_first ? disk_name(map, row->lines[i].node) : "");
        map_show_line(map, out, label, is_line ? row->lines[i].cells : none);
    }
    free(none);
}

static void show_untouched(FILE *out, uint64_t from, uint64_t to)
{
    if (from < to) {
        fprintf(out, "%*s untouched\n", ADDRESS_COLUMNS, quantity_size(to - from).text);
    }
}

static void show_rows(struct map *map, FILE *out)
{
    uint64_t end = 0;

    for (size_t i = 0; i < map->row_count; i++) {
        show_untouched(out, end, map->rows[i].offset);
        show_row(map, out, &map->rows[i]);
        end = map->rows[i].end;
    }
    show_untouched(out, end, map->plan->disks[map->plan->job.source].bytes);
}

/* ---- The legend ---- */

struct legend {
    FILE *out;
    uint32_t columns;
    uint32_t at; /* the column where the line ends now */
};

/* Columns of a text: its characters, not its bytes. */
static uint32_t columns_of(const char *text)
{
    uint32_t columns = 0;

    for (; *text != '\0'; text++) {
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return columns;
}

static void add_to_legend(struct legend *legend, const char *sign, const char *meaning)
{
    uint32_t columns = columns_of(sign) + 1 + columns_of(meaning);

    if (legend->at > 0 && legend->at + 3 + columns > legend->columns) {
        fputc('\n', legend->out);
        legend->at = 0;
    }
    fprintf(legend->out, "%s%s %s", legend->at > 0 ? "   " : "", sign, meaning);
    legend->at += columns + (legend->at > 0 ? 3 : 0);
}

void map_legend(struct legend *legend, char letter, const char *meaning)
{
    const char sign[2] = {letter, '\0'};

    add_to_legend(legend, sign, meaning);
}

static void show_legend(struct map *map, FILE *out)
{
    struct legend legend = {.out = out, .columns = map->options->columns};
    bool is_merged = false;
    bool is_dense = false;

    map_lane_legend(map, &legend);
    for (size_t i = 1; i < GLYPH_COUNT; i++) {
        if (map->is_used[i]) {
            add_to_legend(&legend, map->options->ascii ? glyphs[i].ascii : glyphs[i].unicode,
                          glyphs[i].meaning);
        }
    }
    for (size_t i = 0; i < map->row_count; i++) {
        is_dense = is_dense || map->rows[i].is_dense;
    }
    for (size_t i = 0; i < map->column_count; i++) {
        is_merged = is_merged || map->columns[i].is_merged;
    }
    if (is_dense) {
        add_to_legend(&legend, "1..9+", "so many requests in flight");
    }
    if (is_merged) {
        add_to_legend(&legend, "~", "several instants in one column");
    }
    fputs(legend.at > 0 ? "\n" : "", out);
    fputs("Columns are instants at which something happens: time is not to scale.\n", out);
}

/* ---- The map ---- */

static void free_map(struct map *map)
{
    for (size_t i = 0; i < map->row_count; i++) {
        for (size_t j = 0; j < map->rows[i].line_count; j++) {
            free(map->rows[i].lines[j].cells);
        }
        free(map->rows[i].lines);
    }
    free(map->rows);
    free(map->columns);
}

void map_show(FILE *out, const struct plan *plan, const struct engine *engine,
              const struct picture *picture, const struct run_finding *finding,
              const struct map_options *options)
{
    struct map map = {.plan = plan,
                      .engine = engine,
                      .picture = picture,
                      .finding = finding,
                      .options = options,
                      .gutter = GUTTER,
                      .width = (uint32_t)max_u64(options->columns, MAP_MIN_COLUMNS) - GUTTER};

    map_find_focus(&map);
    map_make_rows(&map);
    map_make_columns(&map);
    map_draw(&map);
    map_show_lanes(&map, out);
    show_rows(&map, out);
    show_legend(&map, out);
    free_map(&map);
}
