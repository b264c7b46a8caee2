/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving data between images and chunk buffers, a run at a time.
 *
 * Everything passes through the layer's scratch list of runs: a read collects
 * what it sees and then fills its buffers, a write collects what its buffers
 * hold and then writes each run.  Runs there count the request's own sectors,
 * which are the disk's unless a fault has misdirected it.  A write to a cluster
 * that is partly allocated fills the rest of it with what a reader saw there.  In today's
 * generation all that a write leaves is data, zeroes as well, and what write-zeroes and discards
 * leave is explicit zeroes of just their range.
 */
#include "sim/disk/data.h"

#include <assert.h>
#include <string.h>

#include "sim/content/content.h"
#include "sim/disk/buffer.h"
#include "sim/disk/cache.h"
#include "sim/disk/layer.h"

/* A piece of a request: sectors of its range, and where they are on the disk. */
struct piece {
    uint64_t sector;
    uint64_t end;
    uint64_t place; /* of the first, on the disk */
};

static void emit_effect(const struct request *request, uint64_t sector, uint64_t sectors)
{
    layer_emit(request->node->layer, &(struct event){.kind = EVENT_REQUEST_EFFECT,
                                                     .node = request->node->id,
                                                     .op = request->op,
                                                     .by = request->by,
                                                     .request = request->number,
                                                     .index = request->plan_number,
                                                     .offset = sector * SECTOR_BYTES,
                                                     .bytes = sectors * SECTOR_BYTES});
}

/* ---- Real bytes ---- */

static bool moves_bytes(const struct request *request)
{
    return request->node->layer->plan->content_bytes;
}

/*
 * The bytes that a stale read sees at a sector of the disk; false: nothing has been written there.
 */
static bool older_bytes(const struct request *request, uint64_t sector, uint8_t data[SECTOR_BYTES])
{
    const struct image *older = request->node->older;
    struct run run;

    if (!request->faults.stale || !image_lookup(older, sector, sector + 1, &run)) {
        return false;
    }
    image_get_bytes(older, sector, data);
    return true;
}

/* What a reader of the node sees at a sector of the disk. */
static void node_bytes(const struct block_node *node, uint64_t sector, uint8_t data[SECTOR_BYTES])
{
    for (; node != NULL && sector < node->disk.bytes / SECTOR_BYTES; node = node_backing(node)) {
        struct run run;

        if (image_lookup(node->disk.image, sector, sector + 1, &run)) {
            image_get_bytes(node->disk.image, sector, data);
            return;
        }
    }
    memset(data, 0, SECTOR_BYTES);
}

static uint8_t *piece_bytes(const struct request *request, const struct piece *piece)
{
    return arena_alloc_unset(request->node->layer->arena,
                             (piece->end - piece->sector) * SECTOR_BYTES);
}

static void free_bytes(const struct request *request, const struct piece *piece, uint8_t *data)
{
    if (data != NULL) {
        arena_free(request->node->layer->arena, data, (piece->end - piece->sector) * SECTOR_BYTES);
    }
}

/* `data` is of this sector of the request. */
static void flip_bit(const struct request *request, uint64_t sector, uint8_t *data)
{
    if (request->faults.corrupt != FAULT_NONE && request->effect.victim == sector) {
        data[0] ^= 0x80;
    }
}

static uint8_t *read_bytes(const struct request *request, const struct piece *piece)
{
    uint8_t *data = piece_bytes(request, piece);

    for (uint64_t i = 0; i < piece->end - piece->sector; i++) {
        if (!older_bytes(request, piece->place + i, data + i * SECTOR_BYTES)) {
            node_bytes(request->node, piece->place + i, data + i * SECTOR_BYTES);
        }
        flip_bit(request, piece->sector + i, data + i * SECTOR_BYTES);
    }
    return data;
}

static void keep_in_buffers(const struct request *request, const struct piece *piece,
                            const uint8_t *data)
{
    uint64_t first = piece->sector - request->offset / SECTOR_BYTES;

    for (uint64_t i = 0; i < piece->end - piece->sector; i++) {
        memcpy(buffers_sector(request->iov, first + i), data + i * SECTOR_BYTES, SECTOR_BYTES);
    }
}

/* The tag that a guest's write gives to a sector of its range. */
static uint64_t request_tag(const struct request *request, uint64_t sector)
{
    const struct interposed *whole = request->part_of;
    uint64_t offset = whole != NULL ? whole->guest->offset : request->offset;

    return tag_guest(whole != NULL ? whole->number : request->number,
                     sector - offset / SECTOR_BYTES);
}

/* What the request has for one of its sectors. */
static void bytes_to_write(const struct request *request, uint64_t sector,
                           uint8_t data[SECTOR_BYTES])
{
    if (request->iov.buffers != NULL) {
        uint64_t first = request->offset / SECTOR_BYTES;

        memcpy(data, buffers_sector(request->iov, sector - first), SECTOR_BYTES);
    } else {
        content_expand(request->op == OP_WRITE ? request_tag(request, sector) : TAG_ZERO, data);
    }
    flip_bit(request, sector, data);
}

static void put_on_disk(const struct request *request, const struct piece *piece)
{
    uint8_t data[SECTOR_BYTES];

    for (uint64_t i = 0; i < piece->end - piece->sector; i++) {
        bytes_to_write(request, piece->sector + i, data);
        image_put_bytes(request->node->disk.image, piece->place + i, data);
    }
}

/* ---- Reading ---- */

/* What is there, or to a stale read what was there before the last write. */
static struct run lookup(const struct request *request, uint64_t at, uint64_t end)
{
    struct run run;

    if (request->faults.stale) {
        if (image_lookup(request->node->older, at, end, &run)) {
            return run;
        }
        end = at + run.sectors;
    }
    return node_lookup(request->node, at, end);
}

/* What a reader of the disk sees, as sectors of the request. */
static void look_up(const struct request *request, const struct piece *piece, struct run_list *runs)
{
    uint64_t shift = piece->place - piece->sector;
    uint64_t end = piece->end + shift;

    for (uint64_t at = piece->place; at < end;) {
        struct run run = lookup(request, at, end);

        at += run.sectors;
        run.sector -= shift;
        run.stored = false;
        run_list_append(runs, request->node->layer->arena, run);
    }
}

/* A piece of the buffers' content is replaced. */
static void store_piece(const struct request *request, const struct piece *piece,
                        const struct run_list *runs)
{
    struct arena *arena = request->node->layer->arena;
    uint64_t first = request->offset / SECTOR_BYTES;
    uint64_t end = first + request->bytes / SECTOR_BYTES;
    struct run_list old = {0};
    struct run_list whole = {0};

    buffers_load(request->iov, first, end - first, &old, arena);
    runs_append_part(&whole, arena, &old, first, piece->sector);
    runs_append_part(&whole, arena, runs, piece->sector, piece->end);
    runs_append_part(&whole, arena, &old, piece->end, end);
    buffers_store(request->iov, first, &whole);
    run_list_release(&old, arena);
    run_list_release(&whole, arena);
}

static void data_read(struct request *request, const struct piece *piece)
{
    struct block_layer *layer = request->node->layer;
    struct run_list *runs = &layer->scratch;
    uint8_t *data = moves_bytes(request) ? read_bytes(request, piece) : NULL;

    runs->count = 0;
    look_up(request, piece, runs);
    if (request->faults.corrupt != FAULT_NONE) {
        runs_corrupt(runs, layer->arena, request->effect.victim);
    }
    /* Shown only while the event is: the scratch list is used again by the next effect. */
    layer->evidence->read_runs = runs->runs;
    layer->evidence->read_run_count = runs->count;
    layer->evidence->read_bytes = data;
    emit_effect(request, piece->sector, piece->end - piece->sector);
    layer->evidence->read_runs = NULL;
    layer->evidence->read_run_count = 0;
    layer->evidence->read_bytes = NULL;
    if (data != NULL && request->iov.buffers != NULL) {
        keep_in_buffers(request, piece, data);
    }
    free_bytes(request, piece, data);
    if (request->iov.buffers == NULL) {
        return;
    }
    if ((piece->end - piece->sector) * SECTOR_BYTES == request->bytes) {
        buffers_store(request->iov, piece->sector, runs);
    } else {
        store_piece(request, piece, runs);
    }
}

/* ---- Writing ---- */

static bool is_modern(const struct block_node *node)
{
    return node->layer->plan->generation == GENERATION_MODERN;
}

/* A write leaves a run on the disk. */
static void write_run(struct block_node *node, struct run run)
{
    run.stored = run.tag == TAG_ZERO && is_modern(node);
    image_write(node->disk.image, run);
}

/* write_run() of what a reader sees there already, and its bytes. */
static void write_with_bytes(struct block_node *node, const struct run *run)
{
    struct arena *arena = node->layer->arena;
    uint8_t *data = arena_alloc(arena, run->sectors * SECTOR_BYTES);

    /* The write forgets the bytes of its range: they are read before it. */
    for (uint64_t i = 0; i < run->sectors; i++) {
        node_bytes(node, run->sector + i, data + i * SECTOR_BYTES);
    }
    write_run(node, *run);
    for (uint64_t i = 0; i < run->sectors; i++) {
        image_put_bytes(node->disk.image, run->sector + i, data + i * SECTOR_BYTES);
    }
    arena_free(arena, data, run->sectors * SECTOR_BYTES);
}

/* Allocates the beginning of a hole, as far as a reader sees one run there. */
static void fill_hole(struct block_node *node, uint64_t sector, struct run *run)
{
    *run = node_lookup(node, sector, sector + run->sectors);
    if (node->layer->plan->content_bytes) {
        write_with_bytes(node, run);
    } else {
        write_run(node, *run);
    }
}

/* Allocates the holes of [sector, end) with what a reader sees there. */
static void fill_holes(struct block_node *node, uint64_t sector, uint64_t end)
{
    while (sector < end) {
        struct run run;

        if (!image_lookup(node->disk.image, sector, end, &run)) {
            fill_hole(node, sector, &run);
        }
        sector += run.sectors;
    }
}

/* The clusters that a range touches, clipped to the disk. */
static void round_to_clusters(const struct block_node *node, uint64_t *sector, uint64_t *end)
{
    uint64_t unit = node->spec->subcluster > 0 ? node->spec->subcluster : node->spec->cluster;
    uint64_t cluster = unit / SECTOR_BYTES;

    if (cluster > 1) {
        *sector = align_down(*sector, cluster);
        *end = min_u64(align_up(*end, cluster), node->disk.bytes / SECTOR_BYTES);
    }
}

/* What the buffers hold for the piece. */
static void collect_buffers(const struct request *request, const struct piece *piece,
                            struct run_list *runs)
{
    struct arena *arena = request->node->layer->arena;
    uint64_t first = request->offset / SECTOR_BYTES;
    struct run_list whole = {0};

    if (piece->sector == first) {
        buffers_load(request->iov, first, piece->end - first, runs, arena);
        return;
    }
    buffers_load(request->iov, first, piece->end - first, &whole, arena);
    runs_append_part(runs, arena, &whole, piece->sector, piece->end);
    run_list_release(&whole, arena);
}

/* What the request leaves in the piece, as runs in the scratch list. */
static void collect(struct request *request, const struct piece *piece)
{
    struct block_layer *layer = request->node->layer;
    struct run run = {piece->sector, piece->end - piece->sector, TAG_ZERO, 0, false};

    layer->scratch.count = 0;
    if (request->iov.buffers != NULL) {
        collect_buffers(request, piece, &layer->scratch);
    } else {
        if (request->op == OP_WRITE) {
            run.tag = request_tag(request, piece->sector);
            run.step = 1;
        }
        run_list_append(&layer->scratch, layer->arena, run);
    }
    if (request->faults.corrupt != FAULT_NONE) {
        runs_corrupt(&layer->scratch, layer->arena, request->effect.victim);
    }
}

/* Before a range changes: stale reads may see it later. */
static void remember(struct block_node *node, const struct piece *piece)
{
    uint64_t end = piece->place + (piece->end - piece->sector);
    uint8_t data[SECTOR_BYTES];

    for (uint64_t at = piece->place; node->older != NULL && at < end;) {
        struct run run = node_lookup(node, at, end);

        image_write(node->older, run);
        for (uint64_t i = 0; node->layer->plan->content_bytes && i < run.sectors; i++) {
            node_bytes(node, at + i, data);
            image_put_bytes(node->older, at + i, data);
        }
        at += run.sectors;
    }
}

static void data_write(struct request *request, const struct piece *piece)
{
    struct block_node *node = request->node;
    const struct run_list *runs = &node->layer->scratch;
    uint64_t end = piece->place + (piece->end - piece->sector);
    uint64_t first = piece->place;
    uint64_t last = end;

    /*
     * The rest of its clusters is filled before the write: afterwards nobody
     * could tell its own sectors from those that a reader saw there.
     */
    round_to_clusters(node, &first, &last);
    fill_holes(node, first, piece->place);
    fill_holes(node, end, last);
    collect(request, piece);
    for (uint32_t i = 0; i < runs->count; i++) {
        struct run run = runs->runs[i];

        run.sector += piece->place - piece->sector;
        write_run(node, run);
    }
    if (moves_bytes(request)) {
        put_on_disk(request, piece);
    }
    /* Last: the cache keeps what the clusters hold now, the filling included. */
    cache_record(node, request->number, first * SECTOR_BYTES, (last - first) * SECTOR_BYTES);
}

/*
 * The range reads zero, and nothing around it changes.  For a discard of 2.2 explicit zeroes are
 * only needed to hide what a backing file has there.
 */
static void data_zero(struct request *request, const struct piece *piece)
{
    struct block_node *node = request->node;
    struct run run = {piece->place, piece->end - piece->sector, TAG_ZERO, 0, false};

    if (node->disk.backing == PLAN_NONE && !is_modern(node)) {
        image_punch(node->disk.image, run.sector * SECTOR_BYTES, run.sectors * SECTOR_BYTES);
    } else {
        image_write(node->disk.image, run);
    }
    cache_record(node, request->number, run.sector * SECTOR_BYTES, run.sectors * SECTOR_BYTES);
}

/* Where the piece is on the disk; a misdirected one is cut off at the disk's end. */
static struct piece piece_of(const struct request *request, uint64_t offset, uint64_t bytes)
{
    const struct request_faults *faults = &request->faults;
    uint64_t place = faults->misdirected ? faults->elsewhere + (offset - request->offset) : offset;
    uint64_t length = request->node->disk.bytes;
    uint64_t sector = offset / SECTOR_BYTES;

    bytes = place < length ? min_u64(bytes, length - place) : 0;
    return (struct piece){sector, sector + bytes / SECTOR_BYTES, place / SECTOR_BYTES};
}

void data_move(struct request *request, uint64_t offset, uint64_t bytes)
{
    struct piece piece = piece_of(request, offset, bytes);

    assert(request->op != OP_FLUSH && node_is_sectors(offset, bytes));
    assert(offset >= request->offset && bytes <= request->bytes - (offset - request->offset));
    if (piece.end == piece.sector) {
        return;
    }
    if (request->op == OP_READ) {
        data_read(request, &piece);
        return;
    }
    remember(request->node, &piece);
    if (request->op == OP_DISCARD || (request->op == OP_WRITE_ZEROES && is_modern(request->node))) {
        data_zero(request, &piece);
    } else {
        data_write(request, &piece);
    }
    /* The content has changed before anybody sees the event, and with it every lookup is stale. */
    request->node->layer->layout_changes++;
    wear_heal(request->node, piece.place * SECTOR_BYTES, (piece.end - piece.sector) * SECTOR_BYTES);
    emit_effect(request, piece.place, piece.end - piece.sector);
}

uint64_t data_new_bytes(const struct request *request)
{
    const struct block_node *node = request->node;
    uint64_t sector = request->offset / SECTOR_BYTES;
    uint64_t end = (request->offset + request->bytes) / SECTOR_BYTES;
    uint64_t sectors = 0;

    if (request->op != OP_WRITE && request->op != OP_WRITE_ZEROES) {
        return 0;
    }
    if (request->op == OP_WRITE || !is_modern(node)) {
        round_to_clusters(node, &sector, &end);
    }
    while (sector < end) {
        struct run run;

        if (!image_lookup(node->disk.image, sector, end, &run)) {
            sectors += run.sectors;
        }
        sector += run.sectors;
    }
    return sectors * SECTOR_BYTES;
}
