/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `latency` of a disk: how long each operation takes.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "engine/units.h"
#include "sim/scenario/private.h"

#define US UINT64_C(1000)

void latency_set_defaults(struct latency_spec *latency)
{
    static const uint64_t defaults_ns[OP_COUNT] = {
        [OP_READ] = 100 * US,    [OP_WRITE] = 100 * US, [OP_WRITE_ZEROES] = 100 * US,
        [OP_DISCARD] = 100 * US, [OP_FLUSH] = 50 * US,
    };

    for (uint32_t op = 0; op < OP_COUNT; op++) {
        latency[op] = (struct latency_spec){.kind = LATENCY_FIXED, .a_ns = defaults_ns[op]};
    }
}

/* ---- Distributions ---- */

static FIELD_READER(read_uniform)
{
    struct latency_spec *latency = record;
    int64_t ends[2];

    if (!read_sequence(loader, &node, "uniform")) {
        return;
    }
    if (node->count != 2) {
        read_mistake(loader, node, "uniform is written [least, greatest]");
    } else if (value_read(loader, node->first, &type_time, &ends[0]) &&
               value_read_least(loader, node->first->next, &type_time, &ends[1])) {
        *latency = (struct latency_spec){
            .kind = LATENCY_UNIFORM, .a_ns = (uint64_t)ends[0], .b_ns = (uint64_t)ends[1]};
    }
}

/* A fixed time that has bounds can be written as a distribution only. */
static FIELD_WRITER(write_uniform)
{
    const struct latency_spec *latency = record;
    bool is_fixed = latency->kind == LATENCY_FIXED;
    struct emit ends = emit_open_below(emit, field->key, EMIT_FLOW_LIST);

    if (is_fixed || latency->kind == LATENCY_UNIFORM) {
        emit_item(&ends);
        value_write(emit->file, &type_time, (int64_t)latency->a_ns);
        emit_item(&ends);
        value_write(emit->file, &type_time, (int64_t)(is_fixed ? latency->a_ns : latency->b_ns));
    }
    emit_end(&ends);
}

/* `exponential` and `p50`. */
static FIELD_READER(read_kind)
{
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        *(struct latency_spec *)record =
            (struct latency_spec){.kind = (enum latency_kind)field->kind, .a_ns = (uint64_t)time};
    }
}

static FIELD_WRITER(write_kind)
{
    if (((const struct latency_spec *)record)->kind == (enum latency_kind)field->kind) {
        write_member(emit, plan, field, record);
    }
}

static FIELD_READER(read_greatest)
{
    int64_t time;

    if (value_read_least(loader, node, &type_time, &time)) {
        field_store(field, record, time);
    }
}

static const struct field distribution_fields[] = {
    FIELD("uniform", "[least, greatest]: every time between them is as likely.",
          .shape = SHAPE_OF(.kind = SHAPE_LIST, .of = VALUE_OF(type_time), .least = 2, .most = 2),
          .group = 1, .read = read_uniform, .write = write_uniform),
    FIELD("exponential", "The mean of an exponential distribution.", .type = &type_time,
          MEMBER(struct latency_spec, a_ns), .kind = LATENCY_EXPONENTIAL, .group = 1,
          .read = read_kind, .write = write_kind),
    FIELD("p50", "The median; half of the requests take longer.", .type = &type_time,
          MEMBER(struct latency_spec, a_ns), .kind = LATENCY_PERCENTILES, .group = 1,
          .needs = "p99", .read = read_kind, .write = write_kind),
    FIELD("p99", "One request of a hundred takes longer.", .type = &type_time,
          MEMBER(struct latency_spec, b_ns), .kind = LATENCY_PERCENTILES, .needs = "p50",
          .read = read_greatest, .write = write_kind),
    FIELD("min", "No request takes less.", .type = &type_time, MEMBER(struct latency_spec, min_ns)),
    FIELD("max", "No request takes longer; without it, or 0, there is no bound.",
          .type = &type_time, MEMBER(struct latency_spec, max_ns), .read = read_greatest),
    FIELD_END};

/* Also with a misspelled key, so that it is told which key is meant. */
static bool is_distribution(const struct yaml_node *node)
{
    static const char *const keys[] = {"uniform", "exponential", "p50", "p99"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct nearest nearest = nearest_to(node->first ? node->first->key->text : "");

        nearest_offer(&nearest, keys[i]);
        if (yaml_get(node, keys[i]) || nearest.best) {
            return true;
        }
    }
    return false;
}

static bool is_value(const struct yaml_node *node)
{
    return node->kind != YAML_MAPPING || yaml_get(node, "choose") || yaml_get(node, "range");
}

static void check_distribution(struct loader *loader, const struct yaml_node *node,
                               const struct latency_spec *latency)
{
    if (read_count_group(node, distribution_fields, 1) != 1 ||
        !yaml_get(node, "p50") != !yaml_get(node, "p99")) {
        read_mistake(loader, node,
                     "a distribution is one of {uniform: [a, b]}, {exponential: mean} and "
                     "{p50: a, p99: b}");
    } else if (loader_is_checking(loader) && latency->kind != LATENCY_EXPONENTIAL &&
               latency->a_ns > latency->b_ns) {
        read_mistake(loader, node, "the greater time comes second");
    } else if (loader_is_checking(loader) && latency->max_ns > 0 &&
               latency->min_ns > latency->max_ns) {
        read_mistake(loader, node, "min is greater than max");
    }
}

/* ---- Latencies of operations ---- */

static const struct shape shape_time_taken = {
    .kind = SHAPE_ANY,
    .name = "time-taken",
    .any = ALTERNATIVES(VALUE_OF(type_time), MAPPING_OF("distribution", distribution_fields))};

static void read_time_taken(struct loader *loader, const struct yaml_node *node,
                            struct latency_spec *latency)
{
    int64_t time;

    node = read_resolve(loader, node);
    if (is_value(node)) {
        if (value_read(loader, node, &type_time, &time)) {
            *latency = (struct latency_spec){.kind = LATENCY_FIXED, .a_ns = (uint64_t)time};
        }
        return;
    }
    *latency = (struct latency_spec){.kind = LATENCY_FIXED};
    read_fields(loader, node, "a latency", distribution_fields, latency);
    check_distribution(loader, node, latency);
}

/* Zeroes and discards take as long as writes, and both questions alike, unless the file says so. */
static FIELD_READER(read_latency)
{
    struct latency_spec *latencies = record;

    read_time_taken(loader, node, &latencies[field->kind]);
    if (field->kind == OP_STATUS) {
        latencies[OP_CONTENT] = latencies[OP_STATUS];
    }
    if (field->kind == OP_WRITE) {
        latencies[OP_WRITE_ZEROES] = latencies[OP_WRITE];
        latencies[OP_DISCARD] = latencies[OP_WRITE];
    }
}

static bool same_latency(const struct latency_spec *a, const struct latency_spec *b)
{
    return a->kind == b->kind && a->a_ns == b->a_ns && a->b_ns == b->b_ns &&
           a->min_ns == b->min_ns && a->max_ns == b->max_ns;
}

/* Is it what a file gets that says nothing about this operation? */
static bool goes_without_saying(const struct latency_spec *latencies, int op)
{
    struct latency_spec standard[OP_COUNT] = {0};

    latency_set_defaults(standard);
    if (op == OP_WRITE_ZEROES || op == OP_DISCARD) {
        return same_latency(&latencies[op], &latencies[OP_WRITE]);
    }
    if (op == OP_CONTENT) {
        return same_latency(&latencies[op], &latencies[OP_STATUS]);
    }
    return same_latency(&latencies[op], &standard[op]);
}

static FIELD_WRITER(write_latency)
{
    const struct latency_spec *latencies = record;
    const struct latency_spec *latency = &latencies[field->kind];

    if (goes_without_saying(latencies, field->kind)) {
        return;
    }
    if (latency->kind == LATENCY_FIXED && latency->min_ns == 0 && latency->max_ns == 0) {
        write_value(emit, field->key, &type_time, (int64_t)latency->a_ns);
    } else {
        write_mapping(emit, plan, field->key, distribution_fields, latency);
    }
}

#define LATENCY_OF(key, doc, op)                                                    \
    FIELD(key, doc, .shape = &shape_time_taken, .kind = (op), .read = read_latency, \
          .write = write_latency)

static const struct field latency_fields[] = {
    LATENCY_OF("read", "How long reads take; default 100us.", OP_READ),
    LATENCY_OF("write", "How long writes take, and zeroes and discards; default 100us.", OP_WRITE),
    LATENCY_OF("write-zeroes", "How long writes of zeroes take; default: as writes.",
               OP_WRITE_ZEROES),
    LATENCY_OF("discard", "How long discards take; default: as writes.", OP_DISCARD),
    LATENCY_OF("flush", "How long flushes take; default 50us.", OP_FLUSH),
    LATENCY_OF("block-status", "How long questions for block status take; default 0.", OP_STATUS),
    FIELD("content-status",
          "How long questions for what is stored take; default: as those for block status.",
          .shape = &shape_time_taken, .kind = OP_CONTENT, .read = read_latency,
          .write = write_latency, IN_MODERN),
    FIELD_END};

static FIELD_READER(read_latencies)
{
    struct disk_spec *disk = record;
    struct latency_spec *latencies = disk->latency;

    node = read_resolve(loader, node);
    if (!is_value(node) && (!node->first || field_find(latency_fields, node->first->key->text) ||
                            !is_distribution(node))) {
        read_fields(loader, node, "latency", latency_fields, latencies);
        return;
    }
    read_time_taken(loader, node, &latencies[OP_WRITE]);
    latencies[OP_WRITE_ZEROES] = latencies[OP_WRITE];
    latencies[OP_DISCARD] = latencies[OP_WRITE];
    latencies[OP_READ] = latencies[OP_WRITE];
    latencies[OP_FLUSH] = latencies[OP_WRITE];
}

static FIELD_WRITER(write_latencies)
{
    struct emit inner = emit_open_below(emit, field->key, EMIT_FLOW);

    write_fields(&inner, plan, latency_fields, ((const struct disk_spec *)record)->latency);
    emit_end(&inner);
}

const struct shape shape_latency = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(&shape_time_taken, MAPPING_OF("latencies", latency_fields)),
    .read = read_latencies,
    .write = write_latencies};
