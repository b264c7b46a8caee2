/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The test's side of the stub: making a world, driving it, inspecting it.
 */
#include "tests/engine/stub_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- The world ---- */

struct host *stub_create(void)
{
    struct host *host = calloc(1, sizeof(*host));

    assert_non_null(host);
    host->next_content = 1;
    host->events = calloc(STUB_MAX_EVENTS, sizeof(*host->events));
    assert_non_null(host->events);
    return host;
}

struct block_node *stub_node_add(struct host *host, const char *name, uint64_t bytes)
{
    struct block_node *node = &host->nodes[host->node_count];
    uint64_t sectors = bytes / SECTOR_BYTES;

    assert_true(host->node_count < STUB_MAX_NODES);
    *node = (struct block_node){.host = host, .name = name, .bytes = bytes, .refs = 1};
    node->id = (uint8_t)host->node_count++;
    node->tracks_io_status = true;
    node->content = calloc(sectors + 1, sizeof(*node->content));
    node->is_allocated = calloc(sectors + 1, sizeof(*node->is_allocated));
    assert_non_null(node->content);
    assert_non_null(node->is_allocated);
    for (uint64_t i = 0; i < sectors; i++) {
        node->content[i] = STUB_INITIAL + (uint32_t)i;
    }
    if (host->guest_node == NULL) {
        host->guest_node = node;
    }
    return node;
}

void stub_allocate(struct block_node *node, uint64_t offset, uint64_t bytes)
{
    assert_true(node->range_count < STUB_MAX_RANGES);
    for (uint64_t i = 0; i < node->bytes / SECTOR_BYTES && !node->sparse; i++) {
        node->content[i] = 0;
    }
    for (uint64_t i = offset / SECTOR_BYTES; i < (offset + bytes) / SECTOR_BYTES; i++) {
        node->content[i] = STUB_INITIAL + (uint32_t)i;
    }
    node->sparse = true;
    node->ranges[node->range_count++] = (struct stub_range){offset, bytes};
}

int stub_set_up(void **state)
{
    struct host *host = stub_create();
    struct block_node *target;

    stub_node_add(host, "source", MIB);
    target = stub_node_add(host, "target", MIB);
    target->zero_init = true;
    for (uint64_t i = 0; i < MIB / SECTOR_BYTES; i++) {
        target->content[i] = 0;
    }
    *state = host;
    return 0;
}

static void check_nothing_left(const struct host *host)
{
    assert_null(host->job);
    assert_null(host->timer);
    assert_int_equal(host->request_count, 0);
    assert_int_equal(host->allocations, 0);
    for (uint32_t i = 0; i < host->node_count; i++) {
        const struct block_node *node = &host->nodes[i];

        assert_int_equal(node->refs, 1);
        assert_int_equal(node->blockers, 0);
        assert_int_equal(node->bitmap_count, 0);
        assert_false(node->drained);
    }
}

void stub_destroy(struct host *host)
{
    check_nothing_left(host);
    for (uint32_t i = 0; i < host->node_count; i++) {
        free(host->nodes[i].content);
        free(host->nodes[i].is_allocated);
    }
    free(host->events);
    free(host);
}

int stub_tear_down(void **state)
{
    stub_destroy(*state);
    return 0;
}

/* ---- The job ---- */

/* Asserts the engine's own invariants, and that taking a digest changes nothing. */
static void stub_check(struct host *host)
{
    struct digest digest;

    if (host->job != NULL) {
        digest_init(&digest);
        mirror_engine.check(host->job);
        mirror_engine.digest(host->job, &digest);
    }
}

static void concluded(void *opaque, int ret)
{
    struct host *host = opaque;

    assert_false(host->concluded);
    host->concluded = true;
    host->ret = ret;
    host->job = NULL;
}

struct job_spec stub_spec(struct host *host)
{
    return (struct job_spec){
        .source = &host->nodes[0],
        .target = &host->nodes[1],
        .granularity = 64 * KIB,
        .buffer_bytes = MIRROR_DEFAULT_BUFFER_BYTES,
        .concluded = concluded,
        .opaque = host,
    };
}

int stub_start(struct host *host, const struct job_spec *spec)
{
    int ret;

    host->error = (struct job_error){0};
    ret = mirror_engine.start(host, spec, &host->job, &host->error);
    assert_true(ret <= 0);
    assert_int_equal(ret < 0, host->error.refusal != REFUSED_NOT);
    assert_int_equal(ret < 0, host->job == NULL);
    stub_check(host);
    return ret;
}

int stub_command(struct host *host, enum job_verb verb, int64_t arg)
{
    int ret;

    assert_non_null(host->job);
    host->error = (struct job_error){0};
    ret = mirror_engine.command(host->job, verb, arg, &host->error);
    assert_true(ret <= 0);
    assert_int_equal(ret < 0, host->error.refusal != REFUSED_NOT);
    assert_non_null(host->job);
    stub_check(host);
    return ret;
}

struct job_info stub_query(const struct host *host)
{
    struct job_info info;

    assert_non_null(host->job);
    mirror_engine.query(host->job, &info);
    return info;
}

/* ---- Requests ---- */

uint32_t stub_find(const struct host *host, enum op op, uint64_t offset, uint64_t bytes)
{
    uint32_t found = STUB_MAX_PENDING;

    for (uint32_t i = 0; i < host->request_count; i++) {
        const struct stub_request *request = &host->requests[i];

        if (request->op == op && request->offset == offset && request->bytes == bytes) {
            assert_int_equal(found, STUB_MAX_PENDING);
            found = i;
        }
    }
    if (found == STUB_MAX_PENDING) {
        fail_msg("no %s of %llu bytes at %llu is pending", op_name(op), (unsigned long long)bytes,
                 (unsigned long long)offset);
    }
    return found;
}

void stub_finish(struct host *host, enum op op, uint64_t offset, uint64_t bytes, int ret)
{
    stub_finish_at(host, stub_find(host, op, offset, bytes), ret);
}

void stub_finish_copies(struct host *host)
{
    while (host->request_count > 0 && host->requests[0].op != OP_FLUSH) {
        stub_finish_at(host, 0, 0);
    }
}

static uint32_t *buffer_sector(struct block_iov iov, uint64_t sector)
{
    uint64_t per_buffer = iov.buffers->bytes / SECTOR_BYTES;

    return &iov.buffers->content[iov.index[sector / per_buffer] * per_buffer + sector % per_buffer];
}

/* What the target cannot fill from its backing file reads zero (R4). */
static void fill_cluster(struct block_node *node, uint64_t cluster)
{
    uint64_t first = cluster * node->cluster / SECTOR_BYTES;
    uint64_t end = min_u64(first + node->cluster / SECTOR_BYTES, node->bytes / SECTOR_BYTES);

    if (!node->is_allocated[cluster]) {
        node->is_allocated[cluster] = true;
        for (uint64_t i = first; i < end && node->names_backing; i++) {
            node->content[i] = 0;
        }
    }
}

static void apply(const struct stub_request *request)
{
    struct block_node *node = request->node;
    uint64_t first = request->offset / SECTOR_BYTES;
    uint64_t sectors = request->bytes / SECTOR_BYTES;

    if (request->op == OP_WRITE && node->cluster > 0) {
        for (uint64_t i = request->offset / node->cluster;
             i <= (request->offset + request->bytes - 1) / node->cluster; i++) {
            fill_cluster(node, i);
        }
    }
    for (uint64_t i = 0; i < sectors; i++) {
        if (request->op == OP_READ) {
            *buffer_sector(request->iov, i) = node->content[first + i];
        } else {
            node->content[first + i] = *buffer_sector(request->iov, i);
        }
    }
}

void stub_finish_at(struct host *host, uint32_t index, int ret)
{
    struct stub_request request = host->requests[index];

    assert_true(index < host->request_count);
    host->request_count--;
    for (uint32_t i = index; i < host->request_count; i++) {
        host->requests[i] = host->requests[i + 1];
    }
    if (request.op != OP_FLUSH && ret == 0) {
        apply(&request);
    }
    if (request.op == OP_WRITE || (request.op == OP_READ && ret < 0)) {
        for (uint32_t i = 0; i < request.iov.count; i++) {
            request.iov.buffers->is_held[request.iov.index[i]] = false;
        }
    }
    request.done(request.opaque, ret);
    stub_check(host);
}

void stub_fire_late(struct host *host, uint64_t late_ns)
{
    struct host_timer timer;

    assert_non_null(host->timer);
    timer = *host->timer;
    host->now_ns = max_u64(host->now_ns, timer.due_ns + late_ns);
    free(host->timer);
    host->timer = NULL;
    timer.fired(timer.opaque);
    stub_check(host);
}

uint64_t stub_timer_delay_ns(const struct host *host)
{
    assert_non_null(host->timer);
    return host->timer->due_ns - host->now_ns;
}

void stub_answer(struct host *host)
{
    block_done *done = host->status_done;

    assert_non_null(done);
    host->status_done = NULL;
    host->status_answered = true;
    done(host->status_opaque, 0);
    stub_check(host);
}

void stub_guest_begin(struct host *host)
{
    host->guest_node->guest_in_flight++;
}

void stub_guest_end(struct host *host, uint64_t offset, uint64_t bytes)
{
    struct block_node *node = host->guest_node;
    void (*drained)(void *opaque);

    for (uint64_t i = offset / SECTOR_BYTES; i < (offset + bytes) / SECTOR_BYTES; i++) {
        node->content[i] = host->next_content++;
    }
    for (uint32_t i = 0; i < node->bitmap_count; i++) {
        block_dirty_set(node->bitmaps[i], offset, bytes);
    }
    assert_true(node->guest_in_flight > 0);
    node->guest_in_flight--;
    drained = node->on_drained;
    if (drained != NULL && node->guest_in_flight == 0) {
        node->on_drained = NULL;
        drained(node->drain_opaque);
    }
    stub_check(host);
}

bool stub_is_dirty(const struct host *host, uint64_t offset)
{
    const struct block_dirty *dirty = host->nodes[0].bitmaps[0];

    return bitmap_get(&dirty->bits, offset / dirty->granularity);
}

/* ---- Longer ways ---- */

void stub_step(struct host *host)
{
    if (host->request_count > 0) {
        stub_finish_at(host, 0, 0);
    } else if (host->status_done != NULL) {
        stub_answer(host);
    } else {
        stub_fire(host);
    }
}

void stub_run_until_ready(struct host *host)
{
    while (host->job != NULL && !stub_query(host).ready) {
        stub_step(host);
    }
}

void stub_run_until_concluded(struct host *host)
{
    while (host->job != NULL) {
        stub_step(host);
    }
}

void stub_cancel(struct host *host)
{
    assert_int_equal(stub_command(host, VERB_CANCEL, 0), 0);
    stub_run_until_concluded(host);
}

void stub_fire(struct host *host)
{
    stub_fire_late(host, 0);
}

void stub_guest_write(struct host *host, uint64_t offset, uint64_t bytes)
{
    stub_guest_begin(host);
    stub_guest_end(host, offset, bytes);
}

/* ---- Looking ---- */

uint32_t stub_event_count(const struct host *host, enum event_kind kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < host->event_count; i++) {
        count += host->events[i].kind == kind;
    }
    return count;
}

const struct event *stub_event(const struct host *host, enum event_kind kind)
{
    for (uint32_t i = host->event_count; i > 0; i--) {
        if (host->events[i - 1].kind == kind) {
            return &host->events[i - 1];
        }
    }
    fail_msg("there is no event %s", event_kind_name(kind));
    return NULL;
}

void stub_assert_equal(const struct block_node *a, const struct block_node *b)
{
    for (uint64_t i = 0; i < min_u64(a->bytes, b->bytes) / SECTOR_BYTES; i++) {
        if (a->content[i] != b->content[i]) {
            fail_msg("%s and %s differ at sector %llu", a->name, b->name, (unsigned long long)i);
        }
    }
}
