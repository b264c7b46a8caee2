/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile write caches: a durable image, and a log of writes to replay on it.
 */
#include "sim/disk/cache.h"

#include <assert.h>

#include "sim/disk/buffer.h"
#include "sim/disk/layer.h"

struct cached_write {
    STAILQ_ENTRY(cached_write) link;
    uint64_t offset;
    uint64_t bytes;
    uint64_t stamp; /* the node's when it finished; 0 = not finished */
    uint32_t request;
    bool flushed;         /* used within a flush */
    struct run_list runs; /* what the range holds after it; the rest is holes */
    uint8_t *data;        /* with `content: bytes`: its bytes, else NULL */
};

/* Appends the allocated runs of a range. */
static void read_runs(const struct image *image, uint64_t offset, uint64_t bytes,
                      struct run_list *runs, struct arena *arena)
{
    uint64_t sector = offset / SECTOR_BYTES;
    uint64_t end = (offset + bytes) / SECTOR_BYTES;

    while (sector < end) {
        struct run run;

        if (image_lookup(image, sector, end, &run)) {
            run_list_append(runs, arena, run);
        }
        sector += run.sectors;
    }
}

/* `data` are the bytes of a range that begins at `offset`. */
static void put_run(struct image *image, const struct run *run, uint64_t offset,
                    const uint8_t *data)
{
    for (uint64_t sector = run->sector; sector < run->sector + run->sectors; sector++) {
        image_put_bytes(image, sector, data + sector * SECTOR_BYTES - offset);
    }
}

/* The range becomes `runs`, and holes between them; `data`: its bytes, or NULL. */
static void replay(struct image *image, uint64_t offset, uint64_t bytes,
                   const struct run_list *runs, const uint8_t *data)
{
    image_punch(image, offset, bytes);
    for (uint32_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->runs[i];

        image_write(image, *run);
        if (data != NULL) {
            put_run(image, run, offset, data);
        }
    }
}

/* The bytes of a range, or NULL if the image keeps none. */
static uint8_t *read_bytes(const struct image *image, uint64_t offset, uint64_t bytes,
                           struct arena *arena)
{
    uint8_t *data;

    if (!image_keeps_bytes(image)) {
        return NULL;
    }
    data = arena_alloc(arena, bytes);
    for (uint64_t at = 0; at < bytes; at += SECTOR_BYTES) {
        image_get_bytes(image, (offset + at) / SECTOR_BYTES, data + at);
    }
    return data;
}

void cache_init(struct block_node *node)
{
    struct arena *arena = node->layer->arena;
    struct run_list runs = {0};

    STAILQ_INIT(&node->cached);
    if (!node->spec->volatile_cache) {
        return;
    }
    node->disk.durable = image_create(arena);
    read_runs(node->disk.image, 0, node->disk.bytes, &runs, arena);
    if (image_keeps_bytes(node->disk.image)) {
        image_keep_bytes(node->disk.durable);
    }
    replay(node->disk.durable, 0, node->disk.bytes, &runs, NULL);
    run_list_release(&runs, arena);
}

void cache_record(struct block_node *node, uint32_t request, uint64_t offset, uint64_t bytes)
{
    struct arena *arena = node->layer->arena;
    struct cached_write *write;

    if (node->disk.durable == NULL) {
        return;
    }
    write = arena_alloc(arena, sizeof(*write));
    write->request = request;
    write->offset = offset;
    write->bytes = bytes;
    read_runs(node->disk.image, offset, bytes, &write->runs, arena);
    write->data = read_bytes(node->disk.image, offset, bytes, arena);
    STAILQ_INSERT_TAIL(&node->cached, write, link);
}

void cache_finish(struct block_node *node, uint32_t request)
{
    struct cached_write *write;

    if (node->disk.durable == NULL) {
        return;
    }
    node->cache_stamp++;
    STAILQ_FOREACH (write, &node->cached, link) {
        if (write->request == request) {
            write->stamp = node->cache_stamp;
        }
    }
}

static void forget(struct block_node *node, struct cached_write *write)
{
    struct arena *arena = node->layer->arena;

    run_list_release(&write->runs, arena);
    arena_free(arena, write->data, write->bytes);
    arena_free(arena, write, sizeof(*write));
}

static bool writes_overlap(const struct cached_write *a, const struct cached_write *b)
{
    return a->offset < range_end(b->offset, b->bytes) && b->offset < range_end(a->offset, a->bytes);
}

/* Is a later write of the same sectors flushed?  Replayed after it, this one would overwrite it. */
static bool precedes_flushed(const struct cached_write *write)
{
    const struct cached_write *later = write;

    while ((later = STAILQ_NEXT(later, link)) != NULL) {
        if (later->flushed && writes_overlap(write, later)) {
            return true;
        }
    }
    return false;
}

/* What had finished when the flush was submitted, and earlier effects in the same sectors. */
static void choose_flushed(struct block_node *node, uint64_t stamp)
{
    struct cached_write *write;
    bool more = true;

    STAILQ_FOREACH (write, &node->cached, link) {
        write->flushed = write->stamp != 0 && write->stamp <= stamp;
    }
    while (more) {
        more = false;
        STAILQ_FOREACH (write, &node->cached, link) {
            if (!write->flushed && precedes_flushed(write)) {
                write->flushed = true;
                more = true;
            }
        }
    }
}

static void make_durable(struct block_node *node, const struct cached_write *write)
{
    replay(node->disk.durable, write->offset, write->bytes, &write->runs, write->data);
}

/* What the flush covers leaves the log, made durable or not. */
static void take_flushed(struct block_node *node, uint64_t stamp, bool is_kept)
{
    STAILQ_HEAD(, cached_write) kept = STAILQ_HEAD_INITIALIZER(kept);
    struct cached_write *write;

    choose_flushed(node, stamp);
    while ((write = STAILQ_FIRST(&node->cached)) != NULL) {
        STAILQ_REMOVE_HEAD(&node->cached, link);
        if (!write->flushed) {
            STAILQ_INSERT_TAIL(&kept, write, link);
            continue;
        }
        if (is_kept) {
            make_durable(node, write);
        }
        forget(node, write);
    }
    while ((write = STAILQ_FIRST(&kept)) != NULL) {
        STAILQ_REMOVE_HEAD(&kept, link);
        STAILQ_INSERT_TAIL(&node->cached, write, link);
    }
}

void cache_flush(struct block_node *node, uint64_t stamp)
{
    if (node->disk.durable != NULL) {
        take_flushed(node, stamp, true);
    }
}

/* Readers see what is durable, and what is in the log. */
static void show_what_is_left(struct block_node *node)
{
    struct arena *arena = node->layer->arena;
    struct run_list runs = {0};
    struct cached_write *write;
    uint8_t *data;

    read_runs(node->disk.durable, 0, node->disk.bytes, &runs, arena);
    data = read_bytes(node->disk.durable, 0, node->disk.bytes, arena);
    replay(node->disk.image, 0, node->disk.bytes, &runs, data);
    arena_free(arena, data, node->disk.bytes);
    run_list_release(&runs, arena);
    STAILQ_FOREACH (write, &node->cached, link) {
        replay(node->disk.image, write->offset, write->bytes, &write->runs, write->data);
    }
    node->layer->layout_changes++;
}

void cache_drop(struct block_node *node, uint64_t stamp, bool now)
{
    if (node->disk.durable == NULL) {
        return;
    }
    take_flushed(node, stamp, false);
    if (now) {
        show_what_is_left(node);
    }
}

/* ---- The power cut ---- */

enum fate {
    FATE_KEPT,
    FATE_LOST,
    FATE_TORN, /* sector by sector */
    FATE_COUNT,
};

static enum fate choose_fate(struct choices *choices, struct choice_site *site, enum power_cut cut)
{
    switch (cut) {
    case CUT_KEEPS_ALL:
        return FATE_KEPT;
    case CUT_LOSES_ALL:
        return FATE_LOST;
    case CUT_BY_CHOICE:
        break;
    }
    return (enum fate)choose(choices, site, FATE_COUNT);
}

/* A part of a write reaches the image. */
static void replay_part(struct image *image, const struct cached_write *write, uint64_t at,
                        uint64_t bytes, struct arena *arena)
{
    uint64_t sector = (write->offset + at) / SECTOR_BYTES;
    struct run_list runs = {0};

    runs_append_part(&runs, arena, &write->runs, sector, sector + bytes / SECTOR_BYTES);
    replay(image, write->offset + at, bytes, &runs, write->data != NULL ? write->data + at : NULL);
    run_list_release(&runs, arena);
}

/* Every other piece stays as it was; an answer of 1 inverts this for its piece. */
static void replay_torn(struct block_node *node, const struct cached_write *write,
                        struct choice_site *site)
{
    uint64_t unit = node_atomic_bytes(node);
    uint64_t bytes;
    uint32_t piece = 0;

    for (uint64_t at = 0; at < write->bytes; at += bytes) {
        bytes = min_u64(align_up(write->offset + at + 1, unit) - write->offset, write->bytes) - at;
        if ((piece++ + choose(node->layer->choices, site, 2)) % 2 == 0) {
            replay_part(node->disk.durable, write, at, bytes, node->layer->arena);
        }
    }
}

void cache_power_cut(struct block_node *node, enum power_cut cut)
{
    struct block_layer *layer = node->layer;
    struct choices *choices = layer->choices;
    struct choice_site *site;
    struct cached_write *write;

    if (node->disk.durable == NULL) {
        return;
    }
    site = choices_site(choices, arena_printf(layer->arena, "power-cut %s", node->spec->name));
    while ((write = STAILQ_FIRST(&node->cached)) != NULL) {
        enum fate fate = choose_fate(choices, site, cut);

        STAILQ_REMOVE_HEAD(&node->cached, link);
        if (fate == FATE_KEPT) {
            make_durable(node, write);
        } else if (fate == FATE_TORN) {
            replay_torn(node, write, site);
        }
        forget(node, write);
    }
    show_what_is_left(node);
}

void cache_digest(const struct block_node *node, struct digest *digest)
{
    const struct cached_write *write;

    if (node->disk.durable == NULL) {
        return;
    }
    image_digest(node->disk.durable, &node->layer->writers, digest);
    STAILQ_FOREACH (write, &node->cached, link) {
        digest_u64(digest, write->offset);
        digest_u64(digest, write->bytes);
        digest_u64(digest, write->stamp == 0 ? 0 : node->cache_stamp - write->stamp + 1);
        for (uint32_t i = 0; i < write->runs.count; i++) {
            digest_u64(digest, write->runs.runs[i].sector);
            writers_digest_tag(&node->layer->writers, write->runs.runs[i].tag, digest);
        }
    }
}

void cache_check(const struct block_node *node)
{
    const struct cached_write *write;

    assert((node->disk.durable != NULL) == node->spec->volatile_cache);
    if (node->disk.durable == NULL) {
        assert(STAILQ_EMPTY(&node->cached));
        return;
    }
    image_check(node->disk.durable);
    STAILQ_FOREACH (write, &node->cached, link) {
        const struct run_list *runs = &write->runs;

        assert(node_is_sectors(write->offset, write->bytes));
        assert(write->stamp <= node->cache_stamp);
        run_list_check(runs);
        assert(runs->count == 0 || runs->runs[0].sector * SECTOR_BYTES >= write->offset);
    }
}
