/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that read configurations of today's generation share.
 *
 * As all readers of words, each function returns false after filling in the reader's error.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_MODERN_H
#define MIRRORSIM_TESTS_GOLDEN_MODERN_H

#include "tests/golden/reader.h"

/* Words of requests, and of copy modes. */
extern const struct word_value modern_request_ops[];
extern const struct word_value modern_copy_modes[];

/* An operation or `all`, and a node, as masks. */
bool modern_read_ops(struct reader *reader, const char *word, uint32_t *ops);
bool modern_read_node_mask(struct reader *reader, const char *word, uint64_t *mask);

/* ---- Rules: config_modern_rules.c ---- */

struct rule;

/* The kind of rule that a word begins, as a directive or as a control, or NULL. */
const struct rule *modern_find_rule(const char *name);

/* Appends a rule to the plan's faults; `armed`: it is there from the start. */
bool modern_read_rule(struct reader *reader, const struct rule *rule, bool armed, char **args,
                      uint32_t count);

/* A rule of the current line that matches everything. */
struct fault_spec modern_new_rule(struct reader *reader, enum fault_kind kind, bool armed);

bool modern_read_error(struct reader *reader, char **args, uint32_t count);
bool modern_read_hold(struct reader *reader, char **args, uint32_t count);
bool modern_read_oplatency(struct reader *reader, char **args, uint32_t count);

/* ---- What happens: config_modern_story.c ---- */

bool modern_read_guest(struct reader *reader, char **args, uint32_t count);
bool modern_read_at(struct reader *reader, char **args, uint32_t count);
bool modern_read_on(struct reader *reader, char **args, uint32_t count);

#endif
