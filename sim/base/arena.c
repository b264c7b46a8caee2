/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bump allocator with free lists by size class, inside one mapping.
 *
 * The header is the first thing in the mapping, so that copying the used bytes
 * copies the book-keeping too.  A size is rounded up to its class: multiples
 * of 16 up to SMALL_MAX, four classes per power of two above, so that no more
 * than a quarter is wasted.  Pieces are never split or merged: a simulated
 * world asks for the same few sizes again and again.
 */
#include "sim/base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/range.h"

#define ALIGNMENT ((size_t)16)

/* Of any machine that this runs on. */
#define LARGEST_PAGE_BYTES ((size_t)64 << 10)

#define SMALL_MAX ((size_t)1024)
#define SMALL_CLASSES ((unsigned)(SMALL_MAX / ALIGNMENT))
#define SMALL_MAX_LOG2 10u

/* The heads of the lists are part of every snapshot, so there are none for what no reserve has. */
#define RESERVE_MAX_LOG2 (sizeof(size_t) >= 8 ? 32u : 30u)
#define RESERVE_MAX ((size_t)1 << RESERVE_MAX_LOG2)
#define CLASSES (SMALL_CLASSES + 4 * (RESERVE_MAX_LOG2 - SMALL_MAX_LOG2))

/* A freed piece; the next older one of its class follows. */
struct piece {
    struct piece *next;
};

struct arena {
    size_t reserve_bytes;
    size_t used_bytes; /* from the start of the mapping, this header included */
    void (*full)(void *opaque);
    void *full_opaque;
    struct piece *freed[CLASSES];
};

static size_t round_up(size_t bytes, size_t power)
{
    return (bytes + power - 1) & ~(power - 1);
}

/* The class of a size and, in *bytes, what a piece of that class takes. */
static unsigned class_of(size_t *bytes)
{
    unsigned log2 = 0;
    size_t step;

    if (*bytes <= SMALL_MAX) {
        *bytes = *bytes ? round_up(*bytes, ALIGNMENT) : ALIGNMENT;
        return (unsigned)(*bytes / ALIGNMENT) - 1;
    }
    /* 2^log2 < *bytes <= 2^(log2 + 1), which is five to eight steps. */
    for (size_t rest = *bytes - 1; rest > 1; rest >>= 1) {
        log2++;
    }
    step = (size_t)1 << (log2 - 2);
    *bytes = round_up(*bytes, step);
    return SMALL_CLASSES + 4 * (log2 - SMALL_MAX_LOG2) + (unsigned)(*bytes / step) - 5;
}

__attribute__((weak)) _Noreturn void arena_exhausted(size_t bytes)
{
    (void)bytes;
    abort();
}

/* NULL if the system refuses. */
static void *reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

/* Of what can be had, half is left to the arenas that follow.  Sets *bytes to what is reserved. */
static void *reserve_less(size_t *bytes)
{
    void *memory = NULL;

    while (memory == NULL && *bytes / 2 >= ARENA_LEAST_BYTES) {
        *bytes /= 2;
        memory = reserve(*bytes);
    }
    if (memory != NULL && *bytes / 2 >= ARENA_LEAST_BYTES) {
        munmap((char *)memory + *bytes / 2, *bytes - *bytes / 2);
        *bytes /= 2;
    }
    return memory;
}

struct arena *arena_create(size_t reserve_bytes)
{
    struct arena *arena;

    assert(reserve_bytes >= sizeof(*arena) && reserve_bytes <= RESERVE_MAX);
    arena = reserve(reserve_bytes);
    if (arena == NULL) {
        arena = reserve_less(&reserve_bytes);
    }
    if (arena == NULL) {
        return NULL;
    }
    arena->reserve_bytes = reserve_bytes;
    arena_reset(arena);
    return arena;
}

void arena_destroy(struct arena *arena)
{
    if (arena) {
        munmap(arena, arena->reserve_bytes);
    }
}

void arena_trim(struct arena *arena)
{
    size_t keep_bytes = round_up(arena->used_bytes, LARGEST_PAGE_BYTES);

    if (keep_bytes < arena->reserve_bytes) {
        munmap((char *)arena + keep_bytes, arena->reserve_bytes - keep_bytes);
        arena->reserve_bytes = keep_bytes;
    }
}

void arena_reset(struct arena *arena)
{
    size_t reserve_bytes = arena->reserve_bytes;

    *arena = (struct arena){
        .reserve_bytes = reserve_bytes,
        .used_bytes = round_up(sizeof(*arena), ALIGNMENT),
    };
}

static void *piece_from_reserve(struct arena *arena, size_t bytes)
{
    void *memory = (char *)arena + arena->used_bytes;

    if (bytes > arena->reserve_bytes - arena->used_bytes) {
        if (arena->full) {
            arena->full(arena->full_opaque);
        }
        arena_exhausted(bytes);
    }
    arena->used_bytes += bytes;
    return memory;
}

void *arena_alloc_unset(struct arena *arena, uint64_t bytes)
{
    size_t piece_bytes = (size_t)min_u64(bytes, SIZE_MAX);
    unsigned class;
    void *memory;

    /* It cannot be had, and there is no class for it. */
    if (bytes > RESERVE_MAX) {
        return piece_from_reserve(arena, piece_bytes);
    }
    class = class_of(&piece_bytes);
    memory = arena->freed[class];
    if (memory) {
        arena->freed[class] = arena->freed[class]->next;
    } else {
        memory = piece_from_reserve(arena, piece_bytes);
    }
    return memory;
}

void *arena_alloc(struct arena *arena, uint64_t bytes)
{
    return memset(arena_alloc_unset(arena, bytes), 0, (size_t)bytes);
}

void arena_free(struct arena *arena, void *memory, uint64_t bytes)
{
    struct piece *piece = memory;
    size_t piece_bytes = (size_t)bytes;
    unsigned class;

    if (!memory) {
        return;
    }
    assert((char *)memory > (char *)arena && (char *)memory < (char *)arena + arena->used_bytes);
    assert(((char *)memory - (char *)arena) % (ptrdiff_t)ALIGNMENT == 0);
    class = class_of(&piece_bytes);
    piece->next = arena->freed[class];
    arena->freed[class] = piece;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;

    return memcpy(arena_alloc(arena, bytes), text, bytes);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);

    text = arena_alloc(arena, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used_bytes;
}

void arena_save(const struct arena *arena, void *memory)
{
    memcpy(memory, arena, arena->used_bytes);
}

void arena_load(struct arena *arena, const void *memory, size_t bytes)
{
    memcpy(arena, memory, bytes);
    assert(arena->used_bytes == bytes);
}

void arena_check(const struct arena *arena)
{
    const char *start = (const char *)arena;
    size_t pieces = 0;

    assert(arena->used_bytes <= arena->reserve_bytes);
    for (unsigned class = 0; class < CLASSES; class ++) {
        for (const struct piece *piece = arena->freed[class]; piece != NULL; piece = piece->next) {
            size_t at = (size_t)((const char *)piece - start);

            assert(at >= sizeof(*arena) && at < arena->used_bytes && at % ALIGNMENT == 0);
            /* More pieces than fit into the used bytes would mean that a list is a loop. */
            pieces++;
            assert(pieces <= arena->used_bytes / ALIGNMENT);
        }
    }
}

void arena_set_full_handler(struct arena *arena, void (*full)(void *opaque), void *opaque)
{
    arena->full = full;
    arena->full_opaque = opaque;
}
