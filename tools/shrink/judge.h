/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running candidates: scenario text in, the result of its quiet run out.
 *
 * They run in a worker process, one after the other, so that an engine that crashes or
 * hangs takes only that process with it: its death is the candidate's finding.
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
    JUDGE_RECORD, /* also answers what was done: see struct judge_record */
    JUDGE_SCRIPT, /* also answers the scenario with every generator's requests written out */
};

struct judge_question {
    enum judge_task task;
    uint64_t seed;
    uint64_t max_events; /* a run with more events of the timeline is given up */
    uint64_t cpu_limit_ms;
};

struct judge {
    const struct engine *engine;
    uint32_t cpu_limit_s; /* what is said of a hang */
    struct isolate worker;
    int questions[2]; /* the pipe to the worker */
    int answers;      /* file for what a task answers beside the result */
    uint64_t runs;    /* made so far */
};

void judge_open(struct judge *judge, const struct engine *engine, uint32_t cpu_limit_s);
void judge_close(struct judge *judge);

/*
 * The result, to be freed by the caller.  Outcome OUTCOME_INVALID: the scenario has
 * mistakes, or was given up.
 */
struct run_result *judge_ask(struct judge *judge, const struct judge_question *question,
                             const char *text);

/* What the last question's task has answered; the caller frees it. */
char *judge_answer(const struct judge *judge);

/* What a run has done, up to its end or its death. */
struct judge_record {
    struct choice_answer *choices; /* other than 0 */
    uint32_t choice_count;
    uint32_t steps;   /* of the story that have begun */
    uint32_t *failed; /* of these, commands and waits that did not go as expected */
    uint32_t failed_count;
    char *text; /* what the sites point into */
};

/* After JUDGE_RECORD. */
void judge_record_read(const struct judge *judge, struct judge_record *record);
void judge_record_free(struct judge_record *record);

#endif
