/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole plan from the tree of a file: the sections in the order in which
 * they need each other.
 */
#include "sim/scenario/private.h"

/* ---- Texts ---- */

static void read_version(struct loader *loader, const struct yaml_node *node, void *record)
{
    const char *text = read_text(loader, node, "format version");

    (void)record;
    if (text && strcmp(text, "1") != 0) {
        read_mistake(loader, node, "format version %s is not known: this program reads version 1",
                     read_quote(loader, text));
    }
}

static void read_scenario_name(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;
    const char *name = read_name(loader, node, "scenario");

    plan->name = name ? name : "";
}

/* May be long, so references in it are not replaced. */
static void read_doc(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;

    if (node->kind != YAML_SCALAR) {
        read_mistake(loader, node, "doc must be text");
        return;
    }
    plan->doc = arena_strdup(loader->arena, node->text);
}

static void read_lines(struct loader *loader, const struct yaml_node *node, const char *what,
                       const char ***lines, uint32_t *count)
{
    if (!read_sequence(loader, &node, what)) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        const char *line = read_line(loader, item, "line of text");

        if (line) {
            *(const char **)read_append(loader, lines, count, sizeof(char *)) = line;
        }
    }
}

static void read_refs(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;

    read_lines(loader, node, "refs", &plan->refs, &plan->ref_count);
}

static void read_tags(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;

    read_lines(loader, node, "tags", &plan->tags, &plan->tag_count);
}

/* ---- Limits, choices, known failures ---- */

static const struct field limits_fields[] = {
    FIELD_VALUE("time", type_time, struct plan, limits.time_ns),
    FIELD_VALUE("events", type_count, struct plan, limits.events),
    FIELD_VALUE("events-at-once", type_count, struct plan, limits.events_at_once),
    FIELD_VALUE("ready-within", type_time, struct plan, limits.ready_within_ns),
    FIELD_VALUE("timer-slack", type_time, struct plan, timer_slack_ns),
    FIELD_END};

static void read_limits(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fields(loader, node, "limits", limits_fields, record);
}

static void read_site(struct loader *loader, const struct yaml_node *node, void *record)
{
    const char **site = record;

    *site = read_line(loader, node, "site of a choice");
}

static const struct field choice_fields[] = {
    FIELD_NEEDED_PART("at", read_site, struct choice_answer, site),
    FIELD_VALUE("nth", type_small_count, struct choice_answer, nth),
    FIELD_NEEDED_VALUE("pick", type_pick, struct choice_answer, pick), FIELD_END};

static void read_choices(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;

    if (read_is_word(loader, node, "quiet")) {
        plan->quiet = true;
        return;
    }
    if (!read_sequence(loader, &node, "choices")) {
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct choice_answer *answer =
            read_append(loader, &plan->choices, &plan->choice_count, sizeof(*answer));

        *answer = (struct choice_answer){.site = "", .nth = 1};
        read_fields(loader, item, "a choice", choice_fields, answer);
    }
}

/* Sites of values that the loader chooses; a world asks for all others. */
static bool is_loader_site(const char *site)
{
    return strncmp(site, "choose ", strlen("choose ")) == 0;
}

/*
 * What the file records for the world stays in the plan; the rest is used
 * here, unless the caller has a record of his own.
 */
static void create_choices(struct loader *loader)
{
    struct plan *plan = loader->plan;
    struct choice_spec *spec = arena_alloc(loader->arena, sizeof(*spec));
    struct choice_answer *own = arena_alloc(loader->arena, plan->choice_count * sizeof(*own));
    uint32_t own_count = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < plan->choice_count; i++) {
        if (is_loader_site(plan->choices[i].site)) {
            own[own_count++] = plan->choices[i];
        } else {
            plan->choices[kept++] = plan->choices[i];
        }
    }
    plan->choice_count = kept;
    *spec = *loader->choice_spec;
    if (plan->quiet) {
        spec->seed = 0;
    }
    if (spec->recorded_count == 0) {
        spec->recorded = own;
        spec->recorded_count = own_count;
    }
    loader->choices = choices_create(loader->arena, spec);
}

/* Lines move when a file is edited, and a record with them. */
static void check_sites(struct loader *loader)
{
    const struct yaml_node *list = yaml_get(loader->root, "choices");

    for (const struct yaml_node *item = list ? list->first : NULL; item; item = item->next) {
        const struct yaml_node *at = yaml_get(item, "at");
        const struct decision *decision = loader->decisions;

        if (!at || at->kind != YAML_SCALAR || !is_loader_site(at->text)) {
            continue;
        }
        while (decision && strcmp(decision->site, at->text) != 0) {
            decision = decision->next;
        }
        if (!decision) {
            read_mistake(loader, at, "there is no choose or range at that place");
        }
    }
}

static void read_xfail_text(struct loader *loader, const struct yaml_node *node, void *record)
{
    const char **text = record;

    *text = read_line(loader, node, "text");
}

struct xfail_entry {
    struct xfail_spec spec;
    bool is_elsewhere; /* it is about other cases of the matrix */
};

/* One value of an axis; true if the case has it. */
static bool case_has(struct loader *loader, const struct axis *axis, const struct yaml_node *node)
{
    const struct yaml_node *value = axis->values->first;
    const char *text = read_text(loader, node, "value");

    if (!text) {
        return false;
    }
    while (value && strcmp(value->text, text) != 0) {
        value = value->next;
    }
    if (!value) {
        read_mistake(loader, node, "matrix name %s has no value %s", axis->name,
                     read_quote(loader, text));
    }
    return strcmp(axis->value->text, text) == 0;
}

static bool case_has_one(struct loader *loader, const struct axis *axis,
                         const struct yaml_node *node)
{
    bool has = false;

    if (node->kind != YAML_SEQUENCE) {
        return case_has(loader, axis, node);
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        has |= case_has(loader, axis, item);
    }
    return has;
}

static const struct axis *find_axis(struct loader *loader, const struct yaml_node *key)
{
    const struct matrix *matrix = loader->matrix;
    struct nearest nearest = nearest_to(key->text);

    for (uint32_t i = 0; i < matrix->count; i++) {
        if (strcmp(matrix->axes[i].name, key->text) == 0) {
            return &matrix->axes[i];
        }
        nearest_offer(&nearest, matrix->axes[i].name);
    }
    read_unknown_name(loader, key, "name of the matrix", key->text, &nearest);
    return NULL;
}

/* {policy: stop, side: [src, dst]}: the cases that have all of these values. */
static void read_xfail_case(struct loader *loader, const struct yaml_node *node, void *record)
{
    bool *is_elsewhere = record;

    if (!read_mapping(loader, &node, "case")) {
        return;
    }
    for (const struct yaml_node *value = node->first; value; value = value->next) {
        const struct axis *axis = find_axis(loader, value->key);

        *is_elsewhere |= axis && !case_has_one(loader, axis, value);
    }
}

static const struct field xfail_fields[] = {
    FIELD_PART("engine", read_xfail_text, struct xfail_entry, spec.engine),
    FIELD_PART("finding", read_xfail_text, struct xfail_entry, spec.oracle),
    FIELD_PART("bug", read_xfail_text, struct xfail_entry, spec.bug),
    FIELD_PART("case", read_xfail_case, struct xfail_entry, is_elsewhere), FIELD_END};

static void read_xfail(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;
    struct xfail_entry entry = {.spec.where = node->where};

    if (node->kind == YAML_SEQUENCE) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            read_xfail(loader, item, record);
        }
        return;
    }
    read_fields(loader, node, "xfail", xfail_fields, &entry);
    if (!entry.is_elsewhere) {
        struct xfail_spec *xfail =
            read_append(loader, &plan->xfails, &plan->xfail_count, sizeof(*xfail));

        *xfail = entry.spec;
    }
}

/* ---- Explore ---- */

static const struct field pct_fields[] = {
    FIELD_NEEDED_VALUE("pct", type_small_count, struct explore_spec, pct), FIELD_END};

static void read_schedule(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct explore_spec *explore = record;
    int64_t schedule;

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        explore->schedule = EXPLORE_PCT;
        read_fields(loader, node, "schedule", pct_fields, record);
    } else if (value_read(loader, node, &type_schedule, &schedule)) {
        explore->schedule = (enum explore_schedule_word)schedule;
    }
}

/* singles, or {singles: all}. */
static void read_explore_faults(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct explore_spec *explore = record;
    const struct yaml_node *word;
    int64_t faults;
    int64_t amount;

    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        node = read_single(loader, node, "faults are one word or one {word: all}");
        if (!node) {
            return;
        }
        value_read(loader, node, &type_explore_amount, &amount);
    }
    word =
        node->key && node->kind == YAML_SCALAR && strcmp(node->text, "all") == 0 ? node->key : node;
    if (value_read(loader, word, &type_explore_faults, &faults)) {
        explore->faults = (enum explore_faults_word)faults;
    }
}

static const struct field explore_fields[] = {
    FIELD_WHOLE("schedule", read_schedule), FIELD_WHOLE("faults", read_explore_faults),
    FIELD_VALUE("runs", type_count, struct explore_spec, runs),
    FIELD_VALUE("budget", type_time, struct explore_spec, budget_ns), FIELD_END};

static void read_explore(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct plan *plan = record;

    read_fields(loader, node, "explore", explore_fields, &plan->explore);
}

/* ---- Sections ---- */

#define SECTION(name, read_all)                                                         \
    static void name(struct loader *loader, const struct yaml_node *node, void *record) \
    {                                                                                   \
        (void)node;                                                                     \
        (void)record;                                                                   \
        read_all(loader);                                                               \
    }

SECTION(read_disks, disk_read_all)
SECTION(read_job, job_read)
SECTION(read_steps, story_read_steps)
SECTION(read_guest, story_read_guest)
SECTION(read_react, story_read_reactions)
SECTION(read_faults, fault_read_all)
SECTION(read_expect, expect_read_all)

/* Read before the sections: here, or before any case in scenario.c. */
static void read_before(struct loader *loader, const struct yaml_node *node, void *record)
{
    (void)loader;
    (void)node;
    (void)record;
}

/* Disks first, for the ranges on them; the job, for the guest's disk. */
static const struct field scenario_fields[] = {
    {"scenario", true, read_version, NULL, 0, 0},
    {"name", true, read_scenario_name, NULL, 0, 0},
    {"doc", true, read_doc, NULL, 0, 0},
    FIELD_WHOLE("refs", read_refs),
    FIELD_WHOLE("tags", read_tags),
    FIELD_WHOLE("matrix", read_before),
    FIELD_WHOLE("vars", read_before),
    {"disks", true, read_disks, NULL, 0, 0},
    {"job", true, read_job, NULL, 0, 0},
    {"steps", true, read_steps, NULL, 0, 0},
    FIELD_WHOLE("react", read_react),
    FIELD_WHOLE("guest", read_guest),
    FIELD_WHOLE("faults", read_faults),
    FIELD_WHOLE("expect", read_expect),
    FIELD_WHOLE("limits", read_limits),
    FIELD_VALUE("content", type_content, struct plan, content_bytes),
    FIELD_VALUE("timing", type_timing, struct plan, untimed),
    FIELD_WHOLE("explore", read_explore),
    FIELD_WHOLE("choices", read_before),
    FIELD_WHOLE("xfail", read_xfail),
    FIELD_END};

static void check_content(struct loader *loader)
{
    if (loader->plan->content_bytes && !plan_fits_bytes(loader->plan)) {
        read_mistake(loader, yaml_get(loader->root, "content"),
                     "these disks are too large for real bytes: they may have 1GiB in all");
    }
}

void scenario_read_plan(struct loader *loader)
{
    const struct yaml_node *choices = yaml_get(loader->root, "choices");

    if (choices) {
        read_choices(loader, choices, loader->plan);
    }
    if (!loader_is_checking(loader)) {
        create_choices(loader);
    }
    disk_read_names(loader);
    fault_read_names(loader);
    story_read_names(loader);
    read_fields(loader, loader->root, "scenario", scenario_fields, loader->plan);
    if (loader_is_checking(loader)) {
        check_content(loader);
        story_check(loader);
        check_sites(loader);
    }
}
