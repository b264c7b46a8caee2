/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a suite would run (`run --list`): files, cases, engines and seeds.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_LIST_H
#define MIRRORSIM_TOOLS_REPORT_LIST_H

#include <jansson.h>
#include <stdio.h>

#include "tools/run/suite.h"

/* A line for each case on each engine: the arguments that choose it, then its title. */
void list_show(const struct suite *suite, FILE *out);

/* The same, with the files that are invalid; the caller's. */
json_t *list_json(const struct suite *suite);

#endif
