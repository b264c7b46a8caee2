/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The block layer: how it begins, and that it is sound.
 */
#include "sim/disk/layer.h"

#include <assert.h>

#include "sim/disk/request.h"

void layer_init(struct block_layer *layer, uint32_t guest_node)
{
    assert(layer->arena != NULL && layer->timeline != NULL && layer->emit != NULL);
    assert(layer->plan->disk_count > 0 && layer->plan->disk_count <= PLAN_MAX_DISKS);
    assert(guest_node < layer->plan->disk_count);
    layer->guest_node = guest_node;
    layer->layout_changes = 1;
    TAILQ_INIT(&layer->requests);
    STAILQ_INIT(&layer->queued);
    TAILQ_INIT(&layer->guest_list);
    STAILQ_INIT(&layer->guest_queue);
    SLIST_INIT(&layer->waits);
    LIST_INIT(&layer->probes);
    writers_init(&layer->writers, layer->arena);
    nodes_create(layer);
    layer->guest_edge.kind = EDGE_GUEST;
    edge_attach(&layer->guest_edge, &layer->nodes[guest_node]);
    faults_create(layer);
}

void layer_digest_modern(const struct block_layer *layer, struct digest *digest)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        digest_u64(digest, layer->nodes[i].read_only);
    }
    digest_u64(digest, layer->filter != NULL);
    digest_u64(digest, layer->guest_edge.node == layer->filter);
    digest_u64(digest, layer->all_sections);
    sections_digest(layer, digest);
    guest_digest(layer, digest);
    inquiries_digest(layer, digest);
}

void layer_check(const struct block_layer *layer)
{
    assert(layer->guest_node < layer->node_count && layer->layout_changes > 0);
    for (uint32_t i = 0; i < layer->node_count; i++) {
        assert(layer->evidence->disks[i] == &layer->nodes[i].disk);
        node_check(&layer->nodes[i]);
    }
    /* A queue that nothing holds back would never move: no drain would end. */
    assert(STAILQ_EMPTY(&layer->queued) || layer->nodes[layer->guest_node].drained);
    requests_check(layer);
    guest_check_state(layer);
    sections_check(layer);
    probes_check(layer);
    faults_check(layer);
    writers_check(&layer->writers);
    run_list_check(&layer->scratch);
}
