/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lies: compares each suspect's ranges with what they must hold.
 */
#include "sim/model/lies.h"

#include "engine/range.h"
#include "sim/model/owed.h"
#include "sim/model/promise.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

#define MAX_RANGES 2

void lies_open(struct lies *lies, const struct evidence *evidence)
{
    lies->possible = plan_has_silent_fault(evidence->plan);
    if (lies->possible) {
        guest_model_open(&lies->guest, evidence);
    }
}

void lies_hit(struct lies *lies, const struct evidence *evidence, const struct event *event)
{
    suspects_note(&lies->suspects, evidence, event);
}

void lies_submitted(struct lies *lies, const struct evidence *evidence, const struct event *event)
{
    if (lies->possible && event->by == BY_GUEST) {
        guest_model_submitted(&lies->guest, evidence, event);
    }
}

void lies_job_started(struct lies *lies, const struct evidence *evidence)
{
    lies->job_power_cut = false;
    if (lies->possible) {
        guest_model_job_started(&lies->guest, evidence);
    }
}

void lies_pivoted(struct lies *lies, const struct evidence *evidence, const struct event *event)
{
    if (lies->possible) {
        guest_model_pivoted(&lies->guest, evidence, event);
    }
}

void lies_power_cut(struct lies *lies)
{
    lies->power_cut = true;
    lies->job_power_cut = true;
}

/* ---- Reports ---- */

/* A disk holds something else than `should_be`, which is given in words. */
static void report_content(struct suspect *suspect, struct evidence *evidence, uint32_t disk,
                           uint64_t sector, struct phrase should_be)
{
    suspect->told = true;
    verdict_mark_sector(
        verdict_add(evidence, FINDING_LEDGER_UNNOTICED,
                    "Nobody has noticed that %s (%s) at %s: at %s %s of %s holds %s instead of %s.",
                    phrase_suspect(evidence, suspect).text,
                    phrase_range(suspect->offset, suspect->bytes).text,
                    quantity_time(suspect->now_ns).text, quantity_time(evidence->now_ns).text,
                    phrase_sector(sector).text, phrase_disk(evidence, disk),
                    phrase_content(evidence, disk, sector).text, should_be.text),
        disk, sector);
}

static void report_flush(struct suspect *suspect, struct evidence *evidence, uint64_t sector)
{
    suspect->told = true;
    verdict_mark_sector(
        verdict_add(
            evidence, FINDING_LEDGER_UNNOTICED,
            "Nobody has noticed that %s at %s: at %s a power cut can still take %s (%s) from %s.",
            phrase_suspect(evidence, suspect).text, quantity_time(suspect->now_ns).text,
            quantity_time(evidence->now_ns).text, phrase_sector(sector).text,
            phrase_content(evidence, suspect->node, sector).text,
            phrase_disk(evidence, suspect->node)),
        suspect->node, sector);
}

/* ---- Ranges ---- */

/* The ranges that a lie about a request may have spoiled; returns their number. */
static uint32_t spoiled_ranges(const struct suspect *suspect, const struct evidence *evidence,
                               struct range_spec ranges[MAX_RANGES])
{
    uint64_t elsewhere;

    ranges[0] = (struct range_spec){suspect->offset, suspect->bytes};
    if (op_is_change(suspect->op) && suspect_elsewhere(suspect, evidence, &elsewhere)) {
        ranges[1] = (struct range_spec){elsewhere, suspect->bytes};
        return 2;
    }
    return 1;
}

/* The range, clipped to a disk's length. */
static struct range_spec clip(struct range_spec range, uint64_t length)
{
    range.offset = min_u64(range.offset, length);
    range.bytes = min_u64(range.bytes, length - range.offset);
    return range;
}

/* ---- Flushes ---- */

/* Finds the first sector that is not durable; false if there is none. */
static bool find_volatile(const struct disk_state *disk, uint64_t *sector)
{
    struct view now = {.layer = {disk->image}, .bytes = {disk->bytes}, .layers = 1};
    struct view least = {.layer = {disk->durable}, .bytes = {disk->bytes}, .layers = 1};

    return disk->durable != NULL && !view_equal(&now, &least, 0, disk->bytes, sector);
}

static void judge_flush(struct suspect *suspect, struct evidence *evidence)
{
    uint64_t sector;

    verdict_checked(evidence);
    if (find_volatile(evidence->disks[suspect->node], &sector)) {
        report_flush(suspect, evidence, sector);
    }
}

/* An honest flush makes up for earlier flushes of the disk that flushed nothing. */
static void flushed(struct lies *lies, const struct event *event)
{
    if (suspects_find(&lies->suspects, event->request) != NULL) {
        return;
    }
    for (uint32_t i = 0; i < lies->suspects.count; i++) {
        struct suspect *suspect = &lies->suspects.list[i];

        if (suspect->op == OP_FLUSH && suspect->node == event->node &&
            suspect->request < event->request) {
            suspect->told = true;
        }
    }
}

/* ---- Reads of the guest ---- */

/* Compares what a suspected read returned with what it should have returned. */
static void judge_answer(struct lies *lies, const struct evidence *evidence,
                         const struct event *event)
{
    struct suspect *suspect = suspects_find(&lies->suspects, event->request);
    uint64_t should_be;

    if (suspect == NULL) {
        return;
    }
    suspect->moved += event->bytes;
    for (uint32_t i = 0; i < evidence->read_run_count && !suspect->is_wrong; i++) {
        suspect->is_wrong =
            !guest_model_agrees(&lies->guest, evidence->read_runs[i], &suspect->wrong, &should_be);
    }
}

static void report_answer(struct suspect *suspect, struct evidence *evidence)
{
    uint64_t sector = suspect->is_wrong ? suspect->wrong : suspect->offset / SECTOR_BYTES;

    suspect->told = true;
    verdict_mark_sector(
        verdict_add(evidence, FINDING_LEDGER_UNNOTICED,
                    "Nobody has noticed that %s (%s) at %s: the guest's read succeeded at %s, but "
                    "returned %s%s.",
                    phrase_suspect(evidence, suspect).text,
                    phrase_range(suspect->offset, suspect->bytes).text,
                    quantity_time(suspect->now_ns).text, quantity_time(evidence->now_ns).text,
                    suspect->is_wrong ? "wrong data for " : "only a part of the data",
                    suspect->is_wrong ? phrase_sector(sector).text : ""),
        suspect->node, sector);
}

/* ---- Requests ---- */

void lies_took_effect(struct lies *lies, const struct evidence *evidence, const struct event *event)
{
    if (!lies->possible || event->by != BY_GUEST) {
        return;
    }
    if (event->op == OP_READ) {
        judge_answer(lies, evidence, event);
    } else if (op_is_change(event->op)) {
        guest_model_changed(&lies->guest, evidence, event);
    }
}

/*
 * A failed request tells its issuer that its own range may be wrong, but not
 * that a misdirected write has changed another range.
 */
static void done_under_suspicion(const struct lies *lies, struct evidence *evidence,
                                 struct suspect *suspect, const struct event *event)
{
    uint64_t elsewhere;

    if (event->ret < 0) {
        suspect->told = suspect->told || !suspect_elsewhere(suspect, evidence, &elsewhere);
    } else if (event->by == BY_GUEST && event->op == OP_READ && !lies->power_cut) {
        verdict_checked(evidence);
        if (suspect->is_wrong || suspect->moved < suspect->bytes) {
            report_answer(suspect, evidence);
        }
        suspect->told = true;
    }
}

void lies_done(struct lies *lies, struct evidence *evidence, const struct event *event)
{
    struct suspect *suspect;

    if (!lies->possible) {
        return;
    }
    suspect = suspects_find(&lies->suspects, event->request);
    if (suspect != NULL) {
        done_under_suspicion(lies, evidence, suspect, event);
    }
    if (event->op == OP_FLUSH && event->ret == 0) {
        flushed(lies, event);
    }
    if (event->by == BY_GUEST) {
        guest_model_done(&lies->guest, event);
    }
}

void lies_answered(struct lies *lies, const struct event *event)
{
    if (lies->possible) {
        guest_model_answered(&lies->guest, event);
    }
}

/* ---- The copy ---- */

static void judge_copied_ranges(const struct lies *lies, struct suspect *suspect,
                                struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    struct range_spec ranges[MAX_RANGES];
    uint32_t count = spoiled_ranges(suspect, evidence, ranges);
    uint64_t sector;

    for (uint32_t i = 0; i < count && !suspect->told; i++) {
        struct range_spec range = clip(ranges[i], evidence->disks[job->source]->bytes);

        verdict_checked(evidence);
        if (!promise_is_kept(&lies->guest.promise, evidence, range.offset, range.bytes, &sector)) {
            report_content(suspect, evidence, job->target, sector,
                           phrase_content(evidence, job->source, sector));
        }
    }
}

void lies_judge_copy(struct lies *lies, struct evidence *evidence)
{
    for (uint32_t i = 0; i < lies->suspects.count && !lies->job_power_cut; i++) {
        struct suspect *suspect = &lies->suspects.list[i];

        if (suspect->told || suspect->by == BY_GUEST) {
            continue;
        }
        if (suspect->op == OP_FLUSH) {
            judge_flush(suspect, evidence);
        } else {
            judge_copied_ranges(lies, suspect, evidence);
        }
    }
}

/* ---- The guest's disk ---- */

/* Does the range of the guest's disk hold what the guest knows to be there? */
static bool is_right(const struct guest_model *guest, const struct evidence *evidence,
                     struct range_spec range, uint64_t *sector, uint64_t *should_be)
{
    uint64_t end = range_end(range.offset, range.bytes) / SECTOR_BYTES;
    struct view view;
    struct run run;

    evidence_view(evidence, guest->disk, &view);
    for (uint64_t at = range.offset / SECTOR_BYTES; at < end; at += run.sectors) {
        run = view_lookup(&view, at, end);
        if (!guest_model_agrees(guest, run, sector, should_be)) {
            return false;
        }
    }
    return true;
}

static void judge_guest_ranges(const struct lies *lies, struct suspect *suspect,
                               struct evidence *evidence)
{
    struct range_spec ranges[MAX_RANGES];
    uint32_t count = spoiled_ranges(suspect, evidence, ranges);
    uint64_t sector;
    uint64_t should_be;

    for (uint32_t i = 0; i < count && !suspect->told; i++) {
        struct range_spec range = clip(ranges[i], evidence->disks[lies->guest.disk]->bytes);

        verdict_checked(evidence);
        if (!is_right(&lies->guest, evidence, range, &sector, &should_be)) {
            report_content(suspect, evidence, lies->guest.disk, sector,
                           phrase_tag(evidence, should_be, sector));
        }
    }
}

void lies_judge_guest(struct lies *lies, struct evidence *evidence)
{
    for (uint32_t i = 0; i < lies->suspects.count && !lies->power_cut; i++) {
        struct suspect *suspect = &lies->suspects.list[i];

        if (suspect->told) {
            continue;
        }
        if (suspect->op != OP_FLUSH) {
            judge_guest_ranges(lies, suspect, evidence);
        } else if (suspect->node == lies->guest.disk) {
            judge_flush(suspect, evidence);
        }
    }
}

void lies_digest(const struct lies *lies, const struct evidence *evidence, struct digest *digest)
{
    digest_flags(digest, lies->power_cut, lies->job_power_cut);
    if (lies->possible) {
        guest_model_digest(&lies->guest, evidence, digest);
        suspects_digest(&lies->suspects, digest);
    }
}
