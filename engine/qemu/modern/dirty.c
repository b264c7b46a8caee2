/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps, and the reference's iterator.
 *
 * The iterator works on copies of the words that it has entered on each level: of what has become
 * dirty ahead of it, it misses that in the present word, and on upper levels words that were all
 * clean when theirs was copied.  It never returns a chunk that is clean now.  With a plain cursor
 * (struct job_spec) it is the next dirty chunk as the bitmap is now.
 */
#include "engine/bitmap.h"
#include "engine/qemu/modern/env.h"
#include "engine/range.h"

struct BdrvDirtyBitmap {
    struct block_dirty *dirty;
    uint64_t granularity;
    uint64_t length;
};

uint64_t qemu_bitmap_granularity(const BdrvDirtyBitmap *bitmap)
{
    return bitmap->granularity;
}

int64_t qemu_dirty_bytes(const struct engine_job *env)
{
    return env->dirty != NULL ? bdrv_get_dirty_count(env->dirty) : -1;
}

/* ---- Life ---- */

static struct block_node *disk_of(const BlockDriverState *bs)
{
    return bs->own->driver != NULL ? bs->own->below.bs->own->block : bs->own->block;
}

BdrvDirtyBitmap *bdrv_create_dirty_bitmap(BlockDriverState *bs, uint32_t granularity,
                                          const char *name, Error **errp)
{
    struct engine_job *env = qemu_job_env();
    struct block_node *disk = disk_of(bs);
    struct block_dirty *dirty;
    BdrvDirtyBitmap *bitmap;
    int ret;

    assert(is_power_of_two(granularity) && granularity >= SECTOR_BYTES);
    if (name != NULL) {
        qemu_unsupported("a dirty bitmap with a name");
    }
    ret = block_dirty_create(disk, granularity, &dirty);
    if (ret < 0) {
        env->common.last_error = ret;
        error_setg_errno(errp, -ret, "can't create the dirty bitmap of '%s'", bs->node_name);
        return NULL;
    }
    bitmap = g_malloc(sizeof(*bitmap));
    *bitmap = (BdrvDirtyBitmap){dirty, granularity, block_known_bytes(disk)};
    env->dirty = bitmap;
    return bitmap;
}

void bdrv_disable_dirty_bitmap(BdrvDirtyBitmap *bitmap)
{
    block_dirty_disable(bitmap->dirty);
}

void bdrv_release_dirty_bitmap(BdrvDirtyBitmap *bitmap)
{
    struct engine_job *env = qemu_job_env();

    if (env->dirty == bitmap) {
        env->dirty = NULL;
    }
    block_dirty_release(bitmap->dirty);
    g_free(bitmap);
}

#define MIN_DEFAULT_GRANULARITY UINT64_C(4096)
#define MAX_DEFAULT_GRANULARITY UINT64_C(65536)

uint32_t bdrv_get_default_bitmap_granularity(BlockDriverState *bs)
{
    uint64_t cluster = 0;

    if (block_cluster_size(disk_of(bs), &cluster) < 0 || cluster == 0) {
        return MAX_DEFAULT_GRANULARITY;
    }
    return (uint32_t)max_u64(min_u64(cluster, MAX_DEFAULT_GRANULARITY), MIN_DEFAULT_GRANULARITY);
}

void bdrv_dirty_bitmap_lock(BdrvDirtyBitmap *bitmap)
{
    (void)bitmap;
}

void bdrv_dirty_bitmap_unlock(BdrvDirtyBitmap *bitmap)
{
    (void)bitmap;
}

/* ---- Bits ---- */

bool bdrv_dirty_bitmap_get_locked(BdrvDirtyBitmap *bitmap, int64_t offset)
{
    const struct bitmap *bits = block_dirty_bits(bitmap->dirty);
    uint64_t chunk = (uint64_t)offset / bitmap->granularity;

    return chunk < bits->size && bitmap_get(bits, chunk);
}

bool bdrv_dirty_bitmap_get(BdrvDirtyBitmap *bitmap, int64_t offset)
{
    return bdrv_dirty_bitmap_get_locked(bitmap, offset);
}

/* It is rounded outwards to chunks anyway; the block layer wants sectors. */
void bdrv_set_dirty_bitmap(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes)
{
    uint64_t first = align_down((uint64_t)offset, SECTOR_BYTES);
    uint64_t end = align_up((uint64_t)offset + (uint64_t)bytes, SECTOR_BYTES);

    assert(offset >= 0 && bytes >= 0);
    if (bytes > 0) {
        block_dirty_set(bitmap->dirty, first, end - first);
    }
}

void bdrv_reset_dirty_bitmap_locked(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes)
{
    uint64_t end = (uint64_t)offset + (uint64_t)bytes;

    assert(offset >= 0 && bytes >= 0);
    if ((uint64_t)offset % bitmap->granularity != 0 ||
        (end % bitmap->granularity != 0 && end != bitmap->length)) {
        qemu_die("a dirty bitmap is reset from %jd for %jd bytes, which is not in whole chunks",
                 (intmax_t)offset, (intmax_t)bytes);
    }
    if (bytes > 0) {
        block_dirty_clear(bitmap->dirty, (uint64_t)offset, (uint64_t)bytes);
    }
}

void bdrv_reset_dirty_bitmap(BdrvDirtyBitmap *bitmap, int64_t offset, int64_t bytes)
{
    bdrv_reset_dirty_bitmap_locked(bitmap, offset, bytes);
}

int64_t bdrv_get_dirty_count(BdrvDirtyBitmap *bitmap)
{
    return (int64_t)(block_dirty_bits(bitmap->dirty)->count * bitmap->granularity);
}

/* ---- The iterator ---- */

/* The levels of a hierarchical bitmap: the chunks are on level 0, 64 to a word. */
#define LEVELS 7

struct BdrvDirtyBitmapIter {
    BdrvDirtyBitmap *bitmap;
    uint64_t cursor;        /* a chunk; of a plain one */
    uint64_t word[LEVELS];  /* the bits left in the copied words */
    uint64_t place[LEVELS]; /* the positions of these words */
};

/* The bits of a word from `bit` on; bit 64: none. */
static uint64_t bits_from(uint64_t bit)
{
    return bit < BITMAP_WORD_BITS ? UINT64_MAX << bit : 0;
}

void bdrv_set_dirty_iter(BdrvDirtyBitmapIter *iter, int64_t offset)
{
    const struct bitmap *bits = block_dirty_bits(iter->bitmap->dirty);
    uint64_t bit = (uint64_t)offset / iter->bitmap->granularity;

    iter->cursor = bit;
    for (uint32_t level = 0; level < bits->levels && bits->size > 0; level++) {
        uint64_t place = bit / BITMAP_WORD_BITS;

        /* On upper levels without the word that has been copied below. */
        iter->place[level] = place;
        iter->word[level] =
            bits->level[level][place] & bits_from(bit % BITMAP_WORD_BITS + (level > 0));
        bit = place;
    }
}

BdrvDirtyBitmapIter *bdrv_dirty_iter_new(BdrvDirtyBitmap *bitmap)
{
    BdrvDirtyBitmapIter *iter = g_malloc(sizeof(*iter));

    iter->bitmap = bitmap;
    bdrv_set_dirty_iter(iter, 0);
    return iter;
}

void bdrv_dirty_iter_free(BdrvDirtyBitmapIter *iter)
{
    g_free(iter);
}

/* Takes the lowest bit that is in the copy and still set; false if there is none. */
static bool take_bit(BdrvDirtyBitmapIter *iter, const struct bitmap *bits, uint32_t level,
                     uint64_t *index)
{
    iter->word[level] &= bits->level[level][iter->place[level]];
    if (iter->word[level] == 0) {
        return false;
    }
    *index = iter->place[level] * BITMAP_WORD_BITS + (uint64_t)__builtin_ctzll(iter->word[level]);
    iter->word[level] &= iter->word[level] - 1;
    return true;
}

/* Upwards to the first level that has something left, and down again, each word copied afresh. */
static bool next_chunk(BdrvDirtyBitmapIter *iter, const struct bitmap *bits, uint64_t *chunk)
{
    uint32_t level = 0;

    while (level < bits->levels && !take_bit(iter, bits, level, chunk)) {
        level++;
    }
    if (level == bits->levels) {
        return false;
    }
    for (; level > 0; level--) {
        iter->place[level - 1] = *chunk;
        iter->word[level - 1] = bits->level[level - 1][*chunk];
        take_bit(iter, bits, level - 1, chunk);
    }
    return true;
}

int64_t bdrv_dirty_iter_next(BdrvDirtyBitmapIter *iter)
{
    const struct bitmap *bits = block_dirty_bits(iter->bitmap->dirty);
    bool plain = qemu_job_env()->spec.plain_cursor;
    uint64_t chunk;
    bool found = bits->size > 0 && (plain ? bitmap_next_set(bits, iter->cursor, &chunk)
                                          : next_chunk(iter, bits, &chunk));

    if (!found) {
        return -1;
    }
    iter->cursor = chunk + 1;
    return (int64_t)(chunk * iter->bitmap->granularity);
}
