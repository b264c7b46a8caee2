/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `steps`, `guest` and `react`: who acts when, and steps that can never happen.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* ---- Names that actions give ---- */

static void add_mark(struct loader *loader, const struct yaml_node *node)
{
    struct plan *plan = loader->plan;
    const char *name = read_name(loader, node, "mark");

    if (!name) {
        return;
    }
    for (uint32_t i = 0; i < plan->mark_count; i++) {
        if (strcmp(plan->marks[i], name) == 0) {
            return;
        }
    }
    if (plan->mark_count == SCENARIO_MAX_MARKS) {
        read_mistake(loader, node, "too many marks: %d are the most", SCENARIO_MAX_MARKS);
        return;
    }
    *(const char **)read_append(loader, &plan->marks, &plan->mark_count, sizeof(char *)) = name;
}

/* Steps come first, and may share a tag: they are written as often as they are repeated. */
static void add_tag(struct loader *loader, const struct yaml_node *node, bool is_step)
{
    const char *name = read_name(loader, node, "tag");

    if (!name) {
        return;
    }
    for (uint32_t i = 0; i < loader->guest_tag_count; i++) {
        if (strcmp(loader->guest_tags[i], name) == 0 && is_step) {
            return;
        }
        if (strcmp(loader->guest_tags[i], name) == 0) {
            read_mistake(loader, node, "a second guest request has the tag %s",
                         read_quote(loader, name));
            return;
        }
    }
    *(const char **)read_append(loader, &loader->guest_tags, &loader->guest_tag_count,
                                sizeof(char *)) = name;
}

static void read_action_names(struct loader *loader, const struct yaml_node *node, bool is_step)
{
    const struct yaml_node *entry;
    const struct yaml_node *tag;

    node = read_resolve(loader, node);
    entry = node->kind == YAML_MAPPING ? node->first : NULL;
    if (!entry) {
        return;
    }
    if (strcmp(entry->key->text, "hold") == 0) {
        fault_add_hold(loader, entry);
    } else if (strcmp(entry->key->text, "mark") == 0) {
        add_mark(loader, entry);
    } else if (strcmp(entry->key->text, "guest") == 0) {
        tag = yaml_get(read_resolve(loader, entry), "tag");
        if (tag) {
            add_tag(loader, tag, is_step);
        }
    }
}

/* What follows `repeat`, if the step is one. */
static const struct yaml_node *repeated_of(const struct yaml_node *step)
{
    return step->kind == YAML_MAPPING && step->count == 1 ? yaml_get(step, "repeat") : NULL;
}

/* What repeated steps name is there once, so that they can't make a hold or a mark. */
static void read_step_names(struct loader *loader, const struct yaml_node *list, bool is_repeated)
{
    for (const struct yaml_node *item = list ? list->first : NULL; item; item = item->next) {
        const struct yaml_node *repeated = repeated_of(read_resolve(loader, item));

        if (repeated) {
            read_step_names(loader, yaml_get(read_resolve(loader, repeated), "steps"), true);
            continue;
        }
        if (is_repeated && (yaml_get(item, "hold") || yaml_get(item, "mark"))) {
            read_mistake(loader, item,
                         "a hold or a mark has a name of its own, so that it can't be repeated; a "
                         "hold can be armed before, with \"times\"");
        }
        read_action_names(loader, item, true);
    }
}

const struct yaml_node *story_find_section(struct loader *loader, const char *key,
                                           enum yaml_kind kind)
{
    const struct yaml_node *node = yaml_get(loader->root, key);

    if (!node) {
        return NULL;
    }
    if (kind == YAML_SEQUENCE ? !read_sequence(loader, &node, key)
                              : !read_mapping(loader, &node, key)) {
        return NULL;
    }
    if (node->count > SCENARIO_MAX_ACTIONS) {
        read_mistake(loader, node, "too many %s: %d are the most", key, SCENARIO_MAX_ACTIONS);
        return NULL;
    }
    return node;
}

void story_read_names(struct loader *loader)
{
    const struct yaml_node *steps = story_find_section(loader, "steps", YAML_SEQUENCE);
    const struct yaml_node *guest = story_find_section(loader, "guest", YAML_MAPPING);
    const struct yaml_node *reacts = story_find_section(loader, "react", YAML_SEQUENCE);

    read_step_names(loader, steps, false);
    for (const struct yaml_node *entry = guest ? guest->first : NULL; entry; entry = entry->next) {
        const struct yaml_node *tag = yaml_get(entry, "tag");

        add_tag(loader, tag ? tag : entry->key, false);
    }
    for (const struct yaml_node *rule = reacts ? reacts->first : NULL; rule; rule = rule->next) {
        const struct yaml_node *action = yaml_get(rule, "do");

        if (action) {
            read_action_names(loader, action, false);
        }
    }
}

/* ---- Steps ---- */

struct repeat {
    uint64_t times;
    const struct yaml_node *steps;
};

static FIELD_READER(read_repeated)
{
    struct repeat *repeat = record;

    if (read_sequence(loader, &node, "steps")) {
        repeat->steps = node;
    }
}

/* What is repeated is written as often as it happens. */
static const struct field repeat_fields[] = {FIELD("times", "How often.", .type = &type_small_count,
                                                   MEMBER(struct repeat, times), .required = true),
                                             FIELD("steps", "What.", .shape = &shape_steps,
                                                   .required = true, .read = read_repeated,
                                                   .write = write_nothing),
                                             FIELD_END};

const struct shape shape_repeat = {
    .kind = SHAPE_MAPPING, .name = "repeat", .fields = repeat_fields};

static void read_steps(struct loader *loader, const struct yaml_node *list, struct plan *plan);

static void read_step(struct loader *loader, const struct yaml_node *node, struct plan *plan)
{
    if (plan->step_count == SCENARIO_MAX_ACTIONS) {
        read_mistake(loader, node, "too many steps: %d are the most", SCENARIO_MAX_ACTIONS);
        return;
    }
    action_read(loader, node, true,
                read_append(loader, &plan->steps, &plan->step_count, sizeof(*plan->steps)));
}

static void read_repeat(struct loader *loader, const struct yaml_node *node, struct plan *plan)
{
    struct repeat repeat = {0};
    uint32_t mistakes = loader->mistakes->count;

    read_fields(loader, node, "repeat", repeat_fields, &repeat);
    for (uint64_t i = 0; repeat.steps && i < repeat.times && mistakes == loader->mistakes->count;
         i++) {
        read_steps(loader, repeat.steps, plan);
    }
}

static void read_steps(struct loader *loader, const struct yaml_node *list, struct plan *plan)
{
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        const struct yaml_node *step = read_resolve(loader, item);
        const struct yaml_node *repeated = repeated_of(step);

        if (repeated) {
            read_repeat(loader, repeated, plan);
        } else {
            read_step(loader, item, plan);
        }
    }
}

FIELD_READER(story_read_steps)
{
    const struct yaml_node *steps = story_find_section(loader, "steps", YAML_SEQUENCE);
    struct plan *plan = record;

    if (!steps) {
        return;
    }
    read_steps(loader, steps, plan);
    if (plan->step_count == 0) {
        read_mistake(loader, steps, "a scenario needs a step, such as start");
    }
}

FIELD_WRITER(story_write_steps)
{
    struct emit steps = emit_open_below(emit, field->key, EMIT_BLOCK_LIST);

    for (uint32_t i = 0; i < plan->step_count; i++) {
        emit_item(&steps);
        action_write(emit->file, plan, &plan->steps[i], true);
    }
    emit_end(&steps);
}

const struct shape shape_steps = {.kind = SHAPE_LIST,
                                  .of = &shape_step,
                                  .least = 1,
                                  .read = story_read_steps,
                                  .write = story_write_steps};

/* ---- Reactions ---- */

static FIELD_READER(read_when)
{
    struct react_spec *react = record;
    struct event_spec spec;

    if (event_read(loader, node, &shape_answered, &spec)) {
        react->when = spec.match;
        react->nth = spec.nth;
    }
}

static FIELD_WRITER(write_when)
{
    const struct react_spec *react = record;
    struct event_spec spec = event_matching(&react->when);

    spec.nth = react->nth;
    emit_key(emit, field->key);
    event_write(emit->file, plan, &shape_answered, &spec);
}

static FIELD_READER(read_do)
{
    action_read(loader, node, false, field_place(field, record));
}

static FIELD_WRITER(write_do)
{
    emit_key(emit, field->key);
    action_write(emit->file, plan, field_member(field, record), false);
}

static const struct field react_fields[] = {
    FIELD("when", "Each such event, or only the nth of them, ...", .shape = &shape_answered,
          .required = true, .read = read_when, .write = write_when),
    FIELD("do",
          "... is answered with this: a step that takes no time. A refused command is no failure "
          "unless it says so.",
          .shape = &shape_action, MEMBER(struct react_spec, action), .required = true,
          .read = read_do, .write = write_do),
    FIELD("after", "How much later; default 0.", .type = &type_time,
          MEMBER(struct react_spec, delay_ns)),
    FIELD("limit", "How often at most; default: no bound.", .type = &type_count,
          MEMBER(struct react_spec, limit)),
    FIELD("optional",
          "It need not act; any other must in some run of the file, or it tests nothing.",
          .shape = &shape_flag, MEMBER(struct react_spec, optional)),
    FIELD_END};

FIELD_READER(story_read_reactions)
{
    const struct yaml_node *reacts = story_find_section(loader, "react", YAML_SEQUENCE);
    struct plan *plan = record;

    for (node = reacts ? reacts->first : NULL; node; node = node->next) {
        struct react_spec *react =
            read_append(loader, &plan->reacts, &plan->react_count, sizeof(*react));

        react->where = node->where;
        read_fields(loader, node, "reaction", react_fields, react);
    }
}

FIELD_WRITER(story_write_reactions)
{
    struct emit reacts = emit_open_below(emit, field->key, EMIT_BLOCK_LIST);

    for (uint32_t i = 0; i < plan->react_count; i++) {
        struct emit react = emit_open(emit->file, EMIT_FLOW);

        emit_item(&reacts);
        write_fields(&react, plan, react_fields, &plan->reacts[i]);
        emit_end(&react);
    }
    emit_end(&reacts);
}

const struct shape shape_reactions = {.kind = SHAPE_LIST,
                                      .of = MAPPING_OF("reaction", react_fields),
                                      .read = story_read_reactions,
                                      .write = story_write_reactions};

/* ---- Steps that can never happen ---- */

struct story_state {
    bool started;   /* there may be a job, now or later */
    uint64_t at_ns; /* the clock is at least here */
};

static void never(struct loader *loader, const struct action *action, const char *text)
{
    mistake_add(loader->mistakes, action->where, "this step can never happen: %s", text);
}

/* Events of a job; they say so by their place in EVENT_KINDS, but for those that came later. */
static bool is_of_job(uint64_t kinds)
{
    const uint64_t later = EVENT_BIT(JOB_STATUS) | EVENT_BIT(JOB_PENDING);

    return (kinds >= EVENT_BIT(JOB_STARTED) && kinds < EVENT_BIT(COMMAND)) || (kinds & later) != 0;
}

static bool needs_job(const struct action *action)
{
    switch (action->kind) {
    case DO_COMPLETE:
    case DO_CANCEL:
    case DO_PAUSE:
    case DO_RESUME:
    case DO_FINALIZE:
    case DO_DISMISS:
    case DO_CHANGE:
    case DO_SET_SPEED:
        return !action->expect_refused && !action->may_be_refused;
    case DO_QUERY:
        return true;
    case DO_WAIT:
        return action->wait.kind == WAIT_CONCLUDED ||
               (action->wait.kind == WAIT_EVENT && is_of_job(action->wait.match.kinds));
    case DO_START:
    case DO_GUEST:
    case DO_HOLD:
    case DO_RELEASE:
    case DO_MARK:
    case DO_POWER_CUT:
    case DO_USE:
    case DO_QUERY_DISK:
    case DO_JOB_NONE:
    case DO_DRAIN:
    case DO_UNDRAIN:
    case DO_AT:
    case DO_SETTLE:
        break;
    }
    return false;
}

/* A hold that only a later step sets up; those of reactions may come at any time. */
static bool hold_comes_later(const struct plan *plan, uint32_t step, uint32_t fault)
{
    bool later = false;

    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind == DO_HOLD && plan->steps[i].index == fault) {
            later = i > step;
        }
    }
    return later;
}

static void check_step(struct loader *loader, uint32_t step, struct story_state *state)
{
    const struct action *action = &loader->plan->steps[step];
    bool is_held_wait = action->kind == DO_WAIT && action->wait.kind == WAIT_HELD;

    if (action->kind == DO_START) {
        state->started = true;
    } else if (!state->started && needs_job(action)) {
        never(loader, action, "no job has been started before it");
    }
    if ((action->kind == DO_RELEASE && hold_comes_later(loader->plan, step, action->index)) ||
        (is_held_wait && hold_comes_later(loader->plan, step, action->wait.index))) {
        never(loader, action, "the hold comes later");
    }
    if (action->kind == DO_WAIT && action->wait.within_ns > loader->plan->limits.time_ns) {
        mistake_add(loader->mistakes, action->where,
                    "this step may wait for %s, but the run ends at %s (limits: time)",
                    quantity_time(action->wait.within_ns).text,
                    quantity_time(loader->plan->limits.time_ns).text);
    }
    if (action->kind == DO_AT && action->at_ns != AT_WHENEVER) {
        if (action->at_ns < state->at_ns) {
            never(loader, action, "its time has passed when it is reached");
        }
        state->at_ns = action->at_ns;
    }
}

void story_check(struct loader *loader)
{
    const struct plan *plan = loader->plan;
    struct story_state state = {0};

    for (uint32_t i = 0; i < plan->react_count; i++) {
        state.started |= plan->reacts[i].action.kind == DO_START;
    }
    for (uint32_t i = 0; i < plan->step_count; i++) {
        check_step(loader, i, &state);
    }
}
