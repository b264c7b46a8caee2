/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The map of a run that a report is about.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_MAP_OF_RUN_H
#define MIRRORSIM_TOOLS_PICTURE_MAP_OF_RUN_H

#include <stdio.h>

#include "tools/report/report.h"

/*
 * Makes the run once more, in a process of its own, and shows its map with its first finding; of
 * two engines that are compared, the run of the one that it is about.  Nothing is shown of a run
 * that leaves no events.
 */
void map_show_run(FILE *out, const struct report_run *run);

#endif
