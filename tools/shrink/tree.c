/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree, its journal of changes, and its layout as a file.
 */
#include "tools/shrink/tree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/yaml/emit.h"
#include "tools/base/support.h"

#define TREE_RESERVE_BYTES ((size_t)1 << (sizeof(void *) >= 8 ? 32 : 26))

/* A section up to SHORT_COLUMNS stands on one line. */
#define SHORT_COLUMNS 80

/* ---- From text ---- */

static struct tree_node *copy_node(struct arena *arena, const struct yaml_node *from)
{
    struct tree_node *node = arena_alloc(arena, sizeof(*node));
    struct tree_node **end = &node->first;

    node->kind = from->kind;
    node->key = from->key != NULL ? arena_strdup(arena, from->key->text) : NULL;
    node->text = from->kind == YAML_SCALAR ? arena_strdup(arena, from->text) : NULL;
    for (const struct yaml_node *child = from->first; child != NULL; child = child->next) {
        *end = copy_node(arena, child);
        end = &(*end)->next;
    }
    return node;
}

void tree_parse(struct tree *tree, const char *text)
{
    struct mistake_list *mistakes = must_alloc(sizeof(*mistakes));
    const struct yaml_node *root;

    *tree = (struct tree){.arena = arena_create(TREE_RESERVE_BYTES)};
    mistakes->arena = arena_create(TREE_RESERVE_BYTES);
    if (tree->arena == NULL || mistakes->arena == NULL) {
        arena_exhausted(ARENA_LEAST_BYTES);
    }
    mistakes->text = text;
    mistakes->bytes = strlen(text);
    root = yaml_parse(mistakes);
    assert(root != NULL && mistakes->count == 0);
    tree->root = copy_node(tree->arena, root);
    arena_destroy(mistakes->arena);
    free(mistakes);
}

void tree_free(struct tree *tree)
{
    arena_destroy(tree->arena);
    free(tree->changes);
    *tree = (struct tree){0};
}

/* ---- Walking ---- */

static struct tree_node *skip_gone(struct tree_node *node)
{
    while (node != NULL && node->gone) {
        node = node->next;
    }
    return node;
}

struct tree_node *tree_first(const struct tree_node *node)
{
    return skip_gone(node->first);
}

struct tree_node *tree_next(const struct tree_node *node)
{
    return skip_gone(node->next);
}

struct tree_node *tree_get(const struct tree_node *mapping, const char *key)
{
    struct tree_node *node = tree_first(mapping);

    while (node != NULL && (node->key == NULL || strcmp(node->key, key) != 0)) {
        node = tree_next(node);
    }
    return node;
}

void tree_visit(struct tree_node *node, void (*call)(void *opaque, struct tree_node *node),
                void *opaque)
{
    call(opaque, node);
    if (node->gone) {
        return;
    }
    for (struct tree_node *child = tree_first(node); child != NULL; child = tree_next(child)) {
        tree_visit(child, call, opaque);
    }
}

/* ---- Changes ---- */

static bool has_staying(const struct tree_node *node)
{
    bool found = node->stays || node->stays_now;

    for (const struct tree_node *child = tree_first(node); child != NULL && !found;
         child = tree_next(child)) {
        found = has_staying(child);
    }
    return found;
}

/* To be called before a node is changed. */
static void change(struct tree *tree, struct tree_node *node)
{
    tree->changes = must_grow(tree->changes, tree->change_count, sizeof(*tree->changes));
    tree->changes[tree->change_count++] = (struct tree_before){node, *node};
}

void tree_drop(struct tree *tree, struct tree_node *node)
{
    if (!has_staying(node)) {
        change(tree, node);
        node->gone = true;
    }
}

void tree_set_text(struct tree *tree, struct tree_node *node, const char *text)
{
    change(tree, node);
    node->kind = YAML_SCALAR;
    node->text = arena_strdup(tree->arena, text);
    node->first = NULL;
}

void tree_set_value(struct tree *tree, struct tree_node *node, const struct tree_node *value)
{
    const struct tree_node copy = *value;

    change(tree, node);
    node->kind = copy.kind;
    node->text = copy.text;
    node->first = copy.first;
}

void tree_keep(struct tree *tree)
{
    tree->change_count = 0;
}

/* Undoes the newest change first: a node may have been changed more than once. */
void tree_undo(struct tree *tree)
{
    while (tree->change_count > 0) {
        const struct tree_before *before = &tree->changes[--tree->change_count];

        *before->node = before->was;
    }
}

/* ---- To text ---- */

static void write_flow(FILE *file, const struct tree_node *node)
{
    struct emit emit = emit_open(file, node->kind == YAML_MAPPING ? EMIT_FLOW : EMIT_FLOW_LIST);

    if (node->kind == YAML_SCALAR) {
        emit_scalar(file, node->text);
        return;
    }
    for (const struct tree_node *child = tree_first(node); child; child = tree_next(child)) {
        if (child->key != NULL) {
            emit_key(&emit, child->key);
        } else {
            emit_item(&emit);
        }
        write_flow(file, child);
    }
    emit_end(&emit);
}

/* An item of a list with one entry needs no braces. */
static void write_item(struct emit *items, const struct tree_node *node)
{
    const struct tree_node *only = tree_first(node);
    struct emit bare = emit_open(items->file, EMIT_BARE);

    if (node->key != NULL) {
        emit_key(items, node->key);
    } else {
        emit_item(items);
    }
    if (node->key == NULL && node->kind == YAML_MAPPING && only && tree_next(only) == NULL) {
        emit_key(&bare, only->key);
        node = only;
    }
    write_flow(items->file, node);
}

/* The length of "key: {...}" on one line. */
static size_t line_length(const struct tree_node *section)
{
    char *line = NULL;
    size_t bytes = 0;
    FILE *file = must_memstream(&line, &bytes);
    struct emit emit = emit_open(file, EMIT_FILE);

    emit_key(&emit, section->key);
    write_flow(file, section);
    fclose(file);
    free(line);
    return bytes;
}

static bool has_container(const struct tree_node *node)
{
    const struct tree_node *child = tree_first(node);

    while (child != NULL && child->kind == YAML_SCALAR) {
        child = tree_next(child);
    }
    return child != NULL;
}

static void write_section(struct emit *emit, const struct tree_node *section)
{
    enum emit_style style = section->kind == YAML_MAPPING ? EMIT_BLOCK : EMIT_BLOCK_LIST;
    struct emit items = emit_open_below(emit, section->key, style);

    if (section->kind == YAML_SCALAR && strchr(section->text, '\n') != NULL) {
        emit_block_text(emit, section->key, section->text);
    } else if (has_container(section) && line_length(section) > SHORT_COLUMNS) {
        for (const struct tree_node *item = tree_first(section); item; item = tree_next(item)) {
            write_item(&items, item);
        }
    } else {
        emit_key(emit, section->key);
        write_flow(emit->file, section);
    }
}

char *tree_write(const struct tree *tree)
{
    char *text = NULL;
    char *folded = NULL;
    size_t bytes = 0;
    size_t folded_bytes = 0;
    FILE *file = must_memstream(&text, &bytes);
    struct emit emit = emit_open(file, EMIT_FILE);
    FILE *out;

    for (const struct tree_node *section = tree_first(tree->root); section;
         section = tree_next(section)) {
        write_section(&emit, section);
    }
    emit_end(&emit);
    fclose(file);
    out = must_memstream(&folded, &folded_bytes);
    emit_folded(out, text);
    fclose(out);
    free(text);
    return folded;
}
