/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows and what they refer to.
 *
 * Names and findings are in lists of their own, since neighbours share them; a row has their
 * numbers.  A billion seeds that pass are one row.
 */
#include "tools/page/summary.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/page/block.h"
#include "tools/page/coverage.h"
#include "tools/report/matrix.h"

struct row {
    uint32_t story;
    uint32_t engine;
    uint32_t outcome;
    uint32_t full;    /* element with the run in full; 0 = none */
    uint32_t finding; /* index + 1 of the first one; 0 = none */
    uint32_t findings;
    uint64_t seed; /* the first */
    uint64_t seeds;
    uint64_t virtual_ns; /* of the first seed, like the next two */
    uint64_t events;
    uint64_t checks;
};

struct page_summary {
    const struct suite *suite;
    struct row *rows;
    size_t row_count;
    const char *story_file; /* of the last story */
    uint32_t story_case;
    uint32_t story_count;
    json_t *stories;
    json_t *engines;
    json_t *findings;
    json_t *invalid;
    json_t *skipped;
};

struct page_summary *page_summary_create(void)
{
    struct page_summary *summary = must_alloc(sizeof(*summary));

    summary->stories = json_array();
    summary->engines = json_array();
    summary->findings = json_array();
    summary->invalid = json_array();
    summary->skipped = json_array();
    return summary;
}

void page_summary_begin(struct page_summary *summary, const struct suite *suite)
{
    summary->suite = suite;
}

void page_summary_add_invalid(struct page_summary *summary, const struct suite_invalid *invalid)
{
    json_array_append_new(summary->invalid,
                          json_pack("{s:o, s:o}", "file", report_json_string(invalid->file),
                                    "mistakes", report_mistakes_json(invalid->mistakes)));
}

void page_summary_add_skipped(struct page_summary *summary, const struct report_run *run,
                              const char *why)
{
    char *title = report_title(run);

    json_array_append_new(summary->skipped,
                          json_pack("{s:o, s:o, s:s}", "file", report_json_string(run->file),
                                    "title", report_json_string(title), "why", why));
    free(title);
}

/* ---- Rows ---- */

static uint32_t engine_number(struct page_summary *summary, const char *name)
{
    size_t count = json_array_size(summary->engines);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(json_string_value(json_array_get(summary->engines, i)), name) == 0) {
            return (uint32_t)i;
        }
    }
    json_array_append_new(summary->engines, report_json_string(name));
    return (uint32_t)count;
}

/* [file, name, case, cases, the case's name]; the runs of a story follow each other. */
static uint32_t story_number(struct page_summary *summary, const struct report_run *run)
{
    if (summary->story_count == 0 || summary->story_file != run->file ||
        summary->story_case != run->case_number) {
        summary->story_file = run->file;
        summary->story_case = run->case_number;
        summary->story_count++;
        json_array_append_new(summary->stories,
                              json_pack("[o, o, i, i, o]", report_json_string(run->file),
                                        report_json_string(run->name), (int)run->case_number,
                                        (int)run->cases,
                                        report_json_string(run->result->case_name)));
    }
    return summary->story_count - 1;
}

static uint32_t finding_number(struct page_summary *summary, const struct run_result *result)
{
    const struct run_finding *finding = &result->findings[0];

    if (result->finding_count == 0) {
        return 0;
    }
    json_array_append_new(summary->findings, json_pack("[s, s, o, I]", finding_by(finding->id),
                                                       finding_kind_name(finding->id),
                                                       report_json_string(finding->text),
                                                       (json_int_t)finding->now_ns));
    return (uint32_t)json_array_size(summary->findings);
}

static bool is_one_more_seed(const struct row *last, const struct row *row)
{
    return row->outcome == OUTCOME_PASS && row->full == 0 && row->finding == 0 &&
           last->outcome == OUTCOME_PASS && last->full == 0 && last->story == row->story &&
           last->engine == row->engine && last->seed + last->seeds == row->seed;
}

void page_summary_add(struct page_summary *summary, const struct report_run *run, uint32_t full)
{
    const struct run_result *result = run->result;
    const struct row row = {
        .story = story_number(summary, run),
        .engine = engine_number(summary, run->engine->name),
        .outcome = result->outcome,
        .full = full,
        .finding = finding_number(summary, result),
        .findings = result->finding_count + result->dropped,
        .seed = run->seed,
        .seeds = 1,
        .virtual_ns = result->virtual_ns,
        .events = result->trace_events,
        .checks = result->checks,
    };

    if (summary->row_count > 0 && is_one_more_seed(&summary->rows[summary->row_count - 1], &row)) {
        summary->rows[summary->row_count - 1].seeds++;
        return;
    }
    summary->rows = must_grow(summary->rows, summary->row_count, sizeof(*summary->rows));
    summary->rows[summary->row_count++] = row;
}

/* ---- The element ---- */

static json_t *outcomes_json(void)
{
    json_t *array = json_array();

    for (int i = OUTCOME_PASS; i <= OUTCOME_INVALID; i++) {
        json_array_append_new(array, json_pack("[s, b]", outcome_name((enum outcome)i),
                                               (int)outcome_is_bad((enum outcome)i)));
    }
    return array;
}

static json_t *figures_json(const struct report_summary *figures)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "passed", (json_int_t)figures->passed, "failed",
        (json_int_t)figures->failed, "known", (json_int_t)figures->known_failures, "invalid",
        (json_int_t)figures->invalid_files, "skipped", (json_int_t)figures->skipped, "planned",
        (json_int_t)figures->planned, "interrupted", (int)figures->interrupted);
}

static void add_rows(const struct page_summary *summary, struct pack *block, json_t *tables)
{
    static const struct column columns[] = {
        COLUMN(struct row, "story", story, RISING),
        COLUMN(struct row, "engine", engine, NUMBER),
        COLUMN(struct row, "outcome", outcome, NUMBER),
        COLUMN(struct row, "full", full, NUMBER),
        COLUMN(struct row, "finding", finding, NUMBER),
        COLUMN(struct row, "findings", findings, NUMBER),
        COLUMN(struct row, "seed", seed, RISING),
        COLUMN(struct row, "seeds", seeds, NUMBER),
        COLUMN(struct row, "virtualNs", virtual_ns, NUMBER),
        COLUMN(struct row, "events", events, NUMBER),
        COLUMN(struct row, "checks", checks, NUMBER),
        {.name = NULL},
    };

    page_block_add_table(block, tables, "runs", columns, summary->rows, summary->row_count,
                         sizeof(*summary->rows));
}

void page_summary_end(struct page_summary *summary, FILE *out, const struct report_summary *figures,
                      const char *coverage)
{
    json_t *head =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", MIRRORSIM_VERSION,
                  "outcomes", outcomes_json(), "figures", figures_json(figures), "stories",
                  summary->stories, "engines", summary->engines, "findings", summary->findings,
                  "invalid", summary->invalid, "skipped", summary->skipped);
    json_t *tables = json_object();
    struct pack block = {0};

    if (figures->matrix != NULL) {
        json_object_set_new(head, "matrix", json_true());
    }
    if (coverage != NULL) {
        json_object_set_new(head, "coverage", page_coverage_json(coverage, summary->suite));
    }
    add_rows(summary, &block, tables);
    json_object_set_new(head, "tables", tables);
    page_block_write(out, "summary", head, &block);
    free(summary->rows);
    free(summary);
}
