/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of a run of today's generation as lines of its reference traces: most lines are one event.
 *
 * Declared in tests/golden/render_modern.h, with what it shares with the rest of the run.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/interposer.h"
#include "engine/zeroes.h"
#include "tests/golden/config.h"
#include "tests/golden/content.h"
#include "tests/golden/render_modern.h"

#define NO_NODE 255 /* in events: there is no backing */

void modern_tell(struct modern *modern, const char *format, ...)
{
    char line[RENDER_LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    modern->line(modern->opaque, line, NULL);
}

/* ---- Words ---- */

const char *modern_node_name(const struct modern *modern, uint32_t node)
{
    return node == BLOCK_FILTER_ID ? "filter" : modern->plan->disks[node].name;
}

static const char *request_name(unsigned op)
{
    return op == OP_WRITE_ZEROES ? "zero" : op_name((enum op)op);
}

/* NULL: a failure of it is no line. */
static const char *call_name(unsigned op)
{
    static const char *const names[OP_COUNT] = {
        [OP_GETLENGTH] = "getlength", [OP_BUFFER] = "memalign",
        [OP_GET_INFO] = "info",       [OP_ALL_ZERO] = "is_zero",
        [OP_CONTENT] = "status",      [OP_OPEN_BACKING] = "open_backing",
        [OP_STATUS] = "alloc",        [OP_TRUNCATE] = "truncate",
    };
    return names[op];
}

static const char *refusal_class(unsigned refusal)
{
    static const char *const names[REFUSED_COUNT] = {
        [REFUSED_NOT_READY] = "not-ready",
        [REFUSED_INVALID_PARAMETER] = "parameter",
        [REFUSED_NOT_ACTIVE] = "no-job",
        [REFUSED_NOT_FOUND] = "no-node",
        [REFUSED_VERB] = "verb",
        [REFUSED_PAUSED] = "paused",
        [REFUSED_NOT_PAUSED] = "not-paused",
        [REFUSED_MODE] = "mode",
        [REFUSED_TYPE] = "type",
        [REFUSED_ITSELF] = "itself",
    };
    return names[refusal] ? names[refusal] : job_refusal_name((enum job_refusal)refusal);
}

/* The words of a command, with its argument. */
static void command_words(const struct event *event, char *words, size_t size)
{
    switch (event_verb(event)) {
    case VERB_SET_SPEED:
        snprintf(words, size, "set_speed %" PRId64, (int64_t)event->offset);
        break;
    case VERB_CANCEL:
        snprintf(words, size, "cancel%s", event->offset ? " force" : "");
        break;
    case VERB_CHANGE:
        snprintf(words, size, "change %s", copy_mode_name((enum copy_mode)event->offset));
        break;
    case VERB_COMPLETE:
    case VERB_PAUSE:
    case VERB_RESUME:
    case VERB_FINALIZE:
    case VERB_DISMISS:
    case VERB_COUNT:
        snprintf(words, size, "%s", job_verb_name(event_verb(event)));
        break;
    }
}

/* ---- The guest ---- */

/* The arrival of that request, or NULL. */
static struct arrival *find_arrival(struct modern *modern, uint32_t request)
{
    for (uint32_t i = modern->arrival_count; i > 0; i--) {
        if (modern->arrivals[i - 1].request == request) {
            return &modern->arrivals[i - 1];
        }
    }
    return NULL;
}

static void tell_arrival(struct modern *modern, const struct event *event)
{
    const struct action *action = plan_action(modern->plan, event->index - 1U);
    uint64_t tag;
    char words[32] = "";
    if (find_arrival(modern, event->request)) {
        return; /* it has queued before */
    }
    modern->arrivals =
        realloc(modern->arrivals, (modern->arrival_count + 1) * sizeof(*modern->arrivals));
    assert(modern->arrivals);
    modern->arrivals[modern->arrival_count++] =
        (struct arrival){.request = event->request, .op = event_op(event)};
    if (event->op == OP_WRITE && config_parse_number(action->guest.tag, &tag)) {
        snprintf(words, sizeof(words), " 0x%" PRIx64, tag);
    }
    modern_tell(modern, "%" PRIu64 " guest %" PRIu32 " %s %" PRIu64 " %" PRIu64 "%s", event->now_ns,
                modern->arrival_count, request_name(event->op), event->offset, event->bytes, words);
}

static void tell_answered(struct modern *modern, const struct event *event)
{
    const struct arrival *arrival = find_arrival(modern, event->request);
    char first[40] = "";
    modern->answered++;
    if (arrival->op == OP_READ && event->ret == 0) {
        snprintf(first, sizeof(first), " first=0x%" PRIx64, arrival->first_tag);
    }
    modern_tell(modern, "%" PRIu64 " guest %td done %" PRId32 " %s%s", event->now_ns,
                arrival - modern->arrivals + 1, event->ret, modern_node_name(modern, event->node),
                first);
}

/* ---- One event, one line ---- */

static void tell_submit(struct modern *modern, const struct event *event)
{
    struct arrival *arrival = find_arrival(modern, event->request);
    bool unmaps = event->op == OP_WRITE_ZEROES && (event->detail & ZEROES_MAY_UNMAP) != 0;
    modern->submitted[event->node][event->op]++;
    if (arrival && event->op == OP_READ && event->bytes > 0) {
        arrival->first_tag =
            content_tag(world_evidence(modern->world), event->node, event->offset / SECTOR_BYTES);
    }
    modern_tell(modern, "%" PRIu64 " submit %s %s %" PRIu64 " %" PRIu64 "%s", event->now_ns,
                modern_node_name(modern, event->node), request_name(event->op), event->offset,
                event->bytes, unmaps ? " unmap" : "");
}

static void tell_done(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " done %s %s %" PRIu64 " %" PRIu64 " %" PRId32, event->now_ns,
                modern_node_name(modern, event->node), request_name(event->op), event->offset,
                event->bytes, event->ret);
}

static void tell_held(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " held %s %s %s %" PRIu64 " %" PRIu64, event->now_ns,
                modern->plan->faults[event->index].name, modern_node_name(modern, event->node),
                request_name(event->op), event->offset, event->bytes);
}

static void tell_fault(struct modern *modern, const struct event *event)
{
    if (call_name(event->op)) {
        modern_tell(modern, "%" PRIu64 " fail %s %s %" PRId32, event->now_ns,
                    modern_node_name(modern, event->node), call_name(event->op), event->ret);
    }
}

static void tell_status(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " status %s", event->now_ns,
                job_status_name((enum job_status)event->detail2));
}

static void tell_ready(struct modern *modern, const struct event *event)
{
    modern->was_ready = true;
    modern_tell(modern, "%" PRIu64 " event READY len=%" PRIu64 " offset=%" PRIu64, event->now_ns,
                event->bytes, event->offset);
}

static void tell_error(struct modern *modern, const struct event *event)
{
    modern->errors++;
    modern_tell(modern, "%" PRIu64 " event ERROR(%s,%s)", event->now_ns,
                event->op == OP_READ ? "read" : "write", error_action_name(event_action(event)));
}

static void tell_pending(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " event PENDING", event->now_ns);
}

static void tell_drained(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " drained %s", event->now_ns,
                modern_node_name(modern, event->node));
}

static void tell_start_refused(struct modern *modern, const struct event *event)
{
    modern_tell(modern, "%" PRIu64 " start failed %s", event->now_ns, refusal_class(event->detail));
}

static void tell_command(struct modern *modern, const struct event *event)
{
    char words[64];
    command_words(event, words, sizeof(words));
    modern_tell(modern, "%" PRIu64 " control %s", event->now_ns, words);
}

/* The command itself is the last COMMAND: it has the argument. */
static void tell_refused(struct modern *modern, const struct event *event)
{
    const struct event *command = event;
    char words[64];
    while (command->kind != EVENT_COMMAND) {
        command--;
    }
    command_words(command, words, sizeof(words));
    modern_tell(modern, "%" PRIu64 " control %s failed %s", event->now_ns, words,
                refusal_class(event->detail2));
}

static void tell_moved(struct modern *modern, const struct event *event)
{
    modern->guest = event->node;
    modern_tell(modern, "%" PRIu64 " graph guest %s %s", event->now_ns,
                modern_node_name(modern, event->index), modern_node_name(modern, event->node));
}

/* A call that has failed is a `fail` line alone. */
static void tell_backing(struct modern *modern, const struct event *event)
{
    if (event->ret == 0) {
        modern_tell(modern, "%" PRIu64 " graph backing %s %s", event->now_ns,
                    modern_node_name(modern, event->node),
                    event->index == NO_NODE ? "none" : modern_node_name(modern, event->index));
    }
}

/* What is attached then is told by an event of its own. */
static void tell_open_backing(struct modern *modern, const struct event *event)
{
    if (event->ret == 0) {
        modern_tell(modern, "%" PRIu64 " graph open_backing %s 0", event->now_ns,
                    modern_node_name(modern, event->node));
    }
}

static void tell_truncate(struct modern *modern, const struct event *event)
{
    if (event->ret == 0) {
        modern_tell(modern, "%" PRIu64 " graph truncate %s %" PRIu64 " 0", event->now_ns,
                    modern_node_name(modern, event->node), event->bytes);
    }
}

static void tell_read_only(struct modern *modern, const struct event *event)
{
    if (event->ret == 0) {
        modern_tell(modern, "%" PRIu64 " graph readonly %s %u", event->now_ns,
                    modern_node_name(modern, event->node), event->detail);
    }
}

/* ---- The end of the job ---- */

/* equal= differ= first_diff= seen= */
void modern_content_words(const struct modern *modern, char *words, size_t size)
{
    const struct evidence *evidence = world_evidence(modern->world);
    struct content_difference target = content_compare(evidence, modern->plan->job.target, true);
    struct content_difference seen =
        content_compare(evidence, world_guest_disk(modern->world), false);
    snprintf(words, size, "equal=%s differ=%" PRIu64 " first_diff=%" PRId64 " seen=%s",
             target.sectors == 0 ? "yes" : "no", target.sectors,
             target.sectors == 0 ? -1 : (int64_t)target.first, seen.sectors == 0 ? "yes" : "no");
}

static void tell_end(struct modern *modern, const struct event *event)
{
    bool is_cancelled = event->kind == EVENT_JOB_CANCELLED;
    char ret[24] = "";
    char content[120];
    if (!is_cancelled) {
        snprintf(ret, sizeof(ret), " ret=%" PRId32, event->ret);
    }
    modern_tell(modern, "%" PRIu64 " event %s len=%" PRIu64 " offset=%" PRIu64 "%s", event->now_ns,
                is_cancelled ? "CANCELLED" : "COMPLETED", event->bytes, event->offset, ret);
    modern_content_words(modern, content, sizeof(content));
    snprintf(modern->result, sizeof(modern->result),
             "result %" PRId32 " cancelled=%d ready=%d offset=%" PRIu64 " len=%" PRIu64 " %s",
             event->ret, is_cancelled, modern->was_ready, event->offset, event->bytes, content);
}

/* Events without an entry have no line in the reference. */
static void (*const tellers[EVENT_KIND_COUNT])(struct modern *modern, const struct event *event) = {
    [EVENT_REQUEST_QUEUED] = tell_arrival,
    [EVENT_ARRIVE] = tell_arrival,
    [EVENT_ANSWERED] = tell_answered,
    [EVENT_REQUEST_SUBMIT] = tell_submit,
    [EVENT_REQUEST_DONE] = tell_done,
    [EVENT_HELD] = tell_held,
    [EVENT_FAULT] = tell_fault,
    [EVENT_DRAINED] = tell_drained,
    [EVENT_JOB_STATUS] = tell_status,
    [EVENT_JOB_READY] = tell_ready,
    [EVENT_JOB_ERROR] = tell_error,
    [EVENT_JOB_PENDING] = tell_pending,
    [EVENT_JOB_COMPLETED] = tell_end,
    [EVENT_JOB_CANCELLED] = tell_end,
    [EVENT_JOB_REFUSED] = tell_start_refused,
    [EVENT_COMMAND] = tell_command,
    [EVENT_COMMAND_REFUSED] = tell_refused,
    [EVENT_GUEST_MOVED] = tell_moved,
    [EVENT_GRAPH_BACKING] = tell_backing,
    [EVENT_GRAPH_OPEN_BACKING] = tell_open_backing,
    [EVENT_GRAPH_TRUNCATE] = tell_truncate,
    [EVENT_GRAPH_READ_ONLY] = tell_read_only,
};

void modern_tell_events(struct modern *modern)
{
    while (modern->told < modern->trace.count) {
        const struct event *event = &modern->trace.events[modern->told++];
        if (tellers[event->kind]) {
            tellers[event->kind](modern, event);
        }
    }
}
