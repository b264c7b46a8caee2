/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan as a scenario: what explore finds, and shrink makes smaller, is a file.
 *
 * Loading the text gives the same plan: the same run, event for event, from any
 * seed.  What a file says more generally is fixed in it: one case of its
 * matrix, the values that were chosen; comments are gone.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_WRITE_H
#define MIRRORSIM_SIM_SCENARIO_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/plan/plan.h"

/* The complete file; the caller checks for errors of `file`. */
void scenario_write(const struct plan *plan, FILE *file);

/* ---- Its parts, shared by sim/scenario_write*.c only ---- */

struct value_type;

/* A {key: value, ...} that is being written; starts as {file}. */
struct flow {
    FILE *file;
    bool has_entry;
};

/* Writes "{" or ", " and "KEY: ". */
void flow_key(struct flow *flow, const char *key);

/* One entry. */
void flow_value(struct flow *flow, const char *key, const struct value_type *type, int64_t value);
void flow_text(struct flow *flow, const char *key, const char *text);

/* "}", or "{}" if nothing was written. */
void flow_end(struct flow *flow);

/* As a loader reads it: "64KiB", "5ms", "EIO". */
void value_write(FILE *file, const struct value_type *type, int64_t value);

/* In double quotes, with escapes. */
void text_write(FILE *file, const char *text);

/* The key and what it says of each request or event; the flow stays open. */
void write_request_match(struct flow *flow, const struct plan *plan,
                         const struct request_match *match);
void write_event_match(struct flow *flow, const struct plan *plan, const struct event_match *match);

/* Does its name say all? */
bool event_is_bare(const struct event_match *match);

/* {at: ..., len: ...} */
void write_range(FILE *file, uint64_t offset, uint64_t bytes);
void write_query_checks(FILE *file, const struct query_check *checks, uint32_t count);

void write_faults(const struct plan *plan, FILE *file);
void write_steps(const struct plan *plan, FILE *file);
void write_reacts(const struct plan *plan, FILE *file);
void write_guest(const struct plan *plan, FILE *file);
void write_generator(const struct plan *plan, const struct generator_spec *spec, FILE *file);
void write_expects(const struct plan *plan, FILE *file);

#endif
