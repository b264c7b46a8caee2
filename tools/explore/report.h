/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a search: its findings as scenario files, and the summary.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_REPORT_H
#define MIRRORSIM_TOOLS_EXPLORE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/explore/session.h"

struct explore_report {
    const char *file;   /* that was explored */
    const char *output; /* for the first finding; NULL = NAME-found.yaml, or the first that is free
                           of NAME-found-2.yaml and so on */
    bool force;         /* replace files that are there */
    bool no_shrink;     /* write the runs as they were found */
    bool json;
    uint64_t ms; /* of the clock, that the search has taken */
};

/* Before a search: dies if its findings could not be written. */
void explore_report_check(const struct explore_report *report, const struct scenario *scenario);

/* Shrinks and writes the findings, and prints the summary to stdout. */
void explore_report(const struct explore_report *report, const struct explore_session *session);

#endif
