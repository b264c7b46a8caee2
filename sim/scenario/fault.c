/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `faults`, and the faults that hold steps make.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* ---- Names ---- */

struct fault_spec *fault_add(struct loader *loader, const struct yaml_node *node, const char *name)
{
    struct plan *plan = loader->plan;
    struct fault_spec *fault;

    if (fault_find(plan, name) != PLAN_NONE) {
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
        struct fault_spec *fault = fault_add(
            loader, entry->key, name ? name : arena_strdup(loader->arena, entry->key->text));

        /* Releases are checked before faults are read. */
        if (fault) {
            fault->kind = kind ? FAULT_HANG : yaml_get(entry, "hold") ? FAULT_HOLD : FAULT_ERROR;
        }
    }
}

/* ---- What a fault does ---- */

/* Without `times`: a disk that is full stays full, and what can't be read stays so. */
static bool lasts(enum fault_kind kind)
{
    return kind == FAULT_FULL || kind == FAULT_LATENT;
}

/* The row's kind, and its value where it has one. */
static FIELD_READER(read_effect)
{
    struct fault_spec *fault = record;
    int64_t value;

    fault->kind = (enum fault_kind)field->kind;
    if (lasts(fault->kind)) {
        fault->times = 0;
    }
    if (!field->type) {
        read_flag(loader, node);
    } else if (value_read(loader, node, field->type, &value)) {
        field_store(field, record, value);
    }
}

static FIELD_WRITER(write_effect)
{
    if (((const struct fault_spec *)record)->kind == (enum fault_kind)field->kind) {
        write_member(emit, plan, field, record);
    }
}

static const struct field delay_fields[] = {
    FIELD("factor", "The request takes this many times as long.", .type = &type_factor,
          MEMBER(struct fault_spec, factor_percent)),
    FIELD("plus", "The request takes this much longer.", .type = &type_time,
          MEMBER(struct fault_spec, span_ns), .always = true),
    FIELD_END};

static FIELD_READER(read_delay)
{
    struct fault_spec *fault = record;

    node = read_resolve(loader, node);
    if (yaml_get(node, "factor") || yaml_get(node, "plus")) {
        fault->kind = FAULT_DELAY;
        read_fields(loader, node, "delay", delay_fields, fault);
    } else {
        read_effect(loader, node, field, record);
    }
}

static FIELD_WRITER(write_delay)
{
    if (((const struct fault_spec *)record)->kind == FAULT_DELAY) {
        write_mapping(emit, plan, field->key, delay_fields, record);
    }
}

static FIELD_READER(read_applied)
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
    } else if (read_is_word(loader, node, "choice")) {
        fault->applied = APPLIED_BY_CHOICE;
    } else if (value_read(loader, node, &type_sectors, &bytes)) {
        fault->applied = APPLIED_PREFIX;
        fault->bytes = (uint64_t)bytes;
    }
}

static FIELD_WRITER(write_applied)
{
    const struct fault_spec *fault = record;

    switch (fault->applied) {
    case APPLIED_NOTHING:
        break;
    case APPLIED_PREFIX:
        write_value(emit, field->key, &type_sectors, (int64_t)fault->bytes);
        break;
    case APPLIED_TORN:
        emit_word(emit, field->key, "torn");
        break;
    case APPLIED_ALL:
        emit_word(emit, field->key, "all");
        break;
    case APPLIED_BY_CHOICE:
        emit_word(emit, field->key, "choice");
        break;
    }
}

/* ---- Which requests, and when ---- */

FIELD_READER(fault_read_match)
{
    struct fault_spec *fault = record;
    struct match_spec match = {0};

    match_read(loader, node, &match);
    fault->match = match.request;
    fault->nth = match.nth;
}

FIELD_WRITER(fault_write_match)
{
    const struct fault_spec *fault = record;
    struct match_spec match = {fault->match, fault->nth};

    match_write(emit, plan, field->key, &match);
}

static FIELD_WRITER(write_times)
{
    const struct fault_spec *fault = record;

    if (fault->times != (lasts(fault->kind) ? 0 : 1)) {
        write_member(emit, plan, field, record);
    }
}

struct instant {
    uint32_t mark;
    int64_t shift_ns;
};

#define INSTANT_MARK                                                                            \
    FIELD("mark", "When this mark is set.", .shape = &shape_mark, MEMBER(struct instant, mark), \
          .required = true)

static const struct field from_fields[] = {
    INSTANT_MARK,
    FIELD("shift",
          "How much later than the mark; negative: sooner, but not before the mark's step.",
          .type = &type_shift, MEMBER(struct instant, shift_ns)),
    FIELD_END};

static const struct field until_fields[] = {INSTANT_MARK, FIELD_END};

const struct shape shape_until = {
    .kind = SHAPE_ANY,
    .name = "until",
    .any = ALTERNATIVES(VALUE_OF(type_time), MAPPING_OF("until-mark", until_fields))};

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

static void write_instant(struct emit *emit, const struct plan *plan, const char *key,
                          const struct field *fields, uint64_t at_ns, const struct instant *instant)
{
    if (instant->mark != PLAN_NONE) {
        write_mapping(emit, plan, key, fields, instant);
    } else if (at_ns > 0) {
        write_value(emit, key, &type_time, (int64_t)at_ns);
    }
}

static FIELD_READER(read_from)
{
    struct fault_spec *fault = record;
    struct instant instant = {PLAN_NONE, 0};

    read_instant(loader, node, from_fields, &fault->from_ns, &instant);
    fault->from_mark = instant.mark;
    fault->shift_ns = instant.shift_ns;
    fault->armed = instant.mark == PLAN_NONE;
}

static FIELD_WRITER(write_from)
{
    const struct fault_spec *fault = record;
    struct instant instant = {fault->from_mark, fault->shift_ns};

    write_instant(emit, plan, field->key, from_fields, fault->from_ns, &instant);
}

static FIELD_READER(read_until)
{
    struct fault_spec *fault = record;
    struct instant instant = {PLAN_NONE, 0};

    read_instant(loader, node, until_fields, &fault->until_ns, &instant);
    fault->until_mark = instant.mark;
}

static FIELD_WRITER(write_until)
{
    const struct fault_spec *fault = record;
    struct instant instant = {fault->until_mark, 0};

    write_instant(emit, plan, field->key, until_fields, fault->until_ns, &instant);
}

/* ---- Faults ---- */

#define KINDS_GROUP 1

#define EFFECT(key, doc, kind_, ...)                                            \
    FIELD(key, doc, .kind = (kind_), .group = KINDS_GROUP, .read = read_effect, \
          .write = write_effect, __VA_ARGS__)

/* What it does comes before `times` and `applied`, which depend on it. */
static const struct field fault_fields[] = {
    FIELD("match", "The requests that it is about.", .shape = &shape_match, .required = true,
          .read = fault_read_match, .write = fault_write_match),
    EFFECT("error", "The request fails.", FAULT_ERROR, .type = &type_error,
           MEMBER(struct fault_spec, error)),
    EFFECT("hang", "The request never completes, unless released.", FAULT_HANG,
           .shape = &shape_flag),
    EFFECT("hold", "The request stays before-effect or before-completion until released.",
           FAULT_HOLD, .type = &type_hold_phase, MEMBER(struct fault_spec, phase)),
    FIELD("delay", "The request takes longer, by a time; or by a factor, and a time.",
          .shape = ANY_OF(VALUE_OF(type_time), MAPPING_OF("delay", delay_fields)),
          .type = &type_time, MEMBER(struct fault_spec, span_ns), .kind = FAULT_DELAY,
          .group = KINDS_GROUP, .read = read_delay, .write = write_delay),
    EFFECT("latency", "The request takes exactly this long.", FAULT_LATENCY, .type = &type_time,
           MEMBER(struct fault_spec, span_ns)),
    EFFECT("full", "Requests fail with ENOSPC once this much is allocated on the disk.", FAULT_FULL,
           .type = &type_bytes, MEMBER(struct fault_spec, bytes)),
    EFFECT("lost", "The request succeeds, but nothing has moved; a flush has made nothing durable.",
           FAULT_LOST, .shape = &shape_flag),
    EFFECT("torn",
           "The request succeeds, but only every other sector has moved; which, is a choice.",
           FAULT_TORN, .shape = &shape_flag),
    EFFECT("corrupt",
           "The request succeeds, but a bit of one sector has flipped; which, is a choice.",
           FAULT_CORRUPT, .shape = &shape_flag),
    EFFECT("claims", "The answer to a question is data, zero or hole, whatever is true.",
           FAULT_CLAIM, .type = &type_claim, MEMBER(struct fault_spec, claim)),
    EFFECT("latent",
           "Reads of `overlaps` on the disk fail with this error, until what they touch there has "
           "been "
           "written again.",
           FAULT_LATENT, .type = &type_error, MEMBER(struct fault_spec, error)),
    EFFECT("stale", "The read succeeds, but returns what was there before the last write.",
           FAULT_STALE, .shape = &shape_flag),
    EFFECT("misdirect", "The request succeeds, but the data went to, or came from, this offset.",
           FAULT_MISDIRECT, .type = &type_sectors, MEMBER(struct fault_spec, bytes)),
    FIELD("times",
          "How many requests in a row from nth on, or forever; default 1, but with full and latent "
          "forever.",
          .type = &type_times, MEMBER(struct fault_spec, times), .write = write_times, .turn = 1),
    FIELD("applied",
          "What a write that fails leaves behind: nothing (default), all, its first SIZE, or torn: "
          "every other sector; choice: nothing, its first half, or all, by choice.",
          .shape = ANY_OF(WORD_OF("nothing"), WORD_OF("all"), WORD_OF("torn"), WORD_OF("choice"),
                          VALUE_OF(type_sectors)),
          .needs = "error", .read = read_applied, .write = write_applied),
    FIELD(
        "drops",
        "What a flush of the job that fails was to make durable is lost: nothing (default), all of "
        "it now, or later: with the next power cut, whatever is flushed until then.",
        .type = &type_drops, MEMBER(struct fault_spec, drops), .needs = "error",
        .otherwise = DROPS_NOTHING, .turn = 1),
    FIELD("probability",
          "Each matching request is hit with this probability, by choice; with seed 0 none is.",
          .type = &type_probability, MEMBER(struct fault_spec, probability_ppm), .turn = 1),
    FIELD("hits", "No more requests than these are hit, whichever they are; default: no bound.",
          .type = &type_count, MEMBER(struct fault_spec, hits), .needs = "probability", .turn = 1),
    FIELD("from", "From this instant on, or from a mark on.",
          .shape = ANY_OF(VALUE_OF(type_time), MAPPING_OF("from-mark", from_fields)),
          .read = read_from, .write = write_from, .turn = 1),
    FIELD("until", "Until this instant, or until a mark.", .shape = &shape_until,
          .read = read_until, .write = write_until, .turn = 1),
    FIELD("optional", "It need not fire; any other must, or the run proves nothing.",
          .shape = &shape_flag, MEMBER(struct fault_spec, optional), .turn = 1),
    FIELD_END};

const struct shape shape_faults = {.kind = SHAPE_NAMES,
                                   .of = MAPPING_OF("fault", fault_fields),
                                   .read = fault_read_all,
                                   .write = fault_write_all};

/* Every operation that the match names must be one that the fault can do something to. */
void fault_check_ops(struct loader *loader, const struct yaml_node *node,
                     const struct fault_spec *fault)
{
    uint32_t ops = fault->match.ops;
    const struct yaml_node *match = yaml_get(node, "match");

    if (fault->kind == FAULT_CLAIM && ops == 0) {
        read_mistake(loader, node,
                     "\"claims\" needs an op: block-status, content-status or all-zero");
    }
    for (uint32_t op = 0; op < OP_COUNT; op++) {
        const char *why_not = ops >> op & 1 ? fault_why_not(fault, (enum op)op) : NULL;

        if (why_not) {
            read_mistake(loader, match ? match : node, "this fault can't hit %s, which %s",
                         op_name((enum op)op), why_not);
        }
    }
}

/* Does every disk that the fault may hit have a volatile cache? */
static bool hits_caches(const struct plan *plan, const struct fault_spec *fault)
{
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if ((fault->match.disks == 0 || (fault->match.disks >> i & 1)) &&
            !plan->disks[i].volatile_cache) {
            return false;
        }
    }
    return true;
}

/* The guest's own losses are not followed, so that only the job's flushes can drop anything. */
static void check_drops(struct loader *loader, const struct yaml_node *node,
                        struct fault_spec *fault)
{
    if (fault->drops == DROPS_NOTHING) {
        return;
    }
    if (fault->match.ops != UINT32_C(1) << OP_FLUSH || fault->match.by == BY_GUEST) {
        read_mistake(loader, yaml_get(node, "drops"), "only a flush of the job drops anything");
    } else if (!hits_caches(loader->plan, fault)) {
        read_mistake(loader, yaml_get(node, "drops"),
                     "only a disk with \"cache: volatile\" has something to drop");
    }
    fault->match.by = BY_JOB;
}

/* A bad place is on one disk. */
static void check_latent(struct loader *loader, const struct yaml_node *node,
                         const struct fault_spec *fault)
{
    uint64_t disks = fault->match.disks;

    if (fault->kind == FAULT_LATENT &&
        (disks == 0 || (disks & (disks - 1)) != 0 || !fault->match.has_range)) {
        read_mistake(loader, node, "\"latent\" needs one disk, and a range that overlaps");
    }
}

static void check_fault(struct loader *loader, const struct yaml_node *node,
                        struct fault_spec *fault)
{
    if (read_count_group(node, fault_fields, KINDS_GROUP) != 1) {
        read_mistake(loader, node,
                     "a fault does one of error, hang, hold, delay, latency, full, lost, torn, "
                     "corrupt, claims, latent, stale and misdirect");
    } else {
        fault_check_ops(loader, node, fault);
        check_drops(loader, node, fault);
        check_latent(loader, node, fault);
    }
}

FIELD_READER(fault_read_all)
{
    struct plan *plan = record;

    if (node->kind != YAML_MAPPING) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        uint32_t index = fault_find(plan, entry->key->text);

        if (index != PLAN_NONE) {
            plan->faults[index].armed = true;
            read_fields(loader, entry, "fault", fault_fields, &plan->faults[index]);
            if (entry->kind == YAML_MAPPING) {
                check_fault(loader, entry, &plan->faults[index]);
            }
        }
    }
}

/* A hold that a step or a reaction arms is written there. */
static bool is_of_action(const struct plan *plan, uint32_t fault)
{
    const struct action *action;

    for (uint32_t i = 0; (action = plan_action(plan, i)) != NULL; i++) {
        if (action->kind == DO_HOLD && action->index == fault) {
            return true;
        }
    }
    return false;
}

FIELD_WRITER(fault_write_all)
{
    struct emit faults = emit_open_below(emit, field->key, EMIT_BLOCK);

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        if (!is_of_action(plan, i)) {
            write_mapping(&faults, plan, plan->faults[i].name, fault_fields, &plan->faults[i]);
        }
    }
    emit_end(&faults);
}
