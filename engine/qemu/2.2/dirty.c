/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dirty bitmaps, and the iterator of the reference revision (D4).
 *
 * The iterator works on copies of the words it has entered on each level: in this pass it
 * misses a chunk that was marked after its word was copied, and returns one that was cleaned
 * since.
 */
#include "engine/bitmap.h"
#include "engine/qemu/2.2/env.h"
#include "engine/range.h"

struct BdrvDirtyBitmap {
    struct block_dirty *dirty;
    uint64_t granularity;
};

uint64_t qemu_dirty_granularity(const BdrvDirtyBitmap *bitmap)
{
    return bitmap->granularity;
}

BdrvDirtyBitmap *bdrv_create_dirty_bitmap(BlockDriverState *bs, int granularity, Error **errp)
{
    struct engine_job *env = qemu_env();
    struct block_dirty *dirty;
    BdrvDirtyBitmap *bitmap;
    int ret;

    assert(granularity >= (int)BDRV_SECTOR_SIZE && is_power_of_two((uint64_t)granularity));
    ret = block_dirty_create(bs->own->seat, (uint64_t)granularity, &dirty);
    if (ret < 0) {
        env->common.last_error = ret;
        error_setg_errno(errp, -ret, "can't create the dirty bitmap of '%s'", bs->filename);
        return NULL;
    }
    bitmap = host_alloc(env->common.host, sizeof(*bitmap));
    *bitmap = (BdrvDirtyBitmap){.dirty = dirty, .granularity = (uint64_t)granularity};
    env->dirty = bitmap;
    return bitmap;
}

void bdrv_release_dirty_bitmap(BlockDriverState *bs, BdrvDirtyBitmap *bitmap)
{
    struct engine_job *env = qemu_env();

    (void)bs;
    if (env->dirty == bitmap) {
        env->dirty = NULL;
    }
    block_dirty_release(bitmap->dirty);
    host_free(env->common.host, bitmap, sizeof(*bitmap));
}

static uint64_t to_bytes(int64_t sectors)
{
    return (uint64_t)sectors << BDRV_SECTOR_BITS;
}

int bdrv_get_dirty(BlockDriverState *bs, BdrvDirtyBitmap *bitmap, int64_t sector)
{
    const struct bitmap *bits = block_dirty_bits(bitmap->dirty);
    uint64_t chunk = to_bytes(sector) / bitmap->granularity;

    (void)bs;
    return chunk < bits->size && bitmap_get(bits, chunk);
}

void bdrv_set_dirty(BlockDriverState *bs, int64_t cur_sector, int nr_sectors)
{
    if (nr_sectors > 0) {
        block_dirty_set_all(bs->own->seat, to_bytes(cur_sector), to_bytes(nr_sectors));
    }
}

void bdrv_reset_dirty(BlockDriverState *bs, int64_t cur_sector, int nr_sectors)
{
    if (nr_sectors > 0) {
        block_dirty_clear_all(bs->own->seat, to_bytes(cur_sector), to_bytes(nr_sectors));
    }
}

int64_t bdrv_get_dirty_count(BlockDriverState *bs, BdrvDirtyBitmap *bitmap)
{
    (void)bs;
    return (int64_t)(block_dirty_bits(bitmap->dirty)->count *
                     (bitmap->granularity >> BDRV_SECTOR_BITS));
}

/* ---- The iterator ---- */

/*
 * Level 0 has the chunks; the levels above, as many as the bitmap needs, say
 * which words are not zero.
 */
void bdrv_dirty_iter_init(BlockDriverState *bs, BdrvDirtyBitmap *bitmap, HBitmapIter *hbi)
{
    const struct bitmap *bits = block_dirty_bits(bitmap->dirty);

    (void)bs;
    *hbi = (HBitmapIter){.bitmap = bitmap};
    for (uint32_t level = 0; level < bits->levels && bits->size > 0; level++) {
        hbi->word[level] = bits->level[level][0];
        if (level > 0) {
            hbi->word[level] &= ~UINT64_C(1); /* the word below has been copied already */
        }
    }
}

/*
 * Copies words from the level down until level 0 has one that is not zero;
 * false if there is none.
 */
static bool next_word(HBitmapIter *hbi, const struct bitmap *bits)
{
    uint32_t level = 0;

    while (hbi->word[0] == 0) {
        while (level < bits->levels && hbi->word[level] == 0) {
            level++;
        }
        if (level == bits->levels) {
            return false;
        }
        hbi->place[level - 1] =
            hbi->place[level] * BITMAP_WORD_BITS + (uint64_t)__builtin_ctzll(hbi->word[level]);
        hbi->word[level] &= hbi->word[level] - 1;
        level--;
        hbi->word[level] = bits->level[level][hbi->place[level]];
    }
    return true;
}

int64_t hbitmap_iter_next(HBitmapIter *hbi)
{
    const BdrvDirtyBitmap *bitmap = hbi->bitmap;
    uint64_t chunk;

    if (!next_word(hbi, block_dirty_bits(bitmap->dirty))) {
        return -1;
    }
    chunk = hbi->place[0] * BITMAP_WORD_BITS + (uint64_t)__builtin_ctzll(hbi->word[0]);
    hbi->word[0] &= hbi->word[0] - 1;
    return (int64_t)(chunk * bitmap->granularity >> BDRV_SECTOR_BITS);
}
