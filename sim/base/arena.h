/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One contiguous piece of memory that holds all state of one thing.
 *
 * An arena never moves, so pointers into it stay good; a snapshot is a copy
 * of its used bytes and a restore is the copy back.  Its own book-keeping
 * lives inside it and is copied along.  Freed pieces are kept on lists by
 * size and used again, newest first, so allocation is deterministic.
 */
#ifndef MIRRORSIM_SIM_BASE_ARENA_H
#define MIRRORSIM_SIM_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/*
 * Reserves address space for `reserve_bytes` (at most 4 GiB) and uses none of it yet: where the
 * system has not got so much, for half of what it has, but at least ARENA_LEAST_BYTES or, if that
 * is less, all that was asked for.  NULL if the system refuses even that.
 */
struct arena *arena_create(size_t reserve_bytes);
void arena_destroy(struct arena *arena);

#define ARENA_LEAST_BYTES ((size_t)4 << 20)

/* Nothing more will be allocated: gives back the reserve, but for the rest of a large page. */
void arena_trim(struct arena *arena);

/*
 * There is no memory, or no address space, for `bytes` more.  Ends the program: the library's own
 * aborts, and a program that links one of its own says what is missing first.
 */
_Noreturn void arena_exhausted(size_t bytes);

/* Makes the arena empty again, as it was created; keeps its pages. */
void arena_reset(struct arena *arena);

/*
 * Zeroed memory aligned to 16.  When the reserve is used up, calls the
 * arena's full handler, which must not return; without one, arena_exhausted().
 */
void *arena_alloc(struct arena *arena, uint64_t bytes);

/* The same with any content, for what is filled at once and is too large to be filled twice. */
void *arena_alloc_unset(struct arena *arena, uint64_t bytes);

/* Gives back what arena_alloc(arena, bytes) returned; NULL is allowed. */
void arena_free(struct arena *arena, void *memory, uint64_t bytes);

char *arena_strdup(struct arena *arena, const char *text);

/* printf into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is in use, and so what a snapshot copies. */
size_t arena_used_bytes(const struct arena *arena);

/* `memory` holds at least arena_used_bytes(). */
void arena_save(const struct arena *arena, void *memory);

/* Puts back what arena_save() of the same arena wrote, `bytes` long. */
void arena_load(struct arena *arena, const void *memory, size_t bytes);

/* Asserts that the freed pieces are aligned and inside the used bytes. */
void arena_check(const struct arena *arena);

void arena_set_full_handler(struct arena *arena, void (*full)(void *opaque), void *opaque);

#endif
