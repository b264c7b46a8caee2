/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exploring with several processes: items shared out, results in their order.
 *
 * An engine that crashes, or loops for ever inside one event, takes only its
 * process with it; the run that it was in is the item's finding.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_POOL_H
#define MIRRORSIM_TOOLS_EXPLORE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/explore.h"

struct explore_pool {
    struct explore_options *options; /* the pool sets `stop` */
    uint32_t jobs;
    bool all;             /* go on after a finding */
    uint64_t end_ms;      /* of the clock; 0 = never */
    uint32_t cpu_limit_s; /* inside one event */

    /* A result, whose scenario the callee frees; in the order of the items. */
    void (*deliver)(void *opaque, struct explore_result *result);

    /* So many items are done. */
    void (*progress)(void *opaque, uint64_t done);
    void *opaque;
};

/*
 * Searches all items, or up to the lowest one with a finding.  Returns the
 * signal that ended it early, or 0.
 */
int explore_pool_run(const struct explore_pool *pool, struct explore_space *space);

#endif
