/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions about nodes: lengths, clusters, what is where.
 */
#include "engine/qemu/modern/env.h"
#include "engine/range.h"

/* What is below a filter answers for it. */
static struct block_node *asked(const BlockDriverState *bs)
{
    return bs->own->driver != NULL ? bs->own->below.bs->own->block : bs->own->block;
}

/* ---- Lengths and units ---- */

int64_t bdrv_getlength(BlockDriverState *bs)
{
    uint64_t bytes;
    int ret = block_getlength(asked(bs), &bytes);

    qemu_job_env()->common.last_error = ret;
    return ret < 0 ? ret : (int64_t)bytes;
}

int64_t bdrv_co_getlength(BlockDriverState *bs)
{
    return bdrv_getlength(bs);
}

int bdrv_get_info(BlockDriverState *bs, BlockDriverInfo *bdi)
{
    uint64_t bytes = 0;
    int ret = block_cluster_size(asked(bs), &bytes);

    bdi->cluster_size = ret == 0 ? (int)bytes : 0;
    return ret;
}

int bdrv_co_get_info(BlockDriverState *bs, BlockDriverInfo *bdi)
{
    return bdrv_get_info(bs, bdi);
}

bool bdrv_can_write_zeroes_with_unmap(BlockDriverState *bs)
{
    return block_can_unmap(asked(bs));
}

void bdrv_round_to_subclusters(BlockDriverState *bs, int64_t offset, int64_t bytes,
                               int64_t *align_offset, int64_t *align_bytes)
{
    uint64_t first = (uint64_t)offset;
    uint64_t count = (uint64_t)bytes;

    block_round_to_allocation(asked(bs), &first, &count);
    *align_offset = (int64_t)first;
    *align_bytes = (int64_t)count;
}

void bdrv_round_to_clusters(BlockDriverState *bs, int64_t offset, int64_t bytes,
                            int64_t *align_offset, int64_t *align_bytes)
{
    uint64_t cluster = 0;
    uint64_t end = (uint64_t)(offset + bytes);

    *align_offset = offset;
    *align_bytes = bytes;
    if (block_cluster_size(asked(bs), &cluster) == 0 && cluster > 0) {
        *align_offset = (int64_t)align_down((uint64_t)offset, cluster);
        *align_bytes = (int64_t)align_up(end, cluster) - *align_offset;
    }
}

/* ---- What is where ---- */

/* A question of a coroutine, in whole sectors. */
struct question {
    struct engine_job *env;
    Coroutine *co;
    struct block_node *node;
    uint64_t offset;
    uint64_t bytes;
    struct block_answer answer;
};

static void answered(void *opaque, int ret)
{
    const struct question *question = opaque;

    (void)ret; /* the answer has it */
    qemu_co_wake_from_world(question->env, question->co);
}

/* At least one sector; one that is not asked for as a whole is left out if there are others. */
static struct question question_of(const char *call, struct block_node *node, int64_t offset,
                                   int64_t bytes)
{
    uint64_t first = align_down((uint64_t)offset, SECTOR_BYTES);
    uint64_t end = align_down((uint64_t)offset + (uint64_t)bytes, SECTOR_BYTES);

    if (offset < 0 || bytes <= 0 || (uint64_t)offset >= block_known_bytes(node)) {
        qemu_unsupported("%s of a range outside the node", call);
    }
    return (struct question){.env = qemu_job_env(),
                             .co = qemu_co_real(call),
                             .node = node,
                             .offset = first,
                             .bytes = max_u64(end, first + SECTOR_BYTES) - first};
}

/* How far the answer holds from the offset that was asked about. */
static int64_t extent_of(const struct question *question, int64_t offset, int64_t bytes)
{
    uint64_t end = question->offset + question->answer.extent_bytes;

    return question->answer.ret < 0 ? 0 : MIN((int64_t)(end - (uint64_t)offset), bytes);
}

static int content_bits(enum block_content content)
{
    switch (content) {
    case CONTENT_DATA:
        return BDRV_BLOCK_DATA;
    case CONTENT_ZERO:
        return BDRV_BLOCK_ZERO;
    case CONTENT_UNALLOCATED:
        break;
    }
    return 0;
}

int bdrv_co_block_status_above(BlockDriverState *bs, BlockDriverState *base, int64_t offset,
                               int64_t bytes, int64_t *pnum, int64_t *map, BlockDriverState **file)
{
    struct question question =
        question_of("bdrv_co_block_status_above()", asked(bs), offset, bytes);
    const struct block_answer *answer = &question.answer;

    if (base != NULL || map != NULL || file != NULL) {
        qemu_unsupported("bdrv_co_block_status_above() of a part of the chain, or of a place");
    }
    if (!block_ask_content(question.node, question.offset, question.bytes, &question.answer,
                           answered, &question)) {
        qemu_co_wait(question.co, "the answer what is where");
    }
    *pnum = extent_of(&question, offset, bytes);
    return answer->ret < 0 ? answer->ret : content_bits(answer->content);
}

int bdrv_block_status_above(BlockDriverState *bs, BlockDriverState *base, int64_t offset,
                            int64_t bytes, int64_t *pnum, int64_t *map, BlockDriverState **file)
{
    return bdrv_co_block_status_above(bs, base, offset, bytes, pnum, map, file);
}

int bdrv_co_is_allocated_above(BlockDriverState *top, BlockDriverState *base, bool include_base,
                               int64_t offset, int64_t bytes, int64_t *pnum)
{
    struct question question =
        question_of("bdrv_co_is_allocated_above()", asked(top), offset, bytes);
    struct block_node *last = base != NULL ? asked(base) : NULL;
    const struct block_answer *answer = &question.answer;

    if (!block_ask_allocated(question.node, last, include_base, question.offset, question.bytes,
                             &question.answer, answered, &question)) {
        qemu_co_wait(question.co, "the answer what is allocated");
    }
    *pnum = extent_of(&question, offset, bytes);
    return answer->ret < 0 ? answer->ret : answer->allocated;
}

int bdrv_is_allocated_above(BlockDriverState *top, BlockDriverState *base, bool include_base,
                            int64_t offset, int64_t bytes, int64_t *pnum)
{
    return bdrv_co_is_allocated_above(top, base, include_base, offset, bytes, pnum);
}

int bdrv_co_is_all_zeroes(BlockDriverState *bs)
{
    return block_reads_zero(asked(bs));
}
