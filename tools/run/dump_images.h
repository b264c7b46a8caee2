/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dumping what the disks hold at the end of a run, for other tools to look at.
 *
 * An image is a raw file as long as the disk, with the bytes that
 * content_expand() gives for what a reader sees, backing files included; what
 * reads zero is a hole.  Its name is SCENARIO[.caseN][.seedN].DISK.raw, with
 * the case if there are several, and the seed unless it is 0.
 */
#ifndef MIRRORSIM_TOOLS_RUN_DUMP_IMAGES_H
#define MIRRORSIM_TOOLS_RUN_DUMP_IMAGES_H

#include <stdint.h>

#include "sim/trace/evidence.h"
#include "tools/run/suite.h"

/* An image with more that is not zero is refused. */
#define DUMP_MAX_BYTES (UINT64_C(1) << 30)

/*
 * Before the runs: makes the folder, unless it is there and empty.  Explains
 * on stderr and exits with EXIT_USAGE if it is not, or if two scenarios have
 * one name.
 */
void dump_images_prepare(const char *directory, const struct suite *suite);

/*
 * Writes an image of every disk of a run.  Each is there whole or not at all,
 * but for a file *.tmp of a process that was killed.  NULL, or a sentence that
 * says what could not be done, which the caller frees.
 */
char *dump_images_write(const char *directory, const struct suite *suite, uint64_t number,
                        const struct evidence *evidence);

#endif
