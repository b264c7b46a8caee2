/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sections: edges and the way upwards, beginning, waiting, ending; what a quiet node is.
 *
 * A node counts the sections over it, and each edge below it that is quiesced; what changes is told
 * at the first and after the last.
 */
#include "sim/disk/section.h"

#include <assert.h>

#include "sim/disk/guest.h"
#include "sim/disk/layer.h"

/* Event field `index`: all nodes. */

static void emit(struct block_layer *layer, const struct block_node *node, enum by by,
                 enum section_step step)
{
    layer_emit(layer, &(struct event){.kind = EVENT_SECTION,
                                      .by = (uint8_t)by,
                                      .node = node == NULL ? 0 : node->id,
                                      .index = node == NULL ? SECTION_OF_ALL : 0,
                                      .detail = (uint8_t)step});
}

/* ---- Telling ---- */

struct block_node *edge_above(const struct block_edge *edge)
{
    return edge->opaque;
}

static void tell_begun(struct block_edge *edge)
{
    edge->quiesced = true;
    switch (edge->kind) {
    case EDGE_GUEST:
        break; /* it looks before each request */
    case EDGE_ABOVE:
        node_quiesce(edge_above(edge));
        break;
    case EDGE_JOB:
        edge->user->begun(edge->opaque);
        break;
    }
}

static void tell_ended(struct block_layer *layer, struct block_edge *edge)
{
    edge->quiesced = false;
    switch (edge->kind) {
    case EDGE_GUEST:
        guest_release(layer);
        break;
    case EDGE_ABOVE:
        node_release(edge_above(edge));
        break;
    case EDGE_JOB:
        edge->user->ended(edge->opaque);
        break;
    }
}

void node_quiesce(struct block_node *node)
{
    struct block_edge *edge;

    assert(!node->drained && !node->idles);
    if (node->sections++ > 0) {
        return;
    }
    TAILQ_FOREACH (edge, &node->edges, link) {
        tell_begun(edge);
    }
}

void node_release(struct block_node *node)
{
    struct block_edge *edge;

    assert(node->sections > 0);
    if (--node->sections > 0) {
        return;
    }
    TAILQ_FOREACH (edge, &node->edges, link) {
        tell_ended(node->layer, edge);
    }
}

/* ---- Attaching ---- */

static void link_edge(struct block_edge *edge, struct block_node *node)
{
    assert(edge->node == NULL);
    edge->node = node;
    TAILQ_INSERT_HEAD(&node->edges, edge, link);
}

static void unlink_edge(struct block_edge *edge)
{
    assert(edge->node != NULL);
    TAILQ_REMOVE(&edge->node->edges, edge, link);
    edge->node = NULL;
}

/* The edge is at its place: does it know whether there is a section? */
static void tell_change(struct block_layer *layer, struct block_edge *edge)
{
    bool in_section = edge->node != NULL && edge->node->sections > 0;

    if (in_section && !edge->quiesced) {
        tell_begun(edge);
    } else if (!in_section && edge->quiesced) {
        tell_ended(layer, edge);
    }
}

void edge_attach(struct block_edge *edge, struct block_node *node)
{
    link_edge(edge, node);
    tell_change(node->layer, edge);
}

void edge_detach(struct block_edge *edge)
{
    struct block_layer *layer = edge->node->layer;

    unlink_edge(edge);
    tell_change(layer, edge);
}

void edge_move(struct block_edge *edge, struct block_node *node)
{
    unlink_edge(edge);
    link_edge(edge, node);
    tell_change(node->layer, edge);
}

void edge_follow_backing(struct block_node *node)
{
    struct block_node *backing = node_backing(node);
    struct block_edge *edge = &node->below;

    if (edge->node == backing) {
        return;
    }
    edge->kind = EDGE_ABOVE;
    edge->opaque = node;
    if (backing == NULL) {
        edge_detach(edge);
    } else if (edge->node == NULL) {
        edge_attach(edge, backing);
    } else {
        edge_move(edge, backing);
    }
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
            busy = node->layer->guest_in_flight > 0;
            break;
        case EDGE_ABOVE:
            busy = depth > 0 && !node_is_quiet(edge_above(edge), depth - 1);
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

struct block_edge *block_edge_attach(struct block_node *node, const struct edge_user *user,
                                     void *opaque)
{
    struct block_edge *edge = arena_alloc(node->layer->arena, sizeof(*edge));

    edge->kind = EDGE_JOB;
    edge->user = user;
    edge->opaque = opaque;
    edge_attach(edge, node);
    return edge;
}

void block_edge_detach(struct block_edge *edge)
{
    struct arena *arena = edge->node->layer->arena;

    assert(edge->kind == EDGE_JOB);
    edge_detach(edge);
    arena_free(arena, edge, sizeof(*edge));
}

/* ---- Digest and check ---- */

static void node_sections_digest(const struct block_node *node, struct digest *digest)
{
    const struct block_edge *edge;

    digest_u64(digest, node->sections);
    TAILQ_FOREACH (edge, &node->edges, link) {
        digest_u64(digest, edge->kind);
        digest_u64(digest, edge->kind == EDGE_ABOVE ? edge_above(edge)->id : 0);
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
        digest_u64(digest, wait->node == NULL ? SECTION_OF_ALL + 1u : wait->node->id);
        digest_u64(digest, wait->by);
    }
}

static void node_sections_check(const struct block_node *node)
{
    const struct block_edge *edge;

    TAILQ_FOREACH (edge, &node->edges, link) {
        assert(edge->node == node);
        assert(edge->quiesced == (node->sections > 0));
        assert(edge->kind != EDGE_ABOVE || edge_above(edge)->below.node == node);
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
