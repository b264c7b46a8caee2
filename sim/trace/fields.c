/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which fields each kind of event shows, and where their values come from.
 *
 * One table says both for text and for JSON, so neither can know an event that
 * the other does not.
 */
#include "sim/trace/fields.h"

#include <assert.h>

#include "engine/engine.h"
#include "engine/interposer.h"
#include "engine/zeroes.h"
#include "sim/trace/evidence.h"

#define NO_NODE 255 /* of EVENT_GRAPH_BACKING */

/* X(field, key in JSON, text before its value) */
#define FIELDS(X)                                 \
    X(NODE, "disk", "")                           \
    X(PIVOTED_NODE, "replaces", "for ")           \
    X(TARGET_NODE, "target", "to ")               \
    X(OP, "op", "")                               \
    X(OFFSET, "offset", "at ")                    \
    X(BYTES, "bytes", "+")                        \
    X(BY, "by", "by ")                            \
    X(MAY_UNMAP, "unmap", "")                     \
    X(REQUEST_LINE, "line", "line ")              \
    X(RET, "ret", "")                             \
    X(FAULT_NAME, "fault", "")                    \
    X(FAULT_ERRNO, "error", "")                   \
    X(BITMAP, "bitmap", "bitmap ")                \
    X(GRANULARITY, "granularity", "granularity ") \
    X(FLAGS, "flags", "flags ")                   \
    X(LENGTH, "length", "to ")                    \
    X(REFERENCES, "references", "references ")    \
    X(BUFFER_COUNT, "count", "")                  \
    X(BUFFER_BYTES, "bytes", "of ")               \
    X(START_REFUSAL, "refusal", "")               \
    X(VERB, "verb", "")                           \
    X(VERB_SPEED, "speed", "")                    \
    X(VERB_FORCE, "force", "")                    \
    X(VERB_MODE, "copy_mode", "")                 \
    X(VERB_REFUSAL, "refusal", "")                \
    X(PHASE_FROM, "from", "")                     \
    X(PHASE_TO, "to", "-> ")                      \
    X(POINT, "point", "")                         \
    X(POINT_A, "a", "")                           \
    X(POINT_B, "b", "")                           \
    X(POINT_C, "c", "")                           \
    X(JOB_OFFSET, "offset", "")                   \
    X(JOB_LEN, "len", "of ")                      \
    X(ACTION, "action", "action ")                \
    X(STEP_NUMBER, "step", "")                    \
    X(STEP_KIND, "do", "")                        \
    X(STEP_LINE, "line", "line ")                 \
    X(REACT_LINE, "line", "line ")                \
    X(MARK_NAME, "mark", "")                      \
    X(WORLD_END, "end", "")                       \
    X(MOVED_FROM, "from", "from ")                \
    X(BACKING_NODE, "backing", "")                \
    X(ON, "on", "")                               \
    X(STATUS_FROM, "from", "")                    \
    X(STATUS_TO, "to", "-> ")                     \
    X(SECTION_NODE, "disk", "")                   \
    X(SECTION_STEP, "section", "")                \
    X(QUERY_STATUS_WORD, "status", "")            \
    X(QUERY_SYNC, "synced", "synced ")            \
    X(HOLDER, "holder", "")

enum what {
    LAST, /* ends a list */
#define X(id, key, before) id,
    FIELDS(X)
#undef X
};

static const struct {
    const char *key;
    const char *before;
} labels[] = {
#define X(id, key, before) [id] = {key, before},
    FIELDS(X)
#undef X
};

#define LIST(...)         \
    (const uint8_t[])     \
    {                     \
        __VA_ARGS__, LAST \
    }
#define REQUEST NODE, OP, OFFSET, BYTES, BY
#define PROGRESS JOB_OFFSET, JOB_LEN
#define STEP STEP_NUMBER, STEP_KIND, STEP_LINE

static const uint8_t *const lists[EVENT_KIND_COUNT] = {
    [EVENT_REQUEST_QUEUED] = LIST(REQUEST, REQUEST_LINE),
    [EVENT_REQUEST_SUBMIT] = LIST(REQUEST, MAY_UNMAP, REQUEST_LINE),
    [EVENT_REQUEST_START] = LIST(REQUEST),
    [EVENT_REQUEST_EFFECT] = LIST(REQUEST),
    [EVENT_REQUEST_DONE] = LIST(REQUEST, RET),
    [EVENT_FAULT] = LIST(FAULT_NAME, REQUEST, FAULT_ERRNO),
    [EVENT_HELD] = LIST(FAULT_NAME, REQUEST),
    [EVENT_RELEASED] = LIST(FAULT_NAME, REQUEST),
    [EVENT_DIRTY_CREATE] = LIST(NODE, BITMAP, GRANULARITY),
    [EVENT_DIRTY_SET] = LIST(NODE, BITMAP, OFFSET, BYTES, BY),
    [EVENT_DIRTY_CLEAR] = LIST(NODE, BITMAP, OFFSET, BYTES, BY),
    [EVENT_DIRTY_RELEASE] = LIST(NODE, BITMAP),
    [EVENT_DRAIN_BEGIN] = LIST(NODE),
    [EVENT_DRAINED] = LIST(NODE),
    [EVENT_DRAIN_END] = LIST(NODE),
    [EVENT_GRAPH_OPEN_BACKING] = LIST(NODE, RET),
    [EVENT_GRAPH_REOPEN] = LIST(NODE, FLAGS, RET),
    [EVENT_GRAPH_TRUNCATE] = LIST(NODE, LENGTH, RET),
    [EVENT_GRAPH_PIVOT] = LIST(NODE, PIVOTED_NODE),
    [EVENT_GRAPH_UNLINK] = LIST(NODE),
    [EVENT_GRAPH_BLOCK] = LIST(NODE),
    [EVENT_GRAPH_UNBLOCK] = LIST(NODE),
    [EVENT_GRAPH_REF] = LIST(NODE, REFERENCES),
    [EVENT_GRAPH_UNREF] = LIST(NODE, REFERENCES),
    [EVENT_GRAPH_USE] = LIST(NODE, START_REFUSAL, RET),
    [EVENT_BUFFERS_CREATE] = LIST(NODE, BUFFER_COUNT, BUFFER_BYTES),
    [EVENT_BUFFERS_RELEASE] = LIST(NODE),
    [EVENT_JOB_STARTED] = LIST(NODE, TARGET_NODE),
    [EVENT_JOB_REFUSED] = LIST(START_REFUSAL, RET),
    [EVENT_JOB_PHASE] = LIST(PHASE_FROM, PHASE_TO),
    [EVENT_JOB_TRACE] = LIST(POINT, POINT_A, POINT_B, POINT_C),
    [EVENT_JOB_PROGRESS] = LIST(PROGRESS),
    [EVENT_JOB_READY] = LIST(NODE),
    [EVENT_JOB_ERROR] = LIST(NODE, OP, OFFSET, BYTES, ACTION, RET),
    [EVENT_JOB_PAUSED] = LIST(NODE),
    [EVENT_JOB_RESUMED] = LIST(NODE),
    [EVENT_JOB_COMPLETED] = LIST(PROGRESS, RET),
    [EVENT_JOB_CANCELLED] = LIST(PROGRESS, RET),
    [EVENT_COMMAND] = LIST(VERB, VERB_SPEED, VERB_FORCE, VERB_MODE),
    [EVENT_COMMAND_REFUSED] = LIST(VERB, VERB_REFUSAL, RET),
    [EVENT_STEP] = LIST(STEP),
    [EVENT_REACT] = LIST(REACT_LINE),
    [EVENT_MARK] = LIST(MARK_NAME),
    [EVENT_QUERY] = LIST(PROGRESS, QUERY_STATUS_WORD, QUERY_SYNC),
    [EVENT_CHECK_FAILED] = LIST(STEP),
    [EVENT_POWER_CUT] = LIST(NODE),
    [EVENT_END] = LIST(WORLD_END),
    [EVENT_ARRIVE] = LIST(REQUEST, REQUEST_LINE),
    [EVENT_ANSWERED] = LIST(REQUEST, RET),
    [EVENT_GUEST_MOVED] = LIST(NODE, MOVED_FROM),
    [EVENT_GRAPH_BACKING] = LIST(NODE, BACKING_NODE, RET),
    [EVENT_GRAPH_READ_ONLY] = LIST(NODE, ON, RET),
    [EVENT_JOB_STATUS] = LIST(STATUS_FROM, STATUS_TO),
    [EVENT_JOB_PENDING] = LIST(NODE),
    [EVENT_JOB_SYNCED] = LIST(ON),
    [EVENT_SECTION] = LIST(SECTION_NODE, SECTION_STEP, BY),
    [EVENT_STALL_HOLDER] = LIST(HOLDER, OFFSET, BYTES),
};

static struct value none(void)
{
    return (struct value){.style = STYLE_NONE};
}

static struct value word(const char *text)
{
    return (struct value){.style = STYLE_WORD, .word = text};
}

static struct value number(enum style style, uint64_t value)
{
    return (struct value){.style = style, .number = value};
}

/* A name if the plan has it, else the number. */
static struct value disk_name(const struct trace_names *names, unsigned disk)
{
    return disk < names->plan->disk_count ? word(names->plan->disks[disk].name)
                                          : number(STYLE_COUNT, disk);
}

/* The job's filter is a node, but no disk. */
static struct value graph_name(const struct trace_names *names, unsigned node)
{
    return node == BLOCK_FILTER_ID ? word("filter") : disk_name(names, node);
}

/* A number that no name belongs to is shown as such. */
static struct value status_name(unsigned status)
{
    return status < JOB_STATUS_COUNT ? word(job_status_name((enum job_status)status))
                                     : number(STYLE_COUNT, status);
}

static struct value copy_mode_word(uint64_t mode)
{
    return mode <= COPY_WRITE_BLOCKING ? word(copy_mode_name((enum copy_mode)mode))
                                       : number(STYLE_COUNT, mode);
}

static struct value section_name(unsigned step)
{
    static const char *const steps[] = {
        [SECTION_BEGUN] = "begun", [SECTION_QUIET] = "quiet", [SECTION_ENDED] = "over"};

    return step >= SECTION_BEGUN && step <= SECTION_ENDED ? word(steps[step])
                                                          : number(STYLE_COUNT, step);
}

static struct value fault_name(const struct trace_names *names, unsigned fault)
{
    return fault < names->plan->fault_count ? word(names->plan->faults[fault].name)
                                            : number(STYLE_COUNT, fault);
}

static struct value mark_name(const struct trace_names *names, unsigned mark)
{
    return mark < names->plan->mark_count ? word(names->plan->marks[mark])
                                          : number(STYLE_COUNT, mark);
}

static struct value phase_name(const struct trace_names *names, unsigned phase)
{
    return names->engine ? word(names->engine->phase_name(phase)) : number(STYLE_COUNT, phase);
}

static struct value point_name(const struct trace_names *names, unsigned point)
{
    return names->engine && names->engine->trace_point_name
               ? word(names->engine->trace_point_name(point))
               : number(STYLE_COUNT, point);
}

static struct value line_of(const struct where *where)
{
    return where->line ? number(STYLE_COUNT, where->line) : none();
}

/* The scenario line of the action or the generator behind a guest request. */
static struct value request_line(const struct trace_names *names, unsigned index)
{
    struct guest_origin origin = {0};

    if (index > 0) {
        origin = plan_guest_origin(names->plan, index - 1);
    }
    return line_of(&origin.where);
}

static struct value step_value(const struct plan *plan, unsigned step, enum what what)
{
    if (step >= plan->step_count) {
        return none();
    }
    if (what == STEP_NUMBER) {
        return number(STYLE_COUNT, step + UINT64_C(1));
    }
    return what == STEP_KIND ? word(action_kind_name(plan->steps[step].kind))
                             : line_of(&plan->steps[step].where);
}

static struct value react_line(const struct plan *plan, unsigned react)
{
    return react < plan->react_count ? line_of(&plan->reacts[react].where) : none();
}

/* Zero says nothing where there is no range, no error, no one who asks. */
static struct value unless_zero(uint64_t condition, struct value value)
{
    return condition ? value : none();
}

static struct value field_value(const struct trace_names *names, const struct event *event,
                                enum what what)
{
    uint64_t error = 0 - (uint64_t)event->ret;
    bool is_modern = names->plan->generation == GENERATION_MODERN;

    switch (what) {
    case LAST:
        break;
    case NODE:
        return graph_name(names, event->node);
    case PIVOTED_NODE:
    case TARGET_NODE:
        return disk_name(names, event->index);
    case OP:
        return word(op_name(event_op(event)));
    case OFFSET:
        return unless_zero(event->bytes, number(STYLE_SIZE, event->offset));
    case BYTES:
        return unless_zero(event->bytes, number(STYLE_SIZE, event->bytes));
    case BY:
        return unless_zero(event->by, word(by_name(event_by(event))));
    case REQUEST_LINE:
        return request_line(names, event->index);
    case RET:
        return number(STYLE_ERROR, error);
    case FAULT_ERRNO:
        return unless_zero(error, number(STYLE_ERROR, error));
    case FAULT_NAME:
        return fault_name(names, event->index);
    case BITMAP:
        return number(STYLE_COUNT, event->index);
    case GRANULARITY:
    case LENGTH:
    case BUFFER_BYTES:
    case JOB_LEN:
        return number(STYLE_SIZE, event->bytes);
    case JOB_OFFSET:
        return number(STYLE_SIZE, event->offset);
    case FLAGS:
        return number(STYLE_FLAGS, event->bytes);
    case REFERENCES:
        return number(STYLE_COUNT, event->bytes);
    case BUFFER_COUNT:
        return number(STYLE_COUNT, event->offset);
    case START_REFUSAL:
        return word(job_refusal_name(event_refusal(event)));
    case VERB_REFUSAL:
        return word(job_refusal_name(event_refusal(event)));
    case VERB:
        return word(job_verb_name(event_verb(event)));
    case VERB_SPEED:
        return unless_zero(event->detail == VERB_SET_SPEED, number(STYLE_SIGNED, event->offset));
    case VERB_FORCE:
        return unless_zero(event->detail == VERB_CANCEL && event->offset != 0, word("force"));
    case VERB_MODE:
        return unless_zero(event->detail == VERB_CHANGE, copy_mode_word(event->offset));
    case MAY_UNMAP:
        return unless_zero(event->op == OP_WRITE_ZEROES && (event->detail & ZEROES_MAY_UNMAP),
                           word("unmap"));
    case PHASE_FROM:
        return phase_name(names, event->detail);
    case PHASE_TO:
        return phase_name(names, event->detail2);
    case POINT:
        return point_name(names, event->detail);
    case POINT_A:
        return number(STYLE_SIGNED, event->offset);
    case POINT_B:
        return unless_zero(event->bytes, number(STYLE_SIGNED, event->bytes));
    case POINT_C:
        return unless_zero(event->ret != 0, number(STYLE_SIGNED, (uint64_t)(int64_t)event->ret));
    case ACTION:
        return word(error_action_name(event_action(event)));
    case STEP_NUMBER:
    case STEP_KIND:
    case STEP_LINE:
        return step_value(names->plan, event->index, what);
    case REACT_LINE:
        return react_line(names->plan, event->index);
    case MARK_NAME:
        return mark_name(names, event->index);
    case WORLD_END:
        return word(world_end_name((enum world_end)event->detail));
    case MOVED_FROM:
        return graph_name(names, event->index);
    case BACKING_NODE:
        return event->index == NO_NODE ? word("none") : graph_name(names, event->index);
    case ON:
        return number(STYLE_COUNT, event->detail);
    case STATUS_FROM:
        return status_name(event->detail);
    case STATUS_TO:
        return status_name(event->detail2);
    case SECTION_NODE:
        return event->index == SECTION_OF_ALL ? word("all") : graph_name(names, event->node);
    case SECTION_STEP:
        return section_name(event->detail);
    case QUERY_STATUS_WORD:
        return unless_zero(is_modern, status_name(event->detail2));
    case QUERY_SYNC:
        return unless_zero(is_modern, number(STYLE_COUNT, event->detail));
    case HOLDER:
        return word(stall_holder_name((enum stall_holder)event->detail));
    }
    return none();
}

uint32_t event_fields(const struct trace_names *names, const struct event *event,
                      struct field fields[EVENT_MAX_FIELDS])
{
    const uint8_t *what;
    uint32_t count = 0;

    assert(event->kind < EVENT_KIND_COUNT);
    for (what = lists[event->kind]; *what != LAST; what++) {
        struct value value = field_value(names, event, (enum what) * what);

        if (value.style != STYLE_NONE) {
            assert(count < EVENT_MAX_FIELDS);
            fields[count++] = (struct field){labels[*what].key, labels[*what].before, value};
        }
    }
    return count;
}

bool field_says_nothing(const struct event *event, const struct field *field)
{
    return event->kind == EVENT_JOB_CANCELLED && field->value.style == STYLE_ERROR &&
           field->value.number == 0;
}
