/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading nodes: what they stand for, of which shape, by which table.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/units.h"
#include "sim/scenario/private.h"
#include "sim/yaml/emit.h"

/* With every ${name} replaced; nothing that is read needs more. */
#define MAX_EXPANDED 256u

static bool is_misspelled(const struct loader *loader, const struct yaml_node *node)
{
    for (uint32_t i = 0; i < loader->misspelled_count; i++) {
        if (loader->misspelled[i] == node) {
            return true;
        }
    }
    return false;
}

static void note_misspelled(struct loader *loader, const struct yaml_node *node)
{
    if (loader->misspelled_count < COUNT_OF(loader->misspelled)) {
        loader->misspelled[loader->misspelled_count++] = node;
    }
}

/* The value of the matrix that all of the node's text stands for; NULL: it is a text of its own. */
static const struct yaml_node *axis_value_of(const struct loader *loader,
                                             const struct yaml_node *node)
{
    size_t length = node->kind == YAML_SCALAR ? strlen(node->text) : 0;

    if (length < 4 || strncmp(node->text, "${", 2) != 0 || node->text[length - 1] != '}') {
        return NULL;
    }
    for (uint32_t i = 0; i < loader->matrix->count; i++) {
        const struct axis *axis = &loader->matrix->axes[i];

        if (strlen(axis->name) == length - 3 &&
            strncmp(axis->name, node->text + 2, length - 3) == 0) {
            return axis->value;
        }
    }
    return NULL;
}

void read_mistake(struct loader *loader, const struct yaml_node *node, const char *format, ...)
{
    const struct yaml_node *value = axis_value_of(loader, node);
    char text[500];
    va_list args;

    if (node->kind == YAML_BROKEN || is_misspelled(loader, node)) {
        mistake_discard(loader->mistakes);
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (value) {
        mistake_add(loader->mistakes, value->where, "%s (line %" PRIu32 " uses it as %s)", text,
                    node->where.line, node->text);
    } else {
        mistake_add(loader->mistakes, node->where, "%s", text);
    }
}

const char *read_quote(struct loader *loader, const char *text)
{
    return mistake_quote(loader->mistakes, text);
}

void read_unknown_name(struct loader *loader, const struct yaml_node *node, const char *what,
                       const char *name, const struct nearest *nearest)
{
    if (nearest->best) {
        read_mistake(loader, node, "no %s is called %s; did you mean %s?", what,
                     read_quote(loader, name), read_quote(loader, nearest->best));
    } else {
        read_mistake(loader, node, "no %s is called %s", what, read_quote(loader, name));
    }
}

/* ---- ${name} ---- */

/* With its variables written out, a file must keep to the bound of files. */
const struct yaml_node *read_variable(struct loader *loader, const char *name)
{
    static const struct yaml_node broken = {.kind = YAML_BROKEN};
    const struct yaml_node *variable = yaml_get(yaml_get(loader->root, "vars"), name);

    if (!variable) {
        return NULL;
    }
    if (loader->variable_nodes <= YAML_MAX_NODES) {
        loader->variable_nodes += yaml_count(variable);
    }
    if (loader->variable_nodes > YAML_MAX_NODES) {
        read_mistake(loader, variable, "this variable is too large to be used so often");
        return &broken;
    }
    return variable;
}

static const char *find_axis_value(const struct loader *loader, const char *name)
{
    for (uint32_t i = 0; i < loader->matrix->count; i++) {
        if (strcmp(loader->matrix->axes[i].name, name) == 0) {
            return loader->matrix->axes[i].value->text;
        }
    }
    return NULL;
}

/* The name in a "${name}" that begins at `text`, and where it ends; NULL if it does not end. */
static const char *reference_name(struct loader *loader, const char *text, const char **end)
{
    const char *close = strchr(text, '}');

    if (!close) {
        return NULL;
    }
    *end = close + 1;
    return arena_printf(loader->arena, "%.*s", (int)(close - text - 2), text + 2);
}

const struct yaml_node *read_resolve(struct loader *loader, const struct yaml_node *node)
{
    const struct yaml_node *variable = NULL;
    const char *end = NULL;
    const char *name;

    if (node->kind == YAML_SCALAR && strncmp(node->text, "${", 2) == 0) {
        name = reference_name(loader, node->text, &end);
        variable = name && *end == '\0' ? read_variable(loader, name) : NULL;
    }
    return variable ? variable : node;
}

static void unknown_reference(struct loader *loader, const struct yaml_node *node, const char *name)
{
    const struct yaml_node *variables = yaml_get(loader->root, "vars");
    struct nearest nearest = nearest_to(name);

    for (uint32_t i = 0; i < loader->matrix->count; i++) {
        nearest_offer(&nearest, loader->matrix->axes[i].name);
    }
    if (variables && variables->kind == YAML_MAPPING) {
        for (const struct yaml_node *entry = variables->first; entry; entry = entry->next) {
            nearest_offer(&nearest, entry->key->text);
        }
    }
    read_unknown_name(loader, node, "matrix name or variable", name, &nearest);
}

/* What a reference inside a text stands for; NULL after noting a mistake. */
static const char *reference_text(struct loader *loader, const struct yaml_node *node,
                                  const char *name)
{
    const char *value = find_axis_value(loader, name);
    const struct yaml_node *variable;

    if (value) {
        return value;
    }
    variable = read_variable(loader, name);
    if (!variable) {
        /* An axis that is not there although it is named was refused. */
        if (!yaml_get(yaml_get(loader->root, "matrix"), name)) {
            unknown_reference(loader, node, name);
        }
        return NULL;
    }
    if (variable->kind != YAML_SCALAR) {
        read_mistake(loader, node, "%s is no text: it can't be part of one",
                     read_quote(loader, name));
        return NULL;
    }
    return read_text(loader, variable, "variable");
}

static const char *expand(struct loader *loader, const struct yaml_node *node)
{
    char buf[MAX_EXPANDED + 1];
    size_t length = 0;

    for (const char *at = node->text; *at;) {
        const char *piece = at;
        size_t bytes = 1;

        if (strncmp(at, "${", 2) == 0) {
            const char *name = reference_name(loader, at, &at);

            if (!name) {
                read_mistake(loader, node, "\"${\" without \"}\"");
                return NULL;
            }
            piece = reference_text(loader, node, name);
            if (!piece) {
                return NULL;
            }
            bytes = strlen(piece);
        } else {
            at++;
        }
        if (bytes > MAX_EXPANDED - length) {
            read_mistake(loader, node, "longer than %u characters with its references replaced",
                         MAX_EXPANDED);
            return NULL;
        }
        memcpy(buf + length, piece, bytes);
        length += bytes;
    }
    buf[length] = '\0';
    return arena_strdup(loader->arena, buf);
}

static const char *article(const char *noun)
{
    return strchr("aeiouI", noun[0]) ? "an" : "a";
}

const char *read_text(struct loader *loader, const struct yaml_node *node, const char *what)
{
    node = read_resolve(loader, node);
    if (node->kind != YAML_SCALAR) {
        read_mistake(loader, node, "expected %s %s here, not a %s", article(what), what,
                     node->kind == YAML_MAPPING ? "mapping" : "list");
        return NULL;
    }
    return strstr(node->text, "${") ? expand(loader, node) : node->text;
}

/* ---- Words, names, lines, flags ---- */

bool read_is_word(struct loader *loader, const struct yaml_node *node, const char *word)
{
    const char *text = node->kind == YAML_SCALAR ? read_text(loader, node, "word") : NULL;

    return text && strcmp(text, word) == 0;
}

static bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-_.");

    return length > 0 && length <= 64 && text[length] == '\0';
}

const char *read_name(struct loader *loader, const struct yaml_node *node, const char *what)
{
    const char *text = read_text(loader, node, what);

    if (!text) {
        return NULL;
    }
    if (!is_name(text)) {
        read_mistake(loader, node,
                     "%s can't name %s %s: a name is up to 64 letters, digits, '-', '_' and '.'",
                     read_quote(loader, text), article(what), what);
        return NULL;
    }
    return arena_strdup(loader->arena, text);
}

const char *read_line(struct loader *loader, const struct yaml_node *node, const char *what)
{
    const char *text = read_text(loader, node, what);

    if (text && (text[0] == '\0' || strchr(text, '\n') || strlen(text) > MAX_EXPANDED)) {
        read_mistake(loader, node, "expected one line of text, of up to %u characters",
                     MAX_EXPANDED);
        return NULL;
    }
    return text ? arena_strdup(loader->arena, text) : NULL;
}

bool read_flag(struct loader *loader, const struct yaml_node *node)
{
    const char *text = read_text(loader, node, "\"true\"");

    if (text && strcmp(text, "true") != 0) {
        read_mistake(loader, node, "only \"true\" can stand here, not %s",
                     read_quote(loader, text));
        return false;
    }
    return text != NULL;
}

static FIELD_READER(read_flag_field)
{
    field_store(field, record, read_flag(loader, node));
}

static FIELD_WRITER(write_flag_field)
{
    if (field_value(field, record)) {
        emit_word(emit, field->key, "true");
    }
}

const struct shape shape_flag = {
    .kind = SHAPE_FLAG, .read = read_flag_field, .write = write_flag_field};
const struct shape shape_name = {.kind = SHAPE_NAME};
const struct shape shape_text = {.kind = SHAPE_TEXT};

/* ---- Shapes ---- */

static bool read_shape(struct loader *loader, const struct yaml_node **node, enum yaml_kind kind,
                       const char *what)
{
    *node = read_resolve(loader, *node);
    if ((*node)->kind != kind) {
        read_mistake(loader, *node, "%s must be a %s", what,
                     kind == YAML_MAPPING ? "mapping, {key: value, ...}" : "list, [...]");
        return false;
    }
    return true;
}

bool read_mapping(struct loader *loader, const struct yaml_node **node, const char *what)
{
    return read_shape(loader, node, YAML_MAPPING, what);
}

bool read_sequence(struct loader *loader, const struct yaml_node **node, const char *what)
{
    return read_shape(loader, node, YAML_SEQUENCE, what);
}

const struct yaml_node *read_single(struct loader *loader, const struct yaml_node *node,
                                    const char *shape)
{
    if (node->kind != YAML_MAPPING || node->count != 1) {
        read_mistake(loader, node, "%s, and this is %s", shape,
                     node->kind == YAML_SEQUENCE ? "a list"
                     : node->kind == YAML_SCALAR ? "a word"
                     : node->count == 0          ? "empty"
                                                 : "a mapping of several keys");
        return NULL;
    }
    return node->first;
}

/* ---- Mappings by table ---- */

const char *read_list_keys(struct loader *loader, const struct field *fields)
{
    const char *list = "";

    for (const struct field *field = fields; field->key; field++) {
        if (field_is_in(field, loader->plan->generation)) {
            list = mistake_part(loader->mistakes, "%s%s%s", list, *list ? ", " : "", field->key);
        }
    }
    return list;
}

bool read_is_in(struct loader *loader, const struct yaml_node *node, const struct field *field,
                const char *what)
{
    bool is_modern = loader->plan->generation == GENERATION_MODERN;

    if (field_is_in(field, loader->plan->generation)) {
        return true;
    }
    read_mistake(loader, node, "%s %s belongs to generation %s", what,
                 read_quote(loader, field->key),
                 generation_name(is_modern ? GENERATION_2_2 : GENERATION_MODERN));
    return false;
}

static void check_key(struct loader *loader, const struct yaml_node *node,
                      const struct yaml_node *key, const char *what, const struct field *fields)
{
    const struct field *field = field_find(fields, key->text);
    struct nearest nearest;

    if (field) {
        read_is_in(loader, key, field, "key");
        return;
    }
    /* Only now: to compare with all keys takes longer than to read the file. */
    nearest = nearest_to(key->text);
    for (field = fields; field->key; field++) {
        if (field_is_in(field, loader->plan->generation)) {
            nearest_offer(&nearest, field->key);
        }
    }
    if (nearest.best) {
        read_mistake(loader, key, "unknown key %s in %s; did you mean %s?",
                     read_quote(loader, key->text), what, read_quote(loader, nearest.best));
        note_misspelled(loader, node);
    } else {
        read_mistake(loader, key, "unknown key %s in %s; its keys are %s",
                     read_quote(loader, key->text), what, read_list_keys(loader, fields));
    }
}

static void check_required(struct loader *loader, const struct yaml_node *node, const char *what,
                           const struct field *fields)
{
    const char *missing = "";

    for (const struct field *field = fields; field->key; field++) {
        if (field->required && !yaml_get(node, field->key)) {
            missing = mistake_part(loader->mistakes, "%s%s\"%s\"", missing, *missing ? ", " : "",
                                   field->key);
        }
    }
    if (*missing) {
        read_mistake(loader, node, "%s needs the key%s %s", what, strchr(missing, ',') ? "s" : "",
                     missing);
    }
}

uint32_t read_count_group(const struct yaml_node *node, const struct field *fields, uint8_t group)
{
    uint32_t count = 0;

    for (const struct field *field = fields; field->key; field++) {
        count += field->group == group && yaml_get(node, field->key) != NULL;
    }
    return count;
}

FIELD_READER(read_field)
{
    int64_t value;

    if (field->read) {
        field->read(loader, node, field, record);
    } else if (field->type) {
        if (value_read(loader, node, field->type, &value)) {
            field_store(field, record, value);
        }
    } else if (field->shape->read) {
        field->shape->read(loader, node, field, record);
    } else {
        assert(field->shape->kind == SHAPE_MAPPING);
        read_fields(loader, node, field->key, field->shape->fields, field_place(field, record));
    }
}

void read_fields(struct loader *loader, const struct yaml_node *node, const char *what,
                 const struct field *fields, void *record)
{
    if (!read_mapping(loader, &node, what)) {
        return;
    }
    for (const struct yaml_node *entry = node->first; entry; entry = entry->next) {
        check_key(loader, node, entry->key, what, fields);
    }
    check_required(loader, node, what, fields);
    for (const struct field *field = fields; field->key; field++) {
        const struct yaml_node *entry = yaml_get(node, field->key);

        if (entry && field_is_in(field, loader->plan->generation)) {
            read_field(loader, entry, field, record);
        }
    }
}

/*
 * `list` is the address of a pointer to elements of any type.  Such pointers
 * may differ in their type only, so that they are copied as a char's: POSIX,
 * which has one representation for all of them, is what the arena needs anyway.
 */
void *read_append(struct loader *loader, void *list, uint32_t *count, size_t bytes)
{
    char *elements;

    memcpy(&elements, list, sizeof(elements));
    /* Capacities are powers of two, so a count that is one is a full list. */
    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count ? 2 * (size_t)*count : 1;
        char *more = arena_alloc(loader->arena, capacity * bytes);

        if (*count > 0) {
            memcpy(more, elements, *count * bytes);
        }
        arena_free(loader->arena, elements, *count * bytes);
        elements = more;
        memcpy(list, &elements, sizeof(elements));
    }
    return elements + (*count)++ * bytes;
}
