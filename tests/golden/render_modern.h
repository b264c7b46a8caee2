/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run of today's generation that is being rendered: what its two files share.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_RENDER_MODERN_H
#define MIRRORSIM_TESTS_GOLDEN_RENDER_MODERN_H

#include "sim/world/world.h"
#include "tests/golden/render_world.h"

/* A guest request, by its arrival. */
struct arrival {
    uint32_t request;
    enum op op;
    uint64_t first_tag; /* of a read: what its first sector held when it was submitted */
};

struct modern {
    const struct plan *plan;
    struct world *world;
    struct trace trace;
    uint64_t told; /* number of events already rendered */
    struct arrival *arrivals;
    uint32_t arrival_count;
    uint32_t answered;
    uint32_t errors;
    uint64_t submitted[PLAN_MAX_DISKS][OP_COUNT];
    bool *made;    /* per fault: its rule exists */
    uint8_t guest; /* the node of the guest's user */
    bool was_ready;
    char result[RENDER_LINE_BYTES]; /* empty: no job has ended */
    render_line *line;
    void *opaque;
    const struct render_pace *pace;
};

/* One line of the trace. */
void modern_tell(struct modern *modern, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Renders the events that are new in the trace: render_modern_events.c. */
void modern_tell_events(struct modern *modern);

/* A disk, or the job's filter. */
const char *modern_node_name(const struct modern *modern, uint32_t node);

/* equal= differ= first_diff= seen=, as things are. */
void modern_content_words(const struct modern *modern, char *words, size_t size);

#endif
