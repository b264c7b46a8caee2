/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions: starting the job, commands, guest requests, faults, checks.
 */
#include "sim/world/action.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/disk/cache.h"
#include "sim/disk/guest.h"
#include "sim/disk/request.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/query.h"
#include "sim/world/drain.h"
#include "sim/world/private.h"

#define NO_STEP UINT16_MAX

/* ---- Expectations ---- */

void action_fail(struct world *world, uint32_t number, struct where where, enum finding_id id,
                 const char *format, ...)
{
    char text[FINDING_TEXT_BYTES];
    struct finding *finding;
    va_list args;

    world_emit(world, &(struct event){.kind = EVENT_CHECK_FAILED,
                                      .index = number < world->plan->step_count ? (uint16_t)number
                                                                                : NO_STEP});
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    finding = verdict_add(&world->evidence, id, "%s", text);
    if (finding != NULL) {
        finding->where = where;
    }
}

/* An answer to `what`: was it refused, or not, as the action expects? */
static void judge_refusal(struct world *world, uint32_t number, const char *what,
                          const struct job_error *error)
{
    const struct action *action = plan_action(world->plan, number);
    bool refused = error->refusal != REFUSED_NOT;
    bool wanted =
        action->refusal == MATCH_ANY || (enum job_refusal)action->refusal == error->refusal;
    bool says = action->saying == NULL || strstr(error->text, action->saying) != NULL;

    if (action->may_be_refused) {
        return;
    }
    verdict_checked(&world->evidence);
    if (action->expect_refused && !refused) {
        action_fail(world, number, action->where, FINDING_EXPECT_NOT_REFUSED,
                    "%s was expected to be refused, but was accepted.", what);
    } else if (action->expect_refused && !wanted) {
        action_fail(world, number, action->where, FINDING_EXPECT_REFUSED_OTHERWISE,
                    "%s was expected to be refused with %s, but was refused with %s (%s).", what,
                    job_refusal_name((enum job_refusal)action->refusal),
                    job_refusal_name(error->refusal), error->text);
    } else if (action->expect_refused && !says) {
        action_fail(world, number, action->where, FINDING_EXPECT_REFUSED_OTHERWISE,
                    "The refusal of %s was expected to say \"%s\", but says \"%s\".", what,
                    action->saying, error->text);
    } else if (!action->expect_refused && refused) {
        action_fail(world, number, action->where, FINDING_EXPECT_REFUSED,
                    "%s was expected to be accepted, but was refused with %s (%s).", what,
                    job_refusal_name(error->refusal), error->text);
    }
}

/* ---- The job ---- */

static void job_is_gone(void *opaque, int ret)
{
    struct world *world = opaque;

    (void)ret;
    world->job = NULL;
    host_judge_memory(world);
}

void action_job_ended(struct world *world, const struct event *event)
{
    if (world->job != NULL) {
        world->engine->query(world->job, &world->last_job);
        world->has_last_job = true;
    }
    world->job_concluded = true;
    world->job_cancelled = event->kind == EVENT_JOB_CANCELLED;
    world->job_ret = event->ret;
}

static void report_start(struct world *world, uint32_t number, int ret,
                         const struct job_error *error)
{
    if (ret < 0) {
        world_emit(world, &(struct event){.kind = EVENT_JOB_REFUSED,
                                          .detail = (uint8_t)error->refusal,
                                          .ret = ret});
        /* A start that had to wait gives its memory back when this call has returned. */
        if (world->job == NULL && !world->job_starts) {
            host_judge_memory(world);
        }
    }
    judge_refusal(world, number, "start", error);
}

/* ---- A start of today's generation ---- */

static void job_is_announced(void *opaque, struct engine_job *job)
{
    struct world *world = opaque;

    if (world->job != NULL) {
        return; /* take_job() says so */
    }
    world->job = job;
    world->start_announced = true;
    world->job_concluded = false;
}

/* A start that had to wait is over. */
static void start_is_over(void *opaque, int ret, const struct job_error *error)
{
    struct world *world = opaque;
    struct job_error none = {.refusal = REFUSED_NOT};

    assert(world->job_starts && ret <= 0);
    if (ret < 0 && world->start_announced) {
        world->job = NULL;
    }
    report_start(world, world->start_number, ret, ret < 0 ? error : &none);
    world->job_starts = false;
}

static struct job_spec job_spec_of(struct world *world)
{
    const struct plan_job *job = &world->plan->job;

    return (struct job_spec){.kind = job->kind,
                             .source = &world->layer.nodes[job->source],
                             .target = &world->layer.nodes[job->target],
                             .replaces = job->replaces,
                             .sync = job->sync,
                             .speed = job->speed,
                             .granularity = job->granularity,
                             .buffer_bytes = job->buffer_bytes,
                             .on_source_error = job->on_source_error,
                             .on_target_error = job->on_target_error,
                             .id = job->id,
                             .filter_name = job->filter_name,
                             .copy_mode = job->copy_mode,
                             .backing_mode = job->backing_mode,
                             .unmap = job->unmap,
                             .target_is_zero = job->target_is_zero,
                             .auto_finalize = job->auto_finalize,
                             .auto_dismiss = job->auto_dismiss,
                             .auto_complete = job->auto_complete,
                             .plain_cursor = world->plan->plain_cursor,
                             .announced = job_is_announced,
                             .started = start_is_over,
                             .concluded = job_is_gone,
                             .opaque = world};
}

/*
 * The engine has a job for the world, or says that there is none; `before` is the world's before
 * the start, which may have announced one that is gone again.
 */
static void take_job(struct world *world, struct engine_job *before, int ret,
                     struct engine_job *job)
{
    if (ret < 0 && world->job != before) {
        world->job = before;
    } else if (ret < 0 && job != NULL && world->job == NULL) {
        world->job = job; /* D2 */
    } else if (ret == 0 && world->job == NULL) {
        world->job = job;
        world->job_concluded = false;
    } else if (ret == 0 && world->job != job) {
        verdict_add(&world->evidence, FINDING_JOB_SECOND_JOB,
                    "The engine started a second job while the first was still there.");
    }
}

/* All jobs of a plan have one id, and a job keeps it until it is dismissed (S3'). */
static bool id_is_in_use(const struct world *world)
{
    return world->plan->generation == GENERATION_MODERN && world->job != NULL &&
           world->job_concluded;
}

static void start_job(struct world *world, uint32_t number)
{
    struct job_spec spec = job_spec_of(world);
    struct engine_job *before = world->job;
    struct engine_job *job = NULL;
    struct job_error error = {.refusal = REFUSED_NOT};
    int ret;

    if (id_is_in_use(world)) {
        error = (struct job_error){REFUSED_ID, "the id is that of a job that nobody has dismissed"};
        report_start(world, number, -EEXIST, &error);
        return;
    }
    if (world->job_starts) {
        error = (struct job_error){REFUSED_BUSY, "a start is waiting"};
        report_start(world, number, -EBUSY, &error);
        return;
    }
    world->start_announced = false;
    ret = world->engine->start(world_host(world), &spec, &job, &error);
    assert(ret <= 0);
    if (ret == -EINPROGRESS) {
        world->job_starts = true;
        world->start_number = number;
        return;
    }
    take_job(world, before, ret, job);
    report_start(world, number, ret, &error);
}

static void command(struct world *world, uint32_t number, enum job_verb verb, int64_t arg)
{
    struct job_error error = {.refusal = REFUSED_NOT};
    int ret;

    world_emit(world, &(struct event){
                          .kind = EVENT_COMMAND, .detail = (uint8_t)verb, .offset = (uint64_t)arg});
    if (world->job != NULL) {
        ret = world->engine->command(world->job, verb, arg, &error);
    } else {
        ret = -ENOTCONN;
        error = (struct job_error){REFUSED_NOT_ACTIVE, "there is no job"};
    }
    assert(ret <= 0);
    if (ret < 0) {
        world_emit(world, &(struct event){.kind = EVENT_COMMAND_REFUSED,
                                          .detail = (uint8_t)verb,
                                          .detail2 = (uint8_t)error.refusal,
                                          .ret = ret});
    }
    judge_refusal(world, number, job_verb_name(verb), &error);
}

/* ---- Checks ---- */

static void check_field(struct world *world, uint32_t number, const struct query_check *check,
                        const struct job_info *info)
{
    char text[FINDING_TEXT_BYTES];

    verdict_checked(&world->evidence);
    if (!query_check_holds(check, info)) {
        query_check_describe(check, info, text, sizeof(text));
        action_fail(world, number, check->where, FINDING_EXPECT_QUERY, "The job's %s.", text);
    }
}

static void query(struct world *world, uint32_t number, const struct action *action)
{
    struct job_info info = {0};
    bool is_modern;

    if (!world_job(world, &info)) {
        if (!action->may_be_refused) {
            action_fail(world, number, action->where, FINDING_EXPECT_QUERY,
                        "There is no job to query.");
        }
        return;
    }
    is_modern = world->engine->generation != GENERATION_2_2;
    world_emit(world, &(struct event){.kind = EVENT_QUERY,
                                      .offset = info.offset,
                                      .bytes = info.len,
                                      .detail = is_modern && info.actively_synced,
                                      .detail2 = is_modern ? (uint8_t)info.status : 0});
    for (uint32_t i = 0; i < action->check_count; i++) {
        check_field(world, number, &action->checks[i], &info);
    }
}

static void query_disk(struct world *world, uint32_t number, const struct action *action)
{
    const struct block_node *node = &world->layer.nodes[action->index];
    const struct disk_check *check = &action->disk;
    const char *disk = phrase_disk(&world->evidence, action->index);

    verdict_checked(&world->evidence);
    if (check->io_status != MATCH_ANY && (enum io_status)check->io_status != node->io_status) {
        action_fail(world, number, action->where, FINDING_EXPECT_QUERY,
                    "The I/O status of %s is %s, not %s.", disk, io_status_name(node->io_status),
                    io_status_name((enum io_status)check->io_status));
    }
    if (check->tracks != MATCH_ANY && (check->tracks != 0) != node->tracks_io_status) {
        action_fail(world, number, action->where, FINDING_EXPECT_QUERY,
                    "The I/O status of %s is %stracked.", disk,
                    node->tracks_io_status ? "" : "not ");
    }
    if (check->on_error != MATCH_ANY && (enum error_policy)check->on_error != node->on_error) {
        action_fail(world, number, action->where, FINDING_EXPECT_QUERY,
                    "The policy of %s is %s, not %s.", disk, error_policy_name(node->on_error),
                    error_policy_name((enum error_policy)check->on_error));
    }
    if (check->flags != MATCH_ANY && (uint32_t)check->flags != node->flags) {
        action_fail(world, number, action->where, FINDING_EXPECT_QUERY,
                    "The open flags of %s are %#" PRIx32 ", not %#" PRIx32 ".", disk, node->flags,
                    (uint32_t)check->flags);
    }
}

static void expect_no_job(struct world *world, uint32_t number, const struct action *action)
{
    verdict_checked(&world->evidence);
    if (world->job != NULL) {
        action_fail(world, number, action->where, FINDING_EXPECT_JOB_EXISTS,
                    "No job was expected, but one exists.");
    }
}

/* ---- All of them ---- */

static void guest(struct world *world, uint32_t number, const struct action *action)
{
    guest_submit(&world->layer, &action->guest, number, NULL, NULL);
}

static void mark(struct world *world, uint32_t index)
{
    world_emit(world, &(struct event){.kind = EVENT_MARK, .index = (uint16_t)index});
    fault_mark(&world->layer, index);
}

static void power_cut(struct world *world, const struct action *action)
{
    cache_power_cut(&world->layer.nodes[action->index], action->cut);
    world_emit(world, &(struct event){.kind = EVENT_POWER_CUT, .node = (uint8_t)action->index});
}

/* Another job, a resize, an eject: all ask whether the node is blocked. */
static void use(struct world *world, uint32_t number, const struct action *action)
{
    struct job_error error = {.refusal = REFUSED_NOT};
    int ret = 0;
    char what[FINDING_TEXT_BYTES / 4];

    if (block_is_blocked(&world->layer.nodes[action->index])) {
        ret = -EBUSY;
        error = (struct job_error){REFUSED_BLOCKED, "its operations are blocked"};
    }
    world_emit(world, &(struct event){.kind = EVENT_GRAPH_USE,
                                      .node = (uint8_t)action->index,
                                      .detail = (uint8_t)error.refusal,
                                      .ret = ret});
    snprintf(what, sizeof(what), "another user's operation on %.64s",
             phrase_disk(&world->evidence, action->index));
    judge_refusal(world, number, what, &error);
}

void action_run(struct world *world, uint32_t number)
{
    const struct action *action = plan_action(world->plan, number);

    if (world->acting != NULL) {
        world->acting(world->hook_opaque, number);
    }
    switch (action->kind) {
    case DO_START:
        start_job(world, number);
        break;
    case DO_COMPLETE:
        command(world, number, VERB_COMPLETE, 0);
        break;
    case DO_CANCEL:
        command(world, number, VERB_CANCEL, action->force);
        break;
    case DO_PAUSE:
        command(world, number, VERB_PAUSE, 0);
        break;
    case DO_RESUME:
        command(world, number, VERB_RESUME, 0);
        break;
    case DO_FINALIZE:
        command(world, number, VERB_FINALIZE, 0);
        break;
    case DO_DISMISS:
        command(world, number, VERB_DISMISS, 0);
        break;
    case DO_CHANGE:
        command(world, number, VERB_CHANGE, action->copy_mode);
        break;
    case DO_SET_SPEED:
        command(world, number, VERB_SET_SPEED, action->speed);
        break;
    case DO_GUEST:
        guest(world, number, action);
        break;
    case DO_HOLD:
        fault_arm(&world->layer, action->index);
        break;
    case DO_RELEASE:
        fault_disarm(&world->layer, action->index);
        requests_release(&world->layer, action->index);
        break;
    case DO_MARK:
        mark(world, action->index);
        break;
    case DO_POWER_CUT:
        power_cut(world, action);
        break;
    case DO_USE:
        use(world, number, action);
        break;
    case DO_QUERY:
        query(world, number, action);
        break;
    case DO_QUERY_DISK:
        query_disk(world, number, action);
        break;
    case DO_JOB_NONE:
        expect_no_job(world, number, action);
        break;
    case DO_DRAIN:
        drain_begin(world, number, action);
        break;
    case DO_UNDRAIN:
        drain_end(world, number, action);
        break;
    case DO_WAIT:
    case DO_AT:
    case DO_SETTLE:
        assert(false && "an action that takes no time");
        break;
    }
}
