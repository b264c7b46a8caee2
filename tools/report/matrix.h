/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A matrix: story by engine, and whether it passes there, which finding it has, or that it is
 * skipped.
 *
 * A story is a case of a file; with several seeds a cell has the first run that did not pass.
 * The engines keep the order in which the user named them, releases usually from old to new, so
 * that a row says since which release a story fails, and until which.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_MATRIX_H
#define MIRRORSIM_TOOLS_REPORT_MATRIX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "tools/report/report.h"

struct matrix;

/*
 * For the suite's engines, which must outlive it.  `bisect`: it says of each failing story the
 * first and the last engine on which it fails, too.
 */
struct matrix *matrix_create(const struct suite *suite, bool bisect);
void matrix_free(struct matrix *matrix); /* or NULL */

/* In the order of the suite. */
void matrix_add(struct matrix *matrix, const struct report_run *run);

/* The stories that fail on some engine (`all`: all of them), then the counts of each engine. */
void matrix_show(const struct matrix *matrix, FILE *out, bool all);

/* The same with all stories; the caller owns it. */
json_t *matrix_json(const struct matrix *matrix);

#endif
