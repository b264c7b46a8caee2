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

/* ---- Today's generation ---- */

struct content_difference {
    uint64_t sectors; /* 0: they are equal */
    uint64_t first;   /* of those that differ */
};

/*
 * Compares what a reader of the source sees now with what one of the disk does, over the source's
 * length.  `named`: a backing file that the disk's header names counts as open.
 */
struct content_difference content_compare(const struct evidence *evidence, uint32_t disk,
                                          bool named);

/* The reference's tag that a reader of the disk sees now. */
uint64_t content_tag(const struct evidence *evidence, uint32_t disk, uint64_t sector);

#endif
