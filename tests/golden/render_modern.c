/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan of today's generation and renders its trace in the format of its reference traces.
 *
 * Lines of controls that are no commands of the job, of the start and of queries come from the
 * world's hook for actions, before their effects; the others from events.  The values of the last
 * lines are those at COMPLETED or CANCELLED: a step moves no data after them.
 */
#include "tests/golden/render_modern.h"
#include "engine/interposer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/interposer.h"

/* ---- Actions ---- */

/* busy= paused= ready= offset= len= */
static void job_words(const struct job_info *info, char *words, size_t size)
{
    snprintf(words, size, "busy=%d paused=%d ready=%d offset=%" PRIu64 " len=%" PRIu64, info->busy,
             info->paused, info->ready, info->offset, info->len);
}

static void tell_query(struct modern *modern, uint64_t now_ns)
{
    struct job_info info = {0};
    char words[160];
    if (!world_job(modern->world, &info)) {
        modern_tell(modern, "%" PRIu64 " query none", now_ns);
        return;
    }
    job_words(&info, words, sizeof(words));
    modern_tell(modern, "%" PRIu64 " query %s %s speed=%" PRIu64 " io=%s synced=%d dirty=%" PRId64,
                now_ns, job_status_name(info.status), words, info.speed,
                io_status_name(info.io_status), info.actively_synced && info.kind != JOB_COMMIT,
                info.dirty_bytes);
}

static void tell_release(struct modern *modern, uint64_t now_ns, uint32_t hold)
{
    const char *name = modern->plan->faults[hold].name;
    modern_tell(modern, "%" PRIu64 " control release %s", now_ns, name);
    if (!modern->made[hold]) {
        modern_tell(modern, "%" PRIu64 " control release %s failed no-hold", now_ns, name);
    }
}

static void tell_rule(struct modern *modern, uint64_t now_ns, uint32_t rule)
{
    enum fault_kind kind = modern->plan->faults[rule].kind;
    modern->made[rule] = true;
    modern_tell(modern, "%" PRIu64 " control %s", now_ns,
                kind == FAULT_ERROR  ? "error"
                : kind == FAULT_HOLD ? "hold"
                                     : "latency");
}

static void tell_drain(struct modern *modern, uint64_t now_ns, const struct action *action)
{
    const char *word = action->kind == DO_DRAIN ? "begin" : "end";
    bool is_filter = action->index == DRAIN_FILTER;
    const char *name = is_filter ? "filter" : modern_node_name(modern, action->index);
    modern_tell(modern, "%" PRIu64 " control drained_%s %s", now_ns, word, name);
    if (is_filter && action->kind == DO_DRAIN && modern->guest != BLOCK_FILTER_ID) {
        modern_tell(modern, "%" PRIu64 " control drained_begin filter failed no-node", now_ns);
    }
}

/* Called before the action is done, inside its event. */
static void acting(void *opaque, uint32_t number)
{
    struct modern *modern = opaque;
    const struct action *action = plan_action(modern->plan, number);
    uint64_t now_ns = world_now_ns(modern->world);
    modern_tell_events(modern);
    if (action->kind == DO_START) {
        modern_tell(modern, "%" PRIu64 " start", now_ns);
    } else if (action->kind == DO_QUERY) {
        tell_query(modern, now_ns);
    } else if (action->kind == DO_RELEASE) {
        tell_release(modern, now_ns, action->index);
    } else if (action->kind == DO_HOLD) {
        tell_rule(modern, now_ns, action->index);
    } else if (action->kind == DO_DRAIN || action->kind == DO_UNDRAIN) {
        tell_drain(modern, now_ns, action);
    }
}

/* ---- The last lines ---- */

/* How a run that left something undone has ended, or NULL. */
static const char *stop_name(const struct modern *modern, bool has_job)
{
    switch (world_ended(modern->world)) {
    case END_LIVELOCK:
    case END_EVENTS:
        return "LIVELOCK";
    case END_TIME:
        return "TIMEOUT";
    case END_NOT:
    case END_CONCLUDED:
    case END_DEADLOCK:
    case END_GIVEN_UP:
    case END_FINDINGS:
        break;
    }
    return has_job ? "HANG" : NULL;
}

static void tell_stop(struct modern *modern, const char *how, bool has_job,
                      const struct job_info *info)
{
    bool is_late = world_ended(modern->world) == END_TIME;
    uint64_t now_ns = is_late ? modern->plan->limits.time_ns : world_now_ns(modern->world);
    char words[160];
    char content[120];
    modern_tell(modern, "%" PRIu64 " %s", now_ns, how);
    if (has_job) {
        job_words(info, words, sizeof(words));
        modern_content_words(modern, content, sizeof(content));
        modern_tell(modern, "state status=%s %s dirty=%" PRId64 " %s",
                    job_status_name(info->status), words, info->dirty_bytes, content);
    }
}

static void tell_count(struct modern *modern, uint32_t disk)
{
    const uint64_t *count = modern->submitted[disk];
    modern_tell(modern,
                "count %s read=%" PRIu64 " write=%" PRIu64 " zero=%" PRIu64 " discard=%" PRIu64
                " flush=%" PRIu64,
                modern_node_name(modern, disk), count[OP_READ], count[OP_WRITE],
                count[OP_WRITE_ZEROES], count[OP_DISCARD], count[OP_FLUSH]);
}

static void tell_last_lines(struct modern *modern)
{
    struct job_info info = {0};
    bool has_job = world_job(modern->world, &info);
    const char *how = stop_name(modern, has_job);
    if (how) {
        tell_stop(modern, how, has_job, &info);
    }
    if (*modern->result) {
        modern_tell(modern, "%s", modern->result);
    } else if (!has_job) {
        modern_tell(modern, "nojob");
    }
    modern_tell(modern, "end guest=%s guests=%" PRIu32 " pending=%" PRIu32 " errors=%" PRIu32,
                modern_node_name(modern, modern->guest), modern->arrival_count,
                modern->arrival_count - modern->answered, modern->errors);
    tell_count(modern, modern->plan->job.source);
    tell_count(modern, modern->plan->job.target);
}

static void emitted(void *opaque)
{
    struct modern *modern = opaque;
    if (render_is_last_step(modern->pace)) {
        modern_tell_events(modern);
    }
}

bool render_modern(const struct plan *plan, const struct engine *engine, render_line *line,
                   void *opaque, const struct render_pace *pace)
{
    struct modern modern = {.plan = plan,
                            .guest = (uint8_t)plan->job.source,
                            .made = calloc(plan->fault_count + 1, sizeof(bool)),
                            .line = line,
                            .opaque = opaque,
                            .pace = pace};
    struct world_options options = {.engine = engine,
                                    .no_oracles = true,
                                    .acting = acting,
                                    .emitted = emitted,
                                    .opaque = &modern};
    trace_init(&modern.trace, true);
    modern.world = modern.made ? world_create(plan, &options, &modern.trace) : NULL;
    if (modern.world) {
        for (uint32_t i = 0; i < plan->fault_count; i++) {
            modern.made[i] = plan->faults[i].armed;
        }
        do {
            modern_tell_events(&modern);
        } while (render_step(modern.world, pace));
        modern_tell_events(&modern);
        tell_last_lines(&modern);
        world_destroy(modern.world);
    }
    bool had_memory = modern.world != NULL;
    free(modern.arrivals);
    free(modern.made);
    trace_free(&modern.trace);
    return had_memory;
}
