/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan expects of a finished run, beyond what the oracles prove.
 */
#ifndef MIRRORSIM_SIM_VERDICT_EXPECT_H
#define MIRRORSIM_SIM_VERDICT_EXPECT_H

#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

/* What the world knows at the end that is not in the trace. */
struct final_state {
    bool has_job_info; /* `job_info` is the job's last state before it was gone */
    struct job_info job;
    uint32_t guest_disk;
    const uint64_t *fault_hits; /* per fault of the plan */
};

/*
 * Checks the plan's `expect` list against a finished, kept trace, and whether
 * the run is vacuous: a fault that never fired, a step that never ran, nothing
 * checked.  Reports findings of the oracles "expect" and "vacuous".  A story
 * that stopped at a step is not judged further: more findings would only repeat
 * the first.
 */
void expect_judge(struct evidence *evidence, const struct trace *trace,
                  const struct final_state *final);

/* ---- For sim/verdict/expect*.c and vacuity.c only ---- */

struct run_end {
    struct evidence *evidence;
    const struct trace *trace; /* kept */
    const struct final_state *final;
};

/* Reports that an expectation does not hold, at its line of the scenario. */
struct finding *expect_failed(const struct run_end *run, const struct expect_spec *expect,
                              enum finding_id id, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets a finding's place to the event that it is about. */
void expect_locate(struct finding *finding, const struct trace *trace, uint64_t event_number);

/* EXPECT_EVENTS, IN_ORDER, NEVER, AT_MOST, COUNT, WITHIN, NOT_BEFORE, GUEST_STALL. */
void expect_job_events(const struct run_end *run, const struct expect_spec *expect);
void expect_in_order(const struct run_end *run, const struct expect_spec *expect);
void expect_never(const struct run_end *run, const struct expect_spec *expect);
void expect_count(const struct run_end *run, const struct expect_spec *expect);
void expect_instant(const struct run_end *run, const struct expect_spec *expect);
void expect_durable(const struct run_end *run, const struct expect_spec *expect);

/* Is the event of a guest request that a bound on these is about? */
bool expect_is_of(const struct run_end *run, const struct expect_spec *expect,
                  const struct event *event);
void expect_guest_share(const struct run_end *run, const struct expect_spec *expect);
void expect_guest_stall(const struct run_end *run, const struct expect_spec *expect);

/* EXPECT_SAME, DIFFER, SECTOR, BACKING, LENGTH, ALLOCATED. */
void expect_comparison(const struct run_end *run, const struct expect_spec *expect);
void expect_sector(const struct run_end *run, const struct expect_spec *expect);
void expect_disk(const struct run_end *run, const struct expect_spec *expect);

/* Reports what the run claims to test and did not; for a run that stopped early, only faults. */
void vacuity_judge(const struct run_end *run);
void vacuity_judge_stopped(const struct run_end *run);

/* The most direct reason why a fault never fired, as the end of a sentence. */
struct phrase vacuity_reason(const struct run_end *run, const struct fault_spec *spec);

#endif
