/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follows what the job owes for one sector, to find the event that lost it.
 *
 * As long as source and target differ, one of these must hold: the sector's dirty bit is
 * set; a guest write is in flight that will set it; a copy is in flight that has not read
 * the sector yet, or has read what the source holds now. The event after which none of
 * them holds is the one that went wrong.
 *
 * Declared in tools/explain/private.h: only the chain of a sector follows one.
 */
#include <string.h>

#include "tools/explain/private.h"

bool follow_covers(const struct follow *follow, const struct event *event)
{
    uint64_t offset = follow->sector * SECTOR_BYTES;

    return offset >= event->offset && offset - event->offset < event->bytes;
}

static struct copy *copy_of(struct follow *follow, uint32_t request)
{
    for (uint32_t i = 0; i < follow->copy_count; i++) {
        struct copy *copy = &follow->copies[i];

        if (copy->write == request || (copy->write == 0 && copy->read == request)) {
            return copy;
        }
    }
    return NULL;
}

static void forget_copy(struct follow *follow, struct copy *copy)
{
    uint32_t index = (uint32_t)(copy - follow->copies);

    memmove(copy, copy + 1, (follow->copy_count - index - 1) * sizeof(*copy));
    follow->copy_count--;
}

static void add_copy(struct follow *follow, struct copy copy)
{
    if (follow->copy_count < MAX_COPIES) {
        follow->copies[follow->copy_count++] = copy;
    }
}

/*
 * The write of a copy starts in the event that ends its read, so it belongs to
 * the oldest copy that has been read and has no write.
 */
static void write_submitted(struct follow *follow, const struct event *event)
{
    if (event->op == OP_WRITE) {
        for (uint32_t i = 0; i < follow->copy_count; i++) {
            struct copy *copy = &follow->copies[i];

            if (copy->write == 0 && copy->taken) {
                copy->write = event->request;
                return;
            }
        }
    }
    add_copy(follow, (struct copy){.write = event->request,
                                   .taken = true,
                                   .tag = event->op == OP_WRITE ? follow->source_tag : TAG_ZERO,
                                   .taken_ns = event->now_ns});
}

static void job_request(struct follow *follow, const struct event *event)
{
    struct copy *copy = copy_of(follow, event->request);
    bool reads = event->op == OP_READ && event->node == follow->source;
    bool writes = event->node == follow->target && event->op != OP_READ;

    if (event->kind == EVENT_REQUEST_SUBMIT && reads) {
        add_copy(follow, (struct copy){.read = event->request});
    } else if (event->kind == EVENT_REQUEST_SUBMIT && writes && event->op != OP_STATUS) {
        write_submitted(follow, event);
    } else if (event->kind == EVENT_REQUEST_EFFECT && reads && copy != NULL) {
        copy->taken = true;
        copy->tag = follow->source_before;
        copy->taken_ns = event->now_ns;
    } else if (event->kind == EVENT_REQUEST_DONE && copy != NULL) {
        if (event->ret != 0 || writes) {
            follow->wrong.copy = follow->wrong.kind == WRONG_NOT ? *copy : follow->wrong.copy;
            forget_copy(follow, copy);
        }
    }
}

static void dirty_event(struct follow *follow, const struct event *event)
{
    bool is_ours = event->node == follow->source && event->index == follow->bitmap;

    if (event->kind == EVENT_DIRTY_CREATE && event->node == follow->source && event->by == BY_JOB) {
        follow->tracked = true;
        follow->bitmap = event->index;
        follow->dirty = false;
    } else if (event->kind == EVENT_DIRTY_RELEASE && is_ours) {
        follow->tracked = false;
        follow->dirty = false;
    } else if (event->kind == EVENT_DIRTY_SET && is_ours && follow_covers(follow, event)) {
        follow->dirty = true;
        follow->was_marked = true;
        follow->set_ns = event->now_ns;
    } else if (event->kind == EVENT_DIRTY_CLEAR && is_ours && follow_covers(follow, event)) {
        follow->dirty = false;
        follow->was_cleared = true;
        follow->cleared_ns = event->now_ns;
    }
}

static void effect(struct follow *follow, const struct event *event)
{
    if (event->op == OP_READ || !follow_covers(follow, event)) {
        return;
    }
    if (event->by == BY_GUEST && event->node == follow->source) {
        follow->changed_by = event->request;
        follow->changed_ns = event->now_ns;
    }
    if (event->node == follow->target) {
        follow->earlier_by = follow->written_by;
        follow->earlier_ns = follow->written_ns;
        follow->written_by = event->request;
        follow->written_ns = event->now_ns;
    }
}

/* Counts guest writes in flight: they mark the chunk when they are done, at the latest. */
static void guest_request(struct follow *follow, const struct event *event)
{
    if (event->node != follow->source || event->op == OP_READ || event->op == OP_FLUSH) {
        return;
    }
    follow->guest_in_flight += event->kind == EVENT_REQUEST_SUBMIT;
    follow->guest_in_flight -= event->kind == EVENT_REQUEST_DONE && follow->guest_in_flight > 0;
}

void follow_event(struct follow *follow, const struct event *event)
{
    bool is_flush = event->op == OP_FLUSH;

    if (event->request > 0 && event->by == BY_GUEST && follow_covers(follow, event)) {
        guest_request(follow, event);
    }

    if (event->request > 0 && event->by == BY_JOB && !is_flush && follow_covers(follow, event)) {
        job_request(follow, event);
    }
    if (event->kind == EVENT_REQUEST_EFFECT) {
        effect(follow, event);
    }
    if (event->kind == EVENT_REQUEST_DONE && is_flush && event->node == follow->target &&
        event->ret == 0) {
        follow->was_flushed = true;
        follow->flushed_ns = event->now_ns;
    }
    follow->started |= event->kind == EVENT_JOB_STARTED;
    follow->ready |= event->kind == EVENT_JOB_READY;
    follow->pivoted |= event->kind == EVENT_GRAPH_PIVOT;
    if (event->kind == EVENT_JOB_COMPLETED || event->kind == EVENT_JOB_CANCELLED) {
        follow->ended = true;
        follow->failed = event->kind == EVENT_JOB_CANCELLED || event->ret != 0;
    }
    dirty_event(follow, event);
}

static bool is_covered(const struct follow *follow)
{
    if (follow->source_tag == follow->target_tag || follow->dirty ||
        (follow->tracked && follow->guest_in_flight > 0)) {
        return true;
    }
    for (uint32_t i = 0; i < follow->copy_count; i++) {
        if (!follow->copies[i].taken || follow->copies[i].tag == follow->source_tag) {
            return true;
        }
    }
    return false;
}

/* How an event of the trace can be to blame for a sector that is not owed any more. */
static enum wrong_kind blame(const struct follow *follow, const struct event *event)
{
    bool by_job = event->by == BY_JOB;
    bool is_guest_write = event->by == BY_GUEST && event->node == follow->source;

    switch (event->kind) {
    case EVENT_REQUEST_EFFECT:
        if (event->op == OP_READ || !follow_covers(follow, event)) {
            return WRONG_NOT;
        }
        if (by_job && event->node == follow->target) {
            return WRONG_OLD_OVER_NEW;
        }
        if (is_guest_write) {
            return follow->tracked ? WRONG_UNMARKED : WRONG_UNWATCHED;
        }
        return event->node == follow->target ? WRONG_TARGET : WRONG_NOT;
    case EVENT_REQUEST_DONE:
        if (!follow_covers(follow, event)) {
            return WRONG_NOT;
        }
        if (is_guest_write && event->op != OP_READ) {
            return WRONG_UNMARKED;
        }
        if (!by_job) {
            return WRONG_NOT;
        }
        return event->ret != 0                                           ? WRONG_FAILED
               : event->node == follow->target && event->op != OP_STATUS ? WRONG_NOT_WRITTEN
                                                                         : WRONG_NOT;
    case EVENT_DIRTY_CLEAR:
        return follow_covers(follow, event) ? WRONG_CLEARED : WRONG_NOT;
    case EVENT_DIRTY_RELEASE:
        return event->node == follow->source ? WRONG_BITMAP_GONE : WRONG_NOT;
    case EVENT_POWER_CUT:
        return WRONG_TARGET;
    case EVENT_JOB_COMPLETED:
        return event->ret == 0 ? WRONG_ENDED : WRONG_NOT;
    default:
        return WRONG_NOT;
    }
}

/* Notes the copy that went wrong: the event's own, if it is still in flight, or else the latest. */
static void note_copy(struct follow *follow)
{
    const struct copy *copy = NULL;

    if (follow->wrong.request > 0) {
        copy = copy_of(follow, follow->wrong.request);
    } else if (follow->copy_count > 0) {
        copy = &follow->copies[follow->copy_count - 1];
    }
    if (copy != NULL) {
        follow->wrong.copy = *copy;
    }
}

/*
 * If several events of one timeline event are to blame, the first is the cause,
 * except that a failure counts more than an effect before it.
 */
static void find_wrong(struct follow *follow, uint64_t first)
{
    const struct trace *trace = &follow->run->trace;

    for (uint64_t i = first; i < trace->count; i++) {
        const struct event *event = &trace->events[i];
        enum wrong_kind wrong = blame(follow, event);

        if (wrong != WRONG_NOT && (follow->wrong.kind == WRONG_NOT || wrong == WRONG_FAILED)) {
            follow->wrong = (struct wrong){
                .kind = wrong,
                .ns = event->now_ns,
                .request = event->request,
                .copy = follow->wrong.copy,
                .earlier_by = follow->target_before == follow->source_tag ? follow->earlier_by : 0,
                .earlier_ns = follow->earlier_ns,
                .guest = follow->guest_in_flight > 0,
                .read = follow->copy_count > 0};
            note_copy(follow);
        }
    }
}

/*
 * Nothing is owed before the job has marked what it has to copy, after the guest has moved to
 * the target, or if the job ended without success.
 */
void follow_judge(struct follow *follow, uint64_t first)
{
    if (follow->closed) {
        return;
    }
    follow->closed = follow->pivoted || follow->ended;
    if (follow->failed || is_covered(follow)) {
        follow->wrong.kind = WRONG_NOT;
    } else if (follow->wrong.kind == WRONG_NOT && follow->was_marked) {
        find_wrong(follow, first);
    }
}
