/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's model of its disk: an image that its own requests change.
 */
#include "sim/model/guest.h"

#include <stddef.h>
#include <string.h>

#include "engine/range.h"
#include "sim/content/content.h"
#include "sim/model/owed.h"

void guest_model_open(struct guest_model *guest, const struct evidence *evidence)
{
    struct view view;

    guest->disk = evidence->plan->job.source;
    guest->promise.everything = true;
    guest->has_answers = evidence->plan->generation == GENERATION_MODERN;
    guest->content = image_create(evidence->arena);
    evidence_view(evidence, guest->disk, &view);
    view_copy(&view, evidence->disks[guest->disk]->bytes, guest->content);
}

/* ---- Requests ---- */

void guest_model_submitted(struct guest_model *guest, const struct evidence *evidence,
                           const struct event *event)
{
    if (outstanding_find(&guest->requests, event->request) == NULL) {
        outstanding_add(&guest->requests, evidence->arena, event);
    }
}

/* The request writes a part of its range. */
static void apply_write(struct guest_model *guest, const struct outstanding *request,
                        uint64_t offset, uint64_t bytes)
{
    struct run run = {offset / SECTOR_BYTES, bytes / SECTOR_BYTES, TAG_ZERO, 0, false};

    if (request->op == OP_WRITE) {
        run.tag = tag_guest(request->number, (offset - request->offset) / SECTOR_BYTES);
        run.step = 1;
    }
    image_write(guest->content, run);
}

/*
 * What a write changes outside its own range is left out: the guest cannot know
 * of it, and a device that does so lies.
 */
void guest_model_changed(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event)
{
    struct outstanding *request = outstanding_find(&guest->requests, event->request);
    uint64_t offset;
    uint64_t bytes = outstanding_take_effect(request, event, &offset);

    if (bytes > 0) {
        apply_write(guest, request, offset, bytes);
    }
    if (guest->job_started && event_changes_source(evidence, event)) {
        promise_add(&guest->promise, event->offset, event->bytes);
    }
}

void guest_model_done(struct guest_model *guest, const struct event *event)
{
    const struct outstanding *request = outstanding_find(&guest->requests, event->request);

    if (op_is_change(event->op) && event->ret == 0 && request->moved < request->bytes) {
        apply_write(guest, request, request->offset, request->bytes);
    }
    if (!guest->has_answers) {
        outstanding_remove(&guest->requests, event->request);
    }
}

void guest_model_answered(struct guest_model *guest, const struct event *event)
{
    outstanding_remove(&guest->requests, event->request);
}

/* ---- The job ---- */

void guest_model_job_started(struct guest_model *guest, const struct evidence *evidence)
{
    guest->job_started = true;
    promise_begin(&guest->promise, evidence);
}

/*
 * Whoever has the job leave the target's backing closed opens it later (C6'): until then the guest
 * reads zeroes where the target itself holds nothing.
 */
static void forget_hidden(struct guest_model *guest, const struct disk_state *target)
{
    uint64_t end = target->bytes / SECTOR_BYTES;

    for (uint64_t sector = 0; sector < end;) {
        struct run run;

        if (!image_lookup(target->image, sector, end, &run)) {
            image_punch(guest->content, sector * SECTOR_BYTES, run.sectors * SECTOR_BYTES);
        }
        sector += run.sectors;
    }
}

void guest_model_pivoted(struct guest_model *guest, const struct evidence *evidence,
                         const struct event *event)
{
    if (event->index == guest->disk) {
        promise_forget_rest(&guest->promise, guest->content, evidence->disks[guest->disk]->bytes);
        if (guest->has_answers && event->node == evidence->plan->job.target &&
            promise_hides_backing(evidence)) {
            forget_hidden(guest, evidence->disks[event->node]);
        }
        guest->disk = event->node;
    }
}

/* ---- Comparing ---- */

bool guest_model_agrees(const struct guest_model *guest, struct run run, uint64_t *sector,
                        uint64_t *should_be)
{
    uint64_t end = run.sector + run.sectors;

    for (uint64_t at = run.sector; at < end;) {
        uint64_t tag = run.tag + (at - run.sector) * run.step;
        struct run model;

        if (image_lookup(guest->content, at, end, &model) && model.tag != tag) {
            *sector = at;
            *should_be = model.tag;
            return false;
        }
        /* If the first tags are equal, all tags of the two runs are (image.h). */
        at += model.sectors;
    }
    return true;
}

bool guest_model_agrees_bytes(const struct guest_model *guest, const uint8_t *data,
                              uint64_t sectors, uint64_t *sector, uint64_t *should_be)
{
    for (uint64_t i = 0; i < sectors; i++, ++*sector) {
        uint8_t expected[SECTOR_BYTES];
        struct run model;

        if (!image_lookup(guest->content, *sector, *sector + 1, &model)) {
            continue;
        }
        content_expand(model.tag, expected);
        if (memcmp(data + i * SECTOR_BYTES, expected, SECTOR_BYTES) != 0) {
            *should_be = model.tag;
            return false;
        }
    }
    return true;
}

void guest_model_digest(const struct guest_model *guest, const struct evidence *evidence,
                        struct digest *digest)
{
    digest_u64(digest, guest->disk);
    digest_u64(digest, guest->job_started);
    image_digest(guest->content, evidence->writers, digest);
    promise_digest(&guest->promise, evidence, digest);
}

void guest_model_check(const struct guest_model *guest)
{
    image_check(guest->content);
    promise_check(&guest->promise);
    outstanding_check(&guest->requests);
}
