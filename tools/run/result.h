/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The result of a run as plain data.
 *
 * A result holds no pointers, so that it can be sent through a pipe as it is
 * from one process of this program to another.
 */
#ifndef MIRRORSIM_TOOLS_RUN_RESULT_H
#define MIRRORSIM_TOOLS_RUN_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/trace/trace.h"
#include "sim/verdict/verdict.h"
#include "tools/base/stack.h"

#define RUN_NAME_BYTES 200
#define COMPARISON_LINE_BYTES 160
#define RUN_BUG_BYTES 64
/* Of two engines, with what is found about the run itself, and about the two together. */
#define RUN_MAX_FINDINGS (2 * (VERDICT_MAX_FINDINGS + 1) + 1)

/* Whom a finding is about, when two engines are compared. */
enum run_about {
    ABOUT_ENGINE,   /* the engine; so it is when only one runs */
    ABOUT_COMPARED, /* the one it is compared with */
    ABOUT_BOTH,
};

struct run_finding {
    enum run_about about;
    enum finding_id id;
    char text[FINDING_TEXT_BYTES];
    uint64_t now_ns;
    uint64_t event_number;
    uint64_t trace_from_ns; /* the story just before it begins here */
    bool has_sector;
    char disk[64];
    uint64_t sector;
    bool is_cycle; /* as struct finding has them */
    uint64_t cycle_from;
    uint32_t line;       /* of the scenario that it is about; 0 = none */
    uint32_t step_line;  /* of the step that was under way */
    uint32_t fault_line; /* of the last fault that had hit */
};

/* The outcome of a comparison of two engines. */
enum compared {
    COMPARED_NOT,
    COMPARED_SAME,
    COMPARED_KNOWN,     /* different, as an xfail of the second says */
    COMPARED_DIFFERENT, /* in what they do, or in what the oracles find */
};

/* Two engines on one plan, step for step; compare.h says what a step is. */
struct run_comparison {
    enum compared compared;
    bool may_differ;         /* an xfail of the second engine says so, */
    bool must_differ;        /* and that nothing else shows it, */
    char bug[RUN_BUG_BYTES]; /* and calls it so */
    bool differs;            /* in what they do, after: */
    uint64_t equal;          /* this number of equal steps */
    uint64_t now_ns;
    char lines[2][COMPARISON_LINE_BYTES]; /* what each does then */
};

struct run_result {
    uint64_t number; /* in the suite */
    bool is_half;    /* of a comparison, and the second engine is still to run */
    char case_name[RUN_NAME_BYTES];
    enum outcome outcome;
    bool died;               /* the process did; the figures below are 0, or the first engine's */
    char bug[RUN_BUG_BYTES]; /* what the xfail calls a known failure; "" = nothing */
    struct run_comparison comparison;
    uint64_t wall_us; /* how long it has taken; not to be shown where runs are compared */
    uint64_t virtual_ns;
    uint64_t events;
    uint64_t trace_events;
    uint64_t trace_hash;
    uint32_t checks;
    uint32_t dropped; /* findings beyond the bounds */
    uint64_t fired;   /* bit per fault that has hit, and per rule that has acted (happened.h) */
    uint64_t acted;
    uint64_t guest_longest_ns; /* as struct figures has them */
    uint64_t job_still_ns;
    uint64_t copied_bytes;
    bool concluded;
    bool cancelled;
    int ret;
    char stack[STACK_TEXT_BYTES]; /* of the process that died: where it was (stack.h) */
    uint32_t finding_count;
    struct run_finding findings[];
};

/* The size of a result with this number of findings. */
size_t run_result_bytes(uint32_t findings);

/* Room for RUN_MAX_FINDINGS. */
struct run_result *run_result_create(void);

/* Appends a finding without a time; NULL if there is no room. */
struct run_finding *run_result_add(struct run_result *result, enum finding_id id,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Takes outcome, figures and findings from a run's verdict.  The lines of the step and the fault
 * at each finding are not in it: they are in the trace.
 */
void run_result_fill(struct run_result *result, const struct plan *plan,
                     const struct verdict *verdict);

/* What an xfail, if it is not NULL, calls its bug; `bug` has RUN_BUG_BYTES. */
void run_name_bug(char *bug, const struct xfail_spec *xfail);

/* Copies a finding, but for the lines of the trace around it. */
void run_finding_copy(struct run_finding *copy, const struct plan *plan,
                      const struct finding *found);

/* Looks for those lines. */
void run_finding_find_lines(struct run_finding *finding, const struct plan *plan,
                            const struct trace *trace);

/* Through a pipe (pipe.h).  False: nobody reads any more. */
bool run_result_send(int fd, const struct run_result *result);

/* The next result, to be freed by the caller; NULL at the end of the pipe. */
struct run_result *run_result_receive(int fd);

#endif
