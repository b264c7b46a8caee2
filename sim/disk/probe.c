/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Probes: from asking to the answer.
 */
#include "sim/disk/probe.h"

#include <assert.h>

#include "sim/disk/layer.h"

static void emit(const struct probe *probe, enum event_kind kind, uint16_t fault)
{
    layer_emit(probe->node->layer, &(struct event){.kind = (uint8_t)kind,
                                                   .index = fault,
                                                   .node = probe->node->id,
                                                   .op = (uint8_t)probe->op,
                                                   .by = BY_JOB,
                                                   .offset = probe->offset,
                                                   .bytes = probe->bytes});
}

/* ---- Asking ---- */

bool probe_is_instant(const struct block_node *node, enum op op)
{
    const struct latency_spec *latency = &node->spec->latency[op];

    return latency->kind == LATENCY_FIXED && latency->a_ns == 0 && latency->min_ns == 0 &&
           !(node->fault_ops >> op & 1);
}

bool probe_takes_time(struct probe *probe)
{
    struct block_node *node = probe->node;
    struct request_faults faults = FAULTS_NONE;

    probe->hold = probe->hang = FAULT_NONE;
    if (probe_is_instant(node, probe->op)) {
        return false;
    }
    if (node->fault_ops >> probe->op & 1) {
        fault_question(node, probe->op, probe->offset, probe->bytes, &faults);
    }
    probe->delay_ns =
        fault_latency_ns(&faults, faults.exact ? 0 : node_latency_ns(node, probe->op));
    probe->hold = faults.hold;
    probe->hang = faults.hang;
    return probe->delay_ns > 0 || probe->hold != FAULT_NONE || probe->hang != FAULT_NONE;
}

/* True if a hold of this phase stops the question here. */
static bool is_stopped(struct probe *probe, enum hold_phase phase)
{
    if (probe->hold == FAULT_NONE || probe->node->layer->plan->faults[probe->hold].phase != phase) {
        return false;
    }
    probe->state = PROBE_HELD;
    emit(probe, EVENT_HELD, probe->hold);
    return true;
}

static void probe_fire(void *opaque)
{
    struct probe *probe = opaque;

    if (is_stopped(probe, HOLD_BEFORE_EFFECT)) {
        return;
    }
    if (!probe->taken) {
        probe->taken = true;
        probe->take(probe);
    }
    if (is_stopped(probe, HOLD_BEFORE_COMPLETION)) {
        return;
    }
    LIST_REMOVE(probe, link);
    probe->give(probe);
}

static void run(struct probe *probe, uint64_t delay_ns)
{
    probe->state = PROBE_RUNS;
    timeline_add(probe->node->layer->timeline, &probe->pending, delay_ns, probe_fire, probe);
}

void probe_begin(struct probe *probe)
{
    probe->pending.kind = PENDING_LOOSE;
    LIST_INSERT_HEAD(&probe->node->layer->probes, probe, link);
    if (probe->hang != FAULT_NONE) {
        probe->state = PROBE_HUNG;
        return;
    }
    run(probe, probe->delay_ns);
}

/* ---- Holds ---- */

void probes_release(struct block_layer *layer, uint32_t fault)
{
    struct probe *probe;

    LIST_FOREACH (probe, &layer->probes, link) {
        bool stopped = (probe->state == PROBE_HELD && probe->hold == fault) ||
                       (probe->state == PROBE_HUNG && probe->hang == fault);

        probe->hold = probe->hold == fault ? FAULT_NONE : probe->hold;
        probe->hang = probe->hang == fault ? FAULT_NONE : probe->hang;
        if (stopped) {
            emit(probe, EVENT_RELEASED, (uint16_t)fault);
            run(probe, 0);
        }
    }
}

bool probes_held_by(const struct block_layer *layer, uint32_t fault)
{
    const struct probe *probe;

    LIST_FOREACH (probe, &layer->probes, link) {
        if (probe->state == PROBE_HELD && probe->hold == fault) {
            return true;
        }
    }
    return false;
}

/* ---- Digest and check ---- */

void probe_digest(const struct probe *probe, struct digest *digest)
{
    digest_u64(digest, probe->node->id);
    digest_u64(digest, probe->op);
    digest_u64(digest, probe->offset);
    digest_u64(digest, probe->bytes);
    digest_flags(digest, probe->taken, probe->state == PROBE_HELD, probe->state == PROBE_HUNG);
    digest_u64(digest, (uint64_t)probe->hold << 16 | probe->hang);
    timeline_digest_pending(probe->node->layer->timeline, &probe->pending, digest);
}

void probes_check(const struct block_layer *layer)
{
    const struct probe *probe;

    LIST_FOREACH (probe, &layer->probes, link) {
        assert(probe->node->layer == layer);
        assert(probe->op == OP_CONTENT || probe->op == OP_STATUS);
        assert(pending_is_set(&probe->pending) == (probe->state == PROBE_RUNS));
    }
}
