/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of the interface that are values: errors, memory, lists, bits, dirty bitmaps.
 *
 * Half of interface.c, included after its headers; the sections are those of the
 * interface list.
 */
#define CHUNK 4096
#define CHUNK_SECTORS ((int)(CHUNK / BDRV_SECTOR_SIZE))
#define CHUNKS 131 /* of the source; the last one has only one sector */

/* ---- 1.6 errors ---- */

static void check_errors(void)
{
    Error *first = NULL;
    Error *second = NULL;
    Error *kept = NULL;

    error_set(NULL, QERR_INVALID_PARAMETER, "nobody wants to know");
    error_set(&first, QERR_BLOCK_JOB_NOT_READY, "src");
    error_setg(&second, "number %d", 2);
    assert(first != NULL && second != NULL);
    error_propagate(&kept, first);
    assert(kept == first);
    error_propagate(&kept, second); /* freed, because there is one already */
    assert(kept == first);
    error_propagate(&kept, NULL);
    error_free(kept);
    first = NULL;
    error_setg_errno(&first, ENOMEM, "no memory for %s", "this");
    error_propagate(NULL, first); /* freed, because nobody wants it */
    error_free(NULL);
}

/* ---- 1.7 memory, vectors, bits; 2.4 macros and lists ---- */

struct element {
    QSIMPLEQ_ENTRY(element) next;
    int number;
};

static void check_lists(void)
{
    QSIMPLEQ_HEAD(, element) queue;
    struct element elements[2] = {{.number = 1}, {.number = 2}};

    assert(sizeof(elements[0].next) == sizeof(void *));
    QSIMPLEQ_INIT(&queue);
    assert(QSIMPLEQ_FIRST(&queue) == NULL);
    for (int round = 0; round < 2; round++) {
        QSIMPLEQ_INSERT_TAIL(&queue, &elements[0], next);
        QSIMPLEQ_INSERT_TAIL(&queue, &elements[1], next);
        assert(QSIMPLEQ_FIRST(&queue)->number == 1);
        QSIMPLEQ_REMOVE_HEAD(&queue, next);
        assert(QSIMPLEQ_FIRST(&queue)->number == 2);
        QSIMPLEQ_REMOVE_HEAD(&queue, next);
        assert(QSIMPLEQ_FIRST(&queue) == NULL);
    }
}

static void check_macros(void)
{
    struct element element;

    assert(BDRV_SECTOR_BITS == 9 && BDRV_SECTOR_SIZE == 512);
    assert(_Generic(BDRV_SECTOR_SIZE, unsigned long long : 1, default : 0));
    assert(MIN(2, 3) == 2 && MAX(2, 3) == 3);
    assert(DIV_ROUND_UP(8, 4) == 2 && DIV_ROUND_UP(9, 4) == 3);
    assert(container_of(&element.number, struct element, number) == &element);
}

static void check_bits(void)
{
    unsigned long *map = bitmap_new(200);

    for (long bit = 0; bit < 200; bit++) {
        assert(!test_bit(bit, map));
    }
    bitmap_set(map, 60, 10);
    bitmap_set(map, 100, 0);
    assert(!test_bit(59, map) && test_bit(60, map) && test_bit(69, map) && !test_bit(70, map));
    assert(!test_bit(100, map));
    bitmap_clear(map, 61, 8);
    bitmap_clear(map, 60, 0);
    assert(test_bit(60, map) && !test_bit(61, map) && !test_bit(68, map) && test_bit(69, map));
    assert(map[64 / (8 * sizeof(long))] >> 69 % (8 * sizeof(long)) & 1);
    g_free(map);
}

static void check_memory(void)
{
    struct element *element = g_slice_new(struct element);
    char *text = g_strdup("text");
    size_t size = 100;
    uint8_t *bytes = g_malloc(size);
    QEMUIOVector qiov;

    assert(g_strdup(NULL) == NULL);
    assert(strcmp(text, "text") == 0);
    memset(bytes, 1, size);
    g_free(text);
    g_free(NULL);
    g_slice_free(struct element, element);

    qemu_iovec_init(&qiov, 1);
    assert(qiov.niov == 0 && qiov.size == 0);
    for (int i = 0; i < 5; i++) {
        qemu_iovec_add(&qiov, bytes + 20 * i, 20); /* neighbours stay apart */
    }
    assert(qiov.niov == 5 && qiov.size == 100);
    assert(qiov.iov[3].iov_base == bytes + 60 && qiov.iov[3].iov_len == 20);
    qemu_iovec_destroy(&qiov);
    g_free(bytes);
}

/* ---- 1.4 dirty bitmaps ---- */

static int64_t next_chunk(HBitmapIter *iter)
{
    int64_t sector = hbitmap_iter_next(iter);

    assert(sector < 0 || sector % CHUNK_SECTORS == 0);
    return sector < 0 ? -1 : sector / CHUNK_SECTORS;
}

static void set_chunk(BlockDriverState *bs, int64_t chunk)
{
    bdrv_set_dirty(bs, chunk * CHUNK_SECTORS, 1);
}

/* The iterator copies words when it enters them, including those of the upper levels. */
static void check_iterator(BlockDriverState *bs, BdrvDirtyBitmap *dirty)
{
    HBitmapIter iter;

    bdrv_dirty_iter_init(bs, dirty, &iter);
    assert(next_chunk(&iter) == -1);
    set_chunk(bs, 0);
    set_chunk(bs, 2);
    set_chunk(bs, 70);
    bdrv_dirty_iter_init(bs, dirty, &iter);
    assert(next_chunk(&iter) == 0);
    set_chunk(bs, 1);                                       /* in the word that was copied */
    bdrv_reset_dirty(bs, 2 * CHUNK_SECTORS, CHUNK_SECTORS); /* and so is this */
    set_chunk(bs, 71);                                      /* in a word that is not copied yet */
    set_chunk(bs, 130);                                     /* the summary was copied without it */
    assert(next_chunk(&iter) == 2);
    assert(next_chunk(&iter) == 70);
    assert(next_chunk(&iter) == 71);
    assert(next_chunk(&iter) == -1 && next_chunk(&iter) == -1);
    bdrv_reset_dirty(bs, 0, CHUNKS * CHUNK_SECTORS);
}

static void check_dirty(BlockDriverState *bs)
{
    BdrvDirtyBitmap *dirty = bdrv_create_dirty_bitmap(bs, CHUNK, NULL);
    BdrvDirtyBitmap *other = bdrv_create_dirty_bitmap(bs, 2 * CHUNK, NULL);

    assert(dirty != NULL && other != NULL);
    assert(bdrv_get_dirty_count(bs, dirty) == 0 && !bdrv_get_dirty(bs, dirty, 0));
    bdrv_set_dirty(bs, 2 * CHUNK_SECTORS - 1, 2); /* touches two chunks, in both bitmaps */
    assert(bdrv_get_dirty_count(bs, dirty) == 2 * CHUNK_SECTORS);
    assert(bdrv_get_dirty_count(bs, other) == 4 * CHUNK_SECTORS);
    assert(bdrv_get_dirty(bs, dirty, CHUNK_SECTORS) && !bdrv_get_dirty(bs, dirty, 0));
    bdrv_reset_dirty(bs, CHUNK_SECTORS, 1);
    assert(bdrv_get_dirty_count(bs, dirty) == CHUNK_SECTORS);
    bdrv_reset_dirty(bs, 2 * CHUNK_SECTORS, 1);
    assert(bdrv_get_dirty_count(bs, other) == 0);
    bdrv_set_dirty(bs, 130 * CHUNK_SECTORS,
                   1); /* the last chunk has one sector, and counts whole */
    assert(bdrv_get_dirty_count(bs, dirty) == CHUNK_SECTORS);
    bdrv_reset_dirty(bs, 130 * CHUNK_SECTORS, 1);
    check_iterator(bs, dirty);
    bdrv_release_dirty_bitmap(bs, other);
    bdrv_release_dirty_bitmap(bs, dirty);
}
