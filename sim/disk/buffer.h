/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chunk buffers: they hold no bytes, but the runs of tags that were read.
 *
 * Nearly always a buffer holds one run, so the first has its place in the
 * buffer; only fragmented content costs more memory.  Writing joins runs that
 * go on across buffers, so that a long copy is one run on the target, too.
 */
#ifndef MIRRORSIM_SIM_DISK_BUFFER_H
#define MIRRORSIM_SIM_DISK_BUFFER_H

#include "engine/block.h"
#include "sim/base/arena.h"
#include "sim/content/image.h"

/* More chunk buffers are refused with -ENOMEM. */
#define BUFFERS_MAX_COUNT (UINT32_C(1) << 22)

/* Runs in order; grows in an arena. */
struct run_list {
    struct run *runs;
    uint32_t count;
    uint32_t capacity;
};

/* Appends a run, or makes the last one longer if it goes on there. */
void run_list_append(struct run_list *list, struct arena *arena, struct run run);
void run_list_release(struct run_list *list, struct arena *arena);

/* Appends those parts of `from` that lie in [sector, end). */
void runs_append_part(struct run_list *list, struct arena *arena, const struct run_list *from,
                      uint64_t sector, uint64_t end);

/* A bit of one sector flips (TAG_CORRUPT), if the list has that sector. */
void runs_corrupt(struct run_list *list, struct arena *arena, uint64_t sector);

/* Cuts `runs` (adjacent, from `sector` on) up into the buffers, in order. */
void buffers_store(struct block_iov iov, uint64_t sector, const struct run_list *runs);

/*
 * Appends what the buffers hold, in order, as runs of [sector, sector +
 * sectors): zero where nothing was put.
 */
void buffers_load(struct block_iov iov, uint64_t sector, uint64_t sectors, struct run_list *runs,
                  struct arena *arena);

/* With `content: bytes`: where the request's sector, counted from 0, is kept. */
uint8_t *buffers_sector(struct block_iov iov, uint64_t sector);

/* Adds what the buffers hold. */
void buffers_digest(struct block_iov iov, struct digest *digest);

/* Asserts that the list's runs are in order and no two overlap. */
void run_list_check(const struct run_list *list);

/* Asserts that what each buffer holds begins at its start, has no gap, and fits. */
void buffers_check(struct block_iov iov);

#endif
