/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `latency` of a disk: how long each operation takes.
 */
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

static void read_uniform(struct loader *loader, const struct yaml_node *node, void *record)
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

static void read_exponential(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t mean;

    if (value_read(loader, node, &type_time, &mean)) {
        *latency = (struct latency_spec){.kind = LATENCY_EXPONENTIAL, .a_ns = (uint64_t)mean};
    }
}

static void read_p50(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
    int64_t time;

    if (value_read(loader, node, &type_time, &time)) {
        *latency = (struct latency_spec){.kind = LATENCY_PERCENTILES, .a_ns = (uint64_t)time};
    }
}

static void read_greatest(struct loader *loader, const struct yaml_node *node, void *record)
{
    uint64_t *time_ns = record;
    int64_t time;

    if (value_read_least(loader, node, &type_time, &time)) {
        *time_ns = (uint64_t)time;
    }
}

static const struct field distribution_fields[] = {
    FIELD_WHOLE("uniform", read_uniform),
    FIELD_WHOLE("exponential", read_exponential),
    FIELD_WHOLE("p50", read_p50),
    FIELD_PART("p99", read_greatest, struct latency_spec, b_ns),
    FIELD_VALUE("min", type_time, struct latency_spec, min_ns),
    FIELD_PART("max", read_greatest, struct latency_spec, max_ns),
    FIELD_END};

static bool is_distribution(const struct yaml_node *node)
{
    return yaml_get(node, "uniform") || yaml_get(node, "exponential") || yaml_get(node, "p50") ||
           yaml_get(node, "p99");
}

static bool is_value(const struct yaml_node *node)
{
    return node->kind != YAML_MAPPING || yaml_get(node, "choose") || yaml_get(node, "range");
}

static void check_distribution(struct loader *loader, const struct yaml_node *node,
                               const struct latency_spec *latency)
{
    int kinds = (yaml_get(node, "uniform") != NULL) + (yaml_get(node, "exponential") != NULL) +
                (yaml_get(node, "p50") != NULL);

    if (kinds != 1 || !yaml_get(node, "p50") != !yaml_get(node, "p99")) {
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

static void read_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;
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

/* Zeroes and discards take as long as writes unless the file says otherwise. */
static void read_write_latency(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;

    read_latency(loader, node, &latency[OP_WRITE]);
    latency[OP_WRITE_ZEROES] = latency[OP_WRITE];
    latency[OP_DISCARD] = latency[OP_WRITE];
}

#define LATENCY_OF(key, op)                                                 \
    {                                                                       \
        key, false, read_latency, NULL, (op) * sizeof(struct latency_spec), \
            sizeof(struct latency_spec)                                     \
    }

static const struct field latency_fields[] = {LATENCY_OF("read", OP_READ),
                                              FIELD_WHOLE("write", read_write_latency),
                                              LATENCY_OF("write-zeroes", OP_WRITE_ZEROES),
                                              LATENCY_OF("discard", OP_DISCARD),
                                              LATENCY_OF("flush", OP_FLUSH),
                                              LATENCY_OF("block-status", OP_STATUS),
                                              FIELD_END};

void latency_read(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct latency_spec *latency = record;

    node = read_resolve(loader, node);
    if (!is_value(node) && !is_distribution(node)) {
        read_fields(loader, node, "latency", latency_fields, latency);
        return;
    }
    read_write_latency(loader, node, latency);
    latency[OP_READ] = latency[OP_WRITE];
    latency[OP_FLUSH] = latency[OP_WRITE];
}
