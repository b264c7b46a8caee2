/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dropping and simplifying: nothing here knows the meaning of a scenario.
 *
 * Nodes that belong together are found by the words they share: a hold, the wait for it
 * and its release all have its name, and can only be dropped together.
 *
 * Declared in tools/shrink/private.h: a group of the steps that make a scenario smaller.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"
#include "tools/shrink/private.h"

/* In longer lists, pairs are not tried. */
#define MAX_PAIRED 30

struct node_list {
    struct tree_node **nodes;
    size_t count;
};

static void list_add(struct node_list *list, struct tree_node *node)
{
    list->nodes = must_grow(list->nodes, list->count, sizeof(struct tree_node *));
    list->nodes[list->count++] = node;
}

static struct node_list children_of(const struct tree_node *node)
{
    struct node_list list = {0};

    for (struct tree_node *child = tree_first(node); child != NULL; child = tree_next(child)) {
        list_add(&list, child);
    }
    return list;
}

/* Calls `call` for every section that may be changed. */
static void each_section(struct shrinker *shrinker,
                         void (*call)(struct shrinker *shrinker, struct tree_node *section))
{
    struct tree_node *section = tree_first(shrinker->tree.root);

    for (; section != NULL && !shrinker->stopped; section = tree_next(section)) {
        if (shrink_may_change(section)) {
            call(shrinker, section);
        }
    }
}

/* ---- What has a word in common ---- */

static bool mentions(const struct tree_node *node, const char *word)
{
    bool found = (node->key != NULL && strcmp(node->key, word) == 0) ||
                 (node->kind == YAML_SCALAR && strcmp(node->text, word) == 0);

    for (const struct tree_node *child = tree_first(node); child != NULL && !found;
         child = tree_next(child)) {
        found = mentions(child, word);
    }
    return found;
}

static void drop_items_with(struct shrinker *shrinker, const char *word)
{
    struct tree *tree = &shrinker->tree;

    for (struct tree_node *section = tree_first(tree->root); section != NULL;
         section = tree_next(section)) {
        for (struct tree_node *item = tree_first(section); item && shrink_may_change(section);
             item = tree_next(item)) {
            if (mentions(item, word)) {
                tree_drop(tree, item);
            }
        }
    }
    shrink_try(shrinker);
}

static void drop_by_words_of(void *opaque, struct tree_node *node)
{
    if (node->key != NULL) {
        drop_items_with(opaque, node->key);
    }
    if (node->kind == YAML_SCALAR && !node->gone) {
        drop_items_with(opaque, node->text);
    }
}

static void drop_by_words(struct shrinker *shrinker, struct tree_node *section)
{
    for (struct tree_node *item = tree_first(section); item != NULL; item = tree_next(item)) {
        tree_visit(item, drop_by_words_of, shrinker);
    }
}

/* ---- Items of lists, several at once ---- */

static void drop_stretches(struct shrinker *shrinker, struct tree_node *section)
{
    struct node_list items = children_of(section);

    for (size_t length = items.count; length > 1; length = (length + 1) / 2) {
        for (size_t from = 0; from < items.count; from += length) {
            for (size_t i = from; i < from + length && i < items.count; i++) {
                tree_drop(&shrinker->tree, items.nodes[i]);
            }
            shrink_try(shrinker);
        }
    }
    free(items.nodes);
}

static void drop_pairs(struct shrinker *shrinker, struct tree_node *section)
{
    struct node_list items = children_of(section);

    size_t firsts = items.count <= MAX_PAIRED ? items.count : 0;

    for (size_t i = 0; i < firsts; i++) {
        for (size_t j = i + 1; j < items.count && !items.nodes[i]->gone; j++) {
            if (!items.nodes[j]->gone) {
                tree_drop(&shrinker->tree, items.nodes[i]);
                tree_drop(&shrinker->tree, items.nodes[j]);
                shrink_try(shrinker);
            }
        }
    }
    free(items.nodes);
}

/* ---- Everything for itself ---- */

static bool has_restraint(const struct tree_node *node)
{
    bool found = shrink_is_restraint(node);

    for (const struct tree_node *child = tree_first(node); child != NULL && !found;
         child = tree_next(child)) {
        found = has_restraint(child);
    }
    return found;
}

static void drop_node(void *opaque, struct tree_node *node)
{
    struct shrinker *shrinker = opaque;

    if (!shrink_is_restraint(node)) {
        tree_drop(&shrinker->tree, node);
        shrink_try(shrinker);
    }
}

static void drop_each(struct shrinker *shrinker, struct tree_node *section)
{
    struct tree_node *item;

    if (!shrink_is_expectation(section)) {
        tree_visit(section, drop_node, shrinker);
        return;
    }
    drop_node(shrinker, section);
    for (item = section->gone ? NULL : tree_first(section); item; item = tree_next(item)) {
        drop_node(shrinker, item);
    }
}

static bool put_instead(struct shrinker *shrinker, struct tree_node *node,
                        const struct tree_node *child)
{
    if (child->key != NULL) {
        tree_set_text(&shrinker->tree, node, child->key);
        if (shrink_try(shrinker)) {
            return true;
        }
    }
    tree_set_value(&shrinker->tree, node, child);
    return shrink_try(shrinker);
}

/*
 * {event: ready, within: 2s} may be simplified to ready, and {concluded: true} to
 * concluded: the first entry has the meaning, the others are details.  A list may be
 * replaced by any one of its elements.
 */
static void put_simpler(void *opaque, struct tree_node *node)
{
    struct shrinker *shrinker = opaque;
    struct node_list children = children_of(node);
    size_t count = node->kind == YAML_MAPPING && children.count > 0 ? 1 : children.count;
    bool kept = has_restraint(node);

    for (size_t i = 0; i < count && !kept; i++) {
        kept = put_instead(shrinker, node, children.nodes[i]);
    }
    free(children.nodes);
}

/* Simplifies a node with one entry: the meaning stays, only brackets go. */
static void put_shorter(void *opaque, struct tree_node *node)
{
    const struct tree_node *only = tree_first(node);

    if (only != NULL && tree_next(only) == NULL) {
        put_simpler(opaque, node);
    }
}

static void put_each_simpler(struct shrinker *shrinker, struct tree_node *section)
{
    for (struct tree_node *item = tree_first(section); item != NULL; item = tree_next(item)) {
        tree_visit(item, shrink_is_expectation(section) ? put_shorter : put_simpler, shrinker);
    }
}

void shrink_structure(struct shrinker *shrinker)
{
    shrink_keep_error_handling(shrinker);
    each_section(shrinker, drop_by_words);
    each_section(shrinker, drop_stretches);
    each_section(shrinker, drop_each);
    each_section(shrinker, drop_pairs);
    each_section(shrinker, put_each_simpler);
}
