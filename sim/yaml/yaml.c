/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML text to a tree of nodes: libyaml's events, with bounds on everything.
 */
#include "sim/yaml/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "engine/units.h"
#include "sim/base/utf8.h"

struct builder {
    yaml_parser_t parser;
    struct mistake_list *mistakes;
    uint32_t nodes;
};

static struct where where_of(const yaml_mark_t *mark)
{
    return (struct where){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* ---- Text that is no text ---- */

/* Control characters, and the line breaks that editors don't count. */
static bool is_forbidden(uint32_t value, bool before_newline)
{
    return (value < 0x20 && value != '\t' && value != '\n' && !(value == '\r' && before_newline)) ||
           (value >= 0x7f && value < 0xa0) || value == 0x2028 || value == 0x2029 ||
           value == 0xfeff || value == 0xfffe || value == 0xffff;
}

/* Only the first place is noted: binary files have thousands. */
static bool text_is_clean(struct mistake_list *mistakes)
{
    const char *text = mistakes->text;
    struct where where = {1, 1};

    for (size_t i = 0; i < mistakes->bytes;) {
        uint32_t value = 0;
        size_t length = utf8_decode(text + i, mistakes->bytes - i, &value);
        bool before_newline = i + 1 < mistakes->bytes && text[i + 1] == '\n';

        if (length == 0) {
            mistake_add(mistakes, where, "byte 0x%02x is not UTF-8: is this a text file?",
                        (unsigned char)text[i]);
            return false;
        }
        if (is_forbidden(value, before_newline)) {
            mistake_add(mistakes, where, "character U+%04X is not allowed: is this a text file?",
                        value);
            return false;
        }
        where.column++;
        if (value == '\n') {
            where = (struct where){where.line + 1, 1};
        }
        i += length;
    }
    return true;
}

/* ---- Nodes ---- */

/* Is there a name in braces, not quoted, that YAML takes for a mapping, in that line (from 0)? */
static bool has_bare_reference(const struct mistake_list *mistakes, size_t line)
{
    const char *at = mistakes->text;
    const char *end = at + mistakes->bytes;

    for (; line > 0 && at < end; at++) {
        line -= *at == '\n';
    }
    for (; at + 1 < end && *at != '\n'; at++) {
        if (at[0] == '$' && at[1] == '{' && (at == mistakes->text || strchr(" [{,:", at[-1]))) {
            return true;
        }
    }
    return false;
}

/* What is most often meant where libyaml has this problem. */
static const char *hint_for(const struct builder *builder, const char *problem)
{
    if (strstr(problem, "cannot start any token")) {
        return " (is it a tab, or one of % @ `?)";
    }
    if (strstr(problem, "mapping values are not allowed")) {
        return " (quote a text that has \": \" in it)";
    }
    return strstr(problem, "did not find expected") &&
                   has_bare_reference(builder->mistakes, builder->parser.problem_mark.line)
               ? " (quote it in braces: \"${name}\")"
               : "";
}

/* libyaml's words, at the place where they help most. */
static void note_syntax(struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    const char *problem = parser->problem ? parser->problem : "unknown problem";
    bool at_end = parser->problem_mark.index >= builder->mistakes->bytes;
    const char *hint = hint_for(builder, problem);

    if (!parser->context) {
        mistake_add(builder->mistakes, where_of(&parser->problem_mark), "this is not YAML: %s%s",
                    problem, hint);
    } else if (at_end) {
        mistake_add(builder->mistakes, where_of(&parser->context_mark),
                    "this is not YAML: %s up to the end of the file, %s that begins here", problem,
                    parser->context);
    } else {
        mistake_add(builder->mistakes, where_of(&parser->problem_mark),
                    "this is not YAML: %s%s, %s that begins at %zu:%zu", problem, hint,
                    parser->context, parser->context_mark.line + 1,
                    parser->context_mark.column + 1);
    }
}

static bool next_event(struct builder *builder, yaml_event_t *event)
{
    if (yaml_parser_parse(&builder->parser, event)) {
        return true;
    }
    if (builder->parser.error == YAML_MEMORY_ERROR) {
        arena_exhausted(builder->mistakes->bytes);
    }
    note_syntax(builder);
    return false;
}

/* What YAML 1.1 or 1.2 takes for a boolean or null, in any of its spellings. */
static bool is_trap(const char *text)
{
    static const char *const words[] = {"yes", "no", "on", "off", "true", "false", "null", "~", ""};

    if (strcmp(text, "true") == 0) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_trap(struct builder *builder, struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR || node->quoted || !is_trap(node->text)) {
        return;
    }
    node->kind = YAML_BROKEN;
    if (node->text[0] == '\0') {
        mistake_add(builder->mistakes, node->where,
                    "a value is missing here (a word that stands alone has no colon)");
    } else {
        mistake_add(builder->mistakes, node->where,
                    "\"%s\" is a boolean or null to YAML: use another word, or quote it",
                    node->text);
    }
}

static const char *copy_scalar(struct builder *builder, const yaml_event_t *event)
{
    size_t length = event->data.scalar.length;
    char *text = arena_alloc(builder->mistakes->arena, length + 1);

    memcpy(text, event->data.scalar.value, length);
    return text;
}

static void refuse_anchor_and_tag(struct builder *builder, struct where where,
                                  const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor) {
        mistake_add(builder->mistakes, where, "anchors (&name) are not allowed: use `vars`");
    }
    if (tag) {
        mistake_add(builder->mistakes, where, "tags (!name) are not allowed: leave it out");
    }
}

static bool begin_node(struct builder *builder, const yaml_event_t *event, struct yaml_node *node)
{
    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        refuse_anchor_and_tag(builder, node->where, event->data.scalar.anchor,
                              event->data.scalar.tag);
        node->kind = YAML_SCALAR;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = copy_scalar(builder, event);
        if (strlen(node->text) < event->data.scalar.length) {
            node->kind = YAML_BROKEN;
            mistake_add(builder->mistakes, node->where, "a NUL character is not allowed");
        }
        return true;
    case YAML_SEQUENCE_START_EVENT:
        refuse_anchor_and_tag(builder, node->where, event->data.sequence_start.anchor,
                              event->data.sequence_start.tag);
        node->kind = YAML_SEQUENCE;
        return true;
    case YAML_MAPPING_START_EVENT:
        refuse_anchor_and_tag(builder, node->where, event->data.mapping_start.anchor,
                              event->data.mapping_start.tag);
        node->kind = YAML_MAPPING;
        return true;
    case YAML_ALIAS_EVENT:
        mistake_add(builder->mistakes, node->where, "aliases (*name) are not allowed: use `vars`");
        return true;
    default:
        return false;
    }
}

static bool within_bounds(struct builder *builder, struct where where, uint32_t depth)
{
    if (depth > YAML_MAX_DEPTH) {
        mistake_add(builder->mistakes, where, "nested too deeply: %u levels are the most",
                    YAML_MAX_DEPTH);
        return false;
    }
    if (++builder->nodes > YAML_MAX_NODES) {
        mistake_add(builder->mistakes, where, "too many values: %u are the most", YAML_MAX_NODES);
        return false;
    }
    return true;
}

static bool build_children(struct builder *builder, struct yaml_node *parent, uint32_t depth);

/* The node that the event begins; NULL after noting why to go no further. */
static struct yaml_node *build_node(struct builder *builder, const yaml_event_t *event,
                                    uint32_t depth)
{
    struct where where = where_of(&event->start_mark);
    struct yaml_node *node;

    if (!within_bounds(builder, where, depth)) {
        return NULL;
    }
    node = arena_alloc(builder->mistakes->arena, sizeof(*node));
    node->where = where;
    if (!begin_node(builder, event, node)) {
        return NULL;
    }
    if (node->kind >= YAML_SEQUENCE && !build_children(builder, node, depth)) {
        return NULL;
    }
    return node;
}

static bool key_is_scalar(struct builder *builder, struct yaml_node *key)
{
    if (key->kind == YAML_SEQUENCE || key->kind == YAML_MAPPING) {
        mistake_add(builder->mistakes, key->where, "a key must be a word");
        key->kind = YAML_BROKEN;
    }
    check_trap(builder, key);
    return key->kind == YAML_SCALAR;
}

/* By text, then by place. */
static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = strcmp(x->text, y->text);

    if (order == 0) {
        order = (x->where.line > y->where.line) - (x->where.line < y->where.line);
    }
    if (order == 0) {
        order = (x->where.column > y->where.column) - (x->where.column < y->where.column);
    }
    return order;
}

/* Sorting keeps hostile mappings of many thousand keys cheap. */
static void refuse_duplicate_keys(struct builder *builder, const struct yaml_node *mapping)
{
    struct yaml_node **keys;
    uint32_t count = 0;

    if (mapping->kind != YAML_MAPPING || mapping->count < 2) {
        return;
    }
    keys = arena_alloc(builder->mistakes->arena, mapping->count * sizeof(struct yaml_node *));
    for (struct yaml_node *entry = mapping->first; entry; entry = entry->next) {
        keys[count++] = entry->key;
    }
    qsort(keys, count, sizeof(keys[0]), compare_keys);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0) {
            mistake_add(builder->mistakes, keys[i]->where, "key %s is here twice",
                        mistake_quote(builder->mistakes, keys[i]->text));
        }
    }
    arena_free(builder->mistakes->arena, keys, mapping->count * sizeof(struct yaml_node *));
}

/*
 * Items up to the end of their parent; a mapping's come as key, value, key,
 * value.  Entries whose key is unusable are left out.
 */
static bool build_children(struct builder *builder, struct yaml_node *parent, uint32_t depth)
{
    struct yaml_node **tail = &parent->first;
    struct yaml_node *key = NULL;
    yaml_event_t event;

    while (next_event(builder, &event)) {
        bool is_end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        struct yaml_node *node = is_end ? NULL : build_node(builder, &event, depth + 1);

        yaml_event_delete(&event);
        if (is_end) {
            refuse_duplicate_keys(builder, parent);
            return true;
        }
        if (!node) {
            return false;
        }
        if (parent->kind == YAML_MAPPING && !key) {
            key = node;
            continue;
        }
        check_trap(builder, node);
        if (!key || key_is_scalar(builder, key)) {
            node->key = key;
            *tail = node;
            tail = &node->next;
            parent->count++;
        }
        key = NULL;
    }
    return false;
}

/* Reads the next event, which must be of that type. */
static bool skip_event(struct builder *builder, yaml_event_type_t type)
{
    yaml_event_t event;
    bool found;

    if (!next_event(builder, &event)) {
        return false;
    }
    found = event.type == type;
    if (!found && type == YAML_STREAM_END_EVENT) {
        mistake_add(builder->mistakes, where_of(&event.start_mark),
                    "a second document: a file holds one scenario");
    } else if (!found) {
        mistake_add(builder->mistakes, (struct where){0, 0}, "the file is empty");
    }
    yaml_event_delete(&event);
    return found;
}

static struct yaml_node *build_document(struct builder *builder)
{
    struct yaml_node *root;
    yaml_event_t event;

    if (!skip_event(builder, YAML_STREAM_START_EVENT) ||
        !skip_event(builder, YAML_DOCUMENT_START_EVENT) || !next_event(builder, &event)) {
        return NULL;
    }
    root = build_node(builder, &event, 1);
    yaml_event_delete(&event);
    if (!root || !skip_event(builder, YAML_DOCUMENT_END_EVENT) ||
        !skip_event(builder, YAML_STREAM_END_EVENT)) {
        return NULL;
    }
    return root;
}

struct yaml_node *yaml_parse(struct mistake_list *mistakes)
{
    struct builder builder = {.mistakes = mistakes};
    struct yaml_node *root;

    if (!text_is_clean(mistakes)) {
        return NULL;
    }
    if (!yaml_parser_initialize(&builder.parser)) {
        arena_exhausted(mistakes->bytes);
    }
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)mistakes->text,
                                 mistakes->bytes);
    root = build_document(&builder);
    yaml_parser_delete(&builder.parser);
    return root;
}

uint32_t yaml_count(const struct yaml_node *node)
{
    uint32_t count = 1;

    for (const struct yaml_node *child = node->first; child; child = child->next) {
        count += yaml_count(child);
    }
    return count;
}

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *entry = NULL;

    if (mapping && mapping->kind == YAML_MAPPING) {
        entry = mapping->first;
    }
    while (entry && strcmp(entry->key->text, key) != 0) {
        entry = entry->next;
    }
    return entry;
}
