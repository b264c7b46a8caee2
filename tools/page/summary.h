/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The summary in a page: a row a run, and a row for all seeds with which a story passes.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_SUMMARY_H
#define MIRRORSIM_TOOLS_PAGE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/report/report.h"

struct page_summary;

struct page_summary *page_summary_create(void);

/* `suite` must outlive it. */
void page_summary_begin(struct page_summary *summary, const struct suite *suite);
void page_summary_add_invalid(struct page_summary *summary, const struct suite_invalid *invalid);
void page_summary_add_skipped(struct page_summary *summary, const struct report_run *run,
                              const char *why);

/* `full`: the number of the element that has the run in full; 0 = none. */
void page_summary_add(struct page_summary *summary, const struct report_run *run, uint32_t full);

/* Writes the element "summary", and frees it all. */
void page_summary_end(struct page_summary *summary, FILE *out, const struct report_summary *figures,
                      const char *coverage);

#endif
