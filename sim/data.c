/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving data between images and chunk buffers, a run at a time.
 *
 * Everything passes through the world's scratch list of runs: a read collects
 * what it sees and then fills its buffers, a write collects what its buffers
 * hold and then writes each run.  A write to a cluster that is not wholly
 * allocated allocates the rest of it, too, with what a reader saw there.
 */
#include "sim/data.h"

#include "sim/buffer.h"
#include "sim/cache.h"
#include "sim/world_private.h"

static void emit_effect(const struct request *request, uint64_t bytes)
{
    world_emit(request->node->world, &(struct event){.kind = EVENT_REQUEST_EFFECT,
                                                     .node = request->node->id,
                                                     .op = request->op,
                                                     .by = request->by,
                                                     .request = request->number,
                                                     .index = request->plan_number,
                                                     .offset = request->offset,
                                                     .bytes = bytes});
}

/* ---- Reading ---- */

static void data_read(struct request *request)
{
    struct world *world = request->node->world;
    struct run_list *runs = &world->scratch;
    uint64_t sector = request->offset / SECTOR_BYTES;
    uint64_t end = (request->offset + request->bytes) / SECTOR_BYTES;

    runs->count = 0;
    for (uint64_t at = sector; at < end;) {
        struct run run = node_lookup(request->node, at, end);

        run_list_append(runs, world->arena, run);
        at += run.sectors;
    }
    world->evidence.read_runs = runs->runs;
    world->evidence.read_run_count = runs->count;
    emit_effect(request, request->bytes);
    world->evidence.read_runs = NULL;
    world->evidence.read_run_count = 0;
    if (request->iov.buffers != NULL) {
        buffers_store(request->iov, sector, runs);
    }
}

/* ---- Writing ---- */

/* Allocates the holes of [sector, end) with what a reader sees there. */
static void fill_holes(struct block_node *node, uint64_t sector, uint64_t end)
{
    while (sector < end) {
        struct run run;

        if (!image_lookup(node->disk.image, sector, end, &run)) {
            run = node_lookup(node, sector, sector + run.sectors);
            image_write(node->disk.image, run);
        }
        sector += run.sectors;
    }
}

/* The clusters that a range touches, clipped to the disk. */
static void round_to_clusters(const struct block_node *node, uint64_t *sector, uint64_t *end)
{
    uint64_t cluster = node->spec->cluster / SECTOR_BYTES;

    if (cluster > 1) {
        *sector = align_down(*sector, cluster);
        *end = min_u64(align_up(*end, cluster), node->disk.bytes / SECTOR_BYTES);
    }
}

/* What the request leaves in [sector, end), as runs in the scratch list. */
static void collect(struct request *request, uint64_t sector, uint64_t end)
{
    struct world *world = request->node->world;
    struct run run = {sector, end - sector, TAG_ZERO, 0};

    world->scratch.count = 0;
    if (request->iov.buffers != NULL) {
        buffers_load(request->iov, sector, end - sector, &world->scratch, world->arena);
        return;
    }
    if (request->op == OP_WRITE) {
        run.tag = tag_guest(request->number, 0);
        run.step = 1;
    }
    run_list_append(&world->scratch, world->arena, run);
}

static void data_write(struct request *request, uint64_t sector, uint64_t end)
{
    struct block_node *node = request->node;
    const struct run_list *runs = &node->world->scratch;
    uint64_t first = sector;
    uint64_t last = end;

    round_to_clusters(node, &first, &last);
    fill_holes(node, first, sector);
    fill_holes(node, end, last);
    collect(request, sector, end);
    for (uint32_t i = 0; i < runs->count; i++) {
        image_write(node->disk.image, runs->runs[i]);
    }
    request->cached = cache_record(node, first * SECTOR_BYTES, (last - first) * SECTOR_BYTES);
}

/* A discarded range reads zero: over a backing file it takes zeros to hide it. */
static void data_discard(struct request *request, uint64_t bytes)
{
    struct block_node *node = request->node;

    if (node->disk.backing == PLAN_NONE) {
        image_punch(node->disk.image, request->offset, bytes);
    } else {
        image_write(node->disk.image, (struct run){request->offset / SECTOR_BYTES,
                                                   bytes / SECTOR_BYTES, TAG_ZERO, 0});
    }
    request->cached = cache_record(node, request->offset, bytes);
}

void data_move(struct request *request, uint64_t bytes)
{
    uint64_t sector = request->offset / SECTOR_BYTES;

    if (request->op == OP_READ) {
        data_read(request);
        return;
    }
    if (request->op == OP_DISCARD) {
        data_discard(request, bytes);
    } else {
        data_write(request, sector, sector + bytes / SECTOR_BYTES);
    }
    request->node->world->layout_changes++;
    emit_effect(request, bytes);
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
    round_to_clusters(node, &sector, &end);
    while (sector < end) {
        struct run run;

        if (!image_lookup(node->disk.image, sector, end, &run)) {
            sectors += run.sectors;
        }
        sector += run.sectors;
    }
    return sectors * SECTOR_BYTES;
}
