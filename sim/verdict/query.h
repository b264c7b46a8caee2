/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of a job's state (C7), for query steps and final expectations.
 */
#ifndef MIRRORSIM_SIM_VERDICT_QUERY_H
#define MIRRORSIM_SIM_VERDICT_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plan/plan.h"

/* A field as a number: booleans as 0 or 1, enumerations as their value. */
uint64_t query_field_value(const struct job_info *info, enum query_field field);

bool query_check_holds(const struct query_check *check, const struct job_info *info);

/* "offset is 65536, expected at least 131072", for findings; snprintf rules. */
int query_check_describe(const struct query_check *check, const struct job_info *info, char *buf,
                         size_t size);

#endif
