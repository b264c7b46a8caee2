/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "guest": to the guest its disk is one disk, whichever node is behind
 * it.
 *
 * A model of it (sim/model/guest.h) says what each guest read must return,
 * before and after a pivot: the latest acknowledged write, or one concurrent
 * with the read.
 *
 * Guest requests go to the disk the guest is on, and none is lost.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>

#include "sim/model/guest.h"
#include "sim/model/owed.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct guest {
    bool power_cut;    /* what the disks hold is unknown */
    uint32_t sections; /* of others than the job: in one that never ends the guest waits for ever */
    struct guest_model model;
};

static void guest_open(void *state, struct evidence *evidence)
{
    struct guest *guest = state;

    guest_model_open(&guest->model, evidence);
}

/* ---- Where requests go ---- */

static void judge_node(const struct guest *guest, struct evidence *evidence,
                       const struct event *event)
{
    if (event->node != guest->model.disk) {
        verdict_add(evidence, FINDING_GUEST_WRONG_DISK,
                    "Guest %s #%" PRIu32 " went to %s at %s, but the guest's disk is %s.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    quantity_time(evidence->now_ns).text, phrase_disk(evidence, guest->model.disk));
    }
}

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    if (event->kind == EVENT_REQUEST_SUBMIT) {
        judge_node(guest, evidence, event);
    }
    guest_model_submitted(&guest->model, evidence, event);
}

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    guest_model_pivoted(&guest->model, evidence, event);
}

/* ---- What they read and write ---- */

static void report_read(struct evidence *evidence, const struct event *event, uint64_t sector,
                        uint64_t is, uint64_t should_be)
{
    struct finding *finding = verdict_add(
        evidence, FINDING_GUEST_WRONG_DATA,
        "Guest read #%" PRIu32 " got %s at %s of %s at %s, but the latest there is %s.",
        event->request, phrase_tag(evidence, is, sector).text, phrase_sector(sector).text,
        phrase_disk(evidence, event->node), quantity_time(evidence->now_ns).text,
        phrase_tag(evidence, should_be, sector).text);
    verdict_mark_sector(finding, event->node, sector);
}

/* Compares bytes if the run has them, else tags. */
static bool agrees(const struct guest *guest, const struct evidence *evidence, struct run run,
                   uint64_t *sector, uint64_t *should_be)
{
    const uint8_t *data = evidence->read_bytes;

    if (data == NULL) {
        return guest_model_agrees(&guest->model, run, sector, should_be);
    }
    *sector = run.sector;
    data += (run.sector - evidence->read_runs[0].sector) * SECTOR_BYTES;
    return guest_model_agrees_bytes(&guest->model, data, run.sectors, sector, should_be);
}

static void judge_read(const struct guest *guest, struct evidence *evidence,
                       const struct event *event)
{
    uint64_t sector;
    uint64_t should_be;

    if (guest->power_cut) {
        return;
    }
    verdict_checked(evidence);
    for (uint32_t i = 0; i < evidence->read_run_count; i++) {
        struct run run = evidence->read_runs[i];

        if (!agrees(guest, evidence, run, &sector, &should_be)) {
            report_read(evidence, event, sector, run.tag + (sector - run.sector) * run.step,
                        should_be);
            return;
        }
    }
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    if (event->node != guest->model.disk) {
        verdict_add(evidence, FINDING_GUEST_LEFT_BEHIND,
                    "Guest %s #%" PRIu32 " took effect on %s at %s, after the guest had been "
                    "switched to %s.",
                    op_name(event_op(event)), event->request, phrase_disk(evidence, event->node),
                    quantity_time(evidence->now_ns).text, phrase_disk(evidence, guest->model.disk));
    }
    if (event->op == OP_READ) {
        judge_read(guest, evidence, event);
    } else if (op_is_change(event->op)) {
        guest_model_changed(&guest->model, evidence, event);
    }
}

/* ---- Whether they end ---- */

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)evidence;
    guest_model_done(&guest->model, event);
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)evidence;
    guest_model_answered(&guest->model, event);
}

static void set_stopped(struct guest *guest, const struct event *event, bool stopped)
{
    struct outstanding *request = outstanding_find(&guest->model.requests, event->request);

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

/* A request that a fault never completes may block others behind it. */
static bool is_any_stopped(const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->model.requests.count; i++) {
        if (guest->model.requests.requests[i].stopped) {
            return true;
        }
    }
    return false;
}

static void guest_close(void *state, struct evidence *evidence)
{
    const struct guest *guest = state;
    const struct outstanding *lost = guest->model.requests.requests;

    if (evidence->end != END_CONCLUDED || is_any_stopped(guest) || guest->sections > 0) {
        return;
    }
    if (guest->model.requests.count > 0) {
        verdict_add(evidence, FINDING_GUEST_LOST_REQUEST,
                    "Guest %s #%" PRIu32 " of %s never ended, though nothing holds it and the "
                    "run is over (%" PRIu32 " requests in all).",
                    op_name((enum op)lost->op), lost->number,
                    phrase_range(lost->offset, lost->bytes).text, guest->model.requests.count);
    }
}

/* ---- The rest ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)event;
    guest_model_job_started(&guest->model, evidence);
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)evidence;
    (void)event;
    guest->power_cut = true;
}

static void section_changed(void *state, struct evidence *evidence, const struct event *event)
{
    struct guest *guest = state;

    (void)evidence;
    if (event->by != BY_JOB) {
        guest->sections += event->detail == SECTION_BEGUN;
        guest->sections -= event->detail == SECTION_ENDED;
    }
}

static void guest_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct guest *guest = state;

    digest_u64(digest, guest->power_cut);
    guest_model_digest(&guest->model, evidence, digest);
}

static void guest_check(const void *state)
{
    const struct guest *guest = state;

    guest_model_check(&guest->model);
}

const struct oracle oracle_guest = {
    .id = ORACLE_GUEST,
    .proves = "Each guest read returns the latest write, before and after the pivot, and no "
              "guest request is lost.",
    .state_bytes = sizeof(struct guest),
    .requests_by = BY_GUEST,
    .on =
        {
            [EVENT_REQUEST_QUEUED] = submitted,
            [EVENT_ARRIVE] = submitted,
            [EVENT_ANSWERED] = answered,
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_FAULT] = hit,
            [EVENT_HELD] = held_or_released,
            [EVENT_RELEASED] = held_or_released,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_SECTION] = section_changed,
            [EVENT_JOB_STARTED] = started,
        },
    .open = guest_open,
    .close = guest_close,
    .digest = guest_digest,
    .check = guest_check,
};
