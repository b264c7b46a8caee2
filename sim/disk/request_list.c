/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests that are not finished: releasing, showing and digesting them.
 */
#include "sim/disk/request_list.h"

#include "sim/disk/buffer.h"
#include "sim/disk/layer.h"

/* ---- Holds ---- */

void requests_release(struct block_layer *layer, uint32_t fault)
{
    struct request *request;

    TAILQ_FOREACH (request, &layer->requests, link) {
        struct request_faults *faults = &request->faults;
        bool stopped = (request->state == REQUEST_HELD && faults->hold == fault) ||
                       (request->state == REQUEST_HUNG && faults->hang == fault);

        faults->hold = faults->hold == fault ? FAULT_NONE : faults->hold;
        faults->hang = faults->hang == fault ? FAULT_NONE : faults->hang;
        if (stopped) {
            request_emit(request, EVENT_RELEASED, (uint16_t)fault);
            request_resume(request);
        }
    }
}

bool requests_held_by(const struct block_layer *layer, uint32_t fault)
{
    const struct request *request;

    TAILQ_FOREACH (request, &layer->requests, link) {
        if (request->state == REQUEST_HELD && request->faults.hold == fault) {
            return true;
        }
    }
    return false;
}

/* ---- Looking at them ---- */

static const char *const state_names[] = {
    [REQUEST_QUEUED] = "queued", [REQUEST_WAITING] = "waiting", [REQUEST_SERVED] = "served",
    [REQUEST_HELD] = "held",     [REQUEST_HUNG] = "hung",
};

const char *request_state_name(enum request_state state)
{
    return state_names[state];
}

/* What is finished and would be made durable, counted from the present. */
static uint64_t flush_age(const struct request *request)
{
    return request->op == OP_FLUSH ? request->node->cache_stamp - request->flush_stamp : 0;
}

static void request_digest(const struct request *request, struct digest *digest)
{
    const struct request_faults *faults = &request->faults;

    digest_u64(digest, request->node->id);
    digest_u64(digest, request->op);
    digest_u64(digest, request->by);
    digest_u64(digest, request->plan_number);
    digest_u64(digest, request->offset);
    digest_u64(digest, request->bytes);
    digest_u64(digest, request->state);
    digest_u64(digest, request->moved);
    digest_u64(digest, (uint64_t)(int64_t)request->ret);
    digest_u64(digest, (uint64_t)(int64_t)faults->error);
    digest_u64(digest, faults->moved_bytes);
    digest_u64(digest, faults->misdirected ? faults->elsewhere : request->offset);
    digest_u64(digest, faults->corrupt);
    digest_u64(digest, faults->hold);
    digest_u64(digest, faults->hang);
    if (request->iov.buffers != NULL && (request->effect.begun || request->op == OP_WRITE)) {
        buffers_digest(request->iov, digest);
    }
    digest_u64(digest, flush_age(request));
    effect_digest(request, digest);
    timeline_digest_pending(request->node->layer->timeline, &request->pending, digest);
}

/*
 * Requests wait in line in the order of the list, which is that of their
 * creation; of the others, only which there are counts.
 */
void requests_digest(const struct block_layer *layer, struct digest *digest)
{
    const struct request *request;
    uint64_t others = 0;

    TAILQ_FOREACH (request, &layer->requests, link) {
        struct digest own;

        digest_init(&own);
        request_digest(request, &own);
        if (request->state == REQUEST_QUEUED || request->state == REQUEST_WAITING) {
            digest_u64(digest, digest_value(&own));
        } else {
            others += digest_value(&own);
        }
    }
    digest_u64(digest, others);
}
