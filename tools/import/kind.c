/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says of a request: its letters, its device, its sectors.
 *
 * The letters (RWBS): first F for a flush before the request; then the operation: R, W, WZ (write
 * zeroes), D, DE (secure erase, which discards, too), or F alone, which is a flush; then modifiers:
 * F for a write that must be durable at once; the others do not matter here.  What is none of these
 * (N, zone commands) is no request of a disk's user.
 *
 * Declared in tools/import/import.h: what blkparse, ftrace and biosnoop share.
 */
#include <string.h>

#include "engine/range.h"
#include "tools/import/import.h"

static bool is_digits(const char *text, size_t length)
{
    return length > 0 && strspn(text, "0123456789") >= length;
}

bool import_is_device(const char *word)
{
    const char *comma = strchr(word, ',');

    return comma != NULL && is_digits(word, (size_t)(comma - word)) &&
           is_digits(comma + 1, strlen(comma + 1));
}

char import_action(const struct recording *recording)
{
    const char *action = recording->options->action;

    if (action == NULL && recording->options->wants_latency) {
        return 'D'; /* a device's latency begins when it gets the request */
    }
    return action != NULL ? *action : import_formats[recording->format].action;
}

struct import_kind import_read_kind(const char *rwbs)
{
    struct import_kind kind = {.is_known = true};

    kind.flush_before = rwbs[0] == 'F';
    rwbs += kind.flush_before;
    switch (*rwbs) {
    case 'R':
        kind.op = OP_READ;
        break;
    case 'W':
        kind.op = rwbs[1] == 'Z' ? OP_WRITE_ZEROES : OP_WRITE;
        break;
    case 'D':
        kind.op = OP_DISCARD;
        break;
    default:
        kind.op = OP_FLUSH;
        kind.is_known = kind.flush_before;
    }
    kind.is_durable = kind.op == OP_WRITE && strchr(rwbs, 'F') != NULL;
    return kind;
}

bool import_sectors(struct recording *recording, const struct import_line *line, uint32_t offset,
                    uint32_t length, struct import_request *request)
{
    uint64_t sector;
    uint64_t sectors;

    if (!import_number(recording, line, offset, "sector", &sector) ||
        !import_number(recording, line, length, "number of sectors", &sectors)) {
        return false;
    }
    if (sector > INT64_MAX / SECTOR_BYTES || sectors > INT64_MAX / SECTOR_BYTES) {
        sector = sectors = INT64_MAX / SECTOR_BYTES; /* beyond the end of any disk */
    }
    request->offset = sector * SECTOR_BYTES;
    request->bytes = sectors * SECTOR_BYTES;
    return true;
}

/* Without data, only the flush remains. */
void import_add_kind(struct recording *recording, const struct import_line *line, uint32_t word,
                     const char *device, const struct import_kind *kind,
                     struct import_request request)
{
    if (kind->flush_before) {
        struct import_request flush = {
            .time_ns = request.time_ns, .latency_ns = IMPORT_NO_LATENCY, .op = OP_FLUSH};

        import_add(recording, line, word, device, &flush);
    }
    if (kind->flush_before && request.bytes == 0) {
        return;
    }
    request.op = kind->op;
    if (import_add(recording, line, word, device, &request)) {
        recording->left_out.fua += kind->is_durable;
    }
}
