/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The language's tables as a JSON schema, draft 2020-12.
 *
 * Everything with a name becomes one definition; every property has its row's
 * documentation.  A schema cannot express all checks of the loader, but it must
 * not refuse what the loader accepts.  So what YAML reads as a number, as in
 * `name: 5`, may be a name or a text.
 */
#include "tools/report/schema.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

#define DEFINITION_BYTES 64

/* While definitions are collected, this entry maps each name to its identity. */
#define IDENTITIES "identities"

static json_t *schema_of_shape(json_t *definitions, const struct shape *shape);

/* ---- Pieces ---- */

static json_t *reference(const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/$defs/%s", name));
}

static json_t *any_of(json_t *alternatives)
{
    return json_pack("{s:o}", "anyOf", alternatives);
}

/* A word as YAML reads it: a number is one. */
static json_t *word_json(const char *word)
{
    char *end;
    long long number = strtoll(word, &end, 10);
    double fraction;

    if (*word != '\0' && *end == '\0') {
        return json_integer(number);
    }
    fraction = strtod(word, &end); /* the generation 2.2 */
    return *word != '\0' && *end == '\0' ? json_real(fraction) : json_string(word);
}

/* ---- Values ---- */

static json_t *words_json(const struct value_type *type)
{
    json_t *words = json_array();

    for (uint32_t i = 0; type_word(type, i) != NULL; i++) {
        json_array_append_new(words, word_json(type_word(type, i)));
    }
    return json_pack("{s:o}", "enum", words);
}

/* "^[0-9]+(\.[0-9]+)?(KiB|MiB)$", or NULL if no unit is written. */
static json_t *unit_pattern(const struct value_type *type)
{
    char *pattern = NULL;
    size_t bytes = 0;
    FILE *file = must_memstream(&pattern, &bytes);
    const char *before = "";
    json_t *json;

    fprintf(file, "^%s[0-9]+(\\.[0-9]+)?(", type->min < 0 ? "-?" : "");
    for (const struct unit *unit = type->units; unit->suffix != NULL; unit++) {
        if (*unit->suffix != '\0') {
            fprintf(file, "%s%s", before, unit->suffix);
            before = "|";
        }
    }
    fputs(")$", file);
    fclose(file);
    json = *before != '\0' ? json_string(pattern) : NULL;
    free(pattern);
    return json;
}

/* Adds a number without a unit, if that is allowed. */
static void add_plain_number(json_t *alternatives, const struct value_type *type)
{
    const struct unit *unit = type->units;

    while (unit->suffix != NULL && *unit->suffix != '\0') {
        unit++;
    }
    if (unit->suffix == NULL) {
        return;
    }
    if (!type->needs_unit) {
        json_array_append_new(
            alternatives, json_pack("{s:s, s:I}", "type", unit->factor > 1 ? "number" : "integer",
                                    "minimum", (json_int_t)(type->min / unit->factor)));
    } else if (type->min <= 0) {
        json_array_append_new(alternatives, json_pack("{s:i}", "const", 0));
    }
}

static json_t *value_json(const struct value_type *type)
{
    json_t *alternatives = json_array();
    json_t *pattern;

    if (type_word(type, 0) != NULL) {
        json_array_append_new(alternatives, words_json(type));
    }
    if (type->units != NULL) {
        add_plain_number(alternatives, type);
        pattern = unit_pattern(type);
        if (pattern != NULL) {
            json_array_append_new(alternatives,
                                  json_pack("{s:s, s:o}", "type", "string", "pattern", pattern));
        }
    }
    json_array_append_new(alternatives, reference("reference"));
    json_array_append_new(alternatives, reference("choice"));
    return json_pack("{s:s, s:o}", "title", type->what, "anyOf", alternatives);
}

static json_t *schema_of_type(json_t *definitions, const struct value_type *type)
{
    char name[DEFINITION_BYTES];

    snprintf(name, sizeof(name), "type-%s", type->name);
    if (json_object_get(definitions, name) == NULL) {
        json_object_set_new(definitions, name, value_json(type));
    }
    return reference(name);
}

/* ---- Mappings ---- */

static json_t *description_json(const struct field *field)
{
    if (field->generations == 0) {
        return json_string(field->doc);
    }
    return json_sprintf("%s Only in generation %s.", field->doc,
                        generation_name(field_is_in(field, GENERATION_MODERN) ? GENERATION_MODERN
                                                                              : GENERATION_2_2));
}

static json_t *property_json(json_t *definitions, const struct field *field)
{
    json_t *property = json_pack("{s:o}", "description", description_json(field));
    json_t *schema = field->shape != NULL ? schema_of_shape(definitions, field->shape)
                                          : schema_of_type(definitions, field->type);

    json_object_update(property, schema);
    json_decref(schema);
    return property;
}

static json_t *properties_json(json_t *definitions, const struct shape *shape)
{
    json_t *properties = json_object();

    for (const struct field *field = shape->fields; field->key != NULL; field++) {
        if (!(shape->is_instant && field->takes_time)) {
            json_object_set_new(properties, field->key, property_json(definitions, field));
        }
    }
    return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties",
                     properties);
}

/* Alternatives for the keys of a group, one key at a time. */
static json_t *group_json(const struct field *fields, uint8_t group)
{
    json_t *alternatives = json_array();

    for (const struct field *field = fields; field->key != NULL; field++) {
        if (field->group == group) {
            json_array_append_new(alternatives, json_pack("{s:[s]}", "required", field->key));
        }
    }
    return json_pack("{s:o}", "oneOf", alternatives);
}

static void add_groups(json_t *schema, const struct field *fields)
{
    json_t *groups = json_array();
    uint8_t last = 0;

    for (const struct field *field = fields; field->key != NULL; field++) {
        last = field->group > last ? field->group : last;
    }
    for (uint8_t group = 1; group <= last; group++) {
        json_array_append_new(groups, group_json(fields, group));
    }
    if (last > 0) {
        json_object_set(schema, "allOf", groups);
    }
    json_decref(groups);
}

static void add_if_any(json_t *schema, const char *key, json_t *value, size_t count)
{
    if (count > 0) {
        json_object_set(schema, key, value);
    }
    json_decref(value);
}

static json_t *mapping_json(json_t *definitions, const struct shape *shape)
{
    json_t *schema = properties_json(definitions, shape);
    json_t *required = json_array();
    json_t *needs = json_object();

    for (const struct field *field = shape->fields; field->key != NULL; field++) {
        if (field->required) {
            json_array_append_new(required, json_string(field->key));
        }
        if (field->needs != NULL) {
            json_object_set_new(needs, field->key, json_pack("[s]", field->needs));
        }
    }
    add_if_any(schema, "required", required, json_array_size(required));
    add_if_any(schema, "dependentRequired", needs, json_object_size(needs));
    add_groups(schema, shape->fields);
    return schema;
}

/* {key: value}, or only the word. */
static json_t *one_json(json_t *definitions, const struct shape *shape)
{
    json_t *schema = properties_json(definitions, shape);
    json_t *words = json_array();

    json_object_set_new(schema, "minProperties", json_integer(1));
    json_object_set_new(schema, "maxProperties", json_integer(1));
    for (const struct field *field = shape->fields; field->key != NULL; field++) {
        if (field->alone && !(shape->is_instant && field->takes_time)) {
            json_array_append_new(words, json_string(field->key));
        }
    }
    if (json_array_size(words) == 0) {
        json_decref(words);
        return schema;
    }
    return any_of(json_pack("[{s:o}, o, o]", "enum", words, reference("reference"), schema));
}

/* ---- Shapes ---- */

static void add_bounds(json_t *schema, const struct shape *shape, const char *least,
                       const char *most)
{
    if (shape->least > 0) {
        json_object_set_new(schema, least, json_integer(shape->least));
    }
    if (shape->most > 0) {
        json_object_set_new(schema, most, json_integer(shape->most));
    }
}

static json_t *names_json(json_t *definitions, const struct shape *shape)
{
    json_t *schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                               schema_of_shape(definitions, shape->of));

    if (shape->type != NULL) {
        json_object_set_new(schema, "propertyNames", words_json(shape->type));
    }
    add_bounds(schema, shape, "minProperties", "maxProperties");
    return schema;
}

static json_t *list_json(json_t *definitions, const struct shape *shape)
{
    json_t *schema =
        json_pack("{s:s, s:o}", "type", "array", "items", schema_of_shape(definitions, shape->of));

    add_bounds(schema, shape, "minItems", "maxItems");
    return schema;
}

static json_t *alternatives_json(json_t *definitions, const struct shape *shape)
{
    json_t *alternatives = json_array();

    for (const struct shape *const *any = shape->any; *any != NULL; any++) {
        json_array_append_new(alternatives, schema_of_shape(definitions, *any));
    }
    return any_of(alternatives);
}

static json_t *shape_json(json_t *definitions, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_VALUE:
        return schema_of_type(definitions, shape->type);
    case SHAPE_WORD:
        return json_pack("{s:o}", "const", word_json(shape->word));
    case SHAPE_FLAG:
        return json_pack("{s:b}", "const", 1);
    case SHAPE_NAME:
        return reference("name");
    case SHAPE_TEXT:
        return json_pack("{s:[s, s], s:i}", "type", "string", "number", "minLength", 1);
    case SHAPE_MAPPING:
        return mapping_json(definitions, shape);
    case SHAPE_ONE:
        return one_json(definitions, shape);
    case SHAPE_NAMES:
        return names_json(definitions, shape);
    case SHAPE_LIST:
        return list_json(definitions, shape);
    case SHAPE_ANY:
        return alternatives_json(definitions, shape);
    case SHAPE_FREE:
        break;
    }
    return json_object();
}

/* The identity behind a name: its table, or the shape itself if it has none. */
static json_int_t identity_of(const struct shape *shape)
{
    return (json_int_t)(shape->fields != NULL ? (uintptr_t)shape->fields : (uintptr_t)shape);
}

/*
 * Reserves the definition's place first, so that the definitions it needs come after it.
 * Two tables with the same name would become one definition.
 */
static json_t *schema_of_shape(json_t *definitions, const struct shape *shape)
{
    if (shape->name == NULL) {
        return shape_json(definitions, shape);
    }
    if (json_object_get(definitions, shape->name) == NULL) {
        json_object_set_new(definitions, shape->name, json_null());
        json_object_set_new(definitions, shape->name, shape_json(definitions, shape));
        json_object_set_new(json_object_get(definitions, IDENTITIES), shape->name,
                            json_integer(identity_of(shape)));
    } else if (json_is_object(json_object_get(definitions, shape->name))) {
        assert(json_integer_value(json_object_get(json_object_get(definitions, IDENTITIES),
                                                  shape->name)) == identity_of(shape));
    }
    return reference(shape->name);
}

/* ---- The whole ---- */

static const char base_definitions[] =
    "{\"name\": {\"type\": [\"string\", \"number\"], \"pattern\": "
    "\"^[A-Za-z0-9_.-]{1,64}$|\\\\$\\\\{\"},"
    " \"reference\": {\"description\": \"${name} of the matrix or of a variable.\","
    "  \"type\": \"string\", \"pattern\": \"\\\\$\\\\{[^}]+\\\\}\"},"
    " \"choice\": {\"anyOf\": ["
    "  {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"choose\":"
    "   {\"description\": \"One of these values.\", \"type\": \"array\", \"minItems\": 1}},"
    "   \"required\": [\"choose\"]},"
    "  {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"range\":"
    "   {\"description\": \"[least, greatest]: a value between them.\", \"type\": \"array\","
    "    \"minItems\": 2, \"maxItems\": 2},"
    "   \"step\": {\"description\": \"The distance between values; default 512 B, 1 us or 1, where "
    "that fits.\","
    "    \"type\": [\"string\", \"integer\"]}}, \"required\": [\"range\"]}]}}";

json_t *schema_json_of(const struct field *fields)
{
    const struct shape shape = {.kind = SHAPE_MAPPING, .fields = fields};
    json_t *definitions = json_loads(base_definitions, 0, NULL);
    json_t *schema;

    json_object_set_new(definitions, IDENTITIES, json_object());
    schema = mapping_json(definitions, &shape);
    json_object_del(definitions, IDENTITIES);
    json_object_set_new(schema, "$defs", definitions);
    return schema;
}

json_t *schema_json(void)
{
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "$id",
        "https://mirrorsim.invalid/scenario.schema.json", "title", "mirrorsim scenario",
        "description",
        "One scenario file of format version 1; scenarios/README.md explains it. The loader checks "
        "more: names, units, ranges, order.");
    json_t *schema = schema_json_of(shape_scenario.fields);

    json_object_update(all, schema);
    json_decref(schema);
    return all;
}
