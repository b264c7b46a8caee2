/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole plan from the tree of a file: the sections in the order in which
 * they need each other.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"
#include "sim/scenario/write.h"

/* ---- Texts ---- */

#define FORMAT_VERSION "1"

static FIELD_READER(read_version)
{
    const char *text = read_text(loader, node, "format version");

    if (text && strcmp(text, FORMAT_VERSION) != 0) {
        read_mistake(loader, node, "format version %s is not known: this program reads version 1",
                     read_quote(loader, text));
    }
}

static FIELD_WRITER(write_version)
{
    emit_word(emit, field->key, FORMAT_VERSION);
}

static FIELD_READER(read_scenario_name)
{
    struct plan *plan = record;
    const char *name = read_name(loader, node, "scenario");

    plan->name = name ? name : "";
}

static FIELD_WRITER(write_scenario_name)
{
    emit_word(emit, field->key, plan->name);
}

/* May be long, so references in it are not replaced. */
static FIELD_READER(read_doc)
{
    struct plan *plan = record;

    if (node->kind != YAML_SCALAR) {
        read_mistake(loader, node, "doc must be text");
        return;
    }
    plan->doc = arena_strdup(loader->arena, node->text);
}

static FIELD_WRITER(write_doc)
{
    emit_block_text(emit, field->key, plan->doc);
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

static void write_lines(struct emit *emit, const char *key, const char *const *lines,
                        uint32_t count)
{
    struct emit list = emit_open_below(emit, key, EMIT_FLOW_LIST);

    for (uint32_t i = 0; i < count; i++) {
        emit_item(&list);
        emit_text(emit->file, lines[i]);
    }
    emit_end(&list);
}

static FIELD_READER(read_refs)
{
    struct plan *plan = record;

    read_lines(loader, node, field->key, &plan->refs, &plan->ref_count);
}

static FIELD_WRITER(write_refs)
{
    write_lines(emit, field->key, plan->refs, plan->ref_count);
}

static FIELD_READER(read_tags)
{
    struct plan *plan = record;

    read_lines(loader, node, field->key, &plan->tags, &plan->tag_count);
}

static FIELD_WRITER(write_tags)
{
    write_lines(emit, field->key, plan->tags, plan->tag_count);
}

/* ---- Limits ---- */

static const struct field limits_fields[] = {
    FIELD("time", "Virtual time; default 3600s.", .type = &type_time,
          MEMBER(struct plan, limits.time_ns), .otherwise = LIMITS_TIME_NS),
    FIELD("events", "Events in all; default 10000000.", .type = &type_count,
          MEMBER(struct plan, limits.events), .otherwise = LIMITS_EVENTS),
    FIELD("events-at-once",
          "Events without time passing, also within one event of the timeline; default 100000.",
          .type = &type_count, MEMBER(struct plan, limits.events_at_once),
          .otherwise = LIMITS_EVENTS_AT_ONCE),
    FIELD("ready-within",
          "How soon READY must come after the last fault and guest write; default: not checked.",
          .type = &type_time, MEMBER(struct plan, limits.ready_within_ns)),
    FIELD("timer-slack", "What is added to every timer; default 0.", .type = &type_time,
          MEMBER(struct plan, timer_slack_ns)),
    FIELD("filter-discards",
          "The guest's discards pass the job's filter; by default they succeed there, and nothing "
          "is done.",
          .shape = &shape_flag, MEMBER(struct plan, filter_passes_discards), IN_MODERN),
    FIELD_END};

/* ---- Choices ---- */

static FIELD_READER(read_site)
{
    const char **site = field_place(field, record);

    *site = read_line(loader, node, "site of a choice");
}

static FIELD_WRITER(write_site)
{
    emit_key(emit, field->key);
    emit_text(emit->file, ((const struct choice_answer *)record)->site);
}

static const struct field choice_fields[] = {
    FIELD("at", "The site of the choice, as a record names it.", .shape = &shape_text,
          MEMBER(struct choice_answer, site), .required = true, .read = read_site,
          .write = write_site),
    FIELD("nth", "Which of the choices of that site, from 1; default 1.", .type = &type_small_count,
          MEMBER(struct choice_answer, nth), .always = true),
    FIELD("pick", "What is picked, from 0.", .type = &type_pick, MEMBER(struct choice_answer, pick),
          .required = true),
    FIELD_END};

static void read_choices(struct loader *loader, const struct yaml_node *node, struct plan *plan)
{
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

static FIELD_WRITER(write_choices)
{
    struct emit choices = emit_open_below(emit, field->key, EMIT_BLOCK_LIST);

    if (plan->quiet) {
        emit_word(emit, field->key, "quiet");
        return;
    }
    for (uint32_t i = 0; i < plan->choice_count; i++) {
        struct emit choice = emit_open(emit->file, EMIT_FLOW);

        emit_item(&choices);
        write_fields(&choice, plan, choice_fields, &plan->choices[i]);
        emit_end(&choice);
    }
    emit_end(&choices);
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

/* ---- Explore ---- */

static const struct field pct_fields[] = {FIELD("pct", "The depth of its priorities.",
                                                .type = &type_small_count,
                                                MEMBER(struct explore_spec, pct), .required = true),
                                          FIELD_END};

static FIELD_READER(read_schedule)
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
static FIELD_READER(read_explore_faults)
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

/* {singles: all}: the word is the key. */
static const struct shape shape_faults_of_all = {.kind = SHAPE_NAMES,
                                                 .type = &type_explore_faults,
                                                 .of = VALUE_OF(type_explore_amount),
                                                 .least = 1,
                                                 .most = 1};

/* Not written: a file that was found says what has been found. */
static const struct field explore_fields[] = {
    FIELD("schedule", "exhaustive, random, or {pct: N}.",
          .shape = ANY_OF(VALUE_OF(type_schedule), MAPPING_OF("pct", pct_fields)),
          .read = read_schedule, .write = write_nothing),
    FIELD("faults", "none, singles, pairs, or {singles: all}.",
          .shape = ANY_OF(VALUE_OF(type_explore_faults), &shape_faults_of_all),
          .read = read_explore_faults, .write = write_nothing),
    FIELD("runs", "How many runs at most.", .type = &type_count, MEMBER(struct explore_spec, runs),
          .write = write_nothing),
    FIELD("budget", "How long at most.", .type = &type_time, MEMBER(struct explore_spec, budget_ns),
          .write = write_nothing),
    FIELD_END};

/* ---- Sections ---- */

/* It says which keys and words there are. */
static void read_generation(struct loader *loader)
{
    const struct yaml_node *node = yaml_get(loader->root, "generation");
    int64_t generation;

    if (node && value_read_fixed(loader, node, &type_generation, &generation)) {
        loader->plan->generation = (enum generation)generation;
    }
}

/* Read before the sections: here, or before any case in scenario.c. */
static FIELD_READER(read_before)
{
}

static const struct shape shape_matrix = {
    .kind = SHAPE_NAMES,
    .of = SHAPE_OF(.kind = SHAPE_LIST, .of = SHAPE_OF(.kind = SHAPE_FREE), .least = 1)};
static const struct shape shape_vars = {.kind = SHAPE_NAMES, .of = SHAPE_OF(.kind = SHAPE_FREE)};
static const struct shape shape_limits = {
    .kind = SHAPE_MAPPING, .name = "limits", .fields = limits_fields};
static const struct shape shape_explore = {
    .kind = SHAPE_MAPPING, .name = "explore", .fields = explore_fields};
static const struct shape shape_choices = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(WORD_OF("quiet"), LIST_OF(MAPPING_OF("recorded-choice", choice_fields)))};
/* Disks first, for the ranges on them; the job, for the guest's disk. */
static const struct field scenario_fields[] = {
    FIELD("scenario", "The format's version: 1.", .shape = WORD_OF(FORMAT_VERSION),
          .required = true, .read = read_version, .write = write_version),
    FIELD("name", "The scenario's name.", .shape = &shape_name, .required = true,
          .read = read_scenario_name, .write = write_scenario_name),
    FIELD("doc", "Why it exists: what would break.", .shape = &shape_text, .required = true,
          .read = read_doc, .write = write_doc),
    FIELD("refs",
          "What it is about: rules (mirror-algorithm R6), other tests (parity 041/complete), bugs "
          "(known-bugs sg-limit).",
          .shape = LIST_OF(&shape_text), .read = read_refs, .write = write_refs),
    FIELD("tags", "Any words by which to choose it.", .shape = LIST_OF(&shape_text),
          .read = read_tags, .write = write_tags),
    FIELD("matrix", "{name: [value, ...], ...}: a case for each combination.",
          .shape = &shape_matrix, .read = read_before, .write = write_nothing),
    FIELD("vars", "{name: value or range}: what ${name} stands for; may use names of the matrix.",
          .shape = &shape_vars, .read = read_before, .write = write_nothing),
    FIELD("generation",
          "Whose mirror it is a story of: 2.2 (default), that of 2014; modern, that of today.",
          .type = &type_generation, MEMBER(struct plan, generation), .otherwise = GENERATION_2_2,
          .read = read_before),
    FIELD("disks", "The disks by name, at most 16.", .shape = &shape_disks, .required = true),
    FIELD("job", "The job: a mirror or a commit.", .shape = &shape_job, .required = true),
    FIELD("steps", "What happens, one after the other.", .shape = &shape_steps, .required = true,
          .turn = 3),
    FIELD("react", "Answers to events, for the whole run.", .shape = &shape_reactions, .turn = 2),
    FIELD("guest", "What the guest does: single requests, and generators of them, by name.",
          .shape = &shape_guest, .turn = 2),
    FIELD("faults", "What goes wrong, by name.", .shape = &shape_faults, .turn = 1),
    FIELD("expect", "What must come out, in addition to the oracles.", .shape = &shape_expect,
          .turn = 4),
    FIELD("limits", "Bounds of the run.", .shape = &shape_limits, .turn = 4),
    FIELD(
        "content",
        "tags; or bytes: real bytes move and are compared, for disks of 1GiB in all; the verdicts "
        "are the same.",
        .type = &type_content, MEMBER(struct plan, content_bytes), .turn = 4),
    FIELD("timing",
          "timed; or untimed: latencies don't count, what comes next is a choice (order), and "
          "expectations of instants are not judged.",
          .type = &type_timing, MEMBER(struct plan, untimed), .turn = 4),
    FIELD("explore", "What mirrorsim explore does if its options don't say otherwise.",
          .shape = &shape_explore, MEMBER(struct plan, explore), .write = write_nothing, .turn = 4),
    FIELD("choices",
          "Recorded answers; those not listed follow the seed. Or quiet: the story needs first in, "
          "first out, and no seed changes it.",
          .shape = &shape_choices, .read = read_before, .write = write_choices, .turn = 4),
    FIELD(
        "xfail",
        "A known failure, or a list of them; passing is then a failure, and every finding must be "
        "one of these.",
        .shape = &shape_xfails, .turn = 4),
    FIELD_END};

const struct shape shape_scenario = {.kind = SHAPE_MAPPING, .fields = scenario_fields};

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

    read_generation(loader);
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

void scenario_write(const struct plan *plan, FILE *file)
{
    struct emit emit = emit_open(file, EMIT_FILE);

    write_fields(&emit, plan, shape_scenario.fields, plan);
    emit_end(&emit);
}
