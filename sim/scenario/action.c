/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions: what a step or a reaction does.
 */
#include "sim/scenario/private.h"

/* ---- Guest requests ---- */

static void read_guest_op(struct loader *loader, const struct yaml_node *node, void *record,
                          enum op op)
{
    struct guest_request *request = record;
    uint32_t guest_disk = loader->plan->job.source;
    struct range_spec range = {0, 0};

    if (request->op != OP_COUNT) {
        read_mistake(loader, node, "a guest request does one thing");
    }
    request->op = op;
    if (range_read(loader, node, &type_sectors, &range)) {
        request->offset = range.offset;
        request->bytes = range.bytes;
        if (guest_disk != PLAN_NONE) {
            range_check(loader, node, &range, guest_disk);
        }
    }
}

void guest_read_write(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_guest_op(loader, node, record, OP_WRITE);
}

void guest_read_write_zeroes(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_guest_op(loader, node, record, OP_WRITE_ZEROES);
}

void guest_read_discard(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_guest_op(loader, node, record, OP_DISCARD);
}

void guest_read_read(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_guest_op(loader, node, record, OP_READ);
}

void guest_read_flush(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct guest_request *request = record;

    if (request->op != OP_COUNT) {
        read_mistake(loader, node, "a guest request does one thing");
    }
    read_flag(loader, node);
    request->op = OP_FLUSH;
}

void guest_read_tag(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct guest_request *request = record;

    request->tag = read_name(loader, node, "tag");
}

void guest_read_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct guest_request *request = record;
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        request->has_latency = true;
        request->latency_ns = (uint64_t)time;
    }
}

static const struct field guest_fields[] = {GUEST_FIELDS(struct guest_request, op), FIELD_END};

void guest_check(struct loader *loader, const struct yaml_node *node,
                 const struct guest_request *request)
{
    if (request->op == OP_COUNT) {
        read_mistake(loader, node,
                     "a guest request is one of read, write, write-zeroes, discard "
                     "and flush");
    }
}

static void read_guest(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    node = read_resolve(loader, node);
    action->guest.op = OP_COUNT;
    if (read_is_word(loader, node, "flush")) {
        action->guest.op = OP_FLUSH;
        return;
    }
    read_fields(loader, node, "guest", guest_fields, &action->guest);
    guest_check(loader, node, &action->guest);
}

/* ---- Commands ---- */

static void read_refusal(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct action *action = record;
    const char *text = read_text(loader, node, "reason for a refusal");
    int64_t refusal;

    action->may_be_refused = false;
    if (!text) {
        return;
    }
    if (strcmp(text, "maybe") == 0) {
        action->may_be_refused = true;
    } else if (strcmp(text, "true") == 0) {
        action->expect_refused = true;
        action->refusal = ANY;
    } else if (value_read(loader, node, &type_refusal, &refusal)) {
        action->expect_refused = true;
        action->refusal = (int)refusal;
    }
}

/* Part of the sentence that a refusal gives people. */
static void read_saying(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct action *action = record;

    action->saying = read_text(loader, node, "text");
}

#define REFUSAL_FIELDS FIELD_WHOLE("refused", read_refusal), FIELD_WHOLE("saying", read_saying)

static void check_refusal(struct loader *loader, const struct yaml_node *node,
                          const struct action *action)
{
    if (action->saying != NULL && !action->expect_refused) {
        read_mistake(loader, node, "\"saying\" is about a refusal: \"refused\" is missing");
    }
}

static const struct field command_fields[] = {REFUSAL_FIELDS, FIELD_END};

/* {complete: refused} or {complete: {refused: not-ready}}. */
static void read_command(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    node = read_resolve(loader, node);
    if (read_is_word(loader, node, "refused")) {
        action->may_be_refused = false;
        action->expect_refused = true;
        action->refusal = ANY;
        return;
    }
    read_fields(loader, node, "a command", command_fields, action);
    check_refusal(loader, node, action);
}

static const struct field speed_fields[] = {FIELD_VALUE("speed", type_speed, struct action, speed),
                                            REFUSAL_FIELDS, FIELD_END};

static void read_speed(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    node = read_resolve(loader, node);
    if (yaml_get(node, "speed") || yaml_get(node, "refused")) {
        read_fields(loader, node, "set-speed", speed_fields, action);
        check_refusal(loader, node, action);
    } else {
        value_read(loader, node, &type_speed, &action->speed);
    }
}

static void read_job(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    const char *text = read_text(loader, node, "\"none\"");

    (void)action;
    if (text && strcmp(text, "none") != 0) {
        read_mistake(loader, node, "the only check of a job's existence is {job: none}");
    }
}

static void read_query(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    struct query_list list = {NULL, 0};

    action_read_query(loader, node, &list);
    action->checks = list.checks;
    action->check_count = list.count;
}

static void read_query_disk(struct loader *loader, const struct yaml_node *node,
                            struct action *action)
{
    static const struct field fields[] = {
        FIELD_NEEDED_PART("disk", disk_read_index, struct action, index),
        FIELD_VALUE("io-status", type_io_status, struct action, disk.io_status),
        FIELD_VALUE("tracking", type_io_status_tracking, struct action, disk.tracks),
        FIELD_VALUE("on-error", type_policy, struct action, disk.on_error),
        FIELD_PART("flags", disk_read_flags, struct action, disk.flags),
        FIELD_END};

    action->disk = (struct disk_check){ANY, ANY, ANY, ANY};
    read_fields(loader, node, "query-disk", fields, action);
}

/* ---- Holds, marks, power ---- */

static void read_hold(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    fault_read_hold(loader, node, &action->index);
}

static void read_release(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    const struct plan *plan = loader->plan;
    uint32_t fault;

    if (!fault_read_reference(loader, node, &fault)) {
        return;
    }
    action->index = fault;
    if (plan->faults[fault].kind != FAULT_HOLD && plan->faults[fault].kind != FAULT_HANG) {
        read_mistake(loader, node, "fault %s holds nothing: only a hold or a hang can be released",
                     read_quote(loader, plan->faults[fault].name));
    }
}

static void read_mark(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    fault_read_mark(loader, node, &action->index);
}

static void read_power_cut(struct loader *loader, const struct yaml_node *node,
                           struct action *action)
{
    static const struct field fields[] = {
        FIELD_NEEDED_PART("disk", disk_read_index, struct action, index),
        FIELD_VALUE("keeps", type_power_cut, struct action, cut), FIELD_END};

    if (read_resolve(loader, node)->kind == YAML_MAPPING) {
        read_fields(loader, node, "power-cut", fields, action);
    } else {
        disk_read_reference(loader, node, &action->index);
    }
}

/* DISK, or {disk: DISK, refused: REASON}. */
static void read_use(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    static const struct field fields[] = {
        FIELD_NEEDED_PART("disk", disk_read_index, struct action, index),
        FIELD_WHOLE("refused", read_refusal), FIELD_END};

    if (read_resolve(loader, node)->kind == YAML_MAPPING) {
        read_fields(loader, node, "use", fields, action);
    } else {
        disk_read_reference(loader, node, &action->index);
    }
}

/* ---- Waits ---- */

static bool is_time(const struct yaml_node *node)
{
    return (node->kind == YAML_SCALAR && node->text[0] >= '0' && node->text[0] <= '9') ||
           yaml_get(node, "choose") || yaml_get(node, "range");
}

static void read_span(struct loader *loader, const struct yaml_node *node, uint64_t *span_ns)
{
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        *span_ns = (uint64_t)time;
    }
}

static void read_wait(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    struct wait_spec *wait = &action->wait;
    struct event_spec spec;

    node = read_resolve(loader, node);
    if (is_time(node)) {
        wait->kind = WAIT_DURATION;
        read_span(loader, node, &wait->within_ns);
        return;
    }
    if (read_is_word(loader, node, "concluded")) {
        wait->kind = WAIT_CONCLUDED;
        return;
    }
    if (!event_read(loader, node, PLACE_AWAITED, &spec)) {
        return;
    }
    wait->kind = spec.waits_concluded                                   ? WAIT_CONCLUDED
                 : spec.waits_guest                                     ? WAIT_GUEST_IDLE
                 : spec.match.kinds == EVENT_BIT(HELD) && spec.nth == 0 ? WAIT_HELD
                                                                        : WAIT_EVENT;
    wait->match = spec.match;
    wait->index = (uint32_t)spec.match.index;
    wait->nth = spec.nth;
    wait->since_start = spec.since_start;
    wait->within_ns = spec.within_ns;
}

static void read_at(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    read_span(loader, node, &action->at_ns);
}

static void read_settle(struct loader *loader, const struct yaml_node *node, struct action *action)
{
    read_span(loader, node, &action->wait.within_ns);
}

/* ---- All of them ---- */

struct action_word {
    const char *word;
    enum action_kind kind;
    void (*read)(struct loader *loader, const struct yaml_node *node, struct action *action);
    bool is_bare; /* says enough without a value */
    bool is_step; /* a reaction can't do it */
};

static const struct action_word action_words[] = {
    {"start", DO_START, read_command, true, false},
    {"complete", DO_COMPLETE, read_command, true, false},
    {"cancel", DO_CANCEL, read_command, true, false},
    {"pause", DO_PAUSE, read_command, true, false},
    {"resume", DO_RESUME, read_command, true, false},
    {"set-speed", DO_SET_SPEED, read_speed, false, false},
    {"guest", DO_GUEST, read_guest, false, false},
    {"hold", DO_HOLD, read_hold, false, false},
    {"release", DO_RELEASE, read_release, false, false},
    {"mark", DO_MARK, read_mark, false, false},
    {"power-cut", DO_POWER_CUT, read_power_cut, false, false},
    {"use", DO_USE, read_use, false, false},
    {"query", DO_QUERY, read_query, false, false},
    {"query-disk", DO_QUERY_DISK, read_query_disk, false, false},
    {"job", DO_JOB_NONE, read_job, false, false},
    {"wait", DO_WAIT, read_wait, false, true},
    {"at", DO_AT, read_at, false, true},
    {"settle", DO_SETTLE, read_settle, true, true},
};

#define ACTION_WORDS (sizeof(action_words) / sizeof(action_words[0]))

static const struct action_word *find_action(struct loader *loader, const struct yaml_node *node,
                                             const char *text)
{
    struct nearest nearest = nearest_to(text);

    for (size_t i = 0; i < ACTION_WORDS; i++) {
        if (strcmp(action_words[i].word, text) == 0) {
            return &action_words[i];
        }
        nearest_offer(&nearest, action_words[i].word);
    }
    if (nearest.best) {
        read_mistake(loader, node, "there is no step %s; did you mean %s?",
                     read_quote(loader, text), read_quote(loader, nearest.best));
    } else {
        read_mistake(loader, node,
                     "there is no step %s; there are start, complete, cancel, pause, resume, "
                     "set-speed, guest, hold, release, mark, power-cut, use, query, query-disk, "
                     "job, wait, at, settle",
                     read_quote(loader, text));
    }
    return NULL;
}

static const struct action_word *read_word(struct loader *loader, const struct yaml_node *node,
                                           const struct yaml_node **value)
{
    const struct action_word *word;
    const char *text;

    if (node->kind != YAML_SCALAR) {
        *value = read_single(loader, node, "a step is one word or one {key: value}");
        return *value ? find_action(loader, (*value)->key, (*value)->key->text) : NULL;
    }
    text = read_text(loader, node, "step");
    word = text ? find_action(loader, node, text) : NULL;
    if (word && !word->is_bare) {
        read_mistake(loader, node, "%s needs to say more: {%s: ...}", read_quote(loader, text),
                     text);
        return NULL;
    }
    return word;
}

void action_read(struct loader *loader, const struct yaml_node *node, bool is_step,
                 struct action *action)
{
    const struct yaml_node *value = NULL;
    const struct action_word *word;

    node = read_resolve(loader, node);
    action->where = node->where;
    action->guest.op = OP_COUNT;
    action->may_be_refused = !is_step;
    word = read_word(loader, node, &value);
    if (!word) {
        return;
    }
    if (word->is_step && !is_step) {
        read_mistake(loader, node, "%s takes time: it can be a step, not a reaction",
                     read_quote(loader, word->word));
        return;
    }
    action->kind = word->kind;
    if (value) {
        word->read(loader, value, action);
    }
}
