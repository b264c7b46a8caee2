/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run in a page, in full: its trace, its shapes, its findings and why, and the scenario's text.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_PAGE_RUN_H
#define MIRRORSIM_TOOLS_PICTURE_PAGE_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/scenario/scenario.h"
#include "tools/report/report.h"

/*
 * Makes the run once more, in a child, and writes it as the element "run-NUMBER".  With `why`, its
 * first finding is explained, too.
 */
void page_run_write(FILE *out, const char *id, const struct report_run *run,
                    const struct scenario *scenario, bool real_bytes, bool why);

#endif
