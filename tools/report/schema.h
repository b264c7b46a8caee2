/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scenario language as a JSON schema: completion and hints for editors.
 */
#ifndef MIRRORSIM_TOOLS_REPORT_SCHEMA_H
#define MIRRORSIM_TOOLS_REPORT_SCHEMA_H

#include <jansson.h>

#include "sim/scenario/field.h"

/* Of a whole file; the caller owns it.  scenarios/scenario.schema.json is this. */
json_t *schema_json(void);

/* As schema_json(), of any table; for tests. */
json_t *schema_json_of(const struct field *fields);

#endif
