/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The final comparison of a reference trace: does the target hold what the
 * source holds, in terms of the reference's tags?
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_CONTENT_H
#define MIRRORSIM_TESTS_GOLDEN_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"
#include "sim/trace/trace.h"

/*
 * Compares the source with the target (of a commit: the base) over the
 * source's length.  True if they are equal; otherwise *sector is the first
 * that differs.  `trace` relates request numbers to the guest requests of the
 * plan.
 */
bool content_equal(const struct evidence *evidence, const struct trace *trace, uint64_t *sector);

#endif
