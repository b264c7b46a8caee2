/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a recording's file, which may be packed by gzip.
 *
 * Declared in tools/import/import.h: the beginning of recording_read().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/base/arena.h"
#include "tools/base/support.h"
#include "tools/import/import.h"

/* Read at a time. */
#define READ_BYTES ((size_t)1 << 20)

static const struct where whole_file = {0, 0};

/* All bytes of the file, unpacked if it is packed (gzip).  False with errno if it can't be read. */
static bool read_file(struct recording *recording, gzFile file)
{
    size_t room = READ_BYTES;
    int got = 1;

    recording->text = must_alloc(room);
    while (got > 0 && recording->bytes <= IMPORT_MAX_BYTES) {
        if (recording->bytes + READ_BYTES > room) {
            room *= 2;
            recording->text = realloc(recording->text, room);
            if (recording->text == NULL) {
                arena_exhausted(room);
            }
        }
        got = gzread(file, recording->text + recording->bytes, READ_BYTES);
        recording->bytes += got > 0 ? (size_t)got : 0;
    }
    return got >= 0;
}

/* Z_OK, Z_ERRNO, or what is wrong with a packed file; one that ends too soon is Z_BUF_ERROR. */
static int fault_of(gzFile file)
{
    int number = Z_ERRNO;

    if (file != NULL) {
        gzerror(file, &number);
    }
    return number;
}

static void refuse_file(struct recording *recording, int fault)
{
    mistake_add(&recording->list, whole_file, "%s",
                fault == Z_ERRNO ? strerror(errno) : "the packed file is damaged");
    recording->bytes = 0;
}

static void skip_byte_order_mark(struct recording *recording)
{
    if (recording->bytes >= 3 && memcmp(recording->text, "\xef\xbb\xbf", 3) == 0) {
        recording->bytes -= 3;
        memmove(recording->text, recording->text + 3, recording->bytes);
    }
}

void import_load(struct recording *recording)
{
    gzFile file;

    errno = 0;
    file = gzopen(recording->options->path, "rbe");
    if (file == NULL || !read_file(recording, file) || fault_of(file) != Z_OK) {
        refuse_file(recording, fault_of(file));
    } else if (recording->bytes > IMPORT_MAX_BYTES) {
        mistake_add(&recording->list, whole_file,
                    "the file has more than %" PRIu64
                    " MiB, the maximum: import a part of it, for instance what `head` gives",
                    IMPORT_MAX_BYTES >> 20);
        recording->bytes = 0;
    }
    if (file != NULL) {
        gzclose(file);
    }
    skip_byte_order_mark(recording);
    recording->list.text = recording->text;
    recording->list.bytes = recording->bytes;
}
