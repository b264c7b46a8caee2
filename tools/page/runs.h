/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runs in a page that are there in full: which, and making them once more.
 *
 * Runs are deterministic, so nothing of them is kept but their results until the end of the suite.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_RUNS_H
#define MIRRORSIM_TOOLS_PAGE_RUNS_H

#include <stdint.h>
#include <stdio.h>

#include "tools/report/report.h"

/* So many seeds of a story are there in full for each engine: they show much the same. */
#define PAGE_SEEDS_IN_FULL 3u

struct page_runs;

/* `suite` must outlive it. */
struct page_runs *page_runs_create(const struct suite *suite);

/* Returns the run's number, from 1, or 0: enough of its seeds are there. */
uint32_t page_runs_add(struct page_runs *runs, const struct report_run *run);

/* Makes and writes all of them, each as the element "run-NUMBER", and frees everything. */
void page_runs_end(struct page_runs *runs, FILE *out);

#endif
