/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML text to a tree of nodes; the only user of libyaml.
 *
 * The tree is that of a small, safe part of YAML: one document of mappings
 * with plain keys, sequences and scalars that are not typed.  Refused, with
 * their places: aliases, anchors, tags, several documents, duplicate keys,
 * scalars that other YAML readers take for booleans or null (`true` is let
 * through: it is for the language to say where it may stand), and
 * whatever exceeds the bounds below.
 */
#ifndef MIRRORSIM_SIM_YAML_YAML_H
#define MIRRORSIM_SIM_YAML_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/yaml/mistakes.h"

/* Hostile files: larger ones, deeper ones, and longer scalars are refused. */
#define YAML_MAX_BYTES (1u << 20)
#define YAML_MAX_DEPTH 32
#define YAML_MAX_NODES 100000

enum yaml_kind {
    YAML_BROKEN, /* a mistake has been noted: say no more about it */
    YAML_SCALAR,
    YAML_SEQUENCE,
    YAML_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    struct where where;
    bool quoted;           /* scalar: it was not plain */
    const char *text;      /* scalar */
    struct yaml_node *key; /* of an entry of a mapping, else NULL */
    struct yaml_node *first;
    struct yaml_node *next; /* in its sequence or mapping */
    uint32_t count;         /* of items or entries */
};

/*
 * The document, or NULL after noting why there is none.  Nodes and their
 * texts are in mistakes->arena; the text is that of the mistakes.
 */
struct yaml_node *yaml_parse(struct mistake_list *mistakes);

/* How many nodes there are at and below one. */
uint32_t yaml_count(const struct yaml_node *node);

/* The value of that key, or NULL; `mapping` may be any node, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

#endif
