/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `matrix` and `vars`: the cases of a file, and that no name can stand for itself.
 *
 * The values of a matrix are plain, and variables use nothing but these, so
 * that replacing names always ends.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include <assert.h>

#include "sim/scenario/private.h"

#define MAX_VALUE_BYTES 64u

/* ---- Names in texts ---- */

/* The next "${" in a text from `at` on; what follows it, or NULL. */
static const char *next_reference(const char *at)
{
    at = strstr(at, "${");
    return at ? at + 2 : NULL;
}

static bool reference_is(const char *reference, const char *name)
{
    size_t length = strlen(name);

    return strncmp(reference, name, length) == 0 && reference[length] == '}';
}

/* True if some scalar at or below the node says ${name}. */
static bool uses_name(const struct yaml_node *node, const char *name)
{
    const char *at = node->kind == YAML_SCALAR ? next_reference(node->text) : NULL;

    for (; at; at = next_reference(at)) {
        if (reference_is(at, name)) {
            return true;
        }
    }
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (uses_name(child, name)) {
            return true;
        }
    }
    return false;
}

/* ---- The matrix ---- */

static bool value_is_good(const struct yaml_node *value, struct mistake_list *mistakes)
{
    if (value->kind == YAML_SCALAR && !next_reference(value->text) && value->text[0] != '\0' &&
        strlen(value->text) <= MAX_VALUE_BYTES) {
        return true;
    }
    if (value->kind != YAML_BROKEN) {
        mistake_add(mistakes, value->where, "a matrix lists plain values of up to %u characters",
                    MAX_VALUE_BYTES);
    }
    return false;
}

static bool values_are_good(const struct yaml_node *values, struct mistake_list *mistakes)
{
    bool good = values->kind == YAML_SEQUENCE && values->count > 0;

    if (!good && values->kind != YAML_BROKEN) {
        mistake_add(mistakes, values->where, "a matrix name stands for a list, [a, b]");
    }
    for (const struct yaml_node *value = values->first; good && value; value = value->next) {
        good = value_is_good(value, mistakes);
    }
    return good;
}

static void add_axis(struct matrix *matrix, const struct yaml_node *values,
                     struct mistake_list *mistakes)
{
    uint64_t cases = (uint64_t)matrix->cases * values->count;

    if (matrix->count == SCENARIO_MAX_AXES) {
        mistake_add(mistakes, values->key->where, "too many names: %d are the most",
                    SCENARIO_MAX_AXES);
    } else if (cases > SCENARIO_MAX_CASES) {
        mistake_add(mistakes, values->where, "too many cases: %d are the most", SCENARIO_MAX_CASES);
    } else {
        matrix->cases = (uint32_t)cases;
        matrix->axes[matrix->count++] = (struct axis){values->key->text, values, values->first};
    }
}

static void read_names(struct matrix *matrix, const struct yaml_node *root,
                       struct mistake_list *mistakes)
{
    const struct yaml_node *node = yaml_get(root, "matrix");

    if (node && node->kind != YAML_MAPPING) {
        mistake_add(mistakes, node->where, "matrix must be a mapping, {name: [value, ...]}");
        return;
    }
    for (const struct yaml_node *values = node ? node->first : NULL; values;
         values = values->next) {
        const char *name = values->key->text;

        if (values_are_good(values, mistakes)) {
            add_axis(matrix, values, mistakes);
        }
        if (!uses_name(root, name)) {
            mistake_add(mistakes, values->key->where, "matrix name %s is never used",
                        mistake_quote(mistakes, name));
        }
    }
}

void matrix_select(struct matrix *matrix, uint32_t number)
{
    for (uint32_t i = matrix->count; i-- > 0;) {
        struct axis *axis = &matrix->axes[i];
        uint32_t index = number % axis->values->count;

        number /= axis->values->count;
        axis->value = axis->values->first;
        while (index-- > 0) {
            axis->value = axis->value->next;
        }
    }
    assert(number == 0);
}

const char *matrix_name_case(const struct matrix *matrix, struct arena *arena)
{
    const char *name = "";

    for (uint32_t i = 0; i < matrix->count; i++) {
        name = arena_printf(arena, "%s%s%s=%s", name, i ? " " : "", matrix->axes[i].name,
                            matrix->axes[i].value->text);
    }
    return name;
}

/* ---- Variables ---- */

static bool is_matrix_reference(const struct yaml_node *matrix, const char *reference)
{
    const struct yaml_node *values = matrix && matrix->kind == YAML_MAPPING ? matrix->first : NULL;

    while (values && !reference_is(reference, values->key->text)) {
        values = values->next;
    }
    return values != NULL;
}

/* Variables that use each other could use themselves. */
static void check_variable(const struct yaml_node *matrix, struct yaml_node *node,
                           struct mistake_list *mistakes)
{
    const char *at = node->kind == YAML_SCALAR ? next_reference(node->text) : NULL;

    for (; at; at = next_reference(at)) {
        if (!is_matrix_reference(matrix, at)) {
            mistake_add(mistakes, node->where, "a variable can use the names of the matrix only");
            node->kind = YAML_BROKEN;
            return;
        }
    }
    for (struct yaml_node *child = node->first; child; child = child->next) {
        check_variable(matrix, child, mistakes);
    }
}

static void check_variables(const struct yaml_node *root, struct mistake_list *mistakes)
{
    const struct yaml_node *matrix = yaml_get(root, "matrix");
    const struct yaml_node *variables = yaml_get(root, "vars");

    if (variables && variables->kind != YAML_MAPPING) {
        mistake_add(mistakes, variables->where, "vars must be a mapping, {name: value}");
        return;
    }
    for (struct yaml_node *variable = variables ? variables->first : NULL; variable;
         variable = variable->next) {
        check_variable(matrix, variable, mistakes);
        if (yaml_get(matrix, variable->key->text)) {
            mistake_add(mistakes, variable->key->where, "%s is a name of the matrix already",
                        mistake_quote(mistakes, variable->key->text));
        }
    }
}

void matrix_read(struct matrix *matrix, const struct yaml_node *root, struct mistake_list *mistakes)
{
    matrix->cases = 1;
    read_names(matrix, root, mistakes);
    check_variables(root, mistakes);
}
