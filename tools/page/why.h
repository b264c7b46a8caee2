/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a run failed, for a page: what explain says of its first finding, and the nearest run without
 * that finding.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_WHY_H
#define MIRRORSIM_TOOLS_PAGE_WHY_H

#include <jansson.h>
#include <stdint.h>

#include "sim/trace/trace.h"
#include "tools/run/one_run.h"
#include "tools/run/result.h"

struct page_why {
    json_t *answer;       /* as `explain --json` gives it; NULL: there is no answer */
    struct trace nearest; /* of the nearest run without the finding; empty: there is none */
    char *without;        /* what that run is without, in words */
    uint64_t difference;  /* the first event in which it differs */
};

/*
 * In a child of its own.  The run is loaded and has no world; `result` is its own and has a
 * finding.
 */
struct page_why page_why_make(const struct one_run *run, const struct run_result *result);

/* The two ends of it, for a child that explains several runs; no answer: the child has died. */
void page_why_send(const struct one_run *run, const struct run_result *result, int results);
struct page_why page_why_receive(int results);

void page_why_free(struct page_why *why);

#endif
