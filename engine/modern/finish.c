/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of the run (modern-algorithm section 5, Exit), and what is left to do after it from the
 * main loop: the target's backing, the pivot, taking out the filter (C6').
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>
#include <errno.h>

#include "engine/modern/modern.h"

/* ---- The run's end ---- */

static void begin_section(void *opaque)
{
    struct engine_job *mirror = opaque;

    block_section_begin_own(mirror->life.spec.source, modern_wake, mirror);
}

enum modern_turn modern_begin_section(struct engine_job *mirror)
{
    mirror->is_draining = true;
    host_defer(mirror->life.host, begin_section, mirror);
    return WAITS;
}

static void release_buffers(struct engine_job *mirror)
{
    if (mirror->buffers != NULL) {
        assert(mirror->free_count == mirror->buffer_count);
        host_free(mirror->life.host, mirror->free_ring,
                  mirror->buffer_count * sizeof(mirror->free_ring[0]));
        block_buffers_release(mirror->buffers);
        mirror->buffers = NULL;
        mirror->free_ring = NULL;
        mirror->buffer_count = mirror->free_count = 0;
    }
}

/* All of them: also copies that have waited for buffers up to now. */
enum modern_turn modern_exit_ops(struct engine_job *mirror)
{
    if (op_find_background(mirror) != NULL) {
        return modern_wait_oldest(mirror);
    }
    release_buffers(mirror);
    if (mirror->is_draining) {
        return modern_to(mirror, MODERN_ENDED);
    }
    modern_set_phase(mirror, MODERN_EXIT_DRAIN);
    return modern_begin_section(mirror);
}

enum modern_turn modern_exit_drained(struct engine_job *mirror)
{
    return modern_to(mirror, MODERN_ENDED);
}

/* No request is in flight any more: nobody needs the bitmaps of the chunks. */
enum modern_turn modern_ended(struct engine_job *mirror)
{
    assert(TAILQ_EMPTY(&mirror->ops));
    host_free(mirror->life.host, mirror->bitmap_memory, mirror->bitmap_memory_bytes);
    mirror->bitmap_memory = NULL;
    mirror->in_flight = mirror->whole = mirror->zero = mirror->zero_owed = mirror->unflushed =
        (struct bitmap){0};
    life_end(&mirror->life, mirror->result, mirror->result_text);
    return WAITS;
}

/* ---- C6' ---- */

static void note_quiet(void *opaque)
{
    *(bool *)opaque = true;
}

/* Nothing is in flight there, and nobody is to be waited for. */
static void begin_quiet_section(struct block_node *node)
{
    bool is_quiet = false;

    block_section_begin(node, note_quiet, &is_quiet);
    assert(is_quiet);
}

static int attach_backing(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;

    if (spec->kind == JOB_COMMIT) {
        return 0;
    }
    if (spec->backing_mode == BACKING_SOURCE && block_backing(spec->target) != mirror->base) {
        return block_set_backing(spec->target, mirror->base);
    }
    if (spec->backing_mode == BACKING_OPEN && block_backing(spec->target) == NULL) {
        return block_open_backing(spec->target);
    }
    return 0;
}

/* The flag is taken over if it can be: what can't is no reason to fail. */
static int pivot(struct engine_job *mirror)
{
    const struct job_spec *spec = &mirror->life.spec;
    struct block_node *to_replace = mirror->to_replace != NULL ? mirror->to_replace : spec->source;
    bool read_only = block_is_read_only(to_replace);
    bool is_apart = to_replace != spec->source;
    int ret;

    if (read_only != block_is_read_only(spec->target)) {
        block_set_read_only(spec->target, read_only);
    }
    if (!block_can_replace(spec->source, to_replace)) {
        return -EPERM;
    }
    if (is_apart) {
        begin_quiet_section(to_replace);
    }
    ret = block_move_users(to_replace, spec->target);
    if (is_apart) {
        block_section_end(to_replace);
    }
    return ret;
}

/* D'7: no pivot for a job that reports a failure. */
static int change_graph(struct engine_job *mirror)
{
    int ret = attach_backing(mirror);

    if (ret == 0 && mirror->complete_wanted) {
        ret = pivot(mirror);
    }
    return ret;
}

static void leave_graph(struct engine_job *mirror, bool failed)
{
    modern_release_to_replace(mirror);
    life_release_nodes(&mirror->life);
    block_filter_remove(mirror->filter);
    block_unref(mirror->filter);
    mirror->filter = NULL;
    if (failed) {
        modern_commit_restore(mirror);
    }
}

/* Once, with the source in the run's own section. */
static int finish(struct engine_job *mirror, int ret)
{
    struct block_node *source = mirror->life.spec.source;
    struct block_node *target = mirror->life.spec.target;

    assert(mirror->is_draining && !mirror->prepared);
    mirror->prepared = true;
    block_dirty_release(mirror->dirty);
    mirror->dirty = NULL;
    begin_quiet_section(target);
    if (ret == 0) {
        ret = change_graph(mirror);
    }
    block_ref(source);
    block_ref(target);
    leave_graph(mirror, ret < 0);
    block_section_end(target);
    block_section_end_own(source);
    mirror->is_draining = false;
    block_unref(target);
    block_unref(source);
    return ret;
}

int modern_prepare(struct life *life)
{
    return finish(modern_of_life(life), 0);
}

void modern_abort(struct life *life)
{
    struct engine_job *mirror = modern_of_life(life);

    if (!mirror->prepared) {
        finish(mirror, life->ret);
    }
}

void modern_free(struct life *life)
{
    assert(modern_of_life(life)->filter == NULL);
    host_free(life->host, life, sizeof(struct engine_job));
}
