/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a node remembers of allocation queries.
 *
 * The query itself, block_status_above(), is declared in engine/block.h.
 */
#ifndef MIRRORSIM_SIM_DISK_STATUS_H
#define MIRRORSIM_SIM_DISK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"
#include "sim/base/timeline.h"

/* The last answer, good as long as the layout stays. */
struct status_answer {
    const struct block_node *base;
    uint64_t layout; /* the layer's layout_changes; 0 = no answer */
    uint64_t offset;
    uint64_t end;
    bool allocated;
};

/* A query that takes time; a node has one at most. */
struct status_query {
    struct pending pending;
    block_done *done;
    void *opaque;
    uint64_t offset;
    bool answered; /* asking again for `offset` gives the answer */
};

#endif
