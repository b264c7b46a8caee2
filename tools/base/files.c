/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walking folders, and writing files through a temporary one.
 */
#include "tools/base/files.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/base/leftovers.h"
#include "tools/base/support.h"

_Static_assert(sizeof(off_t) == 8, "file systems have 64-bit inode numbers and sizes");

/* ---- Walking ---- */

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_scenario(const FTSENT *entry)
{
    const char *dot = strrchr(entry->fts_name, '.');

    return dot != NULL && dot != entry->fts_name &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Takes ownership of the path. */
static void append(struct file_list *list, char *path)
{
    list->paths = must_grow(list->paths, list->count, sizeof(*list->paths));
    list->paths[list->count++] = path;
}

/*
 * What can't be looked into may hold scenarios: loading it as a file says why that is impossible.
 */
static bool is_unreadable(const FTSENT *entry)
{
    /* A file that has gone since its folder was read is no loss. */
    bool is_unknown =
        entry->fts_info == FTS_NS && (entry->fts_errno != ENOENT || is_scenario(entry));

    return entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || is_unknown;
}

/* Symbolic links to folders are not followed, so that the walk ends. */
static void walk(struct file_list *list, FTS *tree)
{
    FTSENT *entry;

    while (errno = 0, (entry = fts_read(tree)) != NULL) {
        bool is_file =
            entry->fts_info == FTS_F || entry->fts_info == FTS_DEFAULT || entry->fts_info == FTS_SL;

        if (is_unreadable(entry) || (is_file && is_scenario(entry))) {
            append(list, must_strdup(entry->fts_path));
        }
    }
    if (errno != 0) {
        die("%s: %s", tree->fts_path, strerror(errno));
    }
}

void file_list_add(struct file_list *list, const char *path)
{
    char *name = must_strdup(path);
    char *const paths[] = {name, NULL};
    size_t before = list->count;
    struct stat status;
    FTS *tree;

    for (size_t end = strlen(name); end > 1 && name[end - 1] == '/'; end--) {
        name[end - 1] = '\0';
    }
    if (stat(name, &status) != 0 || !S_ISDIR(status.st_mode)) {
        append(list, name);
        return;
    }
    tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare_names);
    if (tree == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    walk(list, tree);
    fts_close(tree);
    if (list->count == before) {
        append(list, must_printf("%s/*.yaml", name));
    }
    free(name);
}

void file_list_free(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
    }
    free(list->paths);
    *list = (struct file_list){0};
}

/* ---- Writing ---- */

bool file_is(const char *path, const char *other)
{
    struct stat a;
    struct stat b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

bool file_list_has(const struct file_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        if (file_is(list->paths[i], path)) {
            return true;
        }
    }
    return false;
}

/* A device or a pipe must not be replaced by a file, and a directory cannot be. */
static bool is_replaceable(const char *path)
{
    struct stat status;

    return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

bool output_would_replace(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* What is left of the temporary file is removed. */
static void free_output(struct output *output)
{
    int error = errno;

    if (output->temporary != NULL) {
        unlink(output->temporary);
        leftovers_forget(output->temporary);
    }
    free(output->path);
    free(output->temporary);
    errno = error;
}

bool output_open(struct output *output, const char *path)
{
    char *real = realpath(path, NULL); /* for a link, the target is replaced and not the link */

    *output = (struct output){.path = real != NULL ? real : must_strdup(path)};
    output->temporary = is_replaceable(output->path)
                            ? must_printf("%s.%ld.tmp", output->path, (long)getpid())
                            : NULL;
    if (output->temporary != NULL) {
        leftovers_add(output->temporary);
    }
    output->stream = fopen(output->temporary != NULL ? output->temporary : output->path, "we");
    if (output->stream == NULL) {
        free_output(output);
    }
    return output->stream != NULL;
}

/* A link, unlike a rename, never replaces a file. */
static bool put_in_place(const struct output *output)
{
    return output->is_new ? link(output->temporary, output->path) == 0
                          : rename(output->temporary, output->path) == 0;
}

bool output_close(struct output *output)
{
    bool written = !ferror(output->stream);

    written = fclose(output->stream) == 0 && written;
    if (output->temporary != NULL) {
        written = written && put_in_place(output);
    }
    free_output(output);
    return written;
}

bool output_possible(const char *path)
{
    struct output output;

    if (!is_replaceable(path)) {
        return true; /* opening a pipe would already use it */
    }
    if (!output_open(&output, path)) {
        return false;
    }
    fclose(output.stream);
    free_output(&output);
    return true;
}

bool output_write(const char *path, const char *text, bool replaces)
{
    struct output output;

    if (!output_open(&output, path)) {
        return false;
    }
    output.is_new = !replaces;
    fputs(text, output.stream);
    return output_close(&output);
}
