/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a run came out as it did: a chain of events, and what the finding hangs on.
 *
 * The chain of a sector is all that happened to it, from the guest's writes through
 * dirty bit, read and write to what is there now; the chain of a finding without a
 * sector is the job's life.  Beside it, each thing that the scenario does is left out
 * once, to see whether the finding is still there.
 */
#ifndef MIRRORSIM_TOOLS_EXPLAIN_EXPLAIN_H
#define MIRRORSIM_TOOLS_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/run/one_run.h"
#include "tools/run/runner.h"

/* What is to be explained. */
struct explain_subject {
    const struct run_finding *finding; /* NULL: just the sector */
    bool has_sector;
    uint64_t sector;
};

struct explain_step {
    uint64_t event; /* its number in the trace */
    uint64_t now_ns;
    char *text;
    const char *wrong; /* what went wrong with it, or NULL */
};

struct explanation {
    char *state; /* what is there, and what is not */
    struct explain_step *steps;
    size_t count;
    char *sum; /* the chain in a sentence or two; NULL if nothing went wrong in it */
};

/*
 * Runs the world, which nothing has been run in, up to the finding (or to its end) and says
 * how it came to that.
 */
void explain_sector(struct one_run *run, const struct explain_subject *subject,
                    struct explanation *explanation);
void explain_job(struct one_run *run, const struct explain_subject *subject,
                 struct explanation *explanation);
void explanation_free(struct explanation *explanation);

/* Adds a step. */
void explanation_add(struct explanation *explanation, uint64_t number, const struct event *event,
                     char *text);

/* Takes a timeline event, unless the world has come to the finding or to its end. */
bool explain_step_world(struct one_run *run, const struct explain_subject *subject);

/* ---- explain_text.c: words for events ---- */

/* "guest write #3 (tag newer, line 20)", "read #17"; the caller frees it. */
char *explain_request(const struct one_run *run, uint32_t request);

/* The submission of a request, or NULL. */
const struct event *explain_submit(const struct one_run *run, uint32_t request);

/* The event in words, without what it did to a sector; NULL if it has none. */
char *explain_event(const struct one_run *run, const struct event *event);

/* ---- explain_without.c ---- */

enum without_outcome {
    WITHOUT_GONE,
    WITHOUT_STILL_THERE,
    WITHOUT_CHANGES, /* it is gone, but there is another */
    WITHOUT_NO_END,  /* it is gone, but the story comes to no end */
};

struct without {
    char *what; /* "fault stale (line 12)" */
    bool is_choice;
    enum without_outcome outcome;
    bool elsewhere; /* still there, but of another sector */
    char *becomes;  /* "content (stale-sector)": the other finding */
};

struct without_list {
    struct without *list;
    size_t count;
    size_t left_out; /* there were too many */
    bool repeats;    /* the run from its recorded choices has the finding, too */
};

/*
 * The run as it is, in a process of its own, since the engine may crash or loop.
 * The caller frees the result.
 */
struct run_result *explain_run(const struct one_run *run);

/* `base` is what explain_run() gave. */
void explain_without(const struct one_run *run, const struct run_result *base,
                     const struct run_finding *finding, struct without_list *list);
void without_list_free(struct without_list *list);

/* ---- explain_show.c ---- */

/* All that is told. */
struct answer {
    const char *file;
    bool all; /* also the middle of a long chain */
    const struct run_result *result;
    const struct run_finding *finding; /* NULL = none */
    struct explanation explanation;
    struct without_list without; /* if there is a finding */
};

void explain_show_text(const struct answer *answer);
void explain_show_json(const struct answer *answer);

#endif
