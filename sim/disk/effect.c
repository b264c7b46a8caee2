/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects: instants by sector, and the pieces that move at each.
 */
#include "sim/disk/effect.h"

#include <assert.h>
#include <errno.h>

#include "sim/disk/data.h"
#include "sim/disk/layer.h"
#include "sim/disk/request.h"

/* The quarters of a service begin at places 0 to 3. */
#define PLACE_END EFFECT_QUARTERS
#define EFFECT_PLACES (PLACE_END + 1)
#define PLACE_NEVER UINT8_MAX

static uint64_t sector_count(const struct request *request)
{
    return request->bytes / SECTOR_BYTES;
}

/* ---- When ---- */

static struct choice_site *effect_site(struct block_node *node)
{
    struct block_layer *layer = node->layer;

    if (node->effect_site == NULL) {
        node->effect_site =
            choices_site(layer->choices, arena_printf(layer->arena, "effect %s", node->spec->name));
    }
    return node->effect_site;
}

/* Answer 0 is the end of the service. */
static uint8_t choose_place(struct block_node *node)
{
    uint32_t answer = choose(node->layer->choices, effect_site(node), EFFECT_PLACES);

    return answer == 0 ? PLACE_END : (uint8_t)(answer - 1);
}

static enum effect_policy policy_of(const struct request *request)
{
    const struct disk_spec *spec = request->node->spec;
    bool modern = request->node->layer->plan->generation == GENERATION_MODERN;

    return request->op == OP_READ && modern ? spec->read_effect : spec->effect;
}

static bool by_sector(const struct request *request)
{
    return request->op != OP_FLUSH && request->bytes > 0 &&
           (policy_of(request) == EFFECT_BY_SECTOR || request->faults.torn != FAULT_NONE);
}

static uint8_t place_of_all(struct request *request)
{
    if (request->op == OP_FLUSH) {
        return PLACE_END;
    }
    switch (policy_of(request)) {
    case EFFECT_AT_START:
        return 0;
    case EFFECT_BY_CHOICE:
        return choose_place(request->node);
    case EFFECT_AT_COMPLETE:
    case EFFECT_BY_SECTOR:
        break;
    }
    return PLACE_END;
}

/* Does a piece that nothing tears begin with this sector of the request? */
static bool begins_piece(const struct request *request, uint64_t i)
{
    return i == 0 || (request->offset + i * SECTOR_BYTES) % node_atomic_bytes(request->node) == 0;
}

/* Every other piece stays as it was; an answer of 1 inverts this for its piece. */
static void tear(struct request *request)
{
    struct block_layer *layer = request->node->layer;
    const char *name = layer->plan->faults[request->faults.torn].name;
    struct choice_site *site =
        choices_site(layer->choices, arena_printf(layer->arena, "torn %s", name));

    uint64_t piece = 0;
    bool stays = false;

    for (uint64_t i = 0; i < sector_count(request); i++) {
        if (begins_piece(request, i)) {
            stays = (piece++ + choose(layer->choices, site, 2)) % 2 != 0;
        }
        if (stays) {
            request->effect.places[i] = PLACE_NEVER;
        }
    }
}

static void choose_places(struct request *request)
{
    struct effect *effect = &request->effect;
    uint8_t place = place_of_all(request);

    effect->places = arena_alloc(request->node->layer->arena, sector_count(request));
    for (uint64_t i = 0; i < sector_count(request); i++) {
        if (policy_of(request) == EFFECT_BY_SECTOR && begins_piece(request, i)) {
            place = choose_place(request->node);
        }
        effect->places[i] = place;
    }
    if (request->faults.torn != FAULT_NONE) {
        tear(request);
    }
}

/* The first instant, from `place` on, at which a sector moves; PLACE_END at the latest. */
static uint8_t next_place(const struct request *request, uint8_t place)
{
    const struct effect *effect = &request->effect;
    uint8_t next = PLACE_END;

    for (uint64_t i = 0; i < sector_count(request); i++) {
        if (effect->places[i] >= place && effect->places[i] < next) {
            next = effect->places[i];
        }
    }
    return next;
}

/* The instant of the next effect, from the start of the service. */
static uint64_t place_ns(const struct effect *effect)
{
    return effect->next == PLACE_END ? effect->service_ns
                                     : effect->service_ns / PLACE_END * effect->next;
}

uint64_t effect_begin(struct request *request, uint64_t service_ns)
{
    struct effect *effect = &request->effect;

    assert(!effect->begun && effect->places == NULL);
    effect->start_ns = request->node->layer->timeline->now_ns;
    effect->service_ns = service_ns;
    if (by_sector(request)) {
        choose_places(request);
        effect->next = next_place(request, 0);
    } else {
        effect->next = place_of_all(request);
    }
    return place_ns(effect);
}

bool effect_is_sample(const struct request *request)
{
    return request->op == OP_READ && request->effect.places == NULL && request->effect.next == 0 &&
           request->node->layer->plan->generation == GENERATION_MODERN;
}

void effect_hurry(struct request *request)
{
    request->effect.service_ns = 0;
}

/* ---- The result ---- */

static bool within_limits(const struct request *request)
{
    const struct disk_spec *spec = request->node->spec;

    return !op_transfers(request->op) ||
           ((spec->max_transfer == 0 || request->bytes <= spec->max_transfer) &&
            (spec->max_segments == 0 || request->iov.count <= spec->max_segments));
}

static bool within_disk(const struct request *request)
{
    uint64_t length = request->node->disk.bytes;

    return request->offset <= length && request->bytes <= length - request->offset;
}

static int refusal(struct request *request)
{
    if (!within_limits(request)) {
        return -EINVAL;
    }
    if (!within_disk(request)) {
        return -EIO;
    }
    if (op_writes(request->op) && request->node->fault_ops >> request->op & 1) {
        return fault_full(request, data_new_bytes(request));
    }
    return 0;
}

/* Chooses the sector of the request that is corrupted. */
static void choose_victim(struct request *request)
{
    struct block_layer *layer = request->node->layer;
    const char *name = layer->plan->faults[request->faults.corrupt].name;
    struct choice_site *site =
        choices_site(layer->choices, arena_printf(layer->arena, "corrupt %s", name));
    uint32_t bound = (uint32_t)min_u64(max_u64(sector_count(request), 1), UINT32_MAX);

    request->effect.victim = request->offset / SECTOR_BYTES + choose(layer->choices, site, bound);
}

/*
 * The result is known from here on, and with it how much may move.
 *
 * The disk's refusal is decided first, also when a fault's error will replace
 * it: a fault that fills the disk counts its matches there.  The error then
 * becomes the result; what the refusal keeps from moving does not move.
 */
static void decide(struct request *request)
{
    struct request_faults *faults = &request->faults;

    request->effect.begun = true;
    request->ret = refusal(request);
    if (request->ret < 0) {
        faults->moved_bytes = 0;
    }
    if (faults->error != 0) {
        request->ret = faults->error;
        faults->moved_bytes = op_writes(request->op) ? faults->moved_bytes : 0;
    }
    if (faults->corrupt != FAULT_NONE) {
        choose_victim(request);
    }
}

/* ---- What moves ---- */

static uint64_t moved_bytes(const struct request *request)
{
    return align_down(min_u64(request->bytes, request->faults.moved_bytes), SECTOR_BYTES);
}

/* Moves the sectors whose instant it is, adjacent ones in one piece. */
static void move_due(struct request *request)
{
    const struct effect *effect = &request->effect;
    uint64_t end = moved_bytes(request) / SECTOR_BYTES;

    for (uint64_t i = 0; i < end;) {
        uint64_t first = i;

        while (i < end && effect->places[i] == effect->next) {
            i++;
        }
        if (i > first) {
            data_move(request, request->offset + first * SECTOR_BYTES, (i - first) * SECTOR_BYTES);
        } else {
            i++;
        }
    }
}

bool effect_take(struct request *request, uint64_t *delay_ns)
{
    struct effect *effect = &request->effect;
    uint64_t now_ns = request->node->layer->timeline->now_ns;

    if (!effect->begun) {
        decide(request);
    }
    if (effect->places == NULL) {
        if (moved_bytes(request) > 0) {
            data_move(request, request->offset, moved_bytes(request));
        }
        return false;
    }
    /* After effect_hurry() several instants can be due at once; they keep their order. */
    for (;;) {
        move_due(request);
        if (effect->next == PLACE_END) {
            return false;
        }
        effect->next = next_place(request, effect->next + 1);
        if (effect->start_ns + place_ns(effect) > now_ns) {
            *delay_ns = effect->start_ns + place_ns(effect) - now_ns;
            return true;
        }
    }
}

void effect_release(struct request *request)
{
    if (request->effect.places != NULL) {
        arena_free(request->node->layer->arena, request->effect.places, sector_count(request));
    }
}

void effect_digest(const struct request *request, struct digest *digest)
{
    const struct effect *effect = &request->effect;

    digest_u64(digest, effect->next);
    digest_u64(digest, effect->begun);
    if (effect->places == NULL) {
        return;
    }
    for (uint64_t i = 0; i < sector_count(request); i++) {
        digest_u64(digest, effect->places[i]);
    }
}
