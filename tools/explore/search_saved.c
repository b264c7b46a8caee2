/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A search that was stopped, as bytes: the answers of its stack, and the visited states.
 *
 * Worlds are not written: replaying the answers restores them.  Each piece has the whole stack, but
 * only those states that were visited since the piece before it.
 *
 * Declared in tools/explore/search_private.h: the part of a search that is kept in a checkpoint.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/world/world.h"
#include "tools/base/support.h"
#include "tools/explore/search_private.h"

/* ---- Figures ---- */

void search_pack_figures(struct pack *pack, const struct search_figures *figures)
{
    pack_number(pack, figures->ends);
    pack_number(pack, figures->states);
    pack_number(pack, figures->transitions);
    pack_number(pack, figures->merged);
    pack_number(pack, figures->reduced);
    pack_number(pack, figures->depth);
    pack_number(pack, figures->too_deep);
    pack_number(pack, figures->full);
    pack_text(pack, figures->unvaried);
}

void search_unpack_figures(struct unpack *unpack, struct search_figures *figures)
{
    figures->ends = unpack_number(unpack);
    figures->states = unpack_number(unpack);
    figures->transitions = unpack_number(unpack);
    figures->merged = unpack_number(unpack);
    figures->reduced = unpack_number(unpack);
    figures->depth = unpack_number(unpack);
    figures->too_deep = unpack_bool(unpack);
    figures->full = unpack_bool(unpack);
    unpack_text(unpack, figures->unvaried, sizeof(figures->unvaried));
}

/* ---- Writing ---- */

static void save_frame(const struct frame *frame, struct pack *pack)
{
    pack_number(pack, frame->entered);
    pack_number(pack, frame->full);
    pack_number(pack, frame->children);
    pack_number(pack, frame->question_count);
    for (uint32_t i = 0; i < frame->question_count; i++) {
        const struct turn *turn = &frame->questions[i];

        pack_number(pack, turn->tried);
        pack_number(pack, turn->bound);
        pack_number(pack, turn->first);
        pack_number(pack, turn->only);
    }
}

void search_save(struct search *search, struct pack *pack)
{
    struct pack stack = {0};

    for (uint32_t i = 0; i < search->depth; i++) {
        save_frame(&search->frames[i], &stack);
    }
    pack_number(pack, search->root);
    search_pack_figures(pack, search->figures);
    pack_number(pack, search->depth);
    pack_blob(pack, stack.bytes, stack.count);
    pack_blob(pack, search->fresh, (size_t)search->fresh_count * sizeof(*search->fresh));
    pack_free(&stack);
    search->fresh_count = 0;
}

/* ---- Resuming ---- */

static bool restore_turn(struct frame *frame, struct unpack *stack)
{
    struct turn turn;

    turn.tried = (uint32_t)unpack_at_most(stack, SEARCH_MAX_ANSWERS);
    turn.bound = (uint32_t)unpack_at_most(stack, SEARCH_MAX_ANSWERS);
    turn.first = (uint32_t)unpack_at_most(stack, SEARCH_MAX_ANSWERS);
    turn.only = unpack_bool(stack);
    if (stack->failed || turn.tried >= turn.bound || turn.first >= turn.bound) {
        return false;
    }
    search_add_turn(frame, turn);
    return true;
}

static bool restore_frame(struct frame *frame, struct unpack *stack)
{
    uint64_t count;

    frame->entered = unpack_bool(stack);
    frame->full = unpack_bool(stack);
    frame->children = (uint32_t)unpack_at_most(stack, SEARCH_MAX_CHILDREN);
    count = unpack_at_most(stack, SEARCH_MAX_CHILDREN);
    for (uint64_t i = 0; i < count; i++) {
        if (!restore_turn(frame, stack)) {
            return false;
        }
    }
    return !stack->failed;
}

/* Takes the step that the top frame's answers lead to once more, and pushes its node. */
static bool go_down(struct search *search, const struct path *path)
{
    uint64_t history;

    search->current = &search->frames[search->depth - 1];
    if (!search->current->entered || search->current->children == 0) {
        return false;
    }
    search->current->children--;
    if (!search_step(search, path, &history) || search->misfit) {
        return false;
    }
    search_push(search, path, history, search_state(path, history));
    return true;
}

static bool restore_stack(struct search *search, const struct path *path, struct unpack *stack,
                          uint64_t depth)
{
    for (uint64_t i = 0; i < depth; i++) {
        if ((i > 0 && !go_down(search, path)) || !restore_frame(&search->frames[i], stack)) {
            return false;
        }
    }
    return unpack_ends(stack);
}

static void add_states(struct search *search, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i + sizeof(uint64_t) <= count; i += sizeof(uint64_t)) {
        uint64_t digest;

        memcpy(&digest, bytes + i, sizeof(digest));
        visited_add(&search->visited, digest);
    }
}

/* The newest piece: its stack is a copy. */
struct newest {
    struct search_figures figures;
    uint64_t depth;
    uint8_t *stack;
    size_t bytes;
};

static bool take_piece(struct search *search, struct unpack *piece, struct newest *newest)
{
    bool is_ours = unpack_number(piece) == search->root;
    const uint8_t *stack;
    const uint8_t *states;
    size_t bytes;

    search_unpack_figures(piece, &newest->figures);
    newest->depth = unpack_at_most(piece, SEARCH_MAX_DEPTH);
    stack = unpack_blob(piece, &newest->bytes);
    states = unpack_blob(piece, &bytes);
    if (!is_ours || !unpack_ends(piece)) {
        return false;
    }
    free(newest->stack);
    newest->stack = must_alloc(newest->bytes);
    if (newest->bytes > 0) {
        memcpy(newest->stack, stack, newest->bytes);
    }
    add_states(search, states, bytes);
    return true;
}

bool search_restore(struct search *search, const struct path *path,
                    const struct search_saved *saved)
{
    struct newest newest = {.depth = 0};
    struct unpack piece;
    bool fits = true;

    search->restoring = true;
    while (fits && saved->next(saved->opaque, &piece)) {
        fits = take_piece(search, &piece, &newest);
    }
    if (fits && newest.stack != NULL) {
        struct unpack stack = {.at = newest.stack, .left = newest.bytes};

        fits = restore_stack(search, path, &stack, newest.depth);
        *search->figures = newest.figures;
    }
    free(newest.stack);
    search->restoring = false;
    return fits;
}
