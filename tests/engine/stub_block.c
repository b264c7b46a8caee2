/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's ports as a stub: nodes, requests, time, memory.
 */
#include "tests/engine/stub_block.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Host ---- */

uint64_t host_now_ns(struct host *host)
{
    return host->now_ns;
}

/*
 * The size is stored in front of the memory, so that host_free() can check that
 * it gets the same size.
 */
void *host_alloc(struct host *host, uint64_t bytes)
{
    char *memory = calloc(1, 16 + (size_t)bytes);

    assert_non_null(memory);
    memcpy(memory, &bytes, sizeof(bytes));
    host->allocations++;
    return memory + 16;
}

void host_free(struct host *host, void *memory, uint64_t bytes)
{
    uint64_t allocated;

    if (memory != NULL) {
        memcpy(&allocated, (char *)memory - 16, sizeof(allocated));
        assert_int_equal(bytes, allocated);
        host->allocations--;
        free((char *)memory - 16);
    }
}

struct host_timer *host_timer_start(struct host *host, uint64_t delay_ns,
                                    void (*fired)(void *opaque), void *opaque)
{
    assert_null(host->timer);
    host->timer = calloc(1, sizeof(*host->timer));
    assert_non_null(host->timer);
    *host->timer = (struct host_timer){host->now_ns + delay_ns, fired, opaque};
    return host->timer;
}

void host_timer_stop(struct host *host, struct host_timer *timer)
{
    assert_ptr_equal(timer, host->timer);
    free(timer);
    host->timer = NULL;
}

void host_emit(struct host *host, struct event *event)
{
    assert_true(host->event_count < STUB_MAX_EVENTS);
    event->now_ns = host->now_ns;
    host->events[host->event_count++] = *event;
}

/* ---- Nodes: attributes ---- */

uint8_t block_node_id(const struct block_node *node)
{
    return node->id;
}

const char *block_node_name(const struct block_node *node)
{
    return node->name;
}

struct block_node *block_node_find(struct host *host, const char *name)
{
    for (uint32_t i = 0; i < host->node_count; i++) {
        if (strcmp(host->nodes[i].name, name) == 0) {
            return &host->nodes[i];
        }
    }
    return NULL;
}

int block_getlength(struct block_node *node, uint64_t *bytes)
{
    *bytes = node->getlength_ret < 0 ? 0 : node->bytes;
    return node->getlength_ret;
}

int block_cluster_size(struct block_node *node, uint64_t *bytes)
{
    *bytes = node->cluster;
    return node->cluster_ret;
}

bool block_names_backing(const struct block_node *node)
{
    return node->names_backing;
}

struct block_node *block_backing(const struct block_node *node)
{
    return node->backing;
}

bool block_is_below(const struct block_node *node, const struct block_node *top)
{
    do {
        top = top->backing;
    } while (top != NULL && top != node);
    return top != NULL;
}

bool block_has_zero_init(const struct block_node *node)
{
    return node->zero_init;
}

bool block_has_cache(const struct block_node *node)
{
    return node->has_cache;
}

uint32_t block_flags(const struct block_node *node)
{
    return node->flags;
}

bool block_is_blocked(const struct block_node *node)
{
    return node->blockers > 0;
}

bool block_is_topmost_non_filter(const struct block_node *node)
{
    return !node->is_filter;
}

bool block_tracks_io_status(const struct block_node *node)
{
    return node->tracks_io_status;
}

/* ---- Nodes: changing them ---- */

void block_ref(struct block_node *node)
{
    node->refs++;
}

void block_unref(struct block_node *node)
{
    assert_true(node->refs > 0);
    node->refs--;
}

void block_op_block_all(struct block_node *node)
{
    node->blockers++;
}

void block_op_unblock_all(struct block_node *node)
{
    assert_true(node->blockers > 0);
    node->blockers--;
}

void block_set_write_cache(struct block_node *node, bool on)
{
    node->write_cache = on;
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

int block_reopen(struct block_node *node, uint32_t flags)
{
    node->reopens++;
    if (node->reopen_ret == 0) {
        node->flags = flags;
    }
    return node->reopen_ret;
}

int block_truncate(struct block_node *node, uint64_t bytes)
{
    node->truncates++;
    if (node->truncate_ret == 0) {
        node->content = realloc(node->content, bytes / SECTOR_BYTES * sizeof(*node->content));
        for (uint64_t i = node->bytes / SECTOR_BYTES; i < bytes / SECTOR_BYTES; i++) {
            node->content[i] = 0;
        }
        node->bytes = bytes;
    }
    return node->truncate_ret;
}

int block_open_backing(struct block_node *node)
{
    node->open_backings++;
    return node->open_backing_ret;
}

void block_unlink_backing(struct block_node *node)
{
    node->backing = NULL;
}

void block_replace(struct block_node *old_node, struct block_node *new_node)
{
    struct host *host = old_node->host;

    for (uint32_t i = 0; i < host->node_count; i++) {
        if (host->nodes[i].backing == old_node && &host->nodes[i] != new_node) {
            host->nodes[i].backing = new_node;
        }
    }
    if (host->guest_node == old_node) {
        host->guest_node = new_node;
    }
}

bool block_drain_begin(struct block_node *node, void (*drained)(void *opaque), void *opaque)
{
    assert_false(node->drained);
    node->drained = true;
    node->drains++;
    if (node->guest_in_flight == 0) {
        return true;
    }
    node->on_drained = drained;
    node->drain_opaque = opaque;
    return false;
}

void block_drain_end(struct block_node *node)
{
    assert_true(node->drained);
    node->drained = false;
    node->guest_node_at_drain_end = node->host->guest_node;
    node->on_drained = NULL;
}

/* ---- Requests ---- */

int block_buffers_create(struct block_node *node, uint64_t bytes, uint32_t count,
                         struct block_buffers **buffers)
{
    struct block_buffers *made;

    if (node->buffers_ret < 0) {
        return node->buffers_ret;
    }
    made = calloc(1, sizeof(*made));
    assert_non_null(made);
    *made = (struct block_buffers){.host = node->host, .bytes = bytes, .count = count};
    made->is_held = calloc(count, sizeof(*made->is_held));
    made->content = calloc(count * (bytes / SECTOR_BYTES), sizeof(*made->content));
    node->host->allocations++;
    *buffers = made;
    return 0;
}

void block_buffers_release(struct block_buffers *buffers)
{
    buffers->host->allocations--;
    for (uint32_t i = 0; i < buffers->count; i++) {
        assert_false(buffers->is_held[i]);
    }
    free(buffers->is_held);
    free(buffers->content);
    free(buffers);
}

static void submit(struct host *host, struct stub_request request)
{
    assert_true(host->request_count < STUB_MAX_PENDING);
    request.submitted_ns = host->now_ns;
    host->requests[host->request_count++] = request;
    host->submitted++;
}

/*
 * Asserts that all buffers except the last are full and that no other operation
 * holds one of them.
 */
static void check_copy(const struct block_node *node, uint64_t offset, uint64_t bytes,
                       struct block_iov iov, bool is_held)
{
    uint64_t size = iov.buffers->bytes;

    assert_true(bytes > 0 && offset % SECTOR_BYTES == 0 && bytes % SECTOR_BYTES == 0);
    assert_true(offset + bytes <= node->bytes);
    assert_true(iov.count > 0 && iov.count <= 1024);
    assert_int_equal(iov.count, div_round_up(bytes, size));
    for (uint32_t i = 0; i < iov.count; i++) {
        assert_true(iov.index[i] < iov.buffers->count);
        assert_int_equal(iov.buffers->is_held[iov.index[i]], is_held);
        iov.buffers->is_held[iov.index[i]] = true;
    }
}

static void submit_copy(enum op op, struct block_node *node, uint64_t offset, uint64_t bytes,
                        struct block_iov iov, block_done *done, void *opaque)
{
    check_copy(node, offset, bytes, iov, op == OP_WRITE);
    submit(node->host, (struct stub_request){.op = op,
                                             .node = node,
                                             .offset = offset,
                                             .bytes = bytes,
                                             .iov = iov,
                                             .done = done,
                                             .opaque = opaque});
}

void block_read(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                block_done *done, void *opaque)
{
    assert_string_equal(node->name, "source");
    node->host->bytes_read += bytes;
    submit_copy(OP_READ, node, offset, bytes, iov, done, opaque);
}

void block_write(struct block_node *node, uint64_t offset, uint64_t bytes, struct block_iov iov,
                 block_done *done, void *opaque)
{
    assert_string_equal(node->name, "target");
    submit_copy(OP_WRITE, node, offset, bytes, iov, done, opaque);
}

void block_flush(struct block_node *node, block_done *done, void *opaque)
{
    assert_string_equal(node->name, "target");
    submit(node->host,
           (struct stub_request){.op = OP_FLUSH, .node = node, .done = done, .opaque = opaque});
}

/* Is `offset` in an allocated range, and up to where does the answer hold? */
static bool allocated_until(const struct block_node *node, uint64_t offset, uint64_t *end)
{
    *end = node->bytes;
    for (uint32_t i = 0; i < node->range_count; i++) {
        const struct stub_range *range = &node->ranges[i];

        if (offset >= range->offset && offset < range->offset + range->bytes) {
            *end = range->offset + range->bytes;
            return true;
        }
        if (offset < range->offset) {
            *end = min_u64(*end, range->offset);
        }
    }
    return !node->sparse;
}

int block_status_above(struct block_node *top, struct block_node *base, uint64_t offset,
                       uint64_t bytes, uint64_t *extent_bytes, block_done *done, void *opaque)
{
    struct host *host = top->host;
    uint64_t end;
    bool allocated;

    assert_true(bytes > 0 && offset + bytes <= top->bytes);
    if (top->slow_status && !host->status_answered) {
        assert_null(host->status_done);
        host->status_done = done;
        host->status_opaque = opaque;
        return -EINPROGRESS;
    }
    host->status_answered = false;
    top->status_queries++;
    top->status_base = base;
    if (top->status_ret < 0) {
        return top->status_ret;
    }
    allocated = allocated_until(top, offset, &end);
    *extent_bytes = end - offset;
    return allocated ? 1 : 0;
}

/* ---- Dirty bitmaps ---- */

int block_dirty_create(struct block_node *node, uint64_t granularity, struct block_dirty **dirty)
{
    uint64_t chunks = div_round_up(node->bytes, granularity);

    if (node->dirty_ret < 0) {
        return node->dirty_ret;
    }
    assert_true(node->bitmap_count < STUB_MAX_BITMAPS);
    *dirty = calloc(1, sizeof(**dirty));
    assert_non_null(*dirty);
    (*dirty)->node = node;
    (*dirty)->granularity = granularity;
    (*dirty)->memory = calloc(1, bitmap_memory_bytes(chunks) + 1);
    bitmap_init(&(*dirty)->bits, chunks, (*dirty)->memory);
    node->bitmaps[node->bitmap_count++] = *dirty;
    return 0;
}

void block_dirty_release(struct block_dirty *dirty)
{
    struct block_node *node = dirty->node;
    uint32_t i = 0;

    while (node->bitmaps[i] != dirty) {
        i++;
    }
    node->bitmaps[i] = node->bitmaps[--node->bitmap_count];
    free(dirty->memory);
    free(dirty);
}

const struct bitmap *block_dirty_bits(const struct block_dirty *dirty)
{
    return &dirty->bits;
}

/* False if the range is empty: it touches none. */
static bool touched_chunks(const struct block_dirty *dirty, uint64_t offset, uint64_t bytes,
                           uint64_t *first, uint64_t *count)
{
    assert_true(offset + bytes <= dirty->node->bytes);
    *first = offset / dirty->granularity;
    *count = div_round_up(offset + bytes, dirty->granularity) - *first;
    return bytes > 0;
}

void block_dirty_set(struct block_dirty *dirty, uint64_t offset, uint64_t bytes)
{
    uint64_t first;
    uint64_t count;

    if (touched_chunks(dirty, offset, bytes, &first, &count)) {
        bitmap_set(&dirty->bits, first, count);
    }
}

void block_dirty_clear(struct block_dirty *dirty, uint64_t offset, uint64_t bytes)
{
    uint64_t first;
    uint64_t count;

    if (touched_chunks(dirty, offset, bytes, &first, &count)) {
        bitmap_clear(&dirty->bits, first, count);
    }
}
