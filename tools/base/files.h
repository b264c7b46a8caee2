/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding scenario files under paths, and writing result files that exist either
 * complete or not at all.
 */
#ifndef MIRRORSIM_TOOLS_BASE_FILES_H
#define MIRRORSIM_TOOLS_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct file_list {
    char **paths;
    size_t count;
};

/*
 * Adds a file, or every *.yaml and *.yml file below a folder, sorted by name byte by
 * byte, so that the order of directory entries makes no difference.  A path
 * that does not exist, and a folder that can't be read, are added as they are: loading them reports
 * that.
 */
void file_list_add(struct file_list *list, const char *path);
void file_list_free(struct file_list *list);

/* True if both are the same file, even under different names. */
bool file_is(const char *path, const char *other);

/* True if this is one of the files. */
bool file_list_has(const struct file_list *list, const char *path);

/*
 * A temporary file beside `path`, which replaces it when closed.  A device or a
 * pipe is written to directly.
 */
struct output {
    FILE *stream;
    char *path;
    char *temporary; /* NULL: written directly */
    bool is_new;     /* a file that is there already is not replaced: set before closing it */
};

/* All return false with errno set on failure, and then leave no file behind. */
bool output_open(struct output *output, const char *path);
bool output_close(struct output *output);
bool output_possible(const char *path);      /* can a file be written there? Changes nothing. */
bool output_would_replace(const char *path); /* is there a file, no device or pipe? */
bool output_write(const char *path, const char *text, bool replaces); /* writes a whole file */

#endif
