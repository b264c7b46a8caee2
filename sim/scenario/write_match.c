/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan: which requests and which events.
 */
#include "sim/scenario/write.h"

#include "sim/scenario/private.h"

/* One name, or a list. */
static void write_disks(struct flow *flow, const struct plan *plan, uint64_t disks)
{
    bool is_one = (disks & (disks - 1)) == 0;
    const char *before = is_one ? "" : "[";

    flow_key(flow, "disk");
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (disks >> i & 1) {
            fprintf(flow->file, "%s%s", before, plan->disks[i].name);
            before = ", ";
        }
    }
    fputs(is_one ? "" : "]", flow->file);
}

static void write_ops(struct flow *flow, uint32_t ops)
{
    bool is_one = (ops & (ops - 1)) == 0;
    const char *before = is_one ? "" : "[";

    flow_key(flow, "op");
    for (uint32_t i = 0; i < OP_COUNT; i++) {
        if (ops >> i & 1) {
            fprintf(flow->file, "%s%s", before, op_name((enum op)i));
            before = ", ";
        }
    }
    fputs(is_one ? "" : "]", flow->file);
}

void write_request_match(struct flow *flow, const struct plan *plan,
                         const struct request_match *match)
{
    if (match->disks != 0) {
        write_disks(flow, plan, match->disks);
    }
    if (match->ops != 0) {
        write_ops(flow, match->ops);
    }
    if (match->by != BY_NONE) {
        flow_text(flow, "by", by_name(match->by));
    }
    if (match->has_range) {
        flow_key(flow, "overlaps");
        write_range(flow->file, match->offset, match->bytes);
    }
}

/* What the event is about: a fault, a mark, or nothing that has a name. */
static void write_kind(struct flow *flow, const struct plan *plan, const struct event_match *match)
{
    enum event_kind kind = (enum event_kind)__builtin_ctzll(match->kinds);
    bool is_named = match->index != ANY;

    if (is_named && (kind == EVENT_HELD || kind == EVENT_RELEASED || kind == EVENT_FAULT)) {
        flow_text(flow, event_kind_name(kind), plan->faults[match->index].name);
    } else if (is_named && kind == EVENT_MARK) {
        flow_text(flow, "mark", plan->marks[match->index]);
    } else {
        flow_text(flow, "event", event_kind_name(kind));
    }
}

bool event_is_bare(const struct event_match *match)
{
    const struct request_match *request = &match->request;

    return request->disks == 0 && request->ops == 0 && request->by == BY_NONE &&
           !request->has_range && match->action == ANY && match->verb == ANY &&
           match->refusal == ANY && match->index == ANY && !match->has_ret;
}

void write_event_match(struct flow *flow, const struct plan *plan, const struct event_match *match)
{
    write_kind(flow, plan, match);
    write_request_match(flow, plan, &match->request);
    if (match->action != ANY) {
        flow_value(flow, "action", &type_action, match->action);
    }
    if (match->verb != ANY) {
        flow_value(flow, "command", &type_verb, match->verb);
    }
    if (match->refusal != ANY) {
        flow_value(flow, "reason", &type_refusal, match->refusal);
    }
    if (match->has_ret) {
        flow_value(flow, "result", &type_result, match->ret);
    }
}

/* ---- Queries ---- */

static const char *field_key(enum query_field field)
{
    switch (field) {
    case QUERY_OFFSET:
        return "offset";
    case QUERY_LEN:
        return "len";
    case QUERY_SPEED:
        return "speed";
    case QUERY_IO_STATUS:
        return "io-status";
    case QUERY_STATUS:
        return "status";
    case QUERY_KIND:
        return "kind";
    case QUERY_BUSY:
    case QUERY_PAUSED:
    case QUERY_READY:
    case QUERY_CANCELLED:
        break;
    }
    return NULL; /* a flag */
}

static const struct value_type *field_type(enum query_field field)
{
    switch (field) {
    case QUERY_SPEED:
        return &type_speed;
    case QUERY_IO_STATUS:
        return &type_io_status;
    case QUERY_STATUS:
        return &type_job_status;
    case QUERY_KIND:
        return &type_job_kind;
    case QUERY_OFFSET:
    case QUERY_LEN:
    case QUERY_BUSY:
    case QUERY_PAUSED:
    case QUERY_READY:
    case QUERY_CANCELLED:
        break;
    }
    return &type_bytes;
}

/* All that is asked of one field stands under one key. */
static void write_field(struct flow *query, const struct query_check *checks, uint32_t count,
                        enum query_field field)
{
    struct flow bounds = {query->file, false};

    for (uint32_t i = 0; i < count; i++) {
        if (checks[i].field != field) {
            continue;
        }
        if (!bounds.has_entry) {
            flow_key(query, field_key(field));
        }
        if (checks[i].comparison == COMPARE_EQUAL) {
            value_write(query->file, field_type(field), (int64_t)checks[i].value);
            return;
        }
        flow_value(&bounds, checks[i].comparison == COMPARE_AT_LEAST ? "at-least" : "at-most",
                   field_type(field), (int64_t)checks[i].value);
    }
    if (bounds.has_entry) {
        flow_end(&bounds);
    }
}

static void write_flags(struct flow *query, const struct query_check *checks, uint32_t count,
                        const char *key, bool value)
{
    bool has_one = false;

    for (uint32_t i = 0; i < count; i++) {
        if (field_key(checks[i].field) != NULL || (checks[i].value != 0) != value) {
            continue;
        }
        if (!has_one) {
            flow_key(query, key);
        }
        fputs(has_one ? ", " : "[", query->file);
        value_write(query->file, &type_job_flag, (int64_t)checks[i].field);
        has_one = true;
    }
    if (has_one) {
        fputc(']', query->file);
    }
}

void write_query_checks(FILE *file, const struct query_check *checks, uint32_t count)
{
    struct flow query = {file, false};

    for (int field = QUERY_OFFSET; field <= QUERY_KIND; field++) {
        if (field_key((enum query_field)field) != NULL) {
            write_field(&query, checks, count, (enum query_field)field);
        }
    }
    write_flags(&query, checks, count, "is", true);
    write_flags(&query, checks, count, "is-not", false);
    flow_end(&query);
}
