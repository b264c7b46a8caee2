/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Nodes: how they begin, what they answer, and what a reader of them sees.
 */
#include "sim/disk/node.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/disk/cache.h"
#include "sim/disk/dirty.h"
#include "sim/disk/drain.h"
#include "sim/disk/layer.h"
#include "sim/disk/section.h"
#include "sim/plan/latency.h"

/* ---- Creation ---- */

static struct run run_zero(uint64_t offset, uint64_t bytes, bool stored)
{
    return (struct run){offset / SECTOR_BYTES, bytes / SECTOR_BYTES, TAG_ZERO, 0, stored};
}

/* What is allocated and zero is data, but in 2.2, which does not tell it from other zeroes. */
static void write_fill(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    bool modern = node->layer->plan->generation == GENERATION_MODERN;

    image_write(node->disk.image, node->spec->fill == FILL_ZERO
                                      ? run_zero(offset, bytes, modern)
                                      : run_fill(node->id, offset, bytes));
}

static void fill_image(struct block_node *node)
{
    const struct disk_spec *spec = node->spec;

    if (spec->has_allocated) {
        for (uint32_t i = 0; i < spec->allocated_count; i++) {
            write_fill(node, spec->allocated[i].offset, spec->allocated[i].bytes);
        }
    } else if (spec->fill != FILL_ZERO && spec->bytes > 0) {
        write_fill(node, 0, spec->bytes);
    }
    for (uint32_t i = 0; i < spec->zero_count; i++) {
        image_write(node->disk.image,
                    run_zero(spec->zeroes[i].offset, spec->zeroes[i].bytes, false));
    }
}

static void node_create(struct block_layer *layer, uint8_t id)
{
    const struct disk_spec *spec = &layer->plan->disks[id];
    struct block_node *node = &layer->nodes[id];

    node->layer = layer;
    node->spec = spec;
    node->id = id;
    node->flags = spec->flags;
    node->refs = 1;
    node->blockers = spec->blocked ? 1 : 0;
    node->tracks_io_status = spec->tracks_io_status;
    node->read_only = spec->read_only;
    STAILQ_INIT(&node->waiting);
    TAILQ_INIT(&node->edges);
    node->disk = (struct disk_state){.image = image_create(layer->arena),
                                     .bytes = spec->bytes,
                                     .backing = spec->backing,
                                     .backing_open = spec->backing_open};
    layer->evidence->disks[id] = &node->disk;
    fill_image(node);
    if (layer->plan->content_bytes) {
        image_keep_bytes(node->disk.image);
    }
    cache_init(node);
}

void nodes_create(struct block_layer *layer)
{
    layer->node_count = layer->plan->disk_count;
    layer->nodes = arena_alloc(layer->arena, layer->node_count * sizeof(*layer->nodes));
    for (uint32_t i = 0; i < layer->node_count; i++) {
        node_create(layer, (uint8_t)i);
    }
    for (uint32_t i = 0; i < layer->node_count; i++) {
        edge_follow_backing(&layer->nodes[i]);
    }
}

/* ---- What a reader sees ---- */

struct block_node *node_backing(const struct block_node *node)
{
    return node->disk.backing_open ? &node->layer->nodes[node->disk.backing] : NULL;
}

/* A layer that is shorter than the one above it reads zero past its end. */
struct run node_lookup(const struct block_node *node, uint64_t sector, uint64_t limit)
{
    for (; node != NULL; node = node_backing(node)) {
        uint64_t end = node->disk.bytes / SECTOR_BYTES;
        struct run run;

        if (sector >= end) {
            break;
        }
        limit = min_u64(limit, end);
        if (image_lookup(node->disk.image, sector, limit, &run)) {
            return run;
        }
        limit = sector + run.sectors;
    }
    return (struct run){sector, limit - sector, TAG_ZERO, 0, false};
}

/* ---- Time ---- */

uint64_t node_latency_ns(struct block_node *node, enum op op)
{
    const struct latency_spec *spec = &node->spec->latency[op];
    struct block_layer *layer = node->layer;

    assert(op_is_timed(op));
    if (spec->kind != LATENCY_FIXED && node->latency_sites[op] == NULL) {
        node->latency_sites[op] =
            choices_site(layer->choices, arena_printf(layer->arena, "latency %s %s",
                                                      node->spec->name, op_name(op)));
    }
    return latency_draw(spec, layer->choices, node->latency_sites[op]);
}

/* ---- The port: attributes ---- */

uint8_t block_node_id(const struct block_node *node)
{
    return node->id;
}

const char *block_node_name(const struct block_node *node)
{
    return node->spec->name;
}

struct block_node *block_node_find(struct host *host, const char *name)
{
    struct block_layer *layer = layer_of(host);
    uint32_t disk = plan_find_disk(layer->plan, name);

    if (layer->filter != NULL && strcmp(layer->filter->spec->name, name) == 0) {
        return layer->filter;
    }
    return disk == PLAN_NONE ? NULL : &layer->nodes[disk];
}

int block_getlength(struct block_node *node, uint64_t *bytes)
{
    *bytes = node->disk.bytes;
    return fault_query(node, OP_GETLENGTH, 0, 0);
}

uint64_t block_known_bytes(const struct block_node *node)
{
    while (node_is_filter(node)) {
        node = node->below.node;
    }
    return node->disk.bytes;
}

int block_cluster_size(struct block_node *node, uint64_t *bytes)
{
    int ret = fault_query(node, OP_GET_INFO, 0, 0);

    *bytes = node->spec->cluster;
    if (ret == 0 && node->spec->cluster_unknown) {
        ret = -ENOTSUP;
    }
    return ret;
}

bool block_names_backing(const struct block_node *node)
{
    return node->disk.backing != PLAN_NONE;
}

struct block_node *block_backing(const struct block_node *node)
{
    return node_backing(node);
}

bool block_has_zero_init(const struct block_node *node)
{
    return node->spec->fill != FILL_GARBAGE && !block_names_backing(node) &&
           image_runs(node->disk.image) == 0;
}

bool block_has_cache(const struct block_node *node)
{
    return node->spec->volatile_cache;
}

uint32_t block_flags(const struct block_node *node)
{
    return node->flags;
}

bool block_is_blocked(const struct block_node *node)
{
    return node->blockers > 0;
}

/* A chain may be a loop. */
bool block_is_below(const struct block_node *node, const struct block_node *top)
{
    for (uint32_t depth = 0; depth < node->layer->node_count && top != NULL; depth++) {
        top = node_backing(top);
        if (top == node) {
            return true;
        }
    }
    return false;
}

bool block_is_topmost_non_filter(const struct block_node *node)
{
    const struct block_layer *layer = node->layer;

    for (uint32_t i = 0; i < layer->node_count; i++) {
        const struct block_node *other = &layer->nodes[i];

        if (other != node && !other->spec->filter && block_is_below(node, other)) {
            return false;
        }
    }
    return !node->spec->filter;
}

bool block_tracks_io_status(const struct block_node *node)
{
    return node->tracks_io_status;
}

void block_set_write_cache(struct block_node *node, bool on)
{
    node->flags = on ? node->flags | DISK_FLAG_WRITE_BACK : node->flags & ~DISK_FLAG_WRITE_BACK;
}

void block_set_on_error(struct block_node *node, enum error_policy policy)
{
    node->on_error = policy;
}

void block_io_status_enable(struct block_node *node, bool on)
{
    node->tracks_io_status = on;
}

void block_io_status_set(struct block_node *node, enum io_status status)
{
    node->io_status = status;
}

/* ---- Digest ---- */

void node_digest(const struct block_node *node, struct digest *digest)
{
    uint64_t now_ns = node->layer->timeline->now_ns;

    digest_u64(digest, node->disk.bytes);
    digest_u64(digest, node->disk.backing);
    digest_u64(digest, node->disk.backing_open);
    digest_u64(digest, node->flags);
    digest_u64(digest, node->refs);
    digest_u64(digest, node->blockers);
    digest_u64(digest, node->tracks_io_status);
    digest_u64(digest, node->io_status);
    digest_u64(digest, node->on_error);
    digest_flags(digest, node->drained, node->idles);
    digest_u64(digest, node->link_free_ns > now_ns ? node->link_free_ns - now_ns : 0);
    status_digest(node, digest);
    image_digest(node->disk.image, &node->layer->writers, digest);
    if (node->older != NULL) {
        image_digest(node->older, &node->layer->writers, digest);
    }
    dirty_digest(node, digest);
    cache_digest(node, digest);
}

void node_check(const struct block_node *node)
{
    const struct disk_state *disk = &node->disk;

    assert(node == &node->layer->nodes[node->id]);
    assert(disk->backing == PLAN_NONE ? !disk->backing_open
                                      : disk->backing < node->layer->node_count);
    assert(disk->bytes % SECTOR_BYTES == 0 && image_allocated_bytes(disk->image) <= disk->bytes);
    assert(node->status_answer.layout <= node->layer->layout_changes);
    assert(!node->status_query.asked || !node->status_query.answered);
    assert(STAILQ_EMPTY(&node->waiting) || node->served >= node->spec->lanes);
    image_check(disk->image);
    cache_check(node);
    dirty_check(node);
    drain_check(node);
}
