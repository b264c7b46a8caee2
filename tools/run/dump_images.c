/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dumping images: run by run through the view of each disk, so that a terabyte
 * of zero costs nothing.
 */
#define _FILE_OFFSET_BITS 64

#include "tools/run/dump_images.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/quantity.h"
#include "sim/content/content.h"
#include "tools/base/support.h"

/* ---- Before the runs ---- */

static _Noreturn void refuse(const char *directory, const char *why)
{
    fprintf(stderr, "mirrorsim: --dump-images=%s: %s\n", directory, why);
    exit(EXIT_USAGE);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(scenario_name(*(const struct scenario *const *)a),
                  scenario_name(*(const struct scenario *const *)b));
}

/* The scenarios that will be run, each once; the caller frees the list. */
static const struct scenario **list_scenarios(const struct suite *suite, size_t *count)
{
    const struct scenario **list = must_alloc(suite->entry_count * sizeof(*list));

    *count = 0;
    for (size_t i = 0; i < suite->entry_count; i++) {
        const struct scenario *scenario = suite->entries[i].scenario;

        if (*count == 0 || list[*count - 1] != scenario) {
            list[(*count)++] = scenario;
        }
    }
    return list;
}

static void check_names(const char *directory, const struct suite *suite)
{
    size_t count;
    const struct scenario **list = list_scenarios(suite, &count);

    if (count > 1) {
        qsort(list, count, sizeof(*list), compare_names);
    }
    for (size_t i = 1; i < count; i++) {
        if (compare_names(&list[i - 1], &list[i]) == 0) {
            refuse(directory, must_printf("%s and %s have one name, %s, and so would their images",
                                          scenario_file(list[i - 1]), scenario_file(list[i]),
                                          scenario_name(list[i])));
        }
    }
    free(list);
}

static bool is_empty_folder(const char *path)
{
    char *copy = must_strdup(path);
    char *const paths[] = {copy, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    const FTSENT *entry = tree != NULL ? fts_read(tree) : NULL;
    bool is_folder = entry != NULL && entry->fts_info == FTS_D;
    bool is_empty;

    errno = 0;
    is_empty = is_folder && fts_children(tree, FTS_NAMEONLY) == NULL && errno == 0;
    if (tree != NULL) {
        fts_close(tree);
    }
    free(copy);
    return is_empty;
}

void dump_images_prepare(const char *directory, const struct suite *suite)
{
    check_names(directory, suite);
    if (mkdir(directory, 0777) == 0) {
        return;
    }
    if (errno != EEXIST) {
        refuse(directory, strerror(errno));
    }
    if (!is_empty_folder(directory)) {
        refuse(directory, "this must be a new folder, or an empty one");
    }
}

/* ---- Writing ---- */

#define PIECE_SECTORS 128u

static bool write_fully(int fd, const uint8_t *bytes, size_t count, uint64_t offset)
{
    while (count > 0) {
        ssize_t written = pwrite(fd, bytes, count, (off_t)offset);

        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes += written > 0 ? written : 0;
        offset += written > 0 ? (uint64_t)written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_run(int fd, struct run run)
{
    uint8_t piece[PIECE_SECTORS * SECTOR_BYTES];

    while (run.sectors > 0) {
        uint64_t sectors = min_u64(run.sectors, PIECE_SECTORS);

        for (uint64_t i = 0; i < sectors; i++) {
            content_expand(run.tag + i * run.step, piece + i * SECTOR_BYTES);
        }
        if (!write_fully(fd, piece, (size_t)(sectors * SECTOR_BYTES), run.sector * SECTOR_BYTES)) {
            return false;
        }
        run.sector += sectors;
        run.sectors -= sectors;
        run.tag += sectors * run.step;
    }
    return true;
}

/* The next run that is not zero, from *sector on; moves *sector to its end.  False: none. */
static bool next_data(const struct view *view, uint64_t *sector, struct run *run)
{
    uint64_t end = view->bytes[0] / SECTOR_BYTES;

    while (*sector < end) {
        *run = view_lookup(view, *sector, end);
        *sector += run->sectors;
        if (run->tag != TAG_ZERO) {
            return true;
        }
    }
    return false;
}

static uint64_t count_data(const struct view *view)
{
    uint64_t bytes = 0;
    uint64_t sector = 0;
    struct run run;

    while (next_data(view, &sector, &run)) {
        bytes += run.sectors * SECTOR_BYTES;
    }
    return bytes;
}

static bool write_image(int fd, const struct view *view)
{
    uint64_t sector = 0;
    struct run run;
    bool written = ftruncate(fd, (off_t)view->bytes[0]) == 0;

    while (written && next_data(view, &sector, &run)) {
        written = write_run(fd, run);
    }
    return written;
}

/*
 * A file without a name, of which nothing stays behind if this process is killed.  A link, unlike a
 * rename, never replaces the image of another run.
 */
static bool make_image(const char *path, const char *directory, const struct view *view)
{
    int fd = open(directory, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    char *name;
    bool written;

    if (fd < 0) {
        return false;
    }
    name = must_printf("/proc/self/fd/%d", fd);
    written =
        write_image(fd, view) && linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
    free(name);
    return close(fd) == 0 && written;
}

/* The same where the file system has no files without a name. */
static bool make_named_image(const char *path, const struct view *view)
{
    char *temporary = must_printf("%s.%ld.tmp", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool written = fd >= 0 && write_image(fd, view);
    int error;

    written = fd >= 0 && close(fd) == 0 && written && link(temporary, path) == 0;
    error = errno;
    unlink(temporary);
    free(temporary);
    errno = error;
    return written;
}

static char *write_disk(const char *path, const char *directory, const struct view *view)
{
    char *why = NULL;
    bool written;
    uint64_t data_bytes = count_data(view);

    if (data_bytes > DUMP_MAX_BYTES) {
        return must_printf("%s: the disk holds %" PRIu64 " bytes that are not zero, and %s are the "
                           "most that are written.",
                           path, data_bytes, quantity_bytes(DUMP_MAX_BYTES).text);
    }
    written = make_image(path, directory, view);
    if (!written && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        written = make_named_image(path, view);
    }
    if (!written) {
        why = errno == EEXIST ? must_printf("%s: an image of another run has this name.", path)
                              : must_printf("%s: %s.", path, strerror(errno));
    }
    return why;
}

static char *image_path(const char *directory, const struct suite *suite, uint64_t number,
                        const char *disk)
{
    const struct suite_entry *entry = suite_entry_of(suite, number);
    uint64_t seed = suite_seed_of(suite, number);
    char case_part[32] = "";
    char seed_part[32] = "";

    if (scenario_cases(entry->scenario) > 1) {
        snprintf(case_part, sizeof(case_part), ".case%" PRIu32, entry->case_number + 1);
    }
    if (seed > 0) {
        snprintf(seed_part, sizeof(seed_part), ".seed%" PRIu64, seed);
    }
    return must_printf("%s/%s%s%s.%s.raw", directory, scenario_name(entry->scenario), case_part,
                       seed_part, disk);
}

char *dump_images_write(const char *directory, const struct suite *suite, uint64_t number,
                        const struct evidence *evidence)
{
    char *why = NULL;

    for (uint32_t i = 0; i < evidence->plan->disk_count && why == NULL; i++) {
        char *path = image_path(directory, suite, number, evidence->plan->disks[i].name);
        struct view view;

        evidence_view(evidence, i, &view);
        why = write_disk(path, directory, &view);
        free(path);
    }
    return why;
}
