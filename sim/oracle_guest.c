/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "guest": the guest's disk is one disk, whatever is behind it.
 *
 * The trace says at which instant each guest write took effect, and on what
 * part of its range.  Applied to a model in that order, they say exactly what
 * each guest read must return: the latest write that was acknowledged, or one
 * concurrent with the read.  A pivot changes nothing about the model, except
 * where the job has promised nothing: there the content becomes unknown.
 *
 * Requests of the guest go to its disk of the moment, and none is lost.
 */
#include <inttypes.h>

#include "sim/oracles.h"
#include "sim/outstanding.h"
#include "sim/phrase.h"
#include "sim/promise.h"
#include "sim/verdict.h"

struct guest {
    uint32_t disk; /* of the guest, now */
    bool job_started;
    bool power_cut;      /* what the disks hold is anybody's guess */
    struct image *model; /* what the guest's disk reads; a hole is unknown */
    struct promise promise;
    struct outstanding_list requests;
};

static void guest_open(void *state, struct evidence *evidence)
{
    struct guest *guest = state;
    uint64_t end;
    struct view view;

    guest->disk = evidence->plan->job.source;
    guest->promise.everything = true;
    guest->model = image_create(evidence->arena);
    evidence_view(evidence, guest->disk, &view);
    end = evidence->disks[guest->disk]->bytes / SECTOR_BYTES;
    for (uint64_t sector = 0; sector < end;) {
        struct run run = view_lookup(&view, sector, end);

        image_write(guest->model, run);
        sector += run.sectors;
    }
}

/* ---- Where requests go ---- */

static void judge_node(const struct guest *guest, struct evidence *evidence,
                       const struct event *event)
{
    if (event->node != guest->disk) {
        verdict_add(evidence, "guest", "wrong-disk",
                    "Guest %s #%" PRIu32 " went to %s at %s, but the guest's disk is %s.",
                    op_name((enum op)event->op), event->request, phrase_disk(evidence, event->node),
                    phrase_time(evidence->now_ns).text, phrase_disk(evidence, guest->disk));
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    if (event->kind == EVENT_REQUEST_SUBMIT) {
        judge_node(guest, evidence, event);
    }
    if (outstanding_find(&guest->requests, event->request) == NULL) {
        outstanding_add(&guest->requests, evidence->arena, event);
    }
}

/* What the job has not promised to copy is unknown from now on. */
static void forget_unpromised(struct guest *guest, uint64_t end)
{
    for (uint64_t at = 0; at < end;) {
        uint64_t promised = at;
        uint64_t bytes = promise_next(&guest->promise, &promised, end);

        image_punch(guest->model, at, promised - at);
        at = promised + bytes;
    }
}

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    if (event->index == guest->disk) {
        forget_unpromised(guest, evidence->disks[guest->disk]->bytes);
        guest->disk = event->node;
    }
}

/* ---- What they read and write ---- */

static bool op_changes(uint8_t op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

static void report_read(struct evidence *evidence, const struct event *event, uint64_t sector,
                        uint64_t is, uint64_t should_be)
{
    struct finding *finding = verdict_add(
        evidence, "guest", "wrong-data",
        "Guest read #%" PRIu32 " got %s at %s of %s at %s, but the latest there is %s.",
        event->request, phrase_tag(evidence, is, sector).text, phrase_sector(sector).text,
        phrase_disk(evidence, event->node), phrase_time(evidence->now_ns).text,
        phrase_tag(evidence, should_be, sector).text);

    if (finding != NULL) {
        finding->has_sector = true;
        finding->disk = event->node;
        finding->sector = sector;
    }
}

/* Compares one run that was read with the model; false after a difference. */
static bool judge_run(const struct guest *guest, struct evidence *evidence,
                      const struct event *event, struct run run)
{
    uint64_t end = run.sector + run.sectors;

    for (uint64_t sector = run.sector; sector < end;) {
        uint64_t tag = run.tag + (sector - run.sector) * run.step;
        struct run model;

        if (image_lookup(guest->model, sector, end, &model) && model.tag != tag) {
            report_read(evidence, event, sector, tag, model.tag);
            return false;
        }
        /* Equal tags go on equally (image.h). */
        sector += model.sectors;
    }
    return true;
}

static void judge_read(const struct guest *guest, struct evidence *evidence,
                       const struct event *event)
{
    if (guest->power_cut) {
        return;
    }
    verdict_checked(evidence);
    for (uint32_t i = 0; i < evidence->read_run_count; i++) {
        if (!judge_run(guest, evidence, event, evidence->read_runs[i])) {
            return;
        }
    }
}

/* The request writes a part of its range. */
static void apply_write(struct guest *guest, const struct outstanding *request, uint64_t offset,
                        uint64_t bytes)
{
    struct run run = {offset / SECTOR_BYTES, bytes / SECTOR_BYTES, TAG_ZERO, 0};

    if (request->op == OP_WRITE) {
        run.tag = tag_guest(request->number, (offset - request->offset) / SECTOR_BYTES);
        run.step = 1;
    }
    image_write(guest->model, run);
}

/*
 * What a write changes elsewhere is no part of the guest's disk as the guest
 * knows it: a device that does so lies.
 */
static void write_took_effect(struct guest *guest, const struct event *event)
{
    struct outstanding *request = outstanding_find(&guest->requests, event->request);
    uint64_t first = max_u64(event->offset, request->offset);
    uint64_t end =
        min_u64(range_end(event->offset, event->bytes), range_end(request->offset, request->bytes));

    if (first < end) {
        apply_write(guest, request, first, end - first);
        request->moved += end - first;
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    if (event->node != guest->disk) {
        verdict_add(evidence, "guest", "left-behind",
                    "Guest %s #%" PRIu32 " took effect on %s at %s, after the guest had been "
                    "switched to %s.",
                    op_name((enum op)event->op), event->request, phrase_disk(evidence, event->node),
                    phrase_time(evidence->now_ns).text, phrase_disk(evidence, guest->disk));
    }
    if (event->op == OP_READ) {
        judge_read(guest, evidence, event);
    } else if (op_changes(event->op)) {
        write_took_effect(guest, event);
        if (guest->job_started && event_changes_source(evidence, event)) {
            promise_add(&guest->promise, event->offset, event->bytes);
        }
    }
}

/* ---- Whether they end ---- */

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;
    struct outstanding *request = outstanding_find(&guest->requests, event->request);

    (void)evidence;
    /* What is acknowledged is written, whatever the device has really done. */
    if (op_changes(event->op) && event->ret == 0 && request->moved < request->bytes) {
        apply_write(guest, request, request->offset, request->bytes);
    }
    outstanding_remove(&guest->requests, event->request);
}

static void set_stopped(struct guest *guest, const struct event *event, bool stopped)
{
    struct outstanding *request = outstanding_find(&guest->requests, event->request);

    if (request != NULL) {
        request->stopped = stopped;
    }
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    if (evidence->plan->faults[event->index].kind == FAULT_HANG) {
        set_stopped(state, event, true);
    }
}

static void held_or_released(void *state, struct evidence *evidence, const struct event *event)
{
    (void)evidence;
    set_stopped(state, event, event->kind == EVENT_HELD);
}

/* A request that a fault keeps for good may keep others behind it, too. */
static bool is_any_stopped(const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->requests.count; i++) {
        if (guest->requests.requests[i].stopped) {
            return true;
        }
    }
    return false;
}

static void guest_close(void *state, struct evidence *evidence)
{
    const struct guest *guest = state;
    const struct outstanding *lost = guest->requests.requests;

    if (evidence->end != END_CONCLUDED || is_any_stopped(guest)) {
        return;
    }
    if (guest->requests.count > 0) {
        verdict_add(evidence, "guest", "lost-request",
                    "Guest %s #%" PRIu32 " of %s never ended, though nothing holds it and the "
                    "run is over (%" PRIu32 " requests in all).",
                    op_name((enum op)lost->op), lost->number,
                    phrase_range(lost->offset, lost->bytes).text, guest->requests.count);
    }
}

/* ---- The rest ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)event;
    guest->job_started = true;
    promise_begin(&guest->promise, evidence);
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)evidence;
    (void)event;
    guest->power_cut = true;
}

static void guest_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct guest *guest = state;

    digest_u64(digest, guest->disk);
    digest_u64(digest, (uint64_t)guest->job_started | (uint64_t)guest->power_cut << 1);
    image_digest(guest->model, evidence->writers, digest);
    promise_digest(&guest->promise, evidence, digest);
}

const struct oracle oracle_guest = {
    .name = "guest",
    .proves = "Each guest read returns the latest write, before and after the pivot, and no "
              "guest request is lost.",
    .state_bytes = sizeof(struct guest),
    .requests_by = BY_GUEST,
    .on =
        {
            [EVENT_REQUEST_QUEUED] = submitted,
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = hit,
            [EVENT_HELD] = held_or_released,
            [EVENT_RELEASED] = held_or_released,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
        },
    .open = guest_open,
    .close = guest_close,
    .digest = guest_digest,
};
