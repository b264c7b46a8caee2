/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volatile write caches: a durable image, and a log of writes to replay on it.
 */
#include "sim/cache.h"

#include "sim/buffer.h"
#include "sim/world_private.h"

struct cached_write {
    STAILQ_ENTRY(cached_write) link;
    uint64_t offset;
    uint64_t bytes;
    uint64_t stamp;       /* the node's when it finished; 0 = not finished */
    struct run_list runs; /* what the range holds after it; the rest is holes */
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

static void replay(struct image *image, uint64_t offset, uint64_t bytes,
                   const struct run_list *runs)
{
    image_punch(image, offset, bytes);
    for (uint32_t i = 0; i < runs->count; i++) {
        image_write(image, runs->runs[i]);
    }
}

void cache_init(struct block_node *node)
{
    struct arena *arena = node->world->arena;
    struct run_list runs = {0};

    STAILQ_INIT(&node->cached);
    if (!node->spec->volatile_cache) {
        return;
    }
    node->durable = image_create(arena);
    read_runs(node->disk.image, 0, node->disk.bytes, &runs, arena);
    replay(node->durable, 0, node->disk.bytes, &runs);
    run_list_release(&runs, arena);
}

struct cached_write *cache_record(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    struct arena *arena = node->world->arena;
    struct cached_write *write;

    if (node->durable == NULL) {
        return NULL;
    }
    write = arena_alloc(arena, sizeof(*write));
    write->offset = offset;
    write->bytes = bytes;
    read_runs(node->disk.image, offset, bytes, &write->runs, arena);
    STAILQ_INSERT_TAIL(&node->cached, write, link);
    return write;
}

void cache_finish(struct block_node *node, struct cached_write *write)
{
    write->stamp = ++node->cache_stamp;
}

static void forget(struct block_node *node, struct cached_write *write)
{
    struct arena *arena = node->world->arena;

    run_list_release(&write->runs, arena);
    arena_free(arena, write, sizeof(*write));
}

void cache_flush(struct block_node *node, uint64_t stamp)
{
    STAILQ_HEAD(, cached_write) kept = STAILQ_HEAD_INITIALIZER(kept);
    struct cached_write *write;

    if (node->durable == NULL) {
        return;
    }
    while ((write = STAILQ_FIRST(&node->cached)) != NULL) {
        STAILQ_REMOVE_HEAD(&node->cached, link);
        if (write->stamp != 0 && write->stamp <= stamp) {
            replay(node->durable, write->offset, write->bytes, &write->runs);
            forget(node, write);
        } else {
            STAILQ_INSERT_TAIL(&kept, write, link);
        }
    }
    while ((write = STAILQ_FIRST(&kept)) != NULL) {
        STAILQ_REMOVE_HEAD(&kept, link);
        STAILQ_INSERT_TAIL(&node->cached, write, link);
    }
}

void cache_power_cut(struct block_node *node)
{
    struct world *world = node->world;
    struct choice_site *site;
    struct run_list runs = {0};
    struct cached_write *write;
    struct request *request;

    if (node->durable == NULL) {
        return;
    }
    TAILQ_FOREACH (request, &world->requests, link) {
        if (request->node == node) {
            request->cached = NULL;
        }
    }
    site =
        choices_site(world->choices, arena_printf(world->arena, "power-cut %s", node->spec->name));
    while ((write = STAILQ_FIRST(&node->cached)) != NULL) {
        STAILQ_REMOVE_HEAD(&node->cached, link);
        if (choose(world->choices, site, 2) == 0) {
            replay(node->durable, write->offset, write->bytes, &write->runs);
        }
        forget(node, write);
    }
    read_runs(node->durable, 0, node->disk.bytes, &runs, world->arena);
    replay(node->disk.image, 0, node->disk.bytes, &runs);
    run_list_release(&runs, world->arena);
    world->layout_changes++;
}

void cache_digest(const struct block_node *node, struct digest *digest)
{
    const struct cached_write *write;

    if (node->durable == NULL) {
        return;
    }
    image_digest(node->durable, digest);
    STAILQ_FOREACH (write, &node->cached, link) {
        digest_u64(digest, write->offset);
        digest_u64(digest, write->bytes);
        digest_u64(digest, write->stamp == 0 ? 0 : node->cache_stamp - write->stamp + 1);
        for (uint32_t i = 0; i < write->runs.count; i++) {
            digest_u64(digest, write->runs.runs[i].sector);
            digest_u64(digest, write->runs.runs[i].tag);
        }
    }
}
