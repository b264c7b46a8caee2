/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One case: runs NAME.cfg and compares its trace with NAME.out.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_CASE_H
#define MIRRORSIM_TESTS_GOLDEN_CASE_H

#include "engine/engine.h"
#include "tests/golden/exceptions.h"
#include "tests/golden/render.h"

enum case_outcome {
    CASE_PASS,        /* text: nothing, or the D entry of an exception */
    CASE_DIFF,        /* text: the first difference, some lines */
    CASE_UNSUPPORTED, /* text: why */
    CASE_INVALID,     /* text: `file:line: sentence` */
};

#define CASE_TEXT_BYTES 2000

/*
 * Runs the case of that .cfg file.  `name` is what exceptions know it by;
 * `exceptions` NULL: the engine claims to be the reference, and nothing is
 * granted to it.  Fills in `text`, which has CASE_TEXT_BYTES.
 */
enum case_outcome case_compare(const char *path, const char *name, const struct engine *engine,
                               const struct exceptions *exceptions, char *text);

/*
 * Runs the case and gives its trace to `line`; outcomes and `text` as above,
 * but for CASE_DIFF.
 */
enum case_outcome case_print(const char *path, const struct engine *engine, render_line *line,
                             void *opaque, char *text);

#endif
