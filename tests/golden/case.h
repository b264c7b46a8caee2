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
    CASE_PASS,        /* text: empty, or the D entry of an exception */
    CASE_DIFF,        /* text: some lines with the first difference */
    CASE_UNSUPPORTED, /* text: why */
    CASE_INVALID,     /* text: `file:line: sentence` */
};

#define CASE_TEXT_BYTES 2000

/*
 * Whose format the case has: that of its trace, if there is one beside it, else that in which the
 * configuration is valid.  2.2 if neither says it.
 */
enum generation case_generation(const char *path);

/*
 * Runs the case of that .cfg file, whose format is that of the engine's generation.  `name` is the
 * case's name in the exceptions; `exceptions` NULL: the engine claims to be the reference, so no
 * exception applies.  Fills in `text`, which has CASE_TEXT_BYTES.
 */
enum case_outcome case_compare(const char *path, const char *name, const struct engine *engine,
                               const struct exceptions *exceptions, char *text);

/*
 * Runs the case and passes its trace to `line`; outcomes and `text` as above,
 * without CASE_DIFF.
 */
enum case_outcome case_print(const char *path, const struct engine *engine, render_line *line,
                             void *opaque, char *text);

/* Prints the plan as a scenario instead of running it. */
enum case_outcome case_print_plan(const char *path, enum generation generation, char *text);

#endif
