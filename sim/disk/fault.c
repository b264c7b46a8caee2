/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults: matching, counting, and what a hit does to a request.
 */
#include "sim/disk/fault.h"

#include <assert.h>
#include <errno.h>

#include "engine/range.h"
#include "sim/disk/layer.h"

#define ALL_OPS ((1u << OP_COUNT) - 1)

/* ---- When a fault is armed ---- */

static void fault_init(struct fault *fault, const struct fault_spec *spec)
{
    fault->until_ns = spec->until_ns == 0 ? UINT64_MAX : spec->until_ns;
    /* UINT64_MAX: not armed before a mark or a hold step says so. */
    fault->from_ns = (spec->armed || spec->from_ns > 0) ? spec->from_ns : UINT64_MAX;
}

/*
 * Hits beyond this count cannot change a verdict: expectations ask for no
 * more, and without one it only matters whether the fault fired at all.  Nor
 * do they change what the fault will do.
 */
static uint64_t hits_that_matter(const struct plan *plan, uint32_t fault)
{
    uint64_t most = max_u64(plan->faults[fault].hits, 1);

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        if (plan->expects[i].kind == EXPECT_FIRED && plan->expects[i].a == fault) {
            most = max_u64(most, plan->expects[i].count + 1);
        }
    }
    return most;
}

static void watch_nodes(struct block_layer *layer, const struct request_match *match)
{
    for (uint32_t i = 0; i < layer->node_count; i++) {
        if (match->disks == 0 || match->disks >> i & 1) {
            layer->nodes[i].fault_ops |= match->ops == 0 ? ALL_OPS : match->ops;
        }
    }
}

void faults_create(struct block_layer *layer)
{
    const struct plan *plan = layer->plan;

    assert(plan->fault_count < FAULT_NONE);
    layer->faults = arena_alloc(layer->arena, plan->fault_count * sizeof(*layer->faults));
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        fault_init(&layer->faults[i], &plan->faults[i]);
        layer->faults[i].most_hits = hits_that_matter(plan, i);
        watch_nodes(layer, &plan->faults[i].match);
        wear_create(layer, i);
    }
}

void fault_arm(struct block_layer *layer, uint32_t fault)
{
    assert(fault < layer->plan->fault_count);
    layer->faults[fault].from_ns = layer->timeline->now_ns;
    layer->faults[fault].matched = 0;
    layer->faults[fault].armed = ++layer->faults_armed;
}

void fault_disarm(struct block_layer *layer, uint32_t fault)
{
    assert(fault < layer->plan->fault_count);
    layer->faults[fault].from_ns = UINT64_MAX;
}

void fault_mark(struct block_layer *layer, uint32_t mark)
{
    uint64_t now_ns = layer->timeline->now_ns;

    assert(mark != PLAN_NONE);
    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault_spec *spec = &layer->plan->faults[i];
        struct fault *fault = &layer->faults[i];

        if (spec->from_mark == mark) {
            uint64_t shift_ns = spec->shift_ns > 0 ? (uint64_t)spec->shift_ns : 0;

            fault->from_ns = min_u64(fault->from_ns, now_ns + shift_ns);
        }
        if (spec->until_mark == mark) {
            fault->until_ns = now_ns;
        }
    }
}

static bool fault_is_armed(const struct fault *fault, uint64_t now_ns)
{
    return fault->from_ns <= now_ns && now_ns < fault->until_ns;
}

/* ---- Matching and counting ---- */

/* Without a probability in the plan (0) a fault is certain. */
static bool fault_is_drawn(struct block_layer *layer, struct fault *fault,
                           const struct fault_spec *spec)
{
    if (spec->probability_ppm == 0) {
        return true;
    }
    if (fault->site == NULL) {
        fault->site =
            choices_site(layer->choices, arena_printf(layer->arena, "fault %s", spec->name));
    }
    return choose_chance(layer->choices, fault->site, spec->probability_ppm);
}

/* It hits no later match. */
static bool fault_is_spent(const struct fault *fault, const struct fault_spec *spec)
{
    uint64_t nth = max_u64(spec->nth, 1);

    return (spec->times > 0 && fault->matched >= nth + spec->times) ||
           (spec->hits > 0 && fault->hits >= spec->hits);
}

/* Counts a request that matches an armed fault; true if it is hit. */
static bool fault_counts(struct block_layer *layer, struct fault *fault,
                         const struct fault_spec *spec)
{
    uint64_t nth = max_u64(spec->nth, 1);

    fault->matched++;
    if (fault->matched < nth || fault_is_spent(fault, spec) ||
        !fault_is_drawn(layer, fault, spec)) {
        return false;
    }
    fault->hits++;
    return true;
}

/* A request, or a query (number 0), that is shown to the faults. */
struct subject {
    struct block_node *node;
    enum op op;
    enum by by;
    uint64_t offset;
    uint64_t bytes;
    uint32_t number;
};

static bool fault_hits(const struct subject *subject, uint32_t index)
{
    struct block_layer *layer = subject->node->layer;
    const struct fault_spec *spec = &layer->plan->faults[index];
    struct fault *fault = &layer->faults[index];

    if (!fault_is_armed(fault, layer->timeline->now_ns) ||
        !request_matches(&spec->match, subject->node->id, subject->op, subject->by, subject->offset,
                         subject->bytes) ||
        (fault->bad != NULL && !wear_touches(fault, subject->offset, subject->bytes)) ||
        !fault_counts(layer, fault, spec)) {
        return false;
    }
    layer_emit(layer, &(struct event){.kind = EVENT_FAULT,
                                      .index = (uint16_t)index,
                                      .node = subject->node->id,
                                      .op = (uint8_t)subject->op,
                                      .by = (uint8_t)subject->by,
                                      .request = subject->number,
                                      .offset = subject->offset,
                                      .bytes = subject->bytes,
                                      .ret = spec->kind == FAULT_FULL ? -ENOSPC : spec->error});
    return true;
}

static struct subject subject_of(const struct request *request)
{
    return (struct subject){request->node,   request->op,    request->by,
                            request->offset, request->bytes, request->number};
}

/* ---- What a hit does ---- */

static void add_error(struct request_faults *faults, const struct fault_spec *spec, uint16_t index)
{
    if (faults->error != 0) {
        return;
    }
    faults->error = spec->error;
    faults->drops = spec->drops;
    switch (spec->applied) {
    case APPLIED_NOTHING:
        faults->moved_bytes = 0;
        break;
    case APPLIED_PREFIX:
        faults->moved_bytes = min_u64(faults->moved_bytes, spec->bytes);
        break;
    case APPLIED_TORN:
        faults->torn = index;
        break;
    case APPLIED_ALL:
    case APPLIED_BY_CHOICE: /* choose_extent() */
        break;
    }
}

/* A write that fails leaves nothing behind, half of it, or all. */
static void choose_extent(struct request *request, const struct fault_spec *spec)
{
    struct block_layer *layer = request->node->layer;
    struct choice_site *site =
        choices_site(layer->choices, arena_printf(layer->arena, "applied %s", spec->name));
    uint64_t halves = op_writes(request->op) ? choose(layer->choices, site, 3) : 0;

    if (halves < 2) {
        request->faults.moved_bytes =
            min_u64(request->faults.moved_bytes, halves * (request->bytes / 2));
    }
}

static void add_fault(struct request_faults *faults, const struct fault_spec *spec, uint16_t index)
{
    switch (spec->kind) {
    case FAULT_ERROR:
    case FAULT_LATENT:
        add_error(faults, spec, index);
        break;
    case FAULT_HANG:
        faults->hang = faults->hang == FAULT_NONE ? index : faults->hang;
        break;
    case FAULT_HOLD:
        faults->hold = faults->hold == FAULT_NONE ? index : faults->hold;
        if (spec->error != 0) {
            add_error(faults, spec, index);
        }
        break;
    case FAULT_DELAY:
        faults->extra_ns += spec->span_ns;
        if (spec->factor_percent > 0) {
            faults->factor_percent = (uint32_t)spec->factor_percent;
        }
        break;
    case FAULT_LATENCY:
        faults->exact = true;
        faults->exact_ns = spec->span_ns;
        break;
    case FAULT_LOST:
        faults->moved_bytes = 0;
        break;
    case FAULT_TORN:
        faults->torn = index;
        break;
    case FAULT_CORRUPT:
        faults->corrupt = index;
        break;
    case FAULT_MISDIRECT:
        faults->misdirected = true;
        faults->elsewhere = spec->bytes;
        break;
    case FAULT_STALE:
        faults->stale = true;
        break;
    case FAULT_FULL:
    case FAULT_CLAIM:
        break;
    }
}

static uint64_t scale_percent(uint64_t value, uint64_t percent)
{
    uint64_t whole = value / 100;

    if (percent > 0 && whole > UINT64_MAX / percent - 1) {
        return UINT64_MAX;
    }
    return whole * percent + value % 100 * percent / 100;
}

uint64_t fault_latency_ns(const struct request_faults *faults, uint64_t ns)
{
    if (faults->exact) {
        ns = faults->exact_ns;
    }
    if (faults->factor_percent > 0) {
        ns = scale_percent(ns, faults->factor_percent);
    }
    return ns > UINT64_MAX - faults->extra_ns ? UINT64_MAX : ns + faults->extra_ns;
}

/* The exclusive fault that is asked next after the one armed as the `armed`th, if there is one. */
static uint32_t next_exclusive(const struct block_layer *layer, uint64_t armed, uint32_t after)
{
    uint32_t next = PLAN_NONE;

    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault *fault = &layer->faults[i];
        bool is_later =
            after == PLAN_NONE || fault->armed > armed || (fault->armed == armed && i > after);

        if (layer->plan->faults[i].exclusive && is_later &&
            (next == PLAN_NONE || fault->armed < layer->faults[next].armed)) {
            next = i;
        }
    }
    return next;
}

/* The exclusive fault that hits it, or PLAN_NONE. */
static uint32_t hit_exclusively(const struct subject *subject)
{
    const struct block_layer *layer = subject->node->layer;
    uint32_t fault = next_exclusive(layer, 0, PLAN_NONE);

    while (fault != PLAN_NONE && !fault_hits(subject, fault)) {
        fault = next_exclusive(layer, layer->faults[fault].armed, fault);
    }
    return fault;
}

void fault_request(struct block_layer *layer, struct request *request)
{
    struct subject subject = subject_of(request);
    uint32_t taker;

    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault_spec *spec = &layer->plan->faults[i];

        if (spec->kind != FAULT_FULL && !spec->exclusive && fault_hits(&subject, i)) {
            add_fault(&request->faults, spec, (uint16_t)i);
            if (spec->applied == APPLIED_BY_CHOICE) {
                choose_extent(request, spec);
            }
        }
    }
    taker = hit_exclusively(&subject);
    if (taker != PLAN_NONE) {
        add_fault(&request->faults, &layer->plan->faults[taker], (uint16_t)taker);
    }
}

int fault_query(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes)
{
    const struct plan *plan = node->layer->plan;
    struct subject subject = {node, op, BY_JOB, offset, bytes, 0};
    uint32_t taker;
    int ret = 0;

    if (!(node->fault_ops >> op & 1)) {
        return 0;
    }
    taker = hit_exclusively(&subject);
    if (taker != PLAN_NONE) {
        return plan->faults[taker].error;
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].kind == FAULT_ERROR && !plan->faults[i].exclusive &&
            fault_hits(&subject, i) && ret == 0) {
            ret = plan->faults[i].error;
        }
    }
    return ret;
}

/* Who names no operation means requests, and no questions. */
static bool changes_time(const struct fault_spec *spec)
{
    return spec->match.ops != 0 && (spec->kind == FAULT_HANG || spec->kind == FAULT_HOLD ||
                                    spec->kind == FAULT_DELAY || spec->kind == FAULT_LATENCY);
}

void fault_question(struct block_node *node, enum op op, uint64_t offset, uint64_t bytes,
                    struct request_faults *faults)
{
    const struct plan *plan = node->layer->plan;
    struct subject subject = {node, op, BY_JOB, offset, bytes, 0};

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct fault_spec *spec = &plan->faults[i];

        if (changes_time(spec) && !spec->exclusive && fault_hits(&subject, i)) {
            add_fault(faults, spec, (uint16_t)i);
        }
    }
}

/* Cuts the answer to what the claim is about; false if that begins further on. */
static bool claim_begins(const struct request_match *match, uint64_t offset, uint64_t *bytes)
{
    if (!match->has_range) {
        return true;
    }
    if (offset < match->offset) {
        *bytes = match->offset - offset;
        return false;
    }
    *bytes = min_u64(*bytes, range_end(match->offset, match->bytes) - offset);
    return true;
}

bool fault_claims(struct block_node *node, enum op op, uint64_t offset, uint64_t *bytes,
                  enum fault_claim *claim)
{
    const struct block_layer *layer = node->layer;

    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault_spec *spec = &layer->plan->faults[i];

        if (spec->kind != FAULT_CLAIM ||
            !fault_is_armed(&layer->faults[i], layer->timeline->now_ns) ||
            !request_matches(&spec->match, node->id, op, BY_JOB, offset, *bytes) ||
            !claim_begins(&spec->match, offset, bytes)) {
            continue;
        }
        if (fault_hits(&(struct subject){node, op, BY_JOB, offset, *bytes, 0}, i)) {
            *claim = spec->claim;
            return true;
        }
    }
    return false;
}

int fault_full(struct request *request, uint64_t bytes)
{
    const struct block_node *node = request->node;
    const struct plan *plan = node->layer->plan;
    struct subject subject = subject_of(request);
    uint64_t total = image_allocated_bytes(node->disk.image) + bytes;

    if (bytes == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].kind == FAULT_FULL && total > plan->faults[i].bytes &&
            fault_hits(&subject, i)) {
            return -ENOSPC;
        }
    }
    return 0;
}

/*
 * Matches past the last hit do not change what the fault will do; nor do
 * further ones if it hits all that come.
 */
static uint64_t count_that_matters(const struct fault_spec *spec, const struct fault *fault)
{
    uint64_t last = max_u64(spec->nth, 1) - 1 + spec->times;

    return min_u64(fault->matched, last);
}

/* UINT64_MAX means never, and stays UINT64_MAX. */
static uint64_t span_until(uint64_t instant_ns, uint64_t now_ns)
{
    if (instant_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    return instant_ns > now_ns ? instant_ns - now_ns : 0;
}

void faults_digest(const struct block_layer *layer, struct digest *digest)
{
    uint64_t now_ns = layer->timeline->now_ns;

    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault_spec *spec = &layer->plan->faults[i];
        const struct fault *fault = &layer->faults[i];

        digest_u64(digest, fault_is_armed(fault, now_ns));
        digest_u64(digest, span_until(fault->from_ns, now_ns));
        digest_u64(digest, span_until(fault->until_ns, now_ns));
        digest_u64(digest, count_that_matters(spec, fault));
        digest_u64(digest, min_u64(fault->hits, fault->most_hits));
        if (spec->exclusive) {
            digest_u64(digest, fault->armed);
        }
        if (fault->bad != NULL) {
            image_digest(fault->bad, &layer->writers, digest);
        }
    }
}

void faults_check(const struct block_layer *layer)
{
    for (uint32_t i = 0; i < layer->plan->fault_count; i++) {
        const struct fault_spec *spec = &layer->plan->faults[i];
        const struct fault *fault = &layer->faults[i];

        assert(fault->most_hits > 0);
        assert(fault->site == NULL || spec->probability_ppm > 0);
    }
}
