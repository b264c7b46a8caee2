/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chunk buffers; runs inside a buffer count their sectors from its start.
 */
#include "sim/disk/buffer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "engine/foreign.h"
#include "sim/content/content.h"
#include "sim/disk/layer.h"

struct chunk_buffer {
    struct run first;
    struct run_list more;
};

struct block_buffers {
    struct block_node *node;
    uint64_t sectors; /* of one buffer */
    uint32_t count;
    uint8_t *memory; /* with `content: bytes`: of all, one after the other */
    struct chunk_buffer buffer[];
};

/* ---- Run lists ---- */

static void run_list_grow(struct run_list *list, struct arena *arena)
{
    uint32_t capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
    struct run *runs = arena_alloc(arena, capacity * sizeof(*runs));

    if (list->count > 0) {
        memcpy(runs, list->runs, list->count * sizeof(*runs));
    }
    arena_free(arena, list->runs, list->capacity * sizeof(*runs));
    list->runs = runs;
    list->capacity = capacity;
}

static bool run_goes_on(const struct run *run, const struct run *next)
{
    return run->step == next->step && run->stored == next->stored &&
           run->sector + run->sectors == next->sector &&
           run->tag + run->sectors * run->step == next->tag;
}

void run_list_append(struct run_list *list, struct arena *arena, struct run run)
{
    if (list->count > 0 && run_goes_on(&list->runs[list->count - 1], &run)) {
        list->runs[list->count - 1].sectors += run.sectors;
        return;
    }
    if (list->count == list->capacity) {
        run_list_grow(list, arena);
    }
    list->runs[list->count++] = run;
}

void run_list_release(struct run_list *list, struct arena *arena)
{
    arena_free(arena, list->runs, list->capacity * sizeof(*list->runs));
    *list = (struct run_list){0};
}

void runs_append_part(struct run_list *list, struct arena *arena, const struct run_list *from,
                      uint64_t sector, uint64_t end)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct run run = from->runs[i];
        uint64_t first = max_u64(run.sector, sector);
        uint64_t last = min_u64(run.sector + run.sectors, end);

        if (first < last) {
            run.tag += (first - run.sector) * run.step;
            run.sector = first;
            run.sectors = last - first;
            run_list_append(list, arena, run);
        }
    }
}

void runs_corrupt(struct run_list *list, struct arena *arena, uint64_t sector)
{
    struct run_list changed = {0};
    struct run_list victim = {0};

    runs_append_part(&victim, arena, list, sector, sector + 1);
    if (victim.count > 0) {
        victim.runs[0].tag ^= TAG_CORRUPT;
        victim.runs[0].step = 1;
        runs_append_part(&changed, arena, list, 0, sector);
        run_list_append(&changed, arena, victim.runs[0]);
        runs_append_part(&changed, arena, list, sector + 1, UINT64_MAX);
        run_list_release(list, arena);
        *list = changed;
    }
    run_list_release(&victim, arena);
}

/* ---- Filling and emptying ---- */

/* Cuts [from, from + sectors) out of a run, counted from `from`. */
static struct run run_cut(const struct run *run, uint64_t from, uint64_t sectors)
{
    return (struct run){0, sectors, run->tag + (from - run->sector) * run->step, run->step, false};
}

static void buffer_put(struct block_buffers *buffers, struct chunk_buffer *buffer, struct run run)
{
    if (run.sector == 0) {
        buffer->first = run;
        buffer->more.count = 0;
    } else {
        run_list_append(&buffer->more, buffers->node->layer->arena, run);
    }
}

void buffers_store(struct block_iov iov, uint64_t sector, const struct run_list *runs)
{
    struct block_buffers *buffers = iov.buffers;
    uint64_t size = buffers->sectors;
    uint64_t place = 0; /* in the buffer */
    uint32_t piece = 0;

    for (uint32_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->runs[i];
        uint64_t end = run->sector + run->sectors;

        assert(run->sector == sector);
        while (sector < end) {
            struct run cut = run_cut(run, sector, min_u64(end - sector, size - place));

            assert(piece < iov.count && iov.index[piece] < buffers->count);
            cut.sector = place;
            buffer_put(buffers, &buffers->buffer[iov.index[piece]], cut);
            sector += cut.sectors;
            place += cut.sectors;
            if (place == size) {
                place = 0;
                piece++;
            }
        }
    }
}

/* Appends one run of a buffer that begins at disk sector `base`, up to `end`. */
static void load_run(const struct run *run, uint64_t base, uint64_t end, struct run_list *runs,
                     struct arena *arena)
{
    struct run moved = *run;

    moved.sector += base;
    if (moved.sector < end) {
        moved.sectors = min_u64(moved.sectors, end - moved.sector);
        run_list_append(runs, arena, moved);
    }
}

/* A buffer that was last used for a short piece has nothing after that. */
static void pad(struct run_list *runs, uint64_t end, struct arena *arena)
{
    const struct run *last = &runs->runs[runs->count - 1];
    uint64_t sector = last->sector + last->sectors;

    if (sector < end) {
        run_list_append(runs, arena, (struct run){sector, end - sector, TAG_ZERO, 0, false});
    }
}

void buffers_load(struct block_iov iov, uint64_t sector, uint64_t sectors, struct run_list *runs,
                  struct arena *arena)
{
    const struct block_buffers *buffers = iov.buffers;
    uint64_t end = sector + sectors;

    for (uint32_t i = 0; i < iov.count && sector < end; i++, sector += buffers->sectors) {
        const struct chunk_buffer *buffer = &buffers->buffer[iov.index[i]];

        assert(iov.index[i] < buffers->count);
        load_run(&buffer->first, sector, end, runs, arena);
        for (uint32_t j = 0; j < buffer->more.count; j++) {
            load_run(&buffer->more.runs[j], sector, end, runs, arena);
        }
        pad(runs, min_u64(sector + buffers->sectors, end), arena);
    }
}

/* ---- Real bytes ---- */

static size_t memory_bytes(const struct block_buffers *buffers)
{
    return (size_t)(buffers->count * buffers->sectors * SECTOR_BYTES);
}

uint8_t *buffers_sector(struct block_iov iov, uint64_t sector)
{
    struct block_buffers *buffers = iov.buffers;
    uint32_t buffer = iov.index[sector / buffers->sectors];

    assert(sector / buffers->sectors < iov.count && buffer < buffers->count);
    return buffers->memory + (buffer * buffers->sectors + sector % buffers->sectors) * SECTOR_BYTES;
}

/* ---- The port ---- */

static size_t buffers_memory_bytes(uint32_t count)
{
    return sizeof(struct block_buffers) + count * sizeof(struct chunk_buffer);
}

static struct block_buffers *create(struct block_node *node, uint64_t bytes, uint32_t count)
{
    struct arena *arena = node->layer->arena;
    struct block_buffers *buffers = arena_alloc(arena, buffers_memory_bytes(count));

    assert(count > 0 && node_is_sectors(0, bytes));
    *buffers =
        (struct block_buffers){.node = node, .sectors = bytes / SECTOR_BYTES, .count = count};
    if (node->layer->plan->content_bytes) {
        buffers->memory = arena_alloc(arena, memory_bytes(buffers));
    }
    for (uint32_t i = 0; i < count; i++) {
        buffers->buffer[i].first.sectors = buffers->sectors;
    }
    return buffers;
}

int block_buffers_create(struct block_node *node, uint64_t bytes, uint32_t count,
                         struct block_buffers **buffers)
{
    int ret = fault_query(node, OP_BUFFER, 0, 0);

    if (ret < 0) {
        return ret;
    }
    if (count > BUFFERS_MAX_COUNT) {
        return -ENOMEM;
    }
    *buffers = create(node, bytes, count);
    layer_emit(node->layer, &(struct event){.kind = EVENT_BUFFERS_CREATE,
                                            .by = BY_JOB,
                                            .node = node->id,
                                            .offset = count,
                                            .bytes = bytes});
    return 0;
}

struct block_buffers *block_data_create(struct block_node *node, uint64_t bytes)
{
    return create(node, bytes, 1);
}

void block_data_put(struct block_buffers *data, uint64_t sector, uint64_t sectors, uint64_t tag,
                    uint64_t step)
{
    assert(sectors > 0 && step <= 1 && sector + sectors <= data->sectors);
    buffer_put(data, &data->buffer[0], (struct run){sector, sectors, tag, (uint32_t)step, false});
    for (uint64_t i = 0; data->memory != NULL && i < sectors; i++) {
        content_expand(tag + i * step, data->memory + (sector + i) * SECTOR_BYTES);
    }
}

void block_data_release(struct block_buffers *buffers)
{
    struct block_layer *layer = buffers->node->layer;

    for (uint32_t i = 0; i < buffers->count; i++) {
        run_list_release(&buffers->buffer[i].more, layer->arena);
    }
    if (buffers->memory != NULL) {
        arena_free(layer->arena, buffers->memory, memory_bytes(buffers));
    }
    arena_free(layer->arena, buffers, buffers_memory_bytes(buffers->count));
}

void block_buffers_release(struct block_buffers *buffers)
{
    layer_emit(
        buffers->node->layer,
        &(struct event){.kind = EVENT_BUFFERS_RELEASE, .by = BY_JOB, .node = buffers->node->id});
    block_data_release(buffers);
}

uint64_t block_buffers_tag(const struct block_buffers *buffers, uint32_t index, uint64_t sector)
{
    const struct chunk_buffer *buffer = &buffers->buffer[index];
    const struct run *run = &buffer->first;

    assert(index < buffers->count && sector < buffers->sectors);
    for (uint32_t i = 0; sector >= run->sector + run->sectors && i < buffer->more.count; i++) {
        run = &buffer->more.runs[i];
    }
    return sector < run->sector + run->sectors ? run->tag + (sector - run->sector) * run->step
                                               : TAG_ZERO;
}

/* ---- Digest ---- */

static void run_digest(const struct run *run, const struct writers *writers, struct digest *digest)
{
    digest_u64(digest, run->sector);
    digest_u64(digest, run->sectors);
    digest_u64(digest, run->step);
    writers_digest_tag(writers, run->tag, digest);
}

void buffers_digest(struct block_iov iov, struct digest *digest)
{
    const struct writers *writers = &iov.buffers->node->layer->writers;

    for (uint32_t i = 0; i < iov.count; i++) {
        const struct chunk_buffer *buffer = &iov.buffers->buffer[iov.index[i]];

        run_digest(&buffer->first, writers, digest);
        for (uint32_t j = 0; j < buffer->more.count; j++) {
            run_digest(&buffer->more.runs[j], writers, digest);
        }
    }
}

/* ---- Check ---- */

void run_list_check(const struct run_list *list)
{
    uint64_t end = 0;

    assert(list->count <= list->capacity);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct run *run = &list->runs[i];

        assert(run->sectors > 0 && run->step <= 1 && run->sector >= end);
        end = run->sector + run->sectors;
    }
}

void buffers_check(struct block_iov iov)
{
    for (uint32_t i = 0; i < iov.count; i++) {
        const struct chunk_buffer *buffer = &iov.buffers->buffer[iov.index[i]];
        uint64_t end = buffer->first.sectors;

        assert(iov.index[i] < iov.buffers->count && buffer->first.sector == 0);
        run_list_check(&buffer->more);
        for (uint32_t j = 0; j < buffer->more.count; j++) {
            assert(buffer->more.runs[j].sector == end);
            end += buffer->more.runs[j].sectors;
        }
        assert(end <= iov.buffers->sectors);
    }
}
