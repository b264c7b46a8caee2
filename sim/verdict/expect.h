/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside expect_judge(): checks of one expectation against the finished run.
 *
 * Only sim/verdict/expect*.c and sim/verdict/vacuity.c include this header.
 */
#ifndef MIRRORSIM_SIM_VERDICT_EXPECT_H
#define MIRRORSIM_SIM_VERDICT_EXPECT_H

#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

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
