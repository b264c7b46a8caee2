/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sections: edges and the way upwards, beginning, waiting, ending; what a quiet node is.
 *
 * A node counts the sections over it, and each edge below it that is quiesced; what changes is told
 * at the first and after the last.  Of those it counts the ones that are a job's own, which jobs
 * are not told of: an edge to the node above is of that kind if all sections below it are.
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

static bool in_section_of_others(const struct block_node *node)
{
    return node->sections > node->own_sections;
}

/* Has the edge to know of a section?  A job does not of its own. */
static bool must_know(const struct block_edge *edge)
{
    const struct block_node *node = edge->node;

    if (node == NULL) {
        return false;
    }
    return edge->kind == EDGE_JOB ? in_section_of_others(node) : node->sections > 0;
}

static void change_sections(struct block_node *node, int sections, int own_sections);

static void tell_above(struct block_edge *edge, bool was_quiesced)
{
    bool was_own = edge->own;

    edge->own = edge->quiesced && !in_section_of_others(edge->node);
    change_sections(edge_above(edge), edge->quiesced - was_quiesced, edge->own - was_own);
}

static void tell_job(const struct block_edge *edge)
{
    if (edge->quiesced) {
        edge->user->begun(edge->opaque);
    } else {
        edge->user->ended(edge->opaque);
    }
}

/* Does the edge know what there is to know? */
static void tell_change(struct block_layer *layer, struct block_edge *edge)
{
    bool was_quiesced = edge->quiesced;
    bool changes = was_quiesced != must_know(edge);

    edge->quiesced = must_know(edge);
    switch (edge->kind) {
    case EDGE_GUEST:
        if (changes && was_quiesced) {
            guest_release(layer);
        }
        break; /* of a section it learns by looking before each request */
    case EDGE_ABOVE:
        tell_above(edge, was_quiesced);
        break;
    case EDGE_JOB:
        if (changes) {
            tell_job(edge);
        }
        break;
    }
}

/* There are so many more, or less, over the node. */
static void change_sections(struct block_node *node, int sections, int own_sections)
{
    struct block_edge *edge;

    if (sections == 0 && own_sections == 0) {
        return;
    }
    assert(!node->drained && !node->idles);
    node->sections += (uint32_t)sections;
    node->own_sections += (uint32_t)own_sections;
    TAILQ_FOREACH (edge, &node->edges, link) {
        tell_change(node->layer, edge);
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
        change_sections(&layer->nodes[i], 1, 0);
    }
    if (layer->filter != NULL) {
        change_sections(layer->filter, 1, 0);
    }
}

static struct section_wait *ask(struct block_layer *layer, struct block_node *node, enum by by,
                                void (*quiet)(void *opaque), void *opaque)
{
    struct section_wait *wait = arena_alloc(layer->arena, sizeof(*wait));

    assert(quiet != NULL);
    emit(layer, node, by, SECTION_BEGUN);
    *wait = (struct section_wait){.node = node, .by = by, .quiet = quiet, .opaque = opaque};
    SLIST_INSERT_HEAD(&layer->waits, wait, link);
    return wait;
}

/* In nested loops of events the inner one looks first, and does not look for the outer ones. */
static void look(struct block_layer *layer, const struct section_wait *wait)
{
    if (wait_is_over(layer, wait)) {
        assert(SLIST_FIRST(&layer->waits) == wait);
        wait_pop(layer);
    }
}

void section_begin(struct block_layer *layer, struct block_node *node, enum by by,
                   void (*quiet)(void *opaque), void *opaque)
{
    struct section_wait *wait = ask(layer, node, by, quiet, opaque);

    if (node != NULL) {
        change_sections(node, 1, 0);
    } else {
        quiesce_all(layer);
    }
    look(layer, wait);
}

/* ---- The end ---- */

static void release_all(struct block_layer *layer)
{
    assert(layer->all_sections > 0);
    layer->all_sections--;
    for (uint32_t i = 0; i < layer->node_count; i++) {
        change_sections(&layer->nodes[i], -1, 0);
    }
    if (layer->filter != NULL) {
        change_sections(layer->filter, -1, 0);
    }
}

void section_end(struct block_layer *layer, struct block_node *node, enum by by)
{
    emit(layer, node, by, SECTION_ENDED);
    if (node != NULL) {
        change_sections(node, -1, 0);
    } else {
        release_all(layer);
    }
}

/* ---- The port ---- */

void block_section_begin(struct block_node *node, void (*quiet)(void *opaque), void *opaque)
{
    section_begin(node->layer, node, BY_JOB, quiet, opaque);
}

void block_section_begin_own(struct block_node *node, void (*quiet)(void *opaque), void *opaque)
{
    struct section_wait *wait = ask(node->layer, node, BY_JOB, quiet, opaque);

    change_sections(node, 1, 1);
    look(node->layer, wait);
}

void block_section_begin_all(struct host *host, void (*quiet)(void *opaque), void *opaque)
{
    section_begin(layer_of(host), NULL, BY_JOB, quiet, opaque);
}

void block_section_end(struct block_node *node)
{
    section_end(node->layer, node, BY_JOB);
}

void block_section_end_own(struct block_node *node)
{
    emit(node->layer, node, BY_JOB, SECTION_ENDED);
    assert(node->own_sections > 0);
    change_sections(node, -1, -1);
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
    digest_u64(digest, node->own_sections);
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
        assert(edge->quiesced == must_know(edge));
        assert(edge->kind != EDGE_ABOVE || edge_above(edge)->below.node == node);
    }
    assert(node->sections >= node->layer->all_sections + node->own_sections);
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
