/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's ports as a stub that a test drives step by step.
 *
 * Nothing happens here by itself: a request waits until the test finishes it,
 * a timer until the test fires it, and time stands still in between.  A test of
 * one engine phase is thus a list of calls and of what must follow each of
 * them.
 *
 * After every step the stub asks the engine to check itself, and checks what it
 * can see from outside: that no chunk buffer is used twice and that memory is
 * freed with the size it was allocated with.  stub_destroy() asserts that
 * nothing is left.
 *
 * A sector's content is one number.  stub_node_add() fills a node with
 * STUB_INITIAL + sector; every guest write writes a number not used before.
 */
#ifndef MIRRORSIM_TESTS_ENGINE_STUB_BLOCK_H
#define MIRRORSIM_TESTS_ENGINE_STUB_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/block.h"
#include "engine/engine.h"
#include "engine/range.h"
#include "tests/support/units.h"

#define STUB_MAX_NODES 6
#define STUB_MAX_PENDING 24
#define STUB_MAX_BITMAPS 3
#define STUB_MAX_RANGES 17
#define STUB_MAX_EVENTS 100000
#define STUB_INITIAL 1000000u

struct host_timer {
    uint64_t due_ns;
    void (*fired)(void *opaque);
    void *opaque;
};

struct block_buffers {
    struct host *host;
    uint64_t bytes; /* of one */
    uint32_t count;
    bool *is_held; /* per buffer: held by an operation that has read and not yet written */
    uint32_t *content;
};

struct block_dirty {
    struct block_node *node;
    uint64_t granularity;
    struct bitmap bits;
    void *memory;
};

struct stub_range {
    uint64_t offset;
    uint64_t bytes;
};

/* A test sets these fields before the start; they are the answers the engine gets. */
struct block_node {
    struct host *host;
    uint8_t id;
    const char *name;
    uint64_t bytes;
    uint32_t flags;
    struct block_node *backing; /* open */
    bool names_backing;
    uint64_t cluster;
    bool zero_init;
    bool has_cache;
    bool is_filter; /* not the topmost non-filter */
    bool tracks_io_status;
    bool sparse; /* only `ranges` are allocated; otherwise everything is */
    struct stub_range ranges[STUB_MAX_RANGES];
    uint32_t range_count;
    bool slow_status; /* allocation answers take until stub_answer() */

    /* Non-zero: the operation fails with this errno. */
    int getlength_ret;
    int cluster_ret;
    int status_ret;
    int truncate_ret;
    int reopen_ret;
    int open_backing_ret;
    int buffers_ret;
    int dirty_ret;

    /* What the engine has done to the node. */
    uint32_t refs;
    uint32_t blockers;
    bool write_cache;
    enum error_policy on_error;
    enum io_status io_status;
    bool drained;
    void (*on_drained)(void *opaque);
    void *drain_opaque;
    uint32_t drains;
    struct block_node *guest_node_at_drain_end;
    uint32_t open_backings;
    uint32_t reopens;
    uint32_t truncates;
    uint32_t status_queries;
    struct block_node *status_base; /* `base` of the last query */

    uint32_t sections;
    uint32_t guest_in_flight;
    uint32_t *content;  /* a number per sector */
    bool *is_allocated; /* a flag per cluster, if `cluster` */
    struct block_dirty *bitmaps[STUB_MAX_BITMAPS];
    uint32_t bitmap_count;
};

struct stub_request {
    bool pending;
    enum op op;
    struct block_node *node;
    uint64_t offset;
    uint64_t bytes;
    uint64_t submitted_ns;
    struct block_iov iov;
    block_done *done;
    void *opaque;
};

struct stub_call {
    void (*run)(void *opaque);
    void *opaque;
};

struct host {
    uint64_t now_ns;
    struct block_node nodes[STUB_MAX_NODES];
    uint32_t node_count;
    struct block_node *guest_node; /* the node that guest requests go to */

    struct stub_request requests[STUB_MAX_PENDING]; /* pending, oldest first */
    uint32_t request_count;
    uint64_t submitted; /* requests so far */
    uint64_t bytes_read;

    struct host_timer *timer; /* the engine never has more than one */
    struct event *events;
    uint32_t event_count;
    uint64_t allocations; /* number of pieces of memory that the engine holds */
    uint32_t next_content;

    block_done *status_done; /* callback of an allocation answer that takes time */
    void *status_opaque;
    bool status_answered;

    struct engine_job *job; /* NULL once concluded */
    struct job_error error; /* of the last refusal */
    bool concluded;
    int ret;

    /* Ports of today's generation (stub_section.c). */
    struct block_edge *edges;   /* newest first */
    bool sections_wait;         /* a section is quiet only when stub_let_quiet() says so */
    struct stub_call quiet;     /* of the section that waits; run NULL: none does */
    struct stub_call deferred;  /* what host_defer() was told last; run NULL: nothing */
    uint32_t all_node_sections; /* begun and not ended */
};

/* ---- The world ---- */

struct host *stub_create(void);

/* Asserts that the job is gone and has left nothing behind. */
void stub_destroy(struct host *host);

/* Adds a node, allocated and readable everywhere; refs = 1, the test's own. */
struct block_node *stub_node_add(struct host *host, const char *name, uint64_t bytes);

static inline struct block_node *stub_source(struct host *host)
{
    return &host->nodes[0];
}

static inline struct block_node *stub_target(struct host *host)
{
    return &host->nodes[1];
}

/* From now on only the ranges added are allocated; the rest reads zero. */
void stub_allocate(struct block_node *node, uint64_t offset, uint64_t bytes);

/*
 * cmocka fixtures: nodes[0] "source" and nodes[1] "target", 1 MiB each, the
 * target empty and known to read zero.
 */
int stub_set_up(void **state);
int stub_tear_down(void **state);

/* A job from nodes[0] to nodes[1] with the defaults: sync full, 64 KiB chunks, report errors. */
struct job_spec stub_spec(struct host *host);

/* ---- The job ---- */

/* 0 or the refusal's errno, with host->error filled in. */
int stub_start(struct host *host, const struct job_spec *spec);
int stub_command(struct host *host, enum job_verb verb, int64_t arg);
struct job_info stub_query(const struct host *host);

/* ---- What the engine waits for ---- */

/* Asserts that exactly this request is pending, and returns its index. */
uint32_t stub_find(const struct host *host, enum op op, uint64_t offset, uint64_t bytes);

/* Finishes a pending request; it takes effect if ret is 0. */
void stub_finish_at(struct host *host, uint32_t index, int ret);
void stub_finish(struct host *host, enum op op, uint64_t offset, uint64_t bytes, int ret);

/* Finishes all reads and writes with 0, oldest first, until none is pending. */
void stub_finish_copies(struct host *host);

/* Moves time to the timer's instant, or later, and fires it. */
void stub_fire(struct host *host);
void stub_fire_late(struct host *host, uint64_t late_ns);
uint64_t stub_timer_delay_ns(const struct host *host);

/* Gives a slow allocation answer. */
void stub_answer(struct host *host);

/*
 * Finishes the oldest request with success; if there is none, gives a slow
 * answer or fires the timer.
 */
void stub_step(struct host *host);

/* Lets everything succeed until the job is ready (or gone). */
void stub_run_until_ready(struct host *host);

/* Lets everything succeed until the job is gone; the test must have made sure that it ends. */
void stub_run_until_concluded(struct host *host);

/* Cancels the job and lets it conclude. */
void stub_cancel(struct host *host);

/* ---- Sections and deferred calls (stub_section.c) ---- */

/* The node is in a section, or no longer: its edges are told. */
void stub_begin_section(struct host *host, struct block_node *node);
void stub_end_section(struct host *host, struct block_node *node);

/* Does a section over the node have to wait for a job? */
bool stub_section_is_disturbed(const struct host *host, const struct block_node *node);

/* The section that waits is quiet; what was deferred is called. */
void stub_let_quiet(struct host *host);
void stub_run_deferred(struct host *host);

/* ---- The guest ---- */

void stub_guest_begin(struct host *host);
/* The write takes effect and completes; it may end an earlier stub_guest_begin(). */
void stub_guest_end(struct host *host, uint64_t offset, uint64_t bytes);
void stub_guest_write(struct host *host, uint64_t offset, uint64_t bytes);

/* ---- Looking ---- */

uint32_t stub_event_count(const struct host *host, enum event_kind kind);
/* The last event of the kind; there must be one. */
const struct event *stub_event(const struct host *host, enum event_kind kind);
bool stub_is_dirty(const struct host *host, uint64_t offset);
/* Asserts that the nodes are equal over the length of the shorter one. */
void stub_assert_equal(const struct block_node *a, const struct block_node *b);

#endif
