/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report as one HTML page, which needs nothing but a browser.
 *
 * The page has a summary of all runs, and those in full that failed, expected or not: with a map
 * of the run, its trace, and why it failed.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_PAGE_H
#define MIRRORSIM_TOOLS_PAGE_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/report/report.h"

struct page_options {
    bool all;             /* the runs that passed in full, too */
    const char *coverage; /* file of `tools/dev/coverage --json`; NULL = none */
};

/* Writes to `out`; the caller frees the report.  The options must outlive it. */
struct report *report_page(FILE *out, const struct page_options *options);

/* What the page is made of (page.cmake): what comes before the data, and what comes after it. */
extern const unsigned char page_before[];
extern const unsigned long page_before_bytes;
extern const unsigned char page_after[];
extern const unsigned long page_after_bytes;

#endif
