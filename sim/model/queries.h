/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Failed queries of a job that are not accounted for: the part of the oracle "ledger" that deals
 * with questions.
 *
 * A failed query shows as a refused command or start or as the job's result, unless a rule says how
 * to do without the answer.
 */
#ifndef MIRRORSIM_SIM_MODEL_QUERIES_H
#define MIRRORSIM_SIM_MODEL_QUERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"

/* Failed queries beyond this number at a time are not reported. */
#define MAX_QUERIES 4

/* All zero = none. */
struct queries {
    struct event list[MAX_QUERIES]; /* FAULT events of failed queries, not accounted for */
    uint32_t count;
    uint64_t event_number; /* of the last FAULT event of a query */
};

/* A fault has made a query fail; `job_alive`: a job has started and not ended. */
void queries_failed(struct queries *queries, const struct evidence *evidence,
                    const struct event *event, bool job_alive);

/* A command has been refused: that accounts for queries that failed with its error. */
void queries_refused(struct queries *queries, const struct event *event);

/*
 * The job has reported that all is well: reports each query that is left, and forgets it.
 * `went_on` says what the job did, for instance "became ready".
 */
void queries_judge(struct queries *queries, struct evidence *evidence, const char *went_on);

/* What has failed so far counts no more. */
void queries_forget(struct queries *queries);

void queries_digest(const struct queries *queries, struct digest *digest);

/* Asserts the invariants. */
void queries_check(const struct queries *queries);

#endif
