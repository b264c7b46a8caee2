/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run as Chrome trace JSON, which the Perfetto UI and chrome://tracing open.
 *
 *   job      status and phase as slices, drained sections, what the job tells, the story, findings;
 *            its requests in lanes, with an arrow from the read of a copy to its write
 *   guest    its requests in lanes, from arrival to answer, with an arrow to the active request
 *   a disk   each request as an async span from submit to done, its effect as an instant; holds;
 *            faults and what else happens to the disk; bytes in flight, dirty bytes
 *
 * Times are exact: microseconds with three decimals, written from whole nanoseconds. What is
 * written is in the order of time, but for findings, which only the end of a run knows. Nothing is
 * kept but what is open, so a file of any length is streamed.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_PERFETTO_H
#define MIRRORSIM_TOOLS_PICTURE_PERFETTO_H

#include <stdint.h>
#include <stdio.h>

#include "sim/trace/trace.h"
#include "tools/run/one_run.h"
#include "tools/run/result.h"

struct perfetto;

/* Begins the file. The plan and the engine of the run, and `out`, must outlive it. */
struct perfetto *perfetto_open(FILE *out, const struct one_run *run);

void perfetto_event(struct perfetto *perfetto, const struct event *event, uint64_t number);

/*
 * Ends the file and frees the writer. `result` is NULL if the run died; `death` then says of what.
 * What is open ends with the last event, and says that it was open.
 */
void perfetto_close(struct perfetto *perfetto, const struct run_result *result, const char *death);

#endif
