/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scenario's text as a tree whose changes can be undone.
 *
 * Changes stay undecided until either all of them are kept (tree_keep) or all are
 * undone (tree_undo).
 */
#ifndef MIRRORSIM_TOOLS_SHRINK_TREE_H
#define MIRRORSIM_TOOLS_SHRINK_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/base/arena.h"
#include "sim/yaml/yaml.h"

struct tree_node {
    enum yaml_kind kind;
    const char *key;         /* if it is an entry of a mapping, else NULL */
    const char *text;        /* if it is a scalar */
    struct tree_node *first; /* first child, if it is a sequence or mapping */
    struct tree_node *next;  /* next node in its sequence or mapping */
    bool gone;               /* the node and all below it are dropped */
    bool stays;              /* it must not be dropped, nor any node above it */
    bool stays_now;          /* the same, for the time being */
};

/* A node before a change. */
struct tree_before {
    struct tree_node *node;
    struct tree_node was;
};

struct tree {
    struct arena *arena; /* owns all nodes and texts */
    struct tree_node *root;
    struct tree_before *changes; /* since the last decision */
    size_t change_count;
};

/* Parses a scenario, which must have no mistakes. */
void tree_parse(struct tree *tree, const char *text);
void tree_free(struct tree *tree);

/* The tree as a file, laid out as a careful author would; the caller frees it. */
char *tree_write(const struct tree *tree);

/* The first child, and the next node, that is not dropped; NULL if there is none. */
struct tree_node *tree_first(const struct tree_node *node);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_get(const struct tree_node *mapping, const char *key);

/*
 * Calls `call` for the node and all below it, a node before its children.
 * Children that a call adds or removes are taken into account.
 */
void tree_visit(struct tree_node *node, void (*call)(void *opaque, struct tree_node *node),
                void *opaque);

/* ---- Changes ---- */

/* Drops the node, unless it must stay. */
void tree_drop(struct tree *tree, struct tree_node *node);

/* Makes it a scalar; the text is copied. */
void tree_set_text(struct tree *tree, struct tree_node *node, const char *text);

/* Gives it the value of another node; its key stays. */
void tree_set_value(struct tree *tree, struct tree_node *node, const struct tree_node *value);

void tree_keep(struct tree *tree);
void tree_undo(struct tree *tree);

#endif
