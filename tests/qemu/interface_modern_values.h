/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of interface_modern.c that needs no world: words, macros, lists, memory, bits, errors.
 */
#ifndef MIRRORSIM_TESTS_QEMU_INTERFACE_MODERN_VALUES_H
#define MIRRORSIM_TESTS_QEMU_INTERFACE_MODERN_VALUES_H

/* ---- Words and constants ---- */

static void check_words(void)
{
    MirrorSyncMode sync = MIRROR_SYNC_MODE_TOP;
    MirrorCopyMode copy = MIRROR_COPY_MODE_WRITE_BLOCKING;
    BlockMirrorBackingMode backing = MIRROR_LEAVE_BACKING_CHAIN;
    BlockErrorAction action = BLOCK_ERROR_ACTION_REPORT;
    BlockdevDetectZeroesOptions detect = BLOCKDEV_DETECT_ZEROES_OPTIONS_UNMAP;
    PreallocMode prealloc = PREALLOC_MODE_OFF;
    JobType type = JOB_TYPE_COMMIT;

    assert(sync == 0 && MIRROR_SYNC_MODE_FULL == 1 && MIRROR_SYNC_MODE_NONE == 2);
    assert(MIRROR_SYNC_MODE_INCREMENTAL == 3 && MIRROR_SYNC_MODE_BITMAP == 4);
    assert(copy != MIRROR_COPY_MODE_BACKGROUND && backing != MIRROR_OPEN_BACKING_CHAIN);
    assert(backing != MIRROR_SOURCE_BACKING_CHAIN && type != JOB_TYPE_MIRROR);
    assert(action != BLOCK_ERROR_ACTION_IGNORE && action != BLOCK_ERROR_ACTION_STOP);
    assert((int)detect != 0 && prealloc == 0);
    assert(BLOCK_DEVICE_IO_STATUS_OK == 0 && BLOCK_DEVICE_IO_STATUS__MAX == 3);
    assert(strcmp(MirrorSyncMode_str(MIRROR_SYNC_MODE_INCREMENTAL), "incremental") == 0);
    assert(strcmp(MirrorCopyMode_str(copy), "write-blocking") == 0);
}

static void check_constants(void)
{
    BdrvRequestFlags flags = BDRV_REQ_MAY_UNMAP;
    BdrvChildRole role = 0;

    assert(flags == 4 && BDRV_REQ_REGISTERED_BUF == 8 && BDRV_REQ_WRITE_UNCHANGED == 0x40);
    assert(BDRV_REQ_NO_FALLBACK == 0x100 && role == 0);
    assert(BLK_PERM_CONSISTENT_READ == 1 && BLK_PERM_WRITE == 2 && BLK_PERM_WRITE_UNCHANGED == 4);
    assert(BLK_PERM_RESIZE == 8 && BLK_PERM_ALL == 0xf && BLK_PERM_GRAPH_MOD == 0x10);
    assert(BDRV_SECTOR_SIZE == 512 && sizeof(BDRV_SECTOR_SIZE) == 8 && BDRV_SECTOR_SIZE - 513 > 0);
    assert(BDRV_SECTOR_BITS == 9);
    assert(BDRV_REQUEST_MAX_BYTES == 2147483136 && BLOCK_JOB_SLICE_TIME - 100000001 > 0);
    assert(BDRV_BLOCK_DATA == 1 && BDRV_BLOCK_ZERO == 2 && BDRV_O_RDWR == 2);
    assert(ENOMEM > 0 && EIO > 0 && EINVAL > 0 && EPERM > 0 && INT_MAX > 0 && UINT_MAX > 0);
    assert(UINT64_MAX > 0);
}

/* ---- Macros ---- */

static void check_arithmetic(void)
{
    assert(MIN(-1, 1) == -1 && MAX(-1, 1) == 1 && DIV_ROUND_UP(7, 4) == 2 && ROUND_UP(7, 4) == 8);
    assert(QEMU_ALIGN_DOWN(7, 4) == 4 && QEMU_ALIGN_UP(7, 4) == 8 && QEMU_IS_ALIGNED(8, 4));
    assert(!QEMU_IS_ALIGNED(7, 4) && is_power_of_2(4096) && !is_power_of_2(0) && !is_power_of_2(6));
    assert(ranges_overlap(0, 10, 9, 1) && !ranges_overlap(0, 10, 10, 1) &&
           ranges_overlap(5, 1, 0, 10));
}

/* Each marker at a place of its kind. */
typedef struct Marked {
    BdrvChild *GRAPH_RDLOCK_PTR read;
    BdrvChild *GRAPH_WRLOCK_PTR written;
    BdrvChild *GRAPH_UNLOCKED_PTR open;
    CoMutex *lock;
    QDict *options;
} Marked;

static void no_coroutine_fn GRAPH_UNLOCKED check_outer_markers(void)
{
    GLOBAL_STATE_CODE();
    IO_OR_GS_CODE();
    GRAPH_RDLOCK_GUARD_MAINLOOP();
}

static int coroutine_mixed_fn GRAPH_WRLOCK check_markers(void)
{
    Marked marked = {.lock = NULL, .options = NULL};

    IO_CODE();
    GRAPH_RDLOCK_GUARD();
    JOB_LOCK_GUARD();
    QEMU_LOCK_GUARD(marked.lock);
    assert_bdrv_graph_readable();
    assert_bdrv_graph_writable();
    check_outer_markers();
    return marked.lock == NULL && marked.read == NULL && marked.written == NULL &&
           marked.open == NULL && marked.options == NULL;
}

static void check_guards(void)
{
    int runs = 0;
    int value = 3;
    MirrorCopyMode mode = MIRROR_COPY_MODE_BACKGROUND;
    bool flag = true;

    qatomic_set(&flag, false);
    assert(qatomic_cmpxchg(&mode, MIRROR_COPY_MODE_BACKGROUND, MIRROR_COPY_MODE_WRITE_BLOCKING) ==
           MIRROR_COPY_MODE_BACKGROUND);
    assert(!qatomic_read(&flag) && mode == MIRROR_COPY_MODE_WRITE_BLOCKING);
    WITH_GRAPH_RDLOCK_GUARD()
    {
        WITH_JOB_LOCK_GUARD()
        {
            WITH_QEMU_LOCK_GUARD(&mode)
            {
                runs++;
            }
        }
    }
    assert(check_markers() && runs == 1 && qatomic_read(&value) == 3);
    qatomic_set(&value, 4);
    assert(qatomic_cmpxchg(&value, 4, 5) == 4 && value == 5);
    assert(qatomic_cmpxchg(&value, 4, 6) == 5 && value == 5);
}

typedef struct Element {
    int value;
    QSIMPLEQ_ENTRY(Element) simple;
    QTAILQ_ENTRY(Element) tail;
    QLIST_ENTRY(Element) list;
} Element;

static void check_lists(void)
{
    QSIMPLEQ_HEAD(, Element) simple;
    QTAILQ_HEAD(, Element) tail;
    QLIST_HEAD(, Element) list = {NULL};
    Element elements[2] = {{.value = 1}, {.value = 2}};
    Element *element;
    int sum = 0;

    QSIMPLEQ_INIT(&simple);
    QTAILQ_INIT(&tail);
    for (int i = 0; i < 2; i++) {
        QSIMPLEQ_INSERT_TAIL(&simple, &elements[i], simple);
        QTAILQ_INSERT_TAIL(&tail, &elements[i], tail);
    }
    assert(QSIMPLEQ_FIRST(&simple) == &elements[0]);
    QSIMPLEQ_REMOVE_HEAD(&simple, simple);
    assert(QSIMPLEQ_FIRST(&simple) == &elements[1]);
    QTAILQ_REMOVE(&tail, &elements[0], tail);
    QTAILQ_FOREACH(element, &tail, tail)
    {
        sum += element->value;
    }
    assert(sum == 2 && container_of(&elements[1].value, Element, value) == &elements[1]);
    assert(QLIST_EMPTY(&list) && QLIST_FIRST(&list) == NULL);
    assert(QLIST_NEXT(&elements[0], list) == NULL);
}

/* ---- Memory ---- */

static void check_vectors(void)
{
    char memory[8] = "abcdefg";
    char copy[8] = "";
    QEMUIOVector qiov;

    qemu_iovec_init(&qiov, 1);
    qemu_iovec_add(&qiov, memory, 3);
    qemu_iovec_add(&qiov, memory + 3, 5);
    assert(qiov.niov == 2 && qiov.size == 8 && qiov.iov[1].iov_base == memory + 3);
    assert(iov_to_buf_full(qiov.iov, (unsigned)qiov.niov, 2, copy, 4) == 4);
    assert(strcmp(copy, "cdef") == 0);
    qemu_iovec_destroy(&qiov);
}

static void check_memory(void)
{
    char *text = g_strdup("text");
    char cut[4];
    int *numbers = g_new(int, 4);
    int *zeroes = g_new0(int, 4);
    char *bytes = g_malloc(10);
    char *empty = g_malloc0(10);

    assert(strcmp(text, "text") == 0 && g_strdup(NULL) == NULL && zeroes[3] == 0 && empty[9] == 0);
    bytes[9] = 1;
    numbers[3] = 4;
    pstrcpy(cut, sizeof(cut), "text");
    assert(strcmp(cut, "tex") == 0);
    g_free(text);
    g_free(numbers);
    g_free(zeroes);
    g_free(bytes);
    g_free(empty);
    g_free(NULL);
    qemu_vfree(NULL);
}

static void check_bits(void)
{
    unsigned long *bits = bitmap_new(130);

    assert(find_next_bit(bits, 130, 0) == 130);
    bitmap_set(bits, 60, 10);
    bitmap_clear(bits, 62, 3);
    bitmap_clear(bits, 0, 0);
    assert(test_bit(61, bits) && !test_bit(62, bits) && test_bit(65, bits) && !test_bit(70, bits));
    assert(find_next_bit(bits, 130, 0) == 60 && find_next_bit(bits, 130, 62) == 65);
    assert(find_next_zero_bit(bits, 130, 60) == 62 && find_next_zero_bit(bits, 66, 65) == 66);
    g_free(bits);
}

/* ---- Errors ---- */

static bool looks_at_its_error(Error **errp)
{
    ERRP_GUARD();
    error_setg(errp, "looked at");
    return *errp != NULL;
}

static void check_errors(void)
{
    Error *error = NULL;
    Error *kept = NULL;

    error_setg(NULL, "nobody wants it");
    error_setg(&error, QERR_INVALID_PARAMETER, "x");
    assert(error != NULL && error_abort == NULL);
    error_free(error);
    error = NULL;
    error_setg_errno(&error, EIO, "it failed");
    assert(error != NULL);
    error_report_err(error);
    error_free(NULL);
    error = NULL;
    assert(looks_at_its_error(NULL) && looks_at_its_error(&kept) && kept != NULL);
    error_setg(&error, "a second one");
    error_propagate(&kept, error); /* freed */
    assert(strcmp(error_get_pretty(kept), "looked at") == 0);
    error_report("%s", error_get_pretty(kept));
    warn_report("%d warnings", 2);
    warn_report_err(kept);
}

static void check_values(void)
{
    check_words();
    check_constants();
    check_arithmetic();
    check_guards();
    check_lists();
    check_vectors();
    check_memory();
    check_bits();
    check_errors();
}

#endif
