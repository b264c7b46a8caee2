/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions: what a step or a reaction does.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* ---- Refusals ---- */

static FIELD_READER(read_refusal)
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
        action->refusal = MATCH_ANY;
    } else if (value_read(loader, node, &type_refusal, &refusal)) {
        action->expect_refused = true;
        action->refusal = (int)refusal;
    }
}

static FIELD_WRITER(write_refusal)
{
    const struct action *action = record;

    if (action->expect_refused && action->refusal == MATCH_ANY) {
        emit_word(emit, field->key, "true");
    } else if (action->expect_refused) {
        write_value(emit, field->key, &type_refusal, action->refusal);
    } else if (action->may_be_refused) {
        emit_word(emit, field->key, "maybe");
    }
}

/* Of a use, which has to be let on in a reaction, too. */
static FIELD_WRITER(write_refused_use)
{
    if (((const struct action *)record)->expect_refused) {
        write_refusal(emit, plan, field, record);
    }
}

/* Part of the sentence that a refusal gives people. */
static FIELD_READER(read_saying)
{
    struct action *action = record;

    action->saying = read_text(loader, node, "text");
}

static FIELD_WRITER(write_saying)
{
    const struct action *action = record;

    if (action->saying) {
        emit_key(emit, field->key);
        emit_text(emit->file, action->saying);
    }
}

static void check_refusal(struct loader *loader, const struct yaml_node *node,
                          const struct action *action)
{
    if (action->saying != NULL && !action->expect_refused) {
        read_mistake(loader, node, "\"saying\" is about a refusal: \"refused\" is missing");
    }
}

#define REFUSED_FIELD(write_)                                                                     \
    FIELD("refused",                                                                              \
          "It must be refused: true, or for this reason; maybe: either is right. Without it, it " \
          "must be accepted.",                                                                    \
          .shape = ANY_OF(WORD_OF("maybe"), &shape_flag, VALUE_OF(type_refusal)),                 \
          .read = read_refusal, .write = (write_))

#define REFUSAL_FIELDS                                                                             \
    REFUSED_FIELD(write_refusal),                                                                  \
        FIELD("saying", "Part of the sentence that a refusal gives people.", .shape = &shape_text, \
              .needs = "refused", .read = read_saying, .write = write_saying)

/* ---- Commands ---- */

static const struct field command_fields[] = {REFUSAL_FIELDS, FIELD_END};

/* {complete: refused} or {complete: {refused: not-ready}}. */
static FIELD_READER(read_command)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    if (read_is_word(loader, node, "refused")) {
        action->may_be_refused = false;
        action->expect_refused = true;
        action->refusal = MATCH_ANY;
        return;
    }
    if (node->kind == YAML_SCALAR) {
        read_mistake(loader, node,
                     "%s takes no value: write it alone, or {%s: refused}; time passes in a step "
                     "{wait: 5ms}",
                     field->key, field->key);
        return;
    }
    read_fields(loader, node, "a command", command_fields, action);
    check_refusal(loader, node, action);
}

/* cancel, {cancel: force}, {cancel: {force: true, refused: ...}}. */
static const struct field cancel_fields[] = {
    FIELD("force", "A job that is ready is cancelled, too, instead of being let end.",
          .shape = &shape_flag, MEMBER(struct action, force), IN_MODERN),
    REFUSAL_FIELDS, FIELD_END};

static FIELD_READER(read_cancel)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    if (loader->plan->generation == GENERATION_MODERN && read_is_word(loader, node, "force")) {
        action->force = true;
    } else if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, "a command", cancel_fields, action);
        check_refusal(loader, node, action);
    } else {
        read_command(loader, node, field, record);
    }
}

/* {change: write-blocking}, {change: {copy-mode: background, refused: mode}}. */
static const struct field change_fields[] = {
    FIELD("copy-mode", "background or write-blocking.", .type = &type_copy_mode,
          MEMBER(struct action, copy_mode), .always = true),
    REFUSAL_FIELDS, FIELD_END};

static FIELD_READER(read_change)
{
    struct action *action = record;
    int64_t mode;

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, field->key, change_fields, action);
        check_refusal(loader, node, action);
    } else if (value_read(loader, node, &type_copy_mode, &mode)) {
        action->copy_mode = (enum copy_mode)mode;
    }
}

static const struct field speed_fields[] = {FIELD("speed", "Bytes a second.", .type = &type_speed,
                                                  MEMBER(struct action, speed), .always = true),
                                            REFUSAL_FIELDS, FIELD_END};

static FIELD_READER(read_speed)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    if (yaml_get(node, "speed") || yaml_get(node, "refused")) {
        read_fields(loader, node, "set-speed", speed_fields, action);
        check_refusal(loader, node, action);
    } else {
        value_read(loader, node, field->type, &action->speed);
    }
}

/* ---- Questions ---- */

static FIELD_READER(read_job)
{
    const char *text = read_text(loader, node, "\"none\"");

    if (text && strcmp(text, "none") != 0) {
        read_mistake(loader, node, "the only check of a job's existence is {job: none}");
    }
}

static FIELD_WRITER(write_job)
{
    emit_word(emit, field->key, field->shape->word);
}

static FIELD_READER(read_query)
{
    struct action *action = record;
    struct query_list list = {NULL, 0};

    query_read(loader, node, &list);
    action->checks = list.checks;
    action->check_count = list.count;
}

static FIELD_WRITER(write_query)
{
    const struct action *action = record;

    query_write(emit, plan, field->key, action->checks, action->check_count);
}

#define DISK_FIELD                                                                   \
    FIELD("disk", "Which disk.", .shape = &shape_disk, MEMBER(struct action, index), \
          .required = true)

static FIELD_WRITER(write_checked_flags)
{
    if (((const struct action *)record)->disk.flags != MATCH_ANY) {
        disk_write_flags(emit, plan, field, record);
    }
}

static const struct field query_disk_fields[] = {
    DISK_FIELD,
    FIELD("io-status", "ok, failed or nospace.", .type = &type_io_status,
          MEMBER(struct action, disk.io_status), .otherwise = MATCH_ANY),
    FIELD("tracking", "Is its I/O status tracked?", .type = &type_io_status_tracking,
          MEMBER(struct action, disk.tracks), .otherwise = MATCH_ANY),
    FIELD("on-error", "The error policy that is set for it.", .type = &type_policy,
          MEMBER(struct action, disk.on_error), .otherwise = MATCH_ANY),
    FIELD("flags", "Exactly these open flags.", .shape = &shape_disk_flags,
          MEMBER(struct action, disk.flags), .write = write_checked_flags),
    FIELD_END};

static FIELD_READER(read_query_disk)
{
    struct action *action = record;

    action->disk = (struct disk_check){MATCH_ANY, MATCH_ANY, MATCH_ANY, MATCH_ANY};
    read_fields(loader, node, "query-disk", query_disk_fields, action);
}

/* ---- Holds, marks, disks ---- */

static FIELD_READER(read_release)
{
    const struct plan *plan = loader->plan;
    struct action *action = record;
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

static FIELD_WRITER(write_release)
{
    emit_word(emit, field->key, plan->faults[((const struct action *)record)->index].name);
}

static const struct field power_cut_fields[] = {
    DISK_FIELD,
    FIELD("keeps",
          "Of what is not flushed: all, none, or by choice (default), write by write and sector by "
          "sector.",
          .type = &type_power_cut, MEMBER(struct action, cut), .always = true),
    FIELD_END};

static const struct field use_fields[] = {DISK_FIELD, REFUSED_FIELD(write_refused_use), FIELD_END};

/* DISK, or {disk: DISK, ...}; the row's shape has the table. */
static FIELD_READER(read_on_disk)
{
    struct action *action = record;

    if (read_resolve(loader, node)->kind == YAML_MAPPING) {
        read_fields(loader, node, field->key, field->shape->fields, action);
    } else {
        disk_read_reference(loader, node, &action->index);
    }
}

/* A disk; or the word filter, which a disk may have for its name. */
static FIELD_READER(read_drained)
{
    struct action *action = record;

    node = read_resolve(loader, node);
    if (read_is_word(loader, node, "filter") &&
        plan_find_disk(loader->plan, "filter") == PLAN_NONE) {
        action->index = DRAIN_FILTER;
    } else {
        disk_read_reference(loader, node, &action->index);
    }
}

static FIELD_WRITER(write_drained)
{
    uint32_t index = ((const struct action *)record)->index;

    emit_word(emit, field->key, index == DRAIN_FILTER ? "filter" : plan->disks[index].name);
}

#define DRAINED(word, doc, kind_)                                                      \
    FIELD(word, doc, .kind = (kind_), .shape = ANY_OF(WORD_OF("filter"), &shape_disk), \
          .read = read_drained, .write = write_drained, IN_MODERN)

/* ---- All of them ---- */

#define COMMAND(word, doc, kind_)                                                                \
    FIELD(word, doc, .kind = (kind_), .alone = true,                                             \
          .shape = OR_MAPPING_OF("command", command_fields, WORD_OF("refused")), .always = true, \
          .read = read_command)

/* A reaction's; a step's never gets here. */
static FIELD_READER(refuse_repeat)
{
    read_mistake(loader, node, "only steps can be repeated");
}

#define COMMAND_IN_MODERN(word, doc, kind_)                                                      \
    FIELD(word, doc, .kind = (kind_), .alone = true,                                             \
          .shape = OR_MAPPING_OF("command", command_fields, WORD_OF("refused")), .always = true, \
          .read = read_command, IN_MODERN)

static const struct field action_fields[] = {
    COMMAND("start", "The job is started.", DO_START),
    COMMAND("complete", "The job is told to complete.", DO_COMPLETE),
    FIELD(
        "cancel",
        "The job is cancelled; in generation modern {cancel: force} also one that is ready, which "
        "cancel alone lets end.",
        .kind = DO_CANCEL, .alone = true,
        .shape = OR_MAPPING_OF("cancel", cancel_fields, WORD_OF("refused"), WORD_OF("force")),
        .always = true, .read = read_cancel),
    COMMAND("pause", "The job is paused.", DO_PAUSE),
    COMMAND("resume", "The job resumes.", DO_RESUME),
    COMMAND_IN_MODERN("finalize", "The job that is pending ends.", DO_FINALIZE),
    COMMAND_IN_MODERN("dismiss", "The job that has ended leaves.", DO_DISMISS),
    FIELD("change", "The copy mode changes.", .kind = DO_CHANGE,
          .shape = OR_MAPPING_OF("change", change_fields, VALUE_OF(type_copy_mode)), .always = true,
          .read = read_change, IN_MODERN),
    FIELD("set-speed", "The job's speed is set.", .kind = DO_SET_SPEED, .type = &type_speed,
          .shape = OR_MAPPING_OF("set-speed", speed_fields, VALUE_OF(type_speed)), .always = true,
          .read = read_speed),
    FIELD("guest", "The guest makes a request: flush, or a mapping.", .kind = DO_GUEST,
          .shape = &shape_guest_step, MEMBER(struct action, guest), .always = true,
          .read = guest_read_step),
    FIELD("hold", "A hold is armed.", .kind = DO_HOLD, .shape = &shape_hold,
          .read = fault_read_hold, .write = fault_write_hold),
    FIELD("release", "A hold or a hang lets all go, and holds no more.", .kind = DO_RELEASE,
          .shape = &shape_fault, .read = read_release, .write = write_release),
    FIELD("mark", "An instant that faults can refer to.", .kind = DO_MARK, .shape = &shape_mark,
          MEMBER(struct action, index)),
    FIELD("power-cut", "What is not flushed is lost or kept.", .kind = DO_POWER_CUT,
          .shape = OR_MAPPING_OF("power-cut", power_cut_fields, &shape_disk), .always = true,
          .read = read_on_disk),
    FIELD("use", "Another user, such as a second job, wants the disk, and must be let on.",
          .kind = DO_USE, .shape = OR_MAPPING_OF("use", use_fields, &shape_disk), .always = true,
          .read = read_on_disk),
    FIELD("query", "The job must answer so.", .kind = DO_QUERY, .shape = &shape_query,
          .read = read_query, .write = write_query),
    FIELD("query-disk", "A disk must show this.", .kind = DO_QUERY_DISK,
          .shape = MAPPING_OF("query-disk", query_disk_fields), .always = true,
          .read = read_query_disk),
    DRAINED("drain",
            "Another user begins a drained section over the disk, or over the job's filter alone; "
            "the event drained says that it is quiet.",
            DO_DRAIN),
    DRAINED("undrain", "That user ends the section.", DO_UNDRAIN),
    FIELD("job", "No job must exist.", .kind = DO_JOB_NONE, .shape = WORD_OF("none"),
          .read = read_job, .write = write_job),
    FIELD("wait",
          "For a time; for an event, counted from the end of the last step that took time; for the "
          "end of the job, which may have come before; for a hold; for the guest.",
          .kind = DO_WAIT, .takes_time = true, .shape = &shape_wait, MEMBER(struct action, wait),
          .read = wait_read, .write = wait_write),
    FIELD("at",
          "Until this instant; whenever: a search without times tries every moment, a run goes on "
          "at once.",
          .kind = DO_AT, .takes_time = true, .type = &type_instant, MEMBER(struct action, at_ns),
          .always = true),
    FIELD("repeat", "These steps happen so many times, one after the other.", .kind = -1,
          .takes_time = true, .shape = &shape_repeat, .read = refuse_repeat,
          .write = write_nothing),
    FIELD("settle", "Until job and guest are done; how long that may take.", .kind = DO_SETTLE,
          .takes_time = true, .alone = true, .type = &type_time,
          MEMBER(struct action, wait.within_ns), .always = true),
    FIELD_END};

const struct shape shape_step = {.kind = SHAPE_ONE, .name = "step", .fields = action_fields};
const struct shape shape_action = {
    .kind = SHAPE_ONE, .name = "reaction-step", .fields = action_fields, .is_instant = true};

static const struct field *find_action(struct loader *loader, const struct yaml_node *node,
                                       const char *text)
{
    const struct field *field = field_find(action_fields, text);
    struct nearest nearest = nearest_to(text);

    if (field) {
        return read_is_in(loader, node, field, "step") ? field : NULL;
    }
    for (field = action_fields; field->key; field++) {
        if (field_is_in(field, loader->plan->generation)) {
            nearest_offer(&nearest, field->key);
        }
    }
    if (strcmp(text, "resize") == 0) {
        read_mistake(loader, node,
                     "there is no step \"resize\": the job keeps others from it; use shows that");
    } else if (nearest.best) {
        read_mistake(loader, node, "there is no step %s; did you mean %s?",
                     read_quote(loader, text), read_quote(loader, nearest.best));
    } else {
        read_mistake(loader, node, "there is no step %s; there are %s", read_quote(loader, text),
                     read_list_keys(loader, action_fields));
    }
    return NULL;
}

static const struct field *read_word(struct loader *loader, const struct yaml_node *node,
                                     const struct yaml_node **value)
{
    const struct field *word;
    const char *text;

    if (node->kind != YAML_SCALAR) {
        *value = read_single(loader, node, "a step is one word or one {key: value}");
        return *value ? find_action(loader, (*value)->key, (*value)->key->text) : NULL;
    }
    text = read_text(loader, node, "step");
    word = text ? find_action(loader, node, text) : NULL;
    if (word && !word->alone) {
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
    const struct field *word;

    node = read_resolve(loader, node);
    action->where = node->where;
    action->guest.op = OP_COUNT;
    action->may_be_refused = !is_step;
    word = read_word(loader, node, &value);
    if (!word) {
        return;
    }
    if (word->takes_time && !is_step) {
        read_mistake(loader, node, "%s takes time: it can be a step, not a reaction",
                     read_quote(loader, word->key));
        return;
    }
    action->kind = (enum action_kind)word->kind;
    if (value) {
        read_field(loader, value, word, action);
    }
}

/* `start` alone, or {start: {...}}. */
static bool is_short(const struct action *action, bool is_step)
{
    bool is_command = action->kind <= DO_DISMISS && !action->force;

    return (is_command && !action->expect_refused && action->may_be_refused == !is_step &&
            !action->saying) ||
           (action->kind == DO_SETTLE && action->wait.within_ns == 0);
}

void action_write(FILE *file, const struct plan *plan, const struct action *action, bool is_step)
{
    const struct field *field = field_of_kind(action_fields, (int)action->kind);
    struct emit emit = emit_open(file, is_step ? EMIT_BARE : EMIT_FLOW);

    if (is_short(action, is_step)) {
        fputs(field->key, file);
    } else {
        write_field(&emit, plan, field, action);
        emit_end(&emit);
    }
}
