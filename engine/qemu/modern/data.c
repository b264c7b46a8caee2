/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real memory and tags.
 *
 * Every sector of real memory that a request has filled holds its tag, 64 times.  A write sends
 * what its memory holds, so that data keeps its provenance on whatever way it takes through the
 * foreign code: the copy buffer, a bounce buffer, a copy.  A sector whose words differ is no data
 * at all.
 */
#include <string.h>

#include "engine/qemu/modern/env.h"
#include "engine/range.h"

#define WORDS (SECTOR_BYTES / sizeof(uint64_t))

/* ---- Sectors of a vector ---- */

/* A place in a vector. */
struct place {
    const struct iovec *piece;
    size_t at; /* bytes, in that piece */
};

static struct place place_of(const QEMUIOVector *qiov, size_t skip, size_t bytes)
{
    struct place place = {qiov->iov, skip};

    if (skip > qiov->size || bytes > qiov->size - skip) {
        qemu_die("a request of %zu bytes with memory for %zu", bytes, qiov->size - skip);
    }
    while (bytes > 0 && place.at >= place.piece->iov_len) {
        place.at -= place.piece->iov_len;
        place.piece++;
    }
    return place;
}

/* The sector there; moves on to the next. */
static uint64_t *next_sector(struct place *place)
{
    uint64_t *sector;

    while (place->at == place->piece->iov_len) {
        place->piece++;
        place->at = 0;
    }
    if (place->piece->iov_len - place->at < SECTOR_BYTES) {
        qemu_unsupported("a request whose memory is not in whole sectors");
    }
    sector = (uint64_t *)(void *)((char *)place->piece->iov_base + place->at);
    place->at += SECTOR_BYTES;
    return sector;
}

static void fill(uint64_t *sector, uint64_t tag)
{
    for (size_t i = 0; i < WORDS; i++) {
        sector[i] = tag;
    }
}

/* All words are alike: each is the next one. */
static bool is_uniform(const uint64_t *sector)
{
    return memcmp(sector, sector + 1, SECTOR_BYTES - sizeof(*sector)) == 0;
}

/* ---- Reads ---- */

static void begin(struct qemu_data *data, struct block_node *node, const QEMUIOVector *qiov,
                  size_t skip, size_t bytes)
{
    *data = (struct qemu_data){
        .buffers = block_data_create(node, bytes), .qiov = qiov, .skip = skip, .bytes = bytes};
    data->iov = (struct block_iov){.buffers = data->buffers, .index = &data->index, .count = 1};
}

void qemu_data_expect(struct qemu_data *data, struct block_node *node, const QEMUIOVector *qiov,
                      size_t skip, size_t bytes)
{
    place_of(qiov, skip, bytes);
    begin(data, node, qiov, skip, bytes);
}

void qemu_data_fill(const struct qemu_data *data)
{
    struct place place = place_of(data->qiov, data->skip, data->bytes);

    for (uint64_t i = 0; i < data->bytes / SECTOR_BYTES; i++) {
        fill(next_sector(&place), block_buffers_tag(data->buffers, 0, i));
    }
}

void qemu_data_release(struct qemu_data *data)
{
    block_data_release(data->buffers);
}

/* ---- Writes ---- */

static uint64_t tag_in(const uint64_t *sector)
{
    if (!is_uniform(sector)) {
        qemu_die("a request writes a sector whose memory was overwritten, or never held data");
    }
    return sector[0];
}

/* Runs of tags that count up, and runs of zeroes. */
struct taking {
    struct block_buffers *buffers;
    uint64_t first;
    uint64_t sectors;
    uint64_t tag;
};

static void put(const struct taking *run)
{
    if (run->sectors > 0) {
        block_data_put(run->buffers, run->first, run->sectors, run->tag, run->tag != 0);
    }
}

static void add(struct taking *run, uint64_t tag)
{
    uint64_t next = run->tag == 0 ? 0 : run->tag + run->sectors;

    if (run->sectors > 0 && tag == next) {
        run->sectors++;
        return;
    }
    put(run);
    run->first += run->sectors;
    run->sectors = 1;
    run->tag = tag;
}

void qemu_data_take(struct qemu_data *data, struct block_node *node, const QEMUIOVector *qiov,
                    size_t skip, size_t bytes)
{
    struct place place = place_of(qiov, skip, bytes);
    struct taking run = {.first = 0};

    begin(data, node, qiov, skip, bytes);
    run.buffers = data->buffers;
    for (uint64_t i = 0; i < bytes / SECTOR_BYTES; i++) {
        add(&run, tag_in(next_sector(&place)));
    }
    put(&run);
}

void qemu_data_check(const struct qemu_data *data)
{
    struct place place = place_of(data->qiov, data->skip, data->bytes);

    for (uint64_t i = 0; i < data->bytes / SECTOR_BYTES; i++) {
        const uint64_t *sector = next_sector(&place);

        if (!is_uniform(sector) || sector[0] != block_buffers_tag(data->buffers, 0, i)) {
            qemu_die(
                "the memory of a write was overwritten, or given back, while it was in flight");
        }
    }
}

/* ---- The guest's ---- */

void qemu_data_fill_guest(void *memory, const struct interposed *request, uint64_t bytes)
{
    uint64_t *sector = memory;

    for (uint64_t i = 0; i < bytes / SECTOR_BYTES; i++, sector += WORDS) {
        fill(sector, interposed_tag(request, i));
    }
}

void qemu_data_check_guest(const struct interposed *request, const QEMUIOVector *qiov,
                           uint64_t bytes)
{
    struct place place = place_of(qiov, 0, bytes);

    for (uint64_t i = 0; i < bytes / SECTOR_BYTES; i++) {
        const uint64_t *sector = next_sector(&place);

        if (!is_uniform(sector) || sector[0] != interposed_tag(request, i)) {
            qemu_die("the guest's disk is given other data than the guest has written");
        }
    }
}
