/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of the oracle "life" that judges whether the job obeys: which commands it takes and
 * refuses, and that it pauses and resumes in time.
 *
 * Declared in sim/oracle/life.h: it is a part of that oracle.
 */
#include "sim/oracle/life.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

/* ---- Commands ---- */

static bool is_unclear(const struct life_model *life, const struct evidence *evidence)
{
    bool is_empty = evidence->disks[evidence->plan->job.source]->bytes == 0;

    return life->command.detail == VERB_COMPLETE && (life->cancel_is_unclear || is_empty);
}

/* A command that has not been refused by now has been accepted. */
void life_conclude_command(struct life_model *life, struct evidence *evidence)
{
    if (!life->commanded) {
        return;
    }
    life->commanded = false;
    verdict_checked(evidence);
    if (life->objection != NULL && !is_unclear(life, evidence)) {
        verdict_add(evidence, FINDING_LIFE_ACCEPTED, "%s was accepted, but %s.",
                    job_verb_name(event_verb(&life->command)), life->objection);
    }
}

void life_commanded(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;

    life_conclude_command(life, evidence);
    if (event->detail >= VERB_COUNT) {
        return;
    }
    life->commanded = true;
    life->command = *event;
    life->wishes_before = life->wishes;
    life->objection = life_objection_to_command(life, evidence, event);
    if (life->objection == NULL) {
        life_model_command(life, event, evidence->now_ns);
    }
}

void life_refused(void *state, struct evidence *evidence, const struct event *event)
{
    struct life_model *life = state;
    bool by_rule = event->detail2 == REFUSED_VERB || event->detail2 == REFUSED_PAUSED ||
                   event->detail2 == REFUSED_NOT_PAUSED || event->detail2 == REFUSED_NOT_READY ||
                   event->detail2 == REFUSED_MODE || event->detail2 == REFUSED_TYPE ||
                   event->detail2 == REFUSED_NOT_ACTIVE;

    if (!life->commanded) {
        return;
    }
    life->commanded = false;
    life->wishes = life->wishes_before;
    verdict_checked(evidence);
    if (by_rule && life->objection == NULL && !is_unclear(life, evidence)) {
        verdict_add(evidence, FINDING_LIFE_REFUSED,
                    "%s was refused as \"%s\", but the job was %s and had to take it.",
                    job_verb_name(event_verb(event)), job_refusal_name(event_refusal(event)),
                    job_status_name(life->status));
    }
}

/* ---- In time (J3, J4) ---- */

/* Does a question take time, so that the job can be busy without a request? */
static bool asks_take_time(const struct evidence *evidence)
{
    const struct plan *plan = evidence->plan;

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const uint32_t questions = 1u << OP_STATUS | 1u << OP_CONTENT;
        uint32_t ops = plan->faults[i].match.ops;

        if (ops == 0 || (ops & questions) != 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        const struct latency_spec *latency = plan->disks[i].latency;

        if (latency[OP_STATUS].a_ns + latency[OP_STATUS].b_ns + latency[OP_CONTENT].a_ns +
                latency[OP_CONTENT].b_ns >
            0) {
            return true;
        }
    }
    return false;
}

/* The job has nothing to wait for, and had time to do what it was told. */
static bool is_free(const struct life_model *life, const struct evidence *evidence)
{
    return !life->winding_down && life->in_flight == 0 && life->guests.count == 0 &&
           life->waits == 0 && life->sections == 0 && !life->drained && !life->wishes.force &&
           !asks_take_time(evidence);
}

void life_judge_pause(struct life_model *life, struct evidence *evidence)
{
    bool must_park = life->wishes.pause && evidence->now_ns > life->pause_ns &&
                     (life->status == JOB_STATUS_RUNNING || life->status == JOB_STATUS_READY);
    bool must_go_on =
        !life->wishes.pause && evidence->now_ns > life->resume_ns && life_model_is_parked(life);

    if (!is_free(life, evidence)) {
        life->busy_ns = evidence->now_ns;
    }
    if (!(must_park || must_go_on) || evidence->now_ns <= life->busy_ns) {
        return;
    }
    if (must_park) {
        verdict_add(evidence, FINDING_LIFE_LATE_PAUSE,
                    "The job was told to pause at %s, but at %s it is still %s, with nothing in "
                    "flight.",
                    quantity_time(life->pause_ns).text, quantity_time(evidence->now_ns).text,
                    job_status_name(life->status));
        life->pause_ns = UINT64_MAX;
    } else {
        verdict_add(evidence, FINDING_LIFE_LATE_RESUME,
                    "Nothing wants the job to pause since %s, but at %s it is still %s.",
                    quantity_time(life->resume_ns).text, quantity_time(evidence->now_ns).text,
                    job_status_name(life->status));
        life->resume_ns = UINT64_MAX;
    }
}
