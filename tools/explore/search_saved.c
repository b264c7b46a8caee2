/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A search that was stopped, in a file: the answers of its stack, and the visited states.
 *
 * Worlds are not written: replaying the answers restores them.  Numbers have the machine's byte
 * order.
 *
 * Declared in tools/explore/search_private.h: the part of a search that is kept in a checkpoint.
 */
#include <string.h>

#include "sim/world/world.h"
#include "tools/explore/search_private.h"

#define MAGIC "mirrorsim search 1"

struct head {
    char magic[24];
    uint64_t root;
    uint64_t states;
    struct search_figures figures;
    uint32_t depth;
};

static void save_frame(const struct frame *frame, FILE *file)
{
    fwrite(&frame->entered, sizeof(frame->entered), 1, file);
    fwrite(&frame->question_count, sizeof(frame->question_count), 1, file);
    fwrite(frame->questions, sizeof(*frame->questions), frame->question_count, file);
}

void search_save(const struct search *search, FILE *file)
{
    struct head head = {.magic = MAGIC,
                        .root = search->root,
                        .states = search->visited.count,
                        .figures = *search->figures,
                        .depth = search->depth};
    uint64_t place = 0;
    uint64_t digest;

    fwrite(&head, sizeof(head), 1, file);
    for (uint32_t i = 0; i < search->depth; i++) {
        save_frame(&search->frames[i], file);
    }
    while (visited_next(&search->visited, &place, &digest)) {
        fwrite(&digest, sizeof(digest), 1, file);
    }
}

/* ---- Going on ---- */

static bool restore_frame(struct frame *frame, FILE *file)
{
    struct turn turn;
    uint32_t count;

    if (fread(&frame->entered, sizeof(frame->entered), 1, file) != 1 ||
        fread(&count, sizeof(count), 1, file) != 1 || count > SEARCH_MAX_CHILDREN) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (fread(&turn, sizeof(turn), 1, file) != 1) {
            return false;
        }
        search_add_turn(frame, turn);
    }
    return true;
}

/* Takes the step that the top frame's answers lead to, and pushes its node. */
static bool go_down(struct search *search, const struct path *path)
{
    uint64_t history;

    search->current = &search->frames[search->depth - 1];
    if (!search->current->entered || !search_step(search, path, &history)) {
        return false;
    }
    search_push(search, path, history, search_state(path, history));
    return true;
}

bool search_restore(struct search *search, const struct path *path, FILE *file)
{
    struct head head;
    uint64_t digest;

    if (fread(&head, sizeof(head), 1, file) != 1 || strcmp(head.magic, MAGIC) != 0 ||
        head.root != search->root) {
        return false;
    }
    for (uint32_t i = 0; i < head.depth; i++) {
        if ((i > 0 && !go_down(search, path)) || !restore_frame(&search->frames[i], file)) {
            return false;
        }
    }
    for (uint64_t i = 0; i < head.states; i++) {
        if (fread(&digest, sizeof(digest), 1, file) != 1) {
            return false;
        }
        visited_add(&search->visited, digest);
    }
    *search->figures = head.figures;
    return true;
}
