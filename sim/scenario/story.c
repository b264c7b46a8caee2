/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `steps`, `guest` and `react`: who acts when, and steps that can never happen.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include <inttypes.h>

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

static void add_tag(struct loader *loader, const struct yaml_node *node)
{
    const char *name = read_name(loader, node, "tag");

    if (!name) {
        return;
    }
    for (uint32_t i = 0; i < loader->guest_tag_count; i++) {
        if (strcmp(loader->guest_tags[i], name) == 0) {
            read_mistake(loader, node, "a second guest request has the tag %s",
                         read_quote(loader, name));
            return;
        }
    }
    *(const char **)read_append(loader, &loader->guest_tags, &loader->guest_tag_count,
                                sizeof(char *)) = name;
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

FIELD_READER(story_read_steps)
{
    const struct yaml_node *steps = find_section(loader, "steps", YAML_SEQUENCE);
    struct plan *plan = record;

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

/* ---- The guest ---- */

/* An entry of `guest` before it is known whether it is timed or a reaction. */
struct guest_entry {
    struct guest_request request;
    struct event_spec when;
    uint64_t at_ns;
    uint64_t after_ns;
    bool optional;
};

static const struct field guest_fields[] = {
    GUEST_FIELDS(struct guest_entry, request),
    FIELD("at", "When it is made; whenever: a search without times tries every moment.",
          .type = &type_instant, MEMBER(struct guest_entry, at_ns), .group = 2, .always = true),
    FIELD("when", "It is made once this event happens; nth is 1 unless it says otherwise.",
          .shape = &shape_answered, MEMBER(struct guest_entry, when), .group = 2,
          .read = event_read_when, .write = event_write_when),
    FIELD("after", "How long after the event; default 0.", .type = &type_time,
          MEMBER(struct guest_entry, after_ns), .needs = "when"),
    FIELD("optional", "It need not be made; any other must in some run of the file.",
          .shape = &shape_flag, MEMBER(struct guest_entry, optional), .needs = "when"),
    FIELD_END};

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
                                     .optional = entry->optional,
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

FIELD_READER(story_read_guest)
{
    const struct yaml_node *guest = find_section(loader, "guest", YAML_MAPPING);

    for (node = guest ? guest->first : NULL; node; node = node->next) {
        if (generator_is_meant(node)) {
            generator_read(loader, node);
        } else {
            read_guest_entry(loader, node);
        }
    }
}

/* An entry's key is its tag; one that has none gets a number. */
static void write_guest_entry(struct emit *guest, const struct plan *plan,
                              const struct timed_spec *timed, uint32_t number)
{
    struct guest_entry entry = {.request = timed->action.guest, .at_ns = timed->at_ns};
    char key[32];

    snprintf(key, sizeof(key), "request-%" PRIu32, number + 1);
    entry.request.tag = NULL;
    write_mapping(guest, plan, timed->action.guest.tag ? timed->action.guest.tag : key,
                  guest_fields, &entry);
}

FIELD_WRITER(story_write_guest)
{
    struct emit guest = emit_open_below(emit, field->key, EMIT_BLOCK);

    for (uint32_t i = 0; i < plan->timed_count; i++) {
        write_guest_entry(&guest, plan, &plan->timed[i], i);
    }
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        generator_write(&guest, plan, &plan->generators[i]);
    }
    emit_end(&guest);
}

const struct shape shape_guest = {
    .kind = SHAPE_NAMES,
    .of = ANY_OF(MAPPING_OF("guest-request", guest_fields), &shape_generator),
    .read = story_read_guest,
    .write = story_write_guest};

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
    const struct yaml_node *reacts = find_section(loader, "react", YAML_SEQUENCE);
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
