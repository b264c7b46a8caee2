/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What could notice the completion of a read, now or later; that a step begins, or that data moves
 * sooner.
 */
#include "sim/world/independent.h"

#include "engine/range.h"
#include "sim/world/private.h"

/* The kinds of events that the completion of a read adds to the trace. */
#define NOTICED                                                                  \
    (UINT64_C(1) << EVENT_REQUEST_SUBMIT | UINT64_C(1) << EVENT_REQUEST_EFFECT | \
     UINT64_C(1) << EVENT_REQUEST_DONE)

/* ---- The plan ---- */

static uint64_t kinds_of(const struct event_match *match)
{
    return match->kinds == 0 ? UINT64_MAX : match->kinds;
}

static bool match_notices(const struct event_match *match)
{
    return (kinds_of(match) & NOTICED) != 0 && match->request.by != BY_GUEST;
}

static bool action_interferes(const struct action *action)
{
    switch (action->kind) {
    case DO_POWER_CUT:
    case DO_HOLD:
    case DO_DRAIN:
    case DO_UNDRAIN:
        return true;
    case DO_WAIT:
        return action->wait.kind == WAIT_EVENT && match_notices(&action->wait.match);
    case DO_START:
    case DO_COMPLETE:
    case DO_CANCEL:
    case DO_PAUSE:
    case DO_RESUME:
    case DO_FINALIZE:
    case DO_DISMISS:
    case DO_CHANGE:
    case DO_SET_SPEED:
    case DO_GUEST:
    case DO_RELEASE:
    case DO_MARK:
    case DO_USE:
    case DO_QUERY:
    case DO_QUERY_DISK:
    case DO_JOB_NONE:
    case DO_AT:
    case DO_SETTLE:
        break;
    }
    return false;
}

static bool story_interferes(const struct plan *plan)
{
    const struct action *action;

    for (uint32_t i = 0; (action = plan_action(plan, i)) != NULL; i++) {
        if (action_interferes(action)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->react_count; i++) {
        if (match_notices(&plan->reacts[i].when)) {
            return true;
        }
    }
    return false;
}

static bool expectations_notice(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        for (uint32_t j = 0; j < plan->expects[i].match_count; j++) {
            if (match_notices(&plan->expects[i].matches[j])) {
                return true;
            }
        }
    }
    return false;
}

/* Reads of today's generation sample at their submission: all that is left is their end. */
static bool disk_is_plain(const struct plan *plan, uint32_t number)
{
    const struct disk_spec *disk = &plan->disks[number];

    return disk->lanes == 0 && disk->bandwidth == 0 && disk->effect == EFFECT_AT_COMPLETE &&
           (plan->generation == GENERATION_2_2 || disk->read_effect == EFFECT_AT_START);
}

/* Could a read of the source see what is written to the target? */
static bool source_shows_target(const struct plan *plan)
{
    uint32_t disk = plan->job.source;

    /* The links of a plan have no loops: a chain is no longer than its disks. */
    for (uint32_t i = 0; i < plan->disk_count && disk != PLAN_NONE; i++) {
        if (disk == plan->job.target) {
            return true;
        }
        disk = plan->disks[disk].backing;
    }
    return false;
}

/* Does a wait of the plan, a rule or an expectation look at events of that kind? */
static bool looks_at(const struct plan *plan, uint64_t kind)
{
    const struct action *action;
    uint64_t kinds = 0;

    for (uint32_t i = 0; (action = plan_action(plan, i)) != NULL; i++) {
        kinds |= action->kind == DO_WAIT && action->wait.kind == WAIT_EVENT
                     ? kinds_of(&action->wait.match)
                     : 0;
    }
    for (uint32_t i = 0; i < plan->react_count; i++) {
        kinds |= kinds_of(&plan->reacts[i].when);
    }
    for (uint32_t i = 0; i < plan->expect_count; i++) {
        for (uint32_t j = 0; j < plan->expects[i].match_count; j++) {
            kinds |= kinds_of(&plan->expects[i].matches[j]);
        }
    }
    return (kinds & kind) != 0;
}

/* A fault that fills a disk counts what each write would add to it. */
static bool has_filling(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (plan->faults[i].kind == FAULT_FULL) {
            return true;
        }
    }
    return false;
}

struct independent_plan independent_possible(const struct world *world)
{
    const struct plan *plan = world->plan;
    bool plain = plan->generator_count == 0 && disk_is_plain(plan, plan->job.source) &&
                 disk_is_plain(plan, plan->job.target) && !source_shows_target(plan) &&
                 !story_interferes(plan) && !expectations_notice(plan);

    if (world->engine->foreign) {
        return (struct independent_plan){0};
    }
    return (struct independent_plan){
        .reads = plain && world->engine->reads_only_write,
        .ends = plain && plan->untimed,
        .waits = plan->untimed && !looks_at(plan, EVENT_BIT(STEP)),
        .stillness = plan->untimed && !has_filling(plan),
    };
}

/* ---- The guest ---- */

static bool writes_into(const struct guest_request *guest, const struct request *read)
{
    return op_writes((uint8_t)guest->op) &&
           range_overlaps(guest->offset, guest->bytes, read->offset, read->bytes);
}

static bool action_writes_into(const struct action *action, const struct request *read)
{
    return action->kind == DO_GUEST && writes_into(&action->guest, read);
}

/* Can the rule still submit a request? */
static bool react_is_over(const struct world *world, uint32_t i)
{
    const struct react_spec *spec = &world->plan->reacts[i];
    const struct reaction *reaction;

    LIST_FOREACH (reaction, &world->story.reactions, link) {
        if (reaction->react == i) {
            return false;
        }
    }
    return spec->nth > 0 && world->story.reacts[i].matched >= spec->nth;
}

static bool write_is_to_come(const struct world *world, const struct request *read)
{
    const struct plan *plan = world->plan;

    for (uint32_t i = world->story.step; i < plan->step_count; i++) {
        if (action_writes_into(&plan->steps[i], read)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->timed_count; i++) {
        if (pending_is_set(&world->story.timed[i].pending) &&
            action_writes_into(&plan->timed[i].action, read)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < plan->react_count; i++) {
        if (action_writes_into(&plan->reacts[i].action, read) && !react_is_over(world, i)) {
            return true;
        }
    }
    return false;
}

static bool write_is_in_flight(const struct world *world, const struct request *read)
{
    const struct request *request;

    TAILQ_FOREACH (request, &world->layer.requests, link) {
        if (request->guest != NULL && writes_into(request->guest, read)) {
            return true;
        }
    }
    return false;
}

/* ---- Faults ---- */

static bool is_untouched(const struct request_faults *faults)
{
    return faults->error == 0 && faults->moved_bytes == UINT64_MAX && !faults->misdirected &&
           faults->hold == FAULT_NONE && faults->hang == FAULT_NONE && faults->torn == FAULT_NONE &&
           faults->corrupt == FAULT_NONE;
}

/* Could a fault hit the write that follows, or count it? */
static bool write_can_be_hit(const struct world *world, const struct request *read)
{
    const struct plan *plan = world->plan;

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct fault_spec *spec = &plan->faults[i];
        uint64_t hits = world->layer.faults[i].hits;
        bool is_spent =
            (spec->times > 0 && hits >= spec->times) || (spec->hits > 0 && hits >= spec->hits);

        if (!is_spent && request_matches(&spec->match, (uint8_t)plan->job.target, OP_WRITE, BY_JOB,
                                         read->offset, read->bytes)) {
            return true;
        }
    }
    return false;
}

/* ---- The event ---- */

/* The read has taken its data, or nothing can change that data before it does. */
static bool sees_what_stays(const struct world *world, const struct request *read)
{
    return read->moved || (!read->effect.begun && !write_is_in_flight(world, read) &&
                           !write_is_to_come(world, read));
}

static bool is_independent(const struct world *world, const struct request *request)
{
    return request->by == BY_JOB && request->op == OP_READ &&
           request->node->id == world->plan->job.source && request->state == REQUEST_SERVED &&
           is_untouched(&request->faults) && sees_what_stays(world, request) &&
           !write_can_be_hit(world, request);
}

static bool place_of(struct pending *const *candidates, uint32_t count,
                     const struct pending *pending, uint32_t *place)
{
    for (*place = 0; *place < count; (*place)++) {
        if (candidates[*place] == pending) {
            return true;
        }
    }
    return false;
}

static uint64_t job_digest(const struct world *world)
{
    struct digest digest;

    digest_init(&digest);
    if (world->job != NULL) {
        world->engine->digest(world->job, &digest);
    }
    return digest_value(&digest);
}

/* ---- Steps that begin a wait ---- */

/* Does a later step count events from the end of an earlier one that took time? */
static bool counts_later(const struct world *world, uint32_t step)
{
    for (step++; step < world->plan->step_count; step++) {
        const struct action *action = &world->plan->steps[step];

        if (story_waits_for_event(action)) {
            return !action->wait.since_start;
        }
        if (action->kind == DO_SETTLE || action->kind == DO_WAIT) {
            return action->kind == DO_SETTLE || action->wait.kind != WAIT_CONCLUDED;
        }
    }
    return false;
}

/* What the step waits for has not come, and nothing bounds the time. */
static bool only_waits(const struct world *world)
{
    const struct story *story = &world->story;
    const struct action *action = &world->plan->steps[story->step];
    uint64_t matches = story->matches;

    if (action->kind != DO_WAIT || action->wait.within_ns > 0) {
        return false;
    }
    if (action->wait.kind == WAIT_CONCLUDED) {
        return !world->job_concluded;
    }
    if (action->wait.kind == WAIT_EVENT && action->wait.since_start) {
        matches = story->run_matches[story->step];
    }
    return action->wait.kind == WAIT_EVENT && matches < max_u64(action->wait.nth, 1);
}

static bool find_wait(const struct world *world, const struct pending **pending)
{
    const struct story *story = &world->story;

    *pending = &story->next;
    return pending_is_set(&story->next) && only_waits(world) && !counts_later(world, story->step);
}

/* ---- Requests ---- */

/* Nothing moves at its first event, and that it comes changes no result. */
static bool is_still(const struct request *request)
{
    const struct request_faults *faults = &request->faults;

    return !request->moved && !request->effect.begun && request->state == REQUEST_SERVED &&
           request->effect.places == NULL && faults->hold == FAULT_NONE &&
           faults->corrupt == FAULT_NONE &&
           (request->op == OP_FLUSH ||
            (op_writes(request->op) && faults->error != 0 && faults->moved_bytes == 0));
}

static bool overlaps_another(const struct world *world, const struct request *request)
{
    const struct request *other;

    TAILQ_FOREACH (other, &world->layer.requests, link) {
        if (other != request && other->node == request->node &&
            range_overlaps(other->offset, other->bytes, request->offset, request->bytes)) {
            return true;
        }
    }
    return false;
}

/* The guest sees the target only once it has moved there. */
static bool is_end_of_write(const struct world *world, const struct request *request)
{
    return request->by != BY_GUEST && op_writes(request->op) && request->moved &&
           request->node->id == world->plan->job.target &&
           world->layer.guest_node != request->node->id && request->state == REQUEST_SERVED &&
           request->faults.hold == FAULT_NONE && !overlaps_another(world, request);
}

static bool is_of_kind(const struct world *world, const struct request *request,
                       enum independent_kind kind)
{
    switch (kind) {
    case INDEPENDENT_READ:
        return is_independent(world, request);
    case INDEPENDENT_STILL:
        return is_still(request);
    case INDEPENDENT_END:
        return is_end_of_write(world, request);
    case INDEPENDENT_WAIT:
        break;
    }
    return false;
}

/* ---- Finding one ---- */

static void note(const struct world *world, enum independent_kind kind, uint32_t request,
                 struct independent *found)
{
    found->kind = kind;
    found->request = request;
    found->trace_count = world->trace->count;
    found->findings = world->verdict->finding_count;
    found->job_digest = kind == INDEPENDENT_END ? 0 : job_digest(world);
}

static bool find_request(struct world *world, enum independent_kind kind,
                         struct pending *const *candidates, uint32_t count,
                         struct independent *found)
{
    const struct request *request;

    TAILQ_FOREACH (request, &world->layer.requests, link) {
        if (is_of_kind(world, request, kind) &&
            place_of(candidates, count, &request->pending, &found->place)) {
            note(world, kind, request->number, found);
            return true;
        }
    }
    return false;
}

bool independent_find(struct world *world, const struct independent_plan *plan,
                      struct independent *found)
{
    const struct pending *pending;
    struct pending *const *candidates;
    uint32_t count;

    candidates = timeline_candidates(&world->timeline, &count);
    if (count < 2) {
        return false;
    }
    if (plan->waits && find_wait(world, &pending) &&
        place_of(candidates, count, pending, &found->place)) {
        note(world, INDEPENDENT_WAIT, 0, found);
        return true;
    }
    return (plan->ends && find_request(world, INDEPENDENT_END, candidates, count, found)) ||
           (plan->stillness && find_request(world, INDEPENDENT_STILL, candidates, count, found)) ||
           (plan->reads && find_request(world, INDEPENDENT_READ, candidates, count, found));
}

/* The events are the read's effect, its end with the beginning of its write, or both. */
static bool is_reads_own(const struct world *world, const struct event *events, uint64_t count,
                         uint32_t number)
{
    bool seen = count > 0 && events[0].kind == EVENT_REQUEST_EFFECT && events[0].request == number;
    const struct event *done = events + seen;
    const struct event *next = done + 1;

    if (count == (uint64_t)seen) {
        return true;
    }
    return count == (uint64_t)seen + 2 && done->kind == EVENT_REQUEST_DONE &&
           done->request == number && done->ret == 0 && next->kind == EVENT_REQUEST_SUBMIT &&
           next->op == OP_WRITE && next->by == BY_JOB && next->node == world->plan->job.target &&
           next->offset == done->offset && next->bytes == done->bytes;
}

/* Has it done only what is of its kind? */
static bool is_its_own(const struct world *world, const struct independent *found)
{
    const struct event *events = &world->trace->events[found->trace_count];
    uint64_t count = world->trace->count - found->trace_count;

    if (found->kind == INDEPENDENT_WAIT) {
        return count == 1 && events[0].kind == EVENT_STEP;
    }
    return found->kind == INDEPENDENT_STILL ? count == 0
                                            : is_reads_own(world, events, count, found->request);
}

/* The end of a write may do anything: it need not commute with what comes after it. */
bool independent_held(const struct world *world, const struct independent *found)
{
    return found->kind == INDEPENDENT_END ||
           (is_its_own(world, found) && world->verdict->finding_count == found->findings &&
            job_digest(world) == found->job_digest);
}
