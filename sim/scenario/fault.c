/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `faults`, and the faults that hold steps make.
 */
#include "sim/scenario/private.h"

/* ---- Names ---- */

static uint32_t find_fault(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (strcmp(plan->faults[i].name, name) == 0) {
            return i;
        }
    }
    return PLAN_NONE;
}

bool fault_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *fault)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "fault's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    *fault = find_fault(plan, name);
    if (*fault == PLAN_NONE) {
        nearest = nearest_to(name);
        for (uint32_t i = 0; i < plan->fault_count; i++) {
            nearest_offer(&nearest, plan->faults[i].name);
        }
        read_unknown_name(loader, node, "fault or hold", name, &nearest);
    }
    return *fault != PLAN_NONE;
}

bool fault_read_mark(struct loader *loader, const struct yaml_node *node, uint32_t *mark)
{
    const struct plan *plan = loader->plan;
    const char *name = read_text(loader, node, "mark's name");
    struct nearest nearest;

    if (!name) {
        return false;
    }
    nearest = nearest_to(name);
    for (uint32_t i = 0; i < plan->mark_count; i++) {
        if (strcmp(plan->marks[i], name) == 0) {
            *mark = i;
            return true;
        }
        nearest_offer(&nearest, plan->marks[i]);
    }
    read_unknown_name(loader, node, "mark", name, &nearest);
    return false;
}

/* NULL, after noting it, if the name is taken. */
static struct fault_spec *add_fault(struct loader *loader, const struct yaml_node *node,
                                    const char *name)
{
    struct plan *plan = loader->plan;
    struct fault_spec *fault;

    if (find_fault(plan, name) != PLAN_NONE) {
        read_mistake(loader, node, "a second fault or hold is called %s", read_quote(loader, name));
        return NULL;
    }
    if (plan->fault_count == SCENARIO_MAX_FAULTS) {
        read_mistake(loader, node, "too many faults: %d are the most", SCENARIO_MAX_FAULTS);
        return NULL;
    }
    fault = read_append(loader, &plan->faults, &plan->fault_count, sizeof(*fault));
    *fault = (struct fault_spec){.name = name,
                                 .where = node->where,
                                 .from_mark = PLAN_NONE,
                                 .until_mark = PLAN_NONE,
                                 .times = 1};
    return fault;
}

void fault_read_names(struct loader *loader)
{
    const struct yaml_node *faults = yaml_get(loader->root, "faults");

    if (!faults || !read_mapping(loader, &faults, "faults")) {
        return;
    }
    for (const struct yaml_node *entry = faults->first; entry; entry = entry->next) {
        const char *name = read_name(loader, entry->key, "fault");
        const struct yaml_node *kind = yaml_get(entry, "hang");
        struct fault_spec *fault = add_fault(
            loader, entry->key, name ? name : arena_strdup(loader->arena, entry->key->text));

        /* Releases are checked before faults are read. */
        if (fault) {
            fault->kind = kind ? FAULT_HANG : yaml_get(entry, "hold") ? FAULT_HOLD : FAULT_ERROR;
        }
    }
}

/* ---- What a fault does ---- */

static void read_error(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t error;

    fault->kind = FAULT_ERROR;
    if (value_read(loader, node, &type_error, &error)) {
        fault->error = (int)error;
    }
}

static void read_hang(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;

    fault->kind = FAULT_HANG;
    read_flag(loader, node);
}

static void read_hold_kind(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t phase;

    fault->kind = FAULT_HOLD;
    if (value_read(loader, node, &type_hold_phase, &phase)) {
        fault->phase = (enum hold_phase)phase;
    }
}

static const struct field delay_fields[] = {
    FIELD_VALUE("factor", type_factor, struct fault_spec, factor_percent),
    FIELD_VALUE("plus", type_time, struct fault_spec, span_ns), FIELD_END};

static void read_delay(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t span;

    fault->kind = FAULT_DELAY;
    node = read_resolve(loader, node);
    if (yaml_get(node, "factor") || yaml_get(node, "plus")) {
        read_fields(loader, node, "delay", delay_fields, fault);
    } else if (value_read(loader, node, &type_time, &span)) {
        fault->span_ns = (uint64_t)span;
    }
}

static void read_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t span;

    fault->kind = FAULT_LATENCY;
    if (value_read(loader, node, &type_time, &span)) {
        fault->span_ns = (uint64_t)span;
    }
}

static void read_silent(struct loader *loader, const struct yaml_node *node,
                        struct fault_spec *fault, enum fault_kind kind)
{
    fault->kind = kind;
    read_flag(loader, node);
}

static void read_lost(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_silent(loader, node, record, FAULT_LOST);
}

static void read_torn(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_silent(loader, node, record, FAULT_TORN);
}

static void read_corrupt(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_silent(loader, node, record, FAULT_CORRUPT);
}

static void read_misdirect(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t offset;

    fault->kind = FAULT_MISDIRECT;
    if (value_read(loader, node, &type_sectors, &offset)) {
        fault->bytes = (uint64_t)offset;
    }
}

/* A disk that is full stays full. */
static void read_full(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t bytes;

    fault->kind = FAULT_FULL;
    fault->times = 0;
    if (value_read(loader, node, &type_bytes, &bytes)) {
        fault->bytes = (uint64_t)bytes;
    }
}

static void read_applied(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    int64_t bytes;

    node = read_resolve(loader, node);
    if (fault->kind != FAULT_ERROR) {
        read_mistake(loader, node, "only an error leaves part of a write behind");
    } else if (read_is_word(loader, node, "nothing")) {
        fault->applied = APPLIED_NOTHING;
    } else if (read_is_word(loader, node, "all")) {
        fault->applied = APPLIED_ALL;
    } else if (read_is_word(loader, node, "torn")) {
        fault->applied = APPLIED_TORN;
    } else if (value_read(loader, node, &type_sectors, &bytes)) {
        fault->applied = APPLIED_PREFIX;
        fault->bytes = (uint64_t)bytes;
    }
}

/* ---- Which requests, and when ---- */

static void read_match(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    struct match_spec match = {0};

    match_read_request(loader, node, &match);
    fault->match = match.request;
    fault->nth = match.nth;
}

struct instant {
    uint32_t mark;
    int64_t shift_ns;
};

static void read_mark(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint32_t *mark = record;

    fault_read_mark(loader, node, mark);
}

static const struct field from_fields[] = {
    FIELD_NEEDED_PART("mark", read_mark, struct instant, mark),
    FIELD_VALUE("shift", type_shift, struct instant, shift_ns), FIELD_END};

static const struct field until_fields[] = {
    FIELD_NEEDED_PART("mark", read_mark, struct instant, mark), FIELD_END};

/* TIME, or {mark: NAME}. */
static void read_instant(struct loader *loader, const struct yaml_node *node,
                         const struct field *fields, uint64_t *at_ns, struct instant *instant)
{
    int64_t time;

    node = read_resolve(loader, node);
    if (yaml_get(node, "mark")) {
        read_fields(loader, node, "an instant", fields, instant);
    } else if (value_read(loader, node, &type_time, &time)) {
        *at_ns = (uint64_t)time;
    }
}

static void read_from(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    struct instant instant = {PLAN_NONE, 0};

    read_instant(loader, node, from_fields, &fault->from_ns, &instant);
    fault->from_mark = instant.mark;
    fault->shift_ns = instant.shift_ns;
    fault->armed = instant.mark == PLAN_NONE;
}

static void read_until(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;
    struct instant instant = {PLAN_NONE, 0};

    read_instant(loader, node, until_fields, &fault->until_ns, &instant);
    fault->until_mark = instant.mark;
}

static void read_optional(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct fault_spec *fault = record;

    fault->optional = read_flag(loader, node);
}

/* What it does comes before `times` and `applied`, which depend on it. */
static const struct field fault_fields[] = {
    {"match", true, read_match, NULL, 0, 0},
    FIELD_WHOLE("error", read_error),
    FIELD_WHOLE("hang", read_hang),
    FIELD_WHOLE("hold", read_hold_kind),
    FIELD_WHOLE("delay", read_delay),
    FIELD_WHOLE("latency", read_latency),
    FIELD_WHOLE("full", read_full),
    FIELD_WHOLE("lost", read_lost),
    FIELD_WHOLE("torn", read_torn),
    FIELD_WHOLE("corrupt", read_corrupt),
    FIELD_WHOLE("misdirect", read_misdirect),
    FIELD_VALUE("times", type_times, struct fault_spec, times),
    FIELD_WHOLE("applied", read_applied),
    FIELD_VALUE("probability", type_probability, struct fault_spec, probability_ppm),
    FIELD_WHOLE("from", read_from),
    FIELD_WHOLE("until", read_until),
    FIELD_WHOLE("optional", read_optional),
    FIELD_END};

static void check_kind(struct loader *loader, const struct yaml_node *node)
{
    static const char *const kinds[] = {"error", "hang", "hold", "delay",   "latency",
                                        "full",  "lost", "torn", "corrupt", "misdirect"};
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        count += yaml_get(node, kinds[i]) != NULL;
    }
    if (count != 1) {
        read_mistake(loader, node,
                     "a fault does one of error, hang, hold, delay, latency, full, lost, torn, "
                     "corrupt and misdirect");
    }
}

void fault_read_all(struct loader *loader)
{
    const struct yaml_node *faults = yaml_get(loader->root, "faults");
    struct plan *plan = loader->plan;

    if (!faults || faults->kind != YAML_MAPPING) {
        return;
    }
    for (const struct yaml_node *entry = faults->first; entry; entry = entry->next) {
        uint32_t index = find_fault(plan, entry->key->text);

        if (index != PLAN_NONE) {
            plan->faults[index].armed = true;
            read_fields(loader, entry, "fault", fault_fields, &plan->faults[index]);
        }
        if (entry->kind == YAML_MAPPING) {
            check_kind(loader, entry);
        }
    }
}

/* ---- Holds ---- */

static void skip(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)loader;
    (void)node;
    (void)record;
}

static const struct field hold_fields[] = {
    {"name", true, skip, NULL, 0, 0},
    {"match", true, read_match, NULL, 0, 0},
    FIELD_VALUE("phase", type_hold_phase, struct fault_spec, phase),
    FIELD_VALUE("times", type_times, struct fault_spec, times),
    FIELD_END};

void fault_add_hold(struct loader *loader, const struct yaml_node *node)
{
    const struct yaml_node *name_node = yaml_get(read_resolve(loader, node), "name");
    const char *name = name_node ? read_name(loader, name_node, "hold") : NULL;
    struct fault_spec *hold = name ? add_fault(loader, name_node, name) : NULL;

    if (hold) {
        hold->kind = FAULT_HOLD;
    }
}

void fault_read_hold(struct loader *loader, const struct yaml_node *node, uint32_t *fault)
{
    const struct yaml_node *name_node = yaml_get(read_resolve(loader, node), "name");
    const char *name = name_node ? read_text(loader, name_node, "hold's name") : NULL;
    uint32_t index = name ? find_fault(loader->plan, name) : PLAN_NONE;
    struct fault_spec ignored = {0};

    if (index != PLAN_NONE) {
        *fault = index;
    }
    read_fields(loader, node, "hold", hold_fields,
                index == PLAN_NONE ? &ignored : &loader->plan->faults[index]);
}
