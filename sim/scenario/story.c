/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `steps`, `guest` and `react`: who acts when, and steps that can never happen.
 */
#include "sim/scenario/private.h"

/* ---- Names that actions give ---- */

static void add_mark(struct loader *loader, const struct yaml_node *node)
{
    struct plan *plan = loader->plan;
    const char *name = read_name(loader, node, "mark");

    for (uint32_t i = 0; name && i < plan->mark_count; i++) {
        if (strcmp(plan->marks[i], name) == 0) {
            return;
        }
    }
    if (!name) {
        return;
    }
    if (plan->mark_count == SCENARIO_MAX_MARKS) {
        read_mistake(loader, node, "too many marks: %d are the most", SCENARIO_MAX_MARKS);
        return;
    }
    *(const char **)read_append(loader, &plan->marks, &plan->mark_count, sizeof(char *)) = name;
}

static void add_tag(struct loader *loader, const struct yaml_node *node)
{
    const char *name = read_name(loader, node, "tag");

    for (uint32_t i = 0; name && i < loader->guest_tag_count; i++) {
        if (strcmp(loader->guest_tags[i], name) == 0) {
            read_mistake(loader, node, "a second guest request has the tag %s",
                         read_quote(loader, name));
            return;
        }
    }
    if (name) {
        *(const char **)read_append(loader, &loader->guest_tags, &loader->guest_tag_count,
                                    sizeof(char *)) = name;
    }
}

static void read_action_names(struct loader *loader, const struct yaml_node *node)
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
            add_tag(loader, tag);
        }
    }
}

/* The section's list or mapping, if it is there and not too long. */
static const struct yaml_node *find_section(struct loader *loader, const char *key,
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
    const struct yaml_node *steps = find_section(loader, "steps", YAML_SEQUENCE);
    const struct yaml_node *guest = find_section(loader, "guest", YAML_MAPPING);
    const struct yaml_node *reacts = find_section(loader, "react", YAML_SEQUENCE);

    for (const struct yaml_node *step = steps ? steps->first : NULL; step; step = step->next) {
        read_action_names(loader, step);
    }
    for (const struct yaml_node *entry = guest ? guest->first : NULL; entry; entry = entry->next) {
        const struct yaml_node *tag = yaml_get(entry, "tag");

        add_tag(loader, tag ? tag : entry->key);
    }
    for (const struct yaml_node *rule = reacts ? reacts->first : NULL; rule; rule = rule->next) {
        const struct yaml_node *action = yaml_get(rule, "do");

        if (action) {
            read_action_names(loader, action);
        }
    }
}

/* ---- Steps ---- */

void story_read_steps(struct loader *loader)
{
    const struct yaml_node *steps = find_section(loader, "steps", YAML_SEQUENCE);
    struct plan *plan = loader->plan;

    if (!steps) {
        return;
    }
    plan->steps = arena_alloc(loader->arena, steps->count * sizeof(*plan->steps));
    for (const struct yaml_node *step = steps->first; step; step = step->next) {
        action_read(loader, step, true, &plan->steps[plan->step_count++]);
    }
    if (plan->step_count == 0) {
        read_mistake(loader, steps, "a scenario needs a step, such as start");
    }
}

/* ---- The guest ---- */

/* An entry of `guest` before it is known whether it is timed or a reaction. */
struct guest_entry {
    struct guest_request request;
    struct event_spec when;
    uint64_t at_ns;
    uint64_t after_ns;
};

static void read_guest_when(struct loader *loader, const struct yaml_node *node, void *record)
{
    event_read(loader, node, PLACE_ANSWERED, record);
}

static const struct field guest_fields[] = {
    GUEST_FIELDS(struct guest_entry, request),
    FIELD_VALUE("at", type_time, struct guest_entry, at_ns),
    FIELD_PART("when", read_guest_when, struct guest_entry, when),
    FIELD_VALUE("after", type_time, struct guest_entry, after_ns), FIELD_END};

static void add_guest_entry(struct loader *loader, const struct yaml_node *node,
                            const struct guest_entry *entry, bool is_timed)
{
    struct plan *plan = loader->plan;
    struct action action = {.kind = DO_GUEST, .where = node->where, .guest = entry->request};

    if (is_timed) {
        struct timed_spec *timed =
            read_append(loader, &plan->timed, &plan->timed_count, sizeof(*timed));

        *timed = (struct timed_spec){node->where, entry->at_ns, action};
    } else {
        struct react_spec *react =
            read_append(loader, &plan->reacts, &plan->react_count, sizeof(*react));

        *react = (struct react_spec){.where = node->where,
                                     .when = entry->when.match,
                                     .nth = entry->when.nth > 0 ? entry->when.nth : 1,
                                     .delay_ns = entry->after_ns,
                                     .action = action};
    }
}

static void read_guest_entry(struct loader *loader, const struct yaml_node *node)
{
    struct guest_entry entry = {.request.op = OP_COUNT, .request.tag = node->key->text};
    bool is_timed = yaml_get(node, "at") != NULL;
    bool is_answer = yaml_get(node, "when") != NULL;

    entry.request.tag = arena_strdup(loader->arena, node->key->text);
    read_fields(loader, node, "guest request", guest_fields, &entry);
    if (node->kind != YAML_MAPPING) {
        return;
    }
    guest_check(loader, node, &entry.request);
    if (is_timed == is_answer) {
        read_mistake(loader, node,
                     "a guest request comes either `at` a time or `when` an event "
                     "happens");
    } else if (is_timed && yaml_get(node, "after")) {
        read_mistake(loader, yaml_get(node, "after"), "`after` belongs to `when`, not to `at`");
    }
    add_guest_entry(loader, node, &entry, is_timed);
}

void story_read_guest(struct loader *loader)
{
    const struct yaml_node *guest = find_section(loader, "guest", YAML_MAPPING);

    for (const struct yaml_node *node = guest ? guest->first : NULL; node; node = node->next) {
        if (generator_is_meant(node)) {
            generator_read(loader, node);
        } else {
            read_guest_entry(loader, node);
        }
    }
}

/* ---- Reactions ---- */

static void read_when(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct react_spec *react = record;
    struct event_spec spec;

    if (event_read(loader, node, PLACE_ANSWERED, &spec)) {
        react->when = spec.match;
        react->nth = spec.nth;
    }
}

static void read_do(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct react_spec *react = record;

    action_read(loader, node, false, &react->action);
}

static const struct field react_fields[] = {
    {"when", true, read_when, NULL, 0, 0},
    {"do", true, read_do, NULL, 0, 0},
    FIELD_VALUE("after", type_time, struct react_spec, delay_ns),
    FIELD_VALUE("limit", type_count, struct react_spec, limit),
    FIELD_END};

void story_read_reactions(struct loader *loader)
{
    const struct yaml_node *reacts = find_section(loader, "react", YAML_SEQUENCE);
    struct plan *plan = loader->plan;

    for (const struct yaml_node *node = reacts ? reacts->first : NULL; node; node = node->next) {
        struct react_spec *react =
            read_append(loader, &plan->reacts, &plan->react_count, sizeof(*react));

        react->where = node->where;
        read_fields(loader, node, "reaction", react_fields, react);
    }
}

/* ---- Steps that can never happen ---- */

struct story_state {
    bool started;   /* there may be a job, now or later */
    uint64_t at_ns; /* the clock is at least here */
};

static void never(struct loader *loader, const struct action *action, const char *text)
{
    mistake_add(loader->mistakes, action->where, "this step can never happen: %s", text);
}

static bool needs_job(const struct action *action)
{
    switch (action->kind) {
    case DO_COMPLETE:
    case DO_CANCEL:
    case DO_PAUSE:
    case DO_RESUME:
    case DO_SET_SPEED:
        return !action->expect_refused && !action->may_be_refused;
    case DO_QUERY:
        return true;
    case DO_WAIT:
        return action->wait.kind == WAIT_CONCLUDED ||
               (action->wait.kind == WAIT_EVENT &&
                action->wait.match.kinds >= EVENT_BIT(JOB_STARTED) &&
                action->wait.match.kinds < EVENT_BIT(COMMAND));
    case DO_START:
    case DO_GUEST:
    case DO_HOLD:
    case DO_RELEASE:
    case DO_MARK:
    case DO_POWER_CUT:
    case DO_USE:
    case DO_QUERY_DISK:
    case DO_JOB_NONE:
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
    if (action->kind == DO_AT) {
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
