/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sections: beginning, waiting, ending; what a quiet node is.
 */
#include "sim/disk/section.h"

#include <assert.h>

#include "sim/disk/guest.h"
#include "sim/disk/layer.h"

/* Event field `index`: all nodes. */
#define ALL_NODES 0xff

static void emit(struct block_layer *layer, const struct block_node *node, enum by by,
                 enum section_step step)
{
    layer_emit(layer, &(struct event){.kind = EVENT_SECTION,
                                      .by = (uint8_t)by,
                                      .node = node == NULL ? 0 : node->id,
                                      .index = node == NULL ? ALL_NODES : 0,
                                      .detail = (uint8_t)step});
}

/* ---- Quiet ---- */

/* Above the node are at most `depth` others; a chain that is a loop ends here. */
static bool node_is_quiet(const struct block_node *node, uint32_t depth)
{
    const struct block_edge *edge;

    if (node->in_flight > 0) {
        return false;
    }
    TAILQ_FOREACH (edge, &node->edges, link) {
        bool busy = false;

        switch (edge->kind) {
        case EDGE_GUEST:
            busy = edge->layer->guest_in_flight > 0;
            break;
        case EDGE_ABOVE:
            busy = depth > 0 && !node_is_quiet(edge->above, depth - 1);
            break;
        case EDGE_JOB:
            busy = edge->user->busy(edge->opaque);
            break;
        }
        if (busy) {
            return false;
        }
    }
    return true;
}

/* The filter is above the first of the disks, or above nothing. */
static bool all_are_quiet(const struct block_layer *layer)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        if (!node_is_quiet(&layer->nodes[i], layer->node_count)) {
            return false;
        }
    }
    return true;
}

static bool wait_is_over(const struct block_layer *layer, const struct section_wait *wait)
{
    return wait->node != NULL ? node_is_quiet(wait->node, layer->node_count) : all_are_quiet(layer);
}

/* The youngest wait is over. */
static void wait_pop(struct block_layer *layer)
{
    struct section_wait wait = *SLIST_FIRST(&layer->waits);
    struct section_wait *memory = SLIST_FIRST(&layer->waits);

    SLIST_REMOVE_HEAD(&layer->waits, link);
    arena_free(layer->arena, memory, sizeof(*memory));
    emit(layer, wait.node, wait.by, SECTION_QUIET);
    wait.quiet(wait.opaque);
}

void sections_settle(struct block_layer *layer)
{
    while (!SLIST_EMPTY(&layer->waits) && wait_is_over(layer, SLIST_FIRST(&layer->waits))) {
        wait_pop(layer);
    }
}

/* ---- Beginning ---- */

static void quiesce_all(struct block_layer *layer)
{
    layer->all_sections++;
    for (uint32_t i = 0; i < layer->node_count; i++) {
        node_quiesce(&layer->nodes[i]);
    }
    if (layer->filter != NULL) {
        node_quiesce(layer->filter);
    }
}

/* In nested loops of events the inner one looks first, and does not look for the outer ones. */
void section_begin(struct block_layer *layer, struct block_node *node, enum by by,
                   void (*quiet)(void *opaque), void *opaque)
{
    struct section_wait *wait = arena_alloc(layer->arena, sizeof(*wait));

    assert(quiet != NULL);
    emit(layer, node, by, SECTION_BEGUN);
    *wait = (struct section_wait){.node = node, .by = by, .quiet = quiet, .opaque = opaque};
    SLIST_INSERT_HEAD(&layer->waits, wait, link);
    if (node != NULL) {
        node_quiesce(node);
    } else {
        quiesce_all(layer);
    }
    if (wait_is_over(layer, wait)) {
        assert(SLIST_FIRST(&layer->waits) == wait);
        wait_pop(layer);
    }
}

/* ---- The end ---- */

static void release_all(struct block_layer *layer)
{
    assert(layer->all_sections > 0);
    layer->all_sections--;
    for (uint32_t i = 0; i < layer->node_count; i++) {
        node_release(&layer->nodes[i]);
    }
    if (layer->filter != NULL) {
        node_release(layer->filter);
    }
}

void section_end(struct block_layer *layer, struct block_node *node, enum by by)
{
    emit(layer, node, by, SECTION_ENDED);
    if (node != NULL) {
        node_release(node);
    } else {
        release_all(layer);
    }
}

/* ---- The port ---- */

void block_section_begin(struct block_node *node, void (*quiet)(void *opaque), void *opaque)
{
    section_begin(node->layer, node, BY_JOB, quiet, opaque);
}

void block_section_begin_all(struct host *host, void (*quiet)(void *opaque), void *opaque)
{
    section_begin(layer_of(host), NULL, BY_JOB, quiet, opaque);
}

void block_section_end(struct block_node *node)
{
    section_end(node->layer, node, BY_JOB);
}

void block_section_end_all(struct host *host)
{
    section_end(layer_of(host), NULL, BY_JOB);
}

uint32_t block_sections(const struct block_node *node)
{
    return node->sections;
}

/* ---- Digest and check ---- */

static void node_sections_digest(const struct block_node *node, struct digest *digest)
{
    const struct block_edge *edge;

    digest_u64(digest, node->sections);
    TAILQ_FOREACH (edge, &node->edges, link) {
        digest_u64(digest, edge->kind);
        digest_u64(digest, edge->kind == EDGE_ABOVE ? edge->above->id : 0);
    }
}

/* Without a section or a job's edge, all follows from the graph. */
void sections_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct section_wait *wait;

    for (uint32_t i = 0; i < layer->node_count; i++) {
        node_sections_digest(&layer->nodes[i], digest);
    }
    if (layer->filter != NULL) {
        node_sections_digest(layer->filter, digest);
    }
    SLIST_FOREACH(wait, &layer->waits, link)
    {
        digest_u64(digest, wait->node == NULL ? ALL_NODES + 1u : wait->node->id);
        digest_u64(digest, wait->by);
    }
}

static void node_sections_check(const struct block_node *node)
{
    const struct block_edge *edge;

    TAILQ_FOREACH (edge, &node->edges, link) {
        assert(edge->node == node && edge->layer == node->layer);
        assert(edge->quiesced == (node->sections > 0));
        assert(edge->kind != EDGE_ABOVE || edge->above != NULL);
    }
    assert(node->sections >= node->layer->all_sections);
    assert(!node->below.quiesced || node->sections > node->layer->all_sections);
    assert(node->sections == 0 || (!node->drained && !node->idles));
}

void sections_check(const struct block_layer *layer)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        node_sections_check(&layer->nodes[i]);
        assert(layer->nodes[i].below.node == node_backing(&layer->nodes[i]));
    }
    if (layer->filter != NULL) {
        node_sections_check(layer->filter);
        assert(layer->filter->below.node != NULL);
    }
}
