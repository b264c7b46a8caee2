/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a run had its result: a chain of events, and what the finding depends on.
 *
 * The chain of a sector has everything that happened to it: guest writes, dirty bit,
 * read and write, up to its content now.  The chain of a finding without a sector is
 * the job's life.  In addition, each thing that the scenario does is left out once,
 * to see whether the finding is still there.
 */
#ifndef MIRRORSIM_TOOLS_EXPLAIN_EXPLAIN_H
#define MIRRORSIM_TOOLS_EXPLAIN_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/run/one_run.h"
#include "tools/run/runner.h"

/* What to explain. */
struct explain_subject {
    const struct run_finding *finding; /* NULL: only the sector */
    bool has_sector;
    uint64_t sector;
};

struct explain_step {
    uint64_t event; /* its number in the trace */
    uint64_t now_ns;
    char *text;
    const char *wrong; /* what went wrong in this step, or NULL */
};

struct explanation {
    char *state; /* what source and target hold at the end */
    struct explain_step *steps;
    size_t count;
    char *sum; /* summary in a sentence or two; NULL if nothing went wrong in the chain */
};

/*
 * Runs the world, which must be fresh, up to the finding or to its end, and explains how it
 * got there.
 */
void explain_sector(struct one_run *run, const struct explain_subject *subject,
                    struct explanation *explanation);
void explain_job(struct one_run *run, const struct explain_subject *subject,
                 struct explanation *explanation);
void explanation_free(struct explanation *explanation);

/* Adds a step. */
void explanation_add(struct explanation *explanation, uint64_t number, const struct event *event,
                     char *text);

/* Handles one timeline event; false if the world has reached the finding or its end. */
bool explain_step_world(struct one_run *run, const struct explain_subject *subject);

/* ---- text.c: words for events ---- */

/* "guest write #3 (tag newer, line 20)", "read #17"; the caller frees it. */
char *explain_request(const struct one_run *run, uint32_t request);

/* The submission of a request, or NULL. */
const struct event *explain_submit(const struct one_run *run, uint32_t request);

/* The event in words, without its effect on a sector; NULL if there are no words for it. */
char *explain_event(const struct one_run *run, const struct event *event);

/* ---- without.c ---- */

enum without_outcome {
    WITHOUT_GONE,
    WITHOUT_STILL_THERE,
    WITHOUT_CHANGES, /* it is gone, but there is another finding */
    WITHOUT_NO_END,  /* it is gone, but the story does not end */
};

struct without {
    char *what; /* "fault stale (line 12)" */
    bool is_choice;
    enum without_outcome outcome;
    bool elsewhere; /* still there, but about another sector */
    char *becomes;  /* the other finding: "content (stale-sector)" */
};

struct without_list {
    struct without *list;
    size_t count;
    size_t left_out; /* number of things not tried, because there were too many */
    bool repeats;    /* replaying the recorded choices gives the finding, too */
};

/*
 * Makes the run unchanged, in its own process, because the engine may crash or
 * loop. The caller frees the result.
 */
struct run_result *explain_run(const struct one_run *run);

/* `base` is the result of explain_run(). */
void explain_without(const struct one_run *run, const struct run_result *base,
                     const struct run_finding *finding, struct without_list *list);
void without_list_free(struct without_list *list);

/* The run without one thing that is most like the whole run and does not have the finding. */
struct nearest {
    size_t without;      /* that thing: its index in the list */
    struct trace trace;  /* all of that run; the caller frees it */
    uint64_t difference; /* the first event in which the two differ */
};

/*
 * `list` is that of explain_without() of this run, whose trace must be kept up to the finding or
 * longer.  Runs engines, though only plans with which they have come to an end before.  False if
 * the finding is not gone without any one thing.
 */
bool explain_nearest(const struct one_run *run, const struct without_list *list,
                     struct nearest *nearest);

/* ---- show.c ---- */

/* Everything to be shown. */
struct answer {
    const char *file;
    bool all; /* show the middle of a long chain, too */
    const struct run_result *result;
    const struct run_finding *finding; /* NULL = none */
    struct explanation explanation;
    struct without_list without; /* only if there is a finding */
};

/*
 * Explains the sector of the subject, or of its finding, or the job's life; and what the finding
 * depends on.  The world must be fresh; the other members of *answer are set already.
 */
void explain_answer(struct one_run *run, struct explain_subject *subject, struct answer *answer);

/* What explain_answer() has made. */
void answer_free(struct answer *answer);

void explain_show_text(const struct answer *answer);
void explain_show_json(const struct answer *answer);

/* What explain_show_json() shows; the caller owns it. */
json_t *explain_json(const struct answer *answer);

#endif
