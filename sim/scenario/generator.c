/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators in `guest`: a pace, a mix of requests, a beginning and bounds.
 */
#include "sim/scenario/private.h"

/* The sum of the weights stays within 32 bits. */
#define MAX_MIX 1000u

/* As it is read. */
struct entry {
    struct generator_spec spec;
    struct mix_spec own; /* the request, if it is the only one */
    struct event_spec when;
};

bool generator_is_meant(const struct yaml_node *node)
{
    return yaml_get(node, "rate") || yaml_get(node, "every") || yaml_get(node, "outstanding") ||
           yaml_get(node, "mix");
}

/* ---- The mix ---- */

#define DRAWN_FIELDS(record, member)                                        \
    FIELD_PART("write", draw_read_write, record, member),                   \
        FIELD_PART("write-zeroes", draw_read_write_zeroes, record, member), \
        FIELD_PART("discard", draw_read_discard, record, member),           \
        FIELD_PART("read", draw_read_read, record, member),                 \
        FIELD_PART("flush", guest_read_flush, record, member.request),      \
        FIELD_PART("latency", guest_read_latency, record, member.request)

struct mix_entry {
    struct mix_spec mix;
};

static const struct field mix_fields[] = {
    FIELD_VALUE("weight", type_weight, struct mix_entry, mix.weight),
    DRAWN_FIELDS(struct mix_entry, mix), FIELD_END};

static struct mix_spec empty_mix(const struct yaml_node *node)
{
    return (struct mix_spec){.where = node->where, .weight = 1, .request.op = OP_COUNT};
}

static void add_mix(struct loader *loader, struct generator_spec *spec, const struct mix_spec *mix)
{
    *(struct mix_spec *)read_append(loader, &spec->mix, &spec->mix_count, sizeof(*mix)) = *mix;
}

static void read_mix(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct generator_spec *spec = record;

    if (!read_sequence(loader, &node, "mix")) {
        return;
    }
    if (node->count == 0 || node->count > MAX_MIX) {
        read_mistake(loader, node, "a mix is of 1 to %u requests", MAX_MIX);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct mix_entry entry = {empty_mix(item)};

        read_fields(loader, item, "a request of a mix", mix_fields, &entry);
        if (read_resolve(loader, item)->kind == YAML_MAPPING) {
            guest_check(loader, item, &entry.mix.request);
        }
        add_mix(loader, spec, &entry.mix);
    }
}

/* ---- Beginning and end ---- */

static void read_when(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct entry *entry = record;

    if (event_read(loader, node, PLACE_ANSWERED, &entry->when)) {
        entry->spec.has_when = true;
        entry->spec.when = entry->when.match;
        entry->spec.nth = entry->when.nth;
    }
}

static void read_until_mark(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct entry *entry = record;

    fault_read_mark(loader, node, &entry->spec.until_mark);
}

static const struct field until_fields[] = {{"mark", true, read_until_mark, NULL, 0, 0}, FIELD_END};

/* TIME, or {mark: NAME}. */
static void read_until(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct entry *entry = record;
    int64_t time;

    node = read_resolve(loader, node);
    if (yaml_get(node, "mark")) {
        read_fields(loader, node, "until", until_fields, entry);
    } else if (value_read(loader, node, &type_span, &time)) {
        entry->spec.until_ns = (uint64_t)time;
    }
}

static void read_optional(struct loader *loader, const struct yaml_node *node, void *record)
{
    bool *optional = record;

    *optional = read_flag(loader, node);
}

static const struct field generator_fields[] = {
    FIELD_VALUE("rate", type_bandwidth, struct entry, spec.rate),
    FIELD_VALUE("every", type_span, struct entry, spec.every_ns),
    FIELD_VALUE("outstanding", type_outstanding, struct entry, spec.outstanding),
    FIELD_VALUE("think", type_time, struct entry, spec.think_ns),
    FIELD_PART("mix", read_mix, struct entry, spec),
    DRAWN_FIELDS(struct entry, own),
    FIELD_VALUE("from", type_time, struct entry, spec.from_ns),
    FIELD_WHOLE("when", read_when),
    FIELD_VALUE("after", type_time, struct entry, spec.after_ns),
    FIELD_VALUE("count", type_count, struct entry, spec.count),
    FIELD_VALUE("bytes", type_bytes_length, struct entry, spec.bytes),
    FIELD_WHOLE("until", read_until),
    FIELD_PART("optional", read_optional, struct entry, spec.optional),
    FIELD_END};

/* ---- The whole ---- */

static void set_pace(struct loader *loader, const struct yaml_node *node,
                     struct generator_spec *spec)
{
    const struct yaml_node *think = yaml_get(node, "think");
    int paces = (yaml_get(node, "rate") != NULL) + (yaml_get(node, "every") != NULL) +
                (yaml_get(node, "outstanding") != NULL);

    if (paces != 1) {
        read_mistake(loader, node,
                     "a generator has one pace: rate: 8MiB/s, every: 1ms or outstanding: 4");
    } else if (think && !yaml_get(node, "outstanding")) {
        read_mistake(loader, think,
                     "`think` belongs to `outstanding`: it follows a request that has finished");
    }
    spec->pace = yaml_get(node, "rate")    ? PACE_RATE
                 : yaml_get(node, "every") ? PACE_EVERY
                                           : PACE_OUTSTANDING;
}

static void set_requests(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (!yaml_get(node, "mix")) {
        guest_check(loader, node, &entry->own.request);
        add_mix(loader, &entry->spec, &entry->own);
    } else if (entry->own.request.op != OP_COUNT || entry->own.request.has_latency) {
        read_mistake(loader, node, "with a mix, requests stand in it, not beside it");
    }
    for (uint32_t i = 0; i < entry->spec.mix_count; i++) {
        entry->spec.mix[i].request.tag = entry->spec.name;
    }
}

static void check_times(struct loader *loader, const struct yaml_node *node,
                        const struct generator_spec *spec)
{
    const struct yaml_node *from = yaml_get(node, "from");
    const struct yaml_node *after = yaml_get(node, "after");

    if (from && yaml_get(node, "when")) {
        read_mistake(loader, from,
                     "a generator begins either `from` a time or `when` an event "
                     "happens");
    }
    if (after && !yaml_get(node, "when")) {
        read_mistake(loader, after, "`after` belongs to `when`");
    }
    if (loader_is_checking(loader) && spec->until_ns > 0 && spec->from_ns >= spec->until_ns) {
        read_mistake(loader, yaml_get(node, "until"), "it ends before it begins");
    }
}

void generator_read(struct loader *loader, const struct yaml_node *node)
{
    struct plan *plan = loader->plan;
    struct entry entry = {.own = empty_mix(node)};

    entry.spec.name = arena_strdup(loader->arena, node->key->text);
    entry.spec.where = node->where;
    entry.spec.until_mark = PLAN_NONE;
    read_fields(loader, node, "a generator", generator_fields, &entry);
    set_pace(loader, node, &entry.spec);
    set_requests(loader, node, &entry);
    check_times(loader, node, &entry.spec);
    *(struct generator_spec *)read_append(loader, &plan->generators, &plan->generator_count,
                                          sizeof(entry.spec)) = entry.spec;
}
