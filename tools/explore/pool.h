/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exploring with several processes: they take items from a shared counter, and results arrive in
 * any order.
 *
 * An engine that crashes, or loops for ever inside one event, ends only its process; the run
 * that was under way is the item's finding.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_POOL_H
#define MIRRORSIM_TOOLS_EXPLORE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/explore/explore.h"

struct explore_pool {
    struct explore_options *options; /* the pool sets its functions */
    uint32_t jobs;
    uint64_t end_ms; /* of the clock; 0 = never */

    /* Was the item done when the pool began? */
    bool (*is_done)(const void *opaque, uint64_t item);

    /* A finding, before its item's result, and its run as a file, which stays the pool's. */
    void (*found)(void *opaque, const struct explore_finding *finding, const char *scenario);

    /* A result; in any order. */
    void (*deliver)(void *opaque, const struct explore_result *result);

    /* Both NULL without a checkpoint: pieces of an item's progress, as in explore_options; saved()
     * is called in other processes. */
    void (*save)(void *opaque, uint64_t item, const uint8_t *piece, size_t bytes);
    bool (*saved)(void *opaque, uint64_t item, uint64_t *number, struct unpack *piece);

    /* Called ten times a second and more. */
    void (*progress)(void *opaque);
    void *opaque;
};

/*
 * Searches all items, or up to the lowest one with a finding.  Returns the
 * signal that ended it early, or 0.
 */
int explore_pool_run(const struct explore_pool *pool, struct explore_space *space);

#endif
