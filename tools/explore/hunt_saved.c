/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A piece: the result, and then the search's own piece, or the number of seeds.
 */
#include "tools/explore/hunt_saved.h"

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/explore/packed.h"

/* What a process that is killed loses, at most: half a second of work. */
#define SAVE_INTERVAL_MS 500

bool hunt_next_piece(void *opaque, struct unpack *piece)
{
    struct hunt *hunt = opaque;
    struct explore_result *result = &hunt->record->result;
    uint64_t item = result->item;

    if (!hunt->options->saved(hunt->options->opaque, item, &hunt->piece, piece)) {
        return false;
    }
    unpack_result(piece, result);
    result->stopped = false;
    if (piece->failed || result->item != item) {
        die("the checkpoint is damaged: what it says of search %lu is no result of it",
            (unsigned long)item + 1);
    }
    return true;
}

uint64_t hunt_restore_seeds(struct hunt *hunt)
{
    struct unpack piece;
    uint64_t seeds = 0;

    while (hunt->options->saved != NULL && hunt_next_piece(hunt, &piece)) {
        seeds = unpack_at_most(&piece, hunt->seeds);
        if (!unpack_ends(&piece)) {
            die("the checkpoint is damaged: it has no number of seeds");
        }
    }
    return seeds;
}

void hunt_save(struct hunt *hunt, uint64_t seeds)
{
    const struct explore_result *result = &hunt->record->result;
    struct pack piece = {0};

    if (hunt->options->save == NULL) {
        return;
    }
    if (!result->stopped && clock_ms() < hunt->next_save_ms) {
        return;
    }
    pack_result(&piece, result);
    if (hunt->options->schedule == SCHEDULE_EXHAUSTIVE) {
        search_save(hunt->search, &piece);
    } else {
        pack_number(&piece, seeds);
    }
    hunt->options->save(hunt->options->opaque, result->item, &piece);
    pack_free(&piece);
    hunt->next_save_ms = clock_ms() + SAVE_INTERVAL_MS;
}
