/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Temporary files and folders of tests: in TMPDIR, or where the system has its own.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_TEMPORARY_H
#define MIRRORSIM_TESTS_SUPPORT_TEMPORARY_H

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMPORARY_PATH_BYTES 400

static inline void temporary_template(char path[TEMPORARY_PATH_BYTES])
{
    const char *folder = getenv("TMPDIR");
    int length = snprintf(path, TEMPORARY_PATH_BYTES, "%s/mirrorsim-test-XXXXXX",
                          folder != NULL && *folder != '\0' ? folder : P_tmpdir);

    assert(length > 0 && length < TEMPORARY_PATH_BYTES);
}

/* Makes an empty folder, which the caller removes; false: it can't be made. */
static inline bool temporary_folder(char path[TEMPORARY_PATH_BYTES])
{
    temporary_template(path);
    return mkdtemp(path) != NULL;
}

/* Makes an empty file, which the caller removes; returns its descriptor, or -1. */
static inline int temporary_file(char path[TEMPORARY_PATH_BYTES])
{
    temporary_template(path);
    return mkstemp(path);
}

#endif
