/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Oracle "ledger": no error is swallowed.
 *
 * Each failed request of the job is reported, and made good before the job
 * reports READY or success.  A failed query shows as a refused command or start
 * or as the job's result, unless a rule says how to do without the answer.  A
 * request that a fault hits with an error does fail.
 *
 * The job cannot notice that a device lies.  The lie is irrelevant if what it
 * spoiled was written again or is right nevertheless; otherwise the ledger
 * names the fault and the damage, which no other oracle can.
 *
 * Declared in sim/oracle/oracles.h: it lists all oracles.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/range.h"
#include "sim/model/lies.h"
#include "sim/model/outstanding.h"
#include "sim/model/queries.h"
#include "sim/model/unsettled.h"
#include "sim/oracle/oracles.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

struct ledger {
    bool job_alive;
    struct lies lies;
    uint32_t last_request; /* number of the last request submitted */
    /* Requests that a fault makes fail; `moved`: the fault's index. */
    struct outstanding_list hits;
    struct outstanding_list hangs; /* requests of the job that a fault never completes */
    uint32_t active_in_flight;
    struct unsettled failures;
    bool owes_report;       /* the last failure's error event has not been emitted yet */
    struct queries queries; /* failed ones */
};

static bool has_limits(const struct disk_spec *disk)
{
    return disk->max_transfer > 0 || disk->max_segments > 0;
}

/* All kinds if something other than the engine's own mistake can fail, else none. */
static uint64_t ledger_kinds(const struct plan *plan)
{
    bool can_fail = plan->fault_count > 0 || has_limits(&plan->disks[plan->job.source]) ||
                    has_limits(&plan->disks[plan->job.target]);

    return can_fail ? UINT64_MAX : 0;
}

/* " (fault bad-read)", or "" */
static struct phrase phrase_fault(const struct evidence *evidence, uint16_t fault)
{
    struct phrase phrase = {""};

    if (fault != NO_FAULT) {
        snprintf(phrase.text, sizeof(phrase.text), " (fault %.64s)",
                 evidence->plan->faults[fault].name);
    }
    return phrase;
}

/* ---- Failed queries ---- */

/*
 * A refused start has shown the failure; failures while it takes back its work
 * do not count either.
 */
static void start_refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)evidence;
    (void)event;
    queries_forget(&ledger->queries);
}

static void command_refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)evidence;
    queries_refused(&ledger->queries, event);
}

/* ---- Failed requests ---- */

/* `list` is ledger->hits or ledger->hangs. */
static void request_hit(struct outstanding_list *list, const struct evidence *evidence,
                        const struct event *event)
{
    outstanding_add(list, evidence->arena, event);
    list->requests[list->count - 1].moved = event->index;
}

/* A request that a fault was to fail must have failed; returns the fault, or NO_FAULT. */
static uint16_t judge_hit(struct ledger *ledger, struct evidence *evidence,
                          const struct event *event)
{
    const struct outstanding *hit = outstanding_find(&ledger->hits, event->request);
    uint16_t fault = NO_FAULT;

    if (hit != NULL) {
        fault = (uint16_t)hit->moved;
        verdict_checked(evidence);
        if (event->ret == 0) {
            verdict_add(evidence, FINDING_LEDGER_HIDDEN,
                        "Fault %s should have failed %s #%" PRIu32
                        " of %s with %s, but at %s it succeeded.",
                        evidence->plan->faults[fault].name, op_name(event_op(event)),
                        event->request, phrase_disk(evidence, event->node),
                        phrase_result(evidence->plan->faults[fault].error).text,
                        quantity_time(evidence->now_ns).text);
        }
        outstanding_remove(&ledger->hits, event->request);
    }
    return fault;
}

static void judge_report(struct ledger *ledger, struct evidence *evidence)
{
    const struct failure *failure = &ledger->failures.list[ledger->failures.count - 1];

    verdict_checked(evidence);
    if (!failure->reported) {
        verdict_add(evidence, FINDING_LEDGER_UNREPORTED,
                    "The job's %s #%" PRIu32
                    " of %s failed with %s at %s%s, and no error event reported it.",
                    op_name(event_op(&failure->event)), failure->event.request,
                    phrase_disk(evidence, failure->event.node),
                    phrase_result(failure->event.ret).text, quantity_time(evidence->now_ns).text,
                    phrase_fault(evidence, failure->fault).text);
    }
    ledger->owes_report = false;
}

static void ledger_settled(void *state, struct evidence *evidence)
{
    struct ledger *ledger = state;

    if (ledger->owes_report && ledger->failures.count > 0) {
        judge_report(ledger, evidence);
    }
}

static void reported(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;
    struct failure *failure;

    (void)evidence;
    if (ledger->owes_report && ledger->failures.count > 0) {
        failure = &ledger->failures.list[ledger->failures.count - 1];
        failure->reported = failure->event.ret == event->ret;
    }
}

static void report_swallowed(const struct failure *failure, struct evidence *evidence,
                             const char *went_on)
{
    const struct event *event = &failure->event;

    if (event->op == OP_FLUSH) {
        verdict_add(evidence, FINDING_LEDGER_SWALLOWED,
                    "The job's flush #%" PRIu32
                    " of %s failed with %s at %s%s; none has succeeded since, but "
                    "the job %s at %s.",
                    event->request, phrase_disk(evidence, event->node),
                    phrase_result(event->ret).text, quantity_time(event->now_ns).text,
                    phrase_fault(evidence, failure->fault).text, went_on,
                    quantity_time(evidence->now_ns).text);
        return;
    }
    verdict_mark_sector(
        verdict_add(evidence, FINDING_LEDGER_SWALLOWED,
                    "The job's %s #%" PRIu32
                    " of %s of %s failed with %s at %s%s; %s has not been copied "
                    "again since, but the job %s at %s.",
                    op_name(event_op(event)), event->request,
                    phrase_range(event->offset, event->bytes).text,
                    phrase_disk(evidence, event->node), phrase_result(event->ret).text,
                    quantity_time(event->now_ns).text, phrase_fault(evidence, failure->fault).text,
                    phrase_sector(failure_first_left(failure) / SECTOR_BYTES).text, went_on,
                    quantity_time(evidence->now_ns).text),
        evidence->plan->job.target, failure_first_left(failure) / SECTOR_BYTES);
}

/*
 * Today's generation: a zero that is known to be there is not written again (Z4).  So what is equal
 * after all has done no harm.
 */
static bool is_harmless(const struct failure *failure, const struct evidence *evidence)
{
    const struct plan_job *job = &evidence->plan->job;
    const struct event *event = &failure->event;
    struct view source;
    struct view target;
    uint64_t sector;

    if (evidence->plan->generation == GENERATION_2_2 || event->op == OP_FLUSH) {
        return false;
    }
    evidence_view(evidence, job->source, &source);
    evidence_view(evidence, job->target, &target);
    return view_equal(&source, &target, event->offset, event->bytes, &sector);
}

static void judge_failures(struct ledger *ledger, struct evidence *evidence, const char *went_on)
{
    for (uint32_t i = 0; i < ledger->failures.count; i++) {
        if (!is_harmless(&ledger->failures.list[i], evidence)) {
            report_swallowed(&ledger->failures.list[i], evidence, went_on);
        }
    }
    ledger->failures.count = 0;
    ledger->owes_report = false;
}

/*
 * The job must not report READY or success while one of its requests has not ended; READY in
 * today's generation: of its background copies.
 */
static void judge_hangs(const struct ledger *ledger, struct evidence *evidence, const char *went_on,
                        bool background)
{
    for (uint32_t i = 0; i < ledger->hangs.count; i++) {
        const struct outstanding *hang = &ledger->hangs.requests[i];

        if (background && hang->by == BY_ACTIVE) {
            continue;
        }
        verdict_add(evidence, FINDING_LEDGER_BUILT_ON_HANG,
                    "The job's %s%s of %s never ended (fault %s), but the job %s at %s.",
                    op_name((enum op)hang->op), phrase_number(hang->number).text,
                    phrase_disk(evidence, hang->node), evidence->plan->faults[hang->moved].name,
                    went_on, quantity_time(evidence->now_ns).text);
    }
}

static void judge_errors(struct ledger *ledger, struct evidence *evidence, const char *went_on)
{
    verdict_checked(evidence);
    queries_judge(&ledger->queries, evidence, went_on);
    judge_failures(ledger, evidence, went_on);
    judge_hangs(ledger, evidence, went_on, false);
}

/*
 * Today's generation at READY: an active request may have failed during the flush before it, and
 * its range is dirty again; or one that is still in flight may make good what a copy has failed to
 * bring (W4).  Both are judged at the end.
 */
static bool is_up_to_active_ones(const struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->failures.count; i++) {
        if (ledger->failures.list[i].event.by == BY_ACTIVE) {
            return true;
        }
    }
    return ledger->active_in_flight > 0;
}

static void judge_background(struct ledger *ledger, struct evidence *evidence, const char *went_on)
{
    verdict_checked(evidence);
    queries_judge(&ledger->queries, evidence, went_on);
    if (!is_up_to_active_ones(ledger)) {
        judge_failures(ledger, evidence, went_on);
    }
    judge_hangs(ledger, evidence, went_on, true);
}

/* ---- Requests ---- */

static void submitted(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    ledger->last_request = (uint32_t)max_u64(ledger->last_request, event->request);
    ledger->active_in_flight += event->by == BY_ACTIVE;
    lies_submitted(&ledger->lies, evidence, event);
}

static void took_effect(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    lies_took_effect(&ledger->lies, evidence, event);
}

static void done(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;
    uint16_t fault = judge_hit(ledger, evidence, event);

    lies_done(&ledger->lies, evidence, event);
    outstanding_remove(&ledger->hangs, event->request);
    if (event->by == BY_GUEST) {
        return;
    }
    ledger->active_in_flight -= event->by == BY_ACTIVE;
    if (event->ret < 0) {
        unsettled_add(&ledger->failures, evidence, event, ledger->last_request, fault);
        ledger->owes_report = true;
    } else if (ledger->failures.count > 0) {
        unsettled_succeeded(&ledger->failures, event);
    }
}

static void answered(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)evidence;
    lies_answered(&ledger->lies, event);
}

static void hit(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;
    enum fault_kind kind = evidence->plan->faults[event->index].kind;

    if (fault_is_silent(kind)) {
        lies_hit(&ledger->lies, evidence, event);
    } else if (kind == FAULT_ERROR || kind == FAULT_LATENT || kind == FAULT_FULL) {
        if (event->request == 0) {
            queries_failed(&ledger->queries, evidence, event, ledger->job_alive);
        } else {
            request_hit(&ledger->hits, evidence, event);
        }
    } else if (kind == FAULT_HANG && event->by != BY_GUEST) {
        request_hit(&ledger->hangs, evidence, event);
    }
}

/* A question that hung is answered now; a request says itself when it is done. */
static void released(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)evidence;
    if (event->request == 0) {
        outstanding_remove(&ledger->hangs, 0);
    }
}

/* ---- The job ---- */

static void started(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)event;
    ledger->job_alive = true;
    lies_job_started(&ledger->lies, evidence);
}

static void became_ready(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)event;
    if (evidence->plan->generation == GENERATION_2_2) {
        judge_errors(ledger, evidence, "became ready");
    } else {
        judge_background(ledger, evidence, "became ready");
    }
}

static void pivoted(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    lies_pivoted(&ledger->lies, evidence, event);
}

/* A job that failed or was cancelled has promised nothing. */
static void ended(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    if (event->kind == EVENT_JOB_COMPLETED && event->ret == 0) {
        judge_errors(ledger, evidence, "completed successfully");
        lies_judge_copy(&ledger->lies, evidence);
    }
    queries_forget(&ledger->queries);
    ledger->failures.count = 0;
    ledger->hangs.count = 0;
    ledger->job_alive = false;
}

static void power_cut(void *state, struct evidence *evidence, const struct event *event)
{
    struct ledger *ledger = state;

    (void)evidence;
    (void)event;
    lies_power_cut(&ledger->lies);
}

/* ---- The rest ---- */

static void ledger_open(void *state, struct evidence *evidence)
{
    struct ledger *ledger = state;

    lies_open(&ledger->lies, evidence);
}

static void ledger_close(void *state, struct evidence *evidence)
{
    struct ledger *ledger = state;

    lies_judge_guest(&ledger->lies, evidence);
}

static void ledger_digest(const void *state, const struct evidence *evidence, struct digest *digest)
{
    const struct ledger *ledger = state;

    digest_flags(digest, ledger->job_alive, ledger->owes_report);
    queries_digest(&ledger->queries, digest);
    unsettled_digest(&ledger->failures, evidence, digest);
    lies_digest(&ledger->lies, evidence, digest);
}

static void ledger_check(const void *state)
{
    const struct ledger *ledger = state;

    outstanding_check(&ledger->hits);
    outstanding_check(&ledger->hangs);
    unsettled_check(&ledger->failures);
    queries_check(&ledger->queries);
    if (ledger->lies.possible) {
        guest_model_check(&ledger->lies.guest);
    }
}

const struct oracle oracle_ledger = {
    .id = ORACLE_LEDGER,
    .proves = "Every fault ends accounted for: reported, made good, absorbed by a rule, or of no "
              "consequence.",
    .state_bytes = sizeof(struct ledger),
    .on =
        {
            [EVENT_REQUEST_QUEUED] = submitted,
            [EVENT_REQUEST_SUBMIT] = submitted,
            [EVENT_REQUEST_EFFECT] = took_effect,
            [EVENT_REQUEST_DONE] = done,
            [EVENT_ANSWERED] = answered,
            [EVENT_FAULT] = hit,
            [EVENT_RELEASED] = released,
            [EVENT_GRAPH_PIVOT] = pivoted,
            [EVENT_POWER_CUT] = power_cut,
            [EVENT_JOB_STARTED] = started,
            [EVENT_JOB_REFUSED] = start_refused,
            [EVENT_COMMAND_REFUSED] = command_refused,
            [EVENT_JOB_READY] = became_ready,
            [EVENT_JOB_ERROR] = reported,
            [EVENT_JOB_COMPLETED] = ended,
            [EVENT_JOB_CANCELLED] = ended,
        },
    .kinds = ledger_kinds,
    .open = ledger_open,
    .settled = ledger_settled,
    .digest = ledger_digest,
    .check = ledger_check,
    .close = ledger_close,
};
