/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run in a page, in full: its trace, its shapes, its findings and why, and the scenario's text.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_RUN_H
#define MIRRORSIM_TOOLS_PAGE_RUN_H

#include <stdio.h>

#include "tools/page/why.h"
#include "tools/report/report.h"

/* Of a longer run, the page has the first events. */
#define PAGE_MAX_EVENTS 2000000u

/*
 * Writes the run as the element `id`, and the nearest one, if there is one, as `id`-near.  `made`
 * has its plan and its whole trace.
 */
void page_run_write(FILE *out, const char *id, const struct report_run *run,
                    const struct one_run *made, const struct page_why *why);

#endif
