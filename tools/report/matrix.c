/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A row is begun when the first run of its story arrives; the cells of engines of another
 * generation stay skipped.
 */
#include "tools/report/matrix.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/verdict/finding.h"
#include "tools/base/support.h"

enum cell_state {
    CELL_SKIPPED, /* the story is of another generation */
    CELL_NOT_RUN, /* the run was interrupted before */
    CELL_PASS,
    CELL_KNOWN, /* it fails as an xfail of this engine predicts */
    CELL_FAIL,
    CELL_STATES,
};

static const char *const state_names[CELL_STATES] = {
    [CELL_SKIPPED] = "skipped", [CELL_NOT_RUN] = "not run", [CELL_PASS] = "pass",
    [CELL_KNOWN] = "known",     [CELL_FAIL] = "fail",
};

struct cell {
    enum cell_state state;
    enum finding_id
        finding; /* the first; FINDING_NONE: it passed, though an xfail says otherwise */
    uint64_t seed;
    char bug[RUN_BUG_BYTES];
};

struct row {
    const char *file;
    uint32_t case_number;
    char *title;
    struct cell cells[SUITE_MAX_ENGINES];
};

struct matrix {
    const struct suite *suite;
    bool bisect;
    struct row *rows;
    size_t row_count;
};

struct matrix *matrix_create(const struct suite *suite, bool bisect)
{
    struct matrix *matrix = must_alloc(sizeof(*matrix));

    matrix->suite = suite;
    matrix->bisect = bisect;
    return matrix;
}

void matrix_free(struct matrix *matrix)
{
    for (size_t i = 0; matrix != NULL && i < matrix->row_count; i++) {
        free(matrix->rows[i].title);
    }
    if (matrix != NULL) {
        free(matrix->rows);
    }
    free(matrix);
}

/* ---- Adding ---- */

static char *title_of(const struct report_run *run)
{
    struct report_run story = *run;

    story.seed = 0;
    story.of_several = false;
    return report_title(&story);
}

static struct row *row_begin(struct matrix *matrix, const struct report_run *run)
{
    struct row *row;

    matrix->rows = must_grow(matrix->rows, matrix->row_count, sizeof(*matrix->rows));
    row = &matrix->rows[matrix->row_count++];
    *row = (struct row){.file = run->file, .case_number = run->case_number, .title = title_of(run)};
    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        if (matrix->suite->engines[i]->generation == run->engine->generation) {
            row->cells[i].state = CELL_NOT_RUN;
        }
    }
    return row;
}

static struct row *row_of(struct matrix *matrix, const struct report_run *run)
{
    struct row *last = matrix->row_count > 0 ? &matrix->rows[matrix->row_count - 1] : NULL;

    return last != NULL && last->file == run->file && last->case_number == run->case_number
               ? last
               : row_begin(matrix, run);
}

static struct cell *cell_of(const struct matrix *matrix, struct row *row,
                            const struct engine *engine)
{
    uint32_t i = 0;

    while (matrix->suite->engines[i] != engine) {
        i++;
    }
    return &row->cells[i];
}

static enum cell_state state_of(const struct run_result *result)
{
    return outcome_is_bad(result->outcome)    ? CELL_FAIL
           : result->outcome == OUTCOME_XFAIL ? CELL_KNOWN
                                              : CELL_PASS;
}

void matrix_add(struct matrix *matrix, const struct report_run *run)
{
    const struct run_result *result = run->result;
    struct cell *cell = cell_of(matrix, row_of(matrix, run), run->engine);

    if (state_of(result) <= cell->state) {
        return; /* an earlier seed was as bad */
    }
    cell->state = state_of(result);
    cell->seed = run->seed;
    cell->finding = result->finding_count > 0 ? result->findings[0].id : FINDING_NONE;
    memcpy(cell->bug, result->bug, sizeof(cell->bug));
}

/* ---- Reading ---- */

static bool fails(const struct cell *cell)
{
    return cell->state == CELL_KNOWN || cell->state == CELL_FAIL;
}

/* The engines on which a story fails, from the first to the last. */
struct span {
    bool fails;
    uint32_t first;
    uint32_t last;
    bool passes_between;
};

static struct span row_span(const struct matrix *matrix, const struct row *row)
{
    struct span span = {0};
    bool passed = false; /* since the first */

    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        passed = passed || (span.fails && row->cells[i].state == CELL_PASS);
        if (fails(&row->cells[i])) {
            span.first = span.fails ? span.first : i;
            span.last = i;
            span.passes_between = passed;
            span.fails = true;
        }
    }
    return span;
}

/* ---- For people ---- */

#define BUG_WIDTH 12 /* an xfail may have a sentence there */

/* To be freed by the caller. */
static char *cell_text(const struct cell *cell)
{
    char *text;
    size_t size;
    FILE *out = must_memstream(&text, &size);

    if (cell->state == CELL_SKIPPED) {
        fputs("-", out);
    } else if (!fails(cell)) {
        fputs(state_names[cell->state], out);
    } else if (cell->finding == FINDING_NONE) {
        fputs("passes unexpectedly", out);
    } else {
        fputs(finding_kind_name(cell->finding), out);
    }
    if (cell->state == CELL_KNOWN) {
        fprintf(out, " (%.*s)", BUG_WIDTH, *cell->bug != '\0' ? cell->bug : "known");
    }
    fclose(out);
    return text;
}

static int longer(int width, const char *text)
{
    return (int)strlen(text) > width ? (int)strlen(text) : width;
}

struct widths {
    int title;
    int cells[SUITE_MAX_ENGINES];
};

static bool is_shown(const struct matrix *matrix, const struct row *row, bool all)
{
    return all || row_span(matrix, row).fails;
}

static struct widths measure(const struct matrix *matrix, bool all)
{
    struct widths widths = {.title = 7};

    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        widths.cells[i] = longer(5, matrix->suite->engines[i]->name);
    }
    for (size_t i = 0; i < matrix->row_count; i++) {
        const struct row *row = &matrix->rows[i];

        if (!is_shown(matrix, row, all)) {
            continue;
        }
        widths.title = longer(widths.title, row->title);
        for (uint32_t j = 0; j < matrix->suite->engine_count; j++) {
            char *text = cell_text(&row->cells[j]);

            widths.cells[j] = longer(widths.cells[j], text);
            free(text);
        }
    }
    return widths;
}

/* No blanks at the end of a line. */
static void show_cell(FILE *out, const struct matrix *matrix, const struct widths *widths,
                      uint32_t i, const char *text)
{
    bool is_last = i + 1 == matrix->suite->engine_count;

    fprintf(out, "  %-*s", is_last ? 0 : widths->cells[i], text);
}

static void show_row(FILE *out, const struct matrix *matrix, const struct widths *widths,
                     const struct row *row)
{
    fprintf(out, "%-*s", widths->title, row->title);
    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        char *text = cell_text(&row->cells[i]);

        show_cell(out, matrix, widths, i, text);
        free(text);
    }
    fputc('\n', out);
}

static uint64_t count_state(const struct matrix *matrix, uint32_t engine, enum cell_state state)
{
    uint64_t count = 0;

    for (size_t i = 0; i < matrix->row_count; i++) {
        count += matrix->rows[i].cells[engine].state == state;
    }
    return count;
}

static void show_counts(FILE *out, const struct matrix *matrix, const struct widths *widths,
                        enum cell_state state)
{
    char text[24];
    bool any = false;

    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        any = any || count_state(matrix, i, state) > 0;
    }
    if (!any) {
        return;
    }
    fprintf(out, "%-*s", widths->title, state_names[state]);
    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        snprintf(text, sizeof(text), "%" PRIu64, count_state(matrix, i, state));
        show_cell(out, matrix, widths, i, text);
    }
    fputc('\n', out);
}

static void show_span(FILE *out, const struct matrix *matrix, const struct span *span,
                      const char *title)
{
    const char *first = matrix->suite->engines[span->first]->name;
    const char *last = matrix->suite->engines[span->last]->name;

    if (span->first == span->last) {
        fprintf(out, "%s fails on %s only\n", title, first);
    } else {
        fprintf(out, "%s fails from %s to %s%s\n", title, first, last,
                span->passes_between ? ", but not on all between" : "");
    }
}

static void show_bisection(FILE *out, const struct matrix *matrix)
{
    for (size_t i = 0; i < matrix->row_count; i++) {
        const struct row *row = &matrix->rows[i];
        const struct span span = row_span(matrix, row);

        if (span.fails) {
            show_span(out, matrix, &span, row->title);
        }
    }
}

void matrix_show(const struct matrix *matrix, FILE *out, bool all)
{
    const struct widths widths = measure(matrix, all);

    fprintf(out, "%-*s", widths.title, "");
    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        show_cell(out, matrix, &widths, i, matrix->suite->engines[i]->name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < matrix->row_count; i++) {
        if (is_shown(matrix, &matrix->rows[i], all)) {
            show_row(out, matrix, &widths, &matrix->rows[i]);
        }
    }
    for (enum cell_state state = CELL_STATES; state-- > 0;) {
        show_counts(out, matrix, &widths, state);
    }
    if (matrix->bisect) {
        show_bisection(out, matrix);
    }
}

/* ---- For machines ---- */

static json_t *cell_json(const struct cell *cell)
{
    json_t *object = json_pack("{s: s}", "outcome", state_names[cell->state]);

    if (fails(cell) && cell->finding != FINDING_NONE) {
        json_object_set_new(object, "oracle", json_string(finding_by(cell->finding)));
        json_object_set_new(object, "kind", json_string(finding_kind_name(cell->finding)));
    }
    if (fails(cell)) {
        json_object_set_new(object, "seed", json_integer((json_int_t)cell->seed));
    }
    if (*cell->bug != '\0') {
        json_object_set_new(object, "bug", report_json_string(cell->bug));
    }
    return object;
}

static json_t *row_json(const struct matrix *matrix, const struct row *row)
{
    json_t *object = json_object();
    json_t *cells = json_object();
    const struct span span = row_span(matrix, row);

    for (uint32_t i = 0; i < matrix->suite->engine_count; i++) {
        json_object_set_new(cells, matrix->suite->engines[i]->name, cell_json(&row->cells[i]));
    }
    json_object_set_new(object, "file", report_json_string(row->file));
    json_object_set_new(object, "title", report_json_string(row->title));
    json_object_set_new(object, "case", json_integer(row->case_number));
    json_object_set_new(object, "engines", cells);
    if (matrix->bisect && span.fails) {
        json_object_set_new(object, "first", json_string(matrix->suite->engines[span.first]->name));
        json_object_set_new(object, "last", json_string(matrix->suite->engines[span.last]->name));
        json_object_set_new(object, "passes_between", json_boolean(span.passes_between));
    }
    return object;
}

json_t *matrix_json(const struct matrix *matrix)
{
    json_t *array = json_array();

    for (size_t i = 0; i < matrix->row_count; i++) {
        json_array_append_new(array, row_json(matrix, &matrix->rows[i]));
    }
    return array;
}
