/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running candidates: takes a scenario's text, gives the result of its quiet run.
 *
 * They run one after the other in a worker process, so an engine that crashes or hangs
 * takes only that process with it; the death becomes the candidate's finding.
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_JUDGE_H
#define MIRRORSIM_TOOLS_SHRINK_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "tools/run/isolate.h"
#include "tools/run/runner.h"

enum judge_task {
    JUDGE_RUN,
    JUDGE_RECORD, /* also answers with what the run did: see struct judge_record */
    JUDGE_SCRIPT, /* also answers with the scenario, every generator's requests written out */
};

struct judge_question {
    enum judge_task task;
    uint64_t seed;
    uint64_t max_events; /* a run with more timeline events is given up */
    uint64_t cpu_limit_ms;
};

struct judge {
    const struct engine *engine;
    uint64_t cpu_limit_ms; /* the limit that a hang's finding names */
    struct isolate worker;
    int questions[2]; /* the pipe to the worker */
    int answers;      /* file for a task's answer beside the result */
    uint64_t runs;    /* number of runs so far */
};

void judge_open(struct judge *judge, const struct engine *engine, uint64_t cpu_limit_ms);
void judge_close(struct judge *judge);

/*
 * Returns the result, which the caller frees.  OUTCOME_INVALID: the scenario has
 * mistakes, or the run was given up.
 */
struct run_result *judge_ask(struct judge *judge, const struct judge_question *question,
                             const char *text);

/* The answer of the last question's task; the caller frees it. */
char *judge_answer(const struct judge *judge);

/* What a run did up to its end or death. */
struct judge_record {
    struct choice_answer *choices; /* those other than 0 */
    uint32_t choice_count;
    uint32_t steps;   /* number of steps that have begun */
    uint32_t *failed; /* numbers of the commands and waits among them that failed */
    uint32_t failed_count;
    char *text; /* owns the sites' names */
};

/* To be called after a JUDGE_RECORD. */
void judge_record_read(const struct judge *judge, struct judge_record *record);
void judge_record_free(struct judge_record *record);

#endif
