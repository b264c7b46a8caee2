/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scenario language as a JSON schema: completion and hints for editors.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_SCHEMA_H
#define MIRRORSIM_TOOLS_REPORT_SCHEMA_H

#include <jansson.h>

#include "sim/scenario/field.h"

/* The schema of a whole file, as in scenarios/scenario.schema.json; the caller owns it. */
json_t *schema_json(void);

/* The same for any table; for tests. */
json_t *schema_json_of(const struct field *fields);

#endif
