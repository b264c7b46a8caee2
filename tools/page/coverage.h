/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a page shows of a coverage measurement, and which scenarios cite which rule.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_COVERAGE_H
#define MIRRORSIM_TOOLS_PAGE_COVERAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/run/suite.h"

/* False, with an explanation on stderr, if the file is no answer of `tools/dev/coverage --json`. */
bool page_coverage_is_good(const char *path);

/* {total, behaviour, files, missing: {rule: lines}, rules: {rule: [scenario...]}}, the caller's. */
json_t *page_coverage_json(const char *path, const struct suite *suite);

#endif
