/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scenario's text as a tree that can be changed, and changed back.
 *
 * After changes, either all that has been changed since the last decision stays so
 * (tree_keep), or is again as it was (tree_undo).
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_TREE_H
#define MIRRORSIM_TOOLS_SHRINK_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/base/arena.h"
#include "sim/scenario/yaml.h"

struct tree_node {
    enum yaml_kind kind;
    const char *key;         /* of an entry of a mapping, else NULL */
    const char *text;        /* of a scalar */
    struct tree_node *first; /* of a sequence or mapping */
    struct tree_node *next;  /* in its sequence or mapping */
    bool gone;               /* it and all below it are left out */
    bool stays;              /* it can't be left out, nor can what it is in */
    bool stays_now;          /* nor can it for the time being */
};

/* A node as it was. */
struct tree_before {
    struct tree_node *node;
    struct tree_node was;
};

struct tree {
    struct arena *arena; /* of all nodes and texts */
    struct tree_node *root;
    struct tree_before *changes; /* since the last decision */
    size_t change_count;
};

/* Of a scenario that has no mistakes. */
void tree_parse(struct tree *tree, const char *text);
void tree_free(struct tree *tree);

/* A file in the layout of a careful hand; the caller frees it. */
char *tree_write(const struct tree *tree);

/* Nodes that are not left out; NULL if there is none. */
struct tree_node *tree_first(const struct tree_node *node);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_get(const struct tree_node *mapping, const char *key);

/* Calls for the node and all below it, each before what is below it then. */
void tree_visit(struct tree_node *node, void (*call)(void *opaque, struct tree_node *node),
                void *opaque);

/* ---- Changes ---- */

/* Nothing happens to what can't be left out. */
void tree_drop(struct tree *tree, struct tree_node *node);

/* Makes it a scalar; the text is copied. */
void tree_set_text(struct tree *tree, struct tree_node *node, const char *text);

/* Makes it what another node is, but for its key. */
void tree_set_value(struct tree *tree, struct tree_node *node, const struct tree_node *value);

void tree_keep(struct tree *tree);
void tree_undo(struct tree *tree);

#endif
