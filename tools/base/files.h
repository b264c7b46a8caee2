/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenario files found under paths, and result files that are there whole or not at all.
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
 * Adds a file, or every *.yaml file below a folder, sorted by name byte by
 * byte, so that the order of directory entries makes no difference.  Where
 * there is nothing, adds a path at which there is nothing: loading it says so.
 */
void file_list_add(struct file_list *list, const char *path);
void file_list_free(struct file_list *list);

/* Line `number` (from 1) of a file without its newline; the caller frees it; NULL if none. */
char *file_line(const char *path, uint32_t number);

/* Are these two the same file, perhaps under other names? */
bool file_is(const char *path, const char *other);

/* Is this one of the files? */
bool file_list_has(const struct file_list *list, const char *path);

/*
 * A file being written beside `path` that takes its place when it is done.  A
 * device or a pipe is written to directly.
 */
struct output {
    FILE *stream;
    char *path;
    char *temporary; /* NULL: written directly */
};

/* All return false with errno set; what fails leaves nothing behind. */
bool output_open(struct output *output, const char *path);
bool output_close(struct output *output);
bool output_possible(const char *path); /* could a file be written there?  Leaves it as it is. */
bool output_write(const char *path, const char *text); /* a whole file */

#endif
