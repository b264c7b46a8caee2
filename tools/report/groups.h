/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failures by what was found first: one bug makes hundreds of runs fail, and people want to read
 * it once.
 *
 * Two runs are of one group if their first findings are alike.  Of most oracles the kind says it.
 * Where a kind can have many causes (a crash, a failed expectation, two engines that differ), the
 * sentence must be the same, too, except for its amounts.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_GROUPS_H
#define MIRRORSIM_TOOLS_REPORT_GROUPS_H

#include <stdint.h>
#include <stdio.h>

#include "tools/report/report.h"

struct groups;

struct groups *groups_create(void);
void groups_free(struct groups *groups);

/*
 * Adds a run that failed.  Returns NULL if it is the first of its group; or else the title of the
 * first one, which lives as long as the groups do.
 */
const char *groups_add(struct groups *groups, const struct report_run *run);

/*
 * Writes each group: what was found, in how many runs, and their names, in lines of this width.
 * Runs of one story with several seeds are one name.
 */
void groups_show(const struct groups *groups, FILE *out, unsigned columns);

/* "debt (forgotten-sector), content (stale-sector)": what was found in a run, each kind once. */
void groups_write_kinds(const struct report_run *run, FILE *out);

#endif
