/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the page begins with, the runs in full, the summary, and the script that shows them.
 */
#include "tools/page/page.h"

#include <stdlib.h>

#include "tools/base/support.h"
#include "tools/page/runs.h"
#include "tools/page/summary.h"

struct page {
    struct report report;
    const struct page_options *options;
    struct page_runs *runs;
    struct page_summary *summary;
};

static struct page *page_of(struct report *report)
{
    return (struct page *)(void *)report;
}

static void page_begin(struct report *report, const struct suite *suite)
{
    struct page *page = page_of(report);

    page->runs = page_runs_create(suite);
    page_summary_begin(page->summary, suite);
    fwrite(page_before, 1, page_before_bytes, report->out);
}

static void page_invalid(struct report *report, const struct suite_invalid *invalid)
{
    page_summary_add_invalid(page_of(report)->summary, invalid);
}

static void page_skipped(struct report *report, const struct report_run *run, const char *why)
{
    page_summary_add_skipped(page_of(report)->summary, run, why);
}

static void page_run(struct report *report, const struct report_run *run)
{
    struct page *page = page_of(report);
    bool is_full = page->options->all || run->result->outcome != OUTCOME_PASS;

    page_summary_add(page->summary, run, is_full ? page_runs_add(page->runs, run) : 0);
}

static void page_end(struct report *report, const struct report_summary *summary)
{
    struct page *page = page_of(report);

    page_runs_end(page->runs, report->out);
    page_summary_end(page->summary, report->out, summary, page->options->coverage);
    fwrite(page_after, 1, page_after_bytes, report->out);
}

struct report *report_page(FILE *out, const struct page_options *options)
{
    struct page *page = must_alloc(sizeof(*page));

    page->report = (struct report){out, page_begin, page_invalid, page_skipped, page_run, page_end};
    page->options = options;
    page->summary = page_summary_create();
    return &page->report;
}
