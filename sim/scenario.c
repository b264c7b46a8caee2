/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenario files: loading, the cases of a matrix, plans.
 *
 * Loading makes, and throws away, the plan of every case; what that finds is
 * the file's list of mistakes.
 */
#include "sim/scenario.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/errno_name.h"
#include "sim/scenario_private.h"

/* The tree, the text and the mistakes of the largest file. */
#define SCENARIO_RESERVE_BYTES ((size_t)64 << 20)

/* Values in a file times its cases: what a check costs. */
#define MAX_WORK (UINT64_C(500) * 1000)

struct scenario {
    struct arena *arena;
    const char *file;
    const char *name;
    struct mistake_list mistakes;
    struct mistakes result;
    struct yaml_node *root;
    struct axis axes[SCENARIO_MAX_AXES];
    uint32_t axis_count;
    uint32_t cases;
    bool has_choices;
};

static const struct where whole_file = {0, 0};

/* ---- The matrix ---- */

static bool matrix_value_is_good(struct scenario *scenario, const struct yaml_node *value)
{
    if (value->kind == YAML_SCALAR && !strstr(value->text, "${") && value->text[0] != '\0' &&
        strlen(value->text) <= 64) {
        return true;
    }
    if (value->kind != YAML_BROKEN) {
        mistake_add(&scenario->mistakes, value->where,
                    "a matrix lists plain values of up to 64 characters");
    }
    return false;
}

static void read_axis(struct scenario *scenario, struct yaml_node *values)
{
    bool good = values->kind == YAML_SEQUENCE && values->count > 0;

    if (!good && values->kind != YAML_BROKEN) {
        mistake_add(&scenario->mistakes, values->where, "a matrix name stands for a list, [a, b]");
    }
    for (const struct yaml_node *value = values->first; good && value; value = value->next) {
        good = matrix_value_is_good(scenario, value);
    }
    if (!good) {
        /* Its name is known, but its values are not spoken of again. */
        values->kind = YAML_BROKEN;
        return;
    }
    if (scenario->axis_count == SCENARIO_MAX_AXES) {
        mistake_add(&scenario->mistakes, values->key->where, "too many names: %d are the most",
                    SCENARIO_MAX_AXES);
        return;
    }
    scenario->axes[scenario->axis_count++] =
        (struct axis){values->key->text, values, values->first};
    scenario->cases *= values->count <= SCENARIO_MAX_CASES ? values->count : SCENARIO_MAX_CASES + 1;
    if (scenario->cases > SCENARIO_MAX_CASES) {
        mistake_add(&scenario->mistakes, values->where, "too many cases: %d are the most",
                    SCENARIO_MAX_CASES);
        scenario->cases = 1;
    }
}

/* True if some scalar at or below the node says ${name}. */
static bool uses_name(const struct yaml_node *node, const char *name)
{
    if (node->kind == YAML_SCALAR) {
        for (const char *at = strstr(node->text, "${"); at; at = strstr(at + 2, "${")) {
            size_t length = strlen(name);

            if (strncmp(at + 2, name, length) == 0 && at[2 + length] == '}') {
                return true;
            }
        }
    }
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (uses_name(child, name)) {
            return true;
        }
    }
    return false;
}

static void read_matrix(struct scenario *scenario)
{
    const struct yaml_node *matrix = yaml_get(scenario->root, "matrix");

    if (!matrix) {
        return;
    }
    if (matrix->kind != YAML_MAPPING) {
        mistake_add(&scenario->mistakes, matrix->where,
                    "matrix must be a mapping, {name: [value, ...]}");
        return;
    }
    for (struct yaml_node *values = matrix->first; values; values = values->next) {
        read_axis(scenario, values);
        if (!uses_name(scenario->root, values->key->text)) {
            mistake_add(&scenario->mistakes, values->key->where,
                        "matrix name %s is never used: write ${%.64s} somewhere",
                        mistake_quote(scenario->arena, values->key->text), values->key->text);
        }
    }
}

/* ---- Variables ---- */

static bool is_axis(const struct scenario *scenario, const char *text)
{
    for (uint32_t i = 0; i < scenario->axis_count; i++) {
        size_t length = strlen(scenario->axes[i].name);

        if (strncmp(text, scenario->axes[i].name, length) == 0 && text[length] == '}') {
            return true;
        }
    }
    return false;
}

/* Variables that use each other could use themselves. */
static void check_variable(struct scenario *scenario, struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        for (const char *at = strstr(node->text, "${"); at; at = strstr(at + 2, "${")) {
            if (!is_axis(scenario, at + 2)) {
                mistake_add(&scenario->mistakes, node->where,
                            "a variable can use the names of the matrix only");
                node->kind = YAML_BROKEN;
                return;
            }
        }
    }
    for (struct yaml_node *child = node->first; child; child = child->next) {
        check_variable(scenario, child);
    }
}

static void read_variables(struct scenario *scenario)
{
    const struct yaml_node *variables = yaml_get(scenario->root, "vars");

    if (!variables) {
        return;
    }
    if (variables->kind != YAML_MAPPING) {
        mistake_add(&scenario->mistakes, variables->where, "vars must be a mapping, {name: value}");
        return;
    }
    for (struct yaml_node *variable = variables->first; variable; variable = variable->next) {
        check_variable(scenario, variable);
        if (yaml_get(yaml_get(scenario->root, "matrix"), variable->key->text)) {
            mistake_add(&scenario->mistakes, variable->key->where,
                        "%s is a name of the matrix already",
                        mistake_quote(scenario->arena, variable->key->text));
        }
    }
}

/* ---- Cases ---- */

/* The values of a case; the last name varies fastest. */
static void select_case(const struct scenario *scenario, uint32_t number, struct axis *axes)
{
    for (uint32_t i = scenario->axis_count; i-- > 0;) {
        uint32_t index = number % scenario->axes[i].values->count;

        number /= scenario->axes[i].values->count;
        axes[i] = scenario->axes[i];
        axes[i].value = axes[i].values->first;
        while (index-- > 0) {
            axes[i].value = axes[i].value->next;
        }
    }
}

static const char *name_case(struct arena *arena, const struct axis *axes, uint32_t count)
{
    const char *name = "";

    for (uint32_t i = 0; i < count; i++) {
        name =
            arena_printf(arena, "%s%s%s=%s", name, i ? " " : "", axes[i].name, axes[i].value->text);
    }
    return name;
}

/* Checking if `choices` is NULL. */
static struct plan *read_case(const struct scenario *scenario, uint32_t number,
                              const struct choice_spec *choices, struct mistake_list *mistakes,
                              bool *has_choices)
{
    struct axis axes[SCENARIO_MAX_AXES];
    struct plan *plan = plan_create();
    struct loader loader = {
        .mistakes = mistakes,
        .plan = plan,
        .root = scenario->root,
        .axes = axes,
        .axis_count = scenario->axis_count,
        .choice_spec = choices,
    };

    if (!plan) {
        abort(); /* no memory */
    }
    select_case(scenario, number, axes);
    loader.arena = plan->arena;
    plan->file = arena_strdup(plan->arena, scenario->file);
    plan->case_name = name_case(plan->arena, axes, scenario->axis_count);
    scenario_read_plan(&loader);
    *has_choices = loader.decisions != NULL;
    return plan;
}

static uint32_t count_nodes(const struct yaml_node *node)
{
    uint32_t count = 1;

    for (const struct yaml_node *child = node->first; child; child = child->next) {
        count += count_nodes(child);
    }
    return count;
}

static void check_cases(struct scenario *scenario)
{
    if (scenario->cases * (uint64_t)count_nodes(scenario->root) > MAX_WORK) {
        mistake_add(&scenario->mistakes, whole_file, "too large for so many matrix cases");
        return;
    }
    for (uint32_t i = 0; i < scenario->cases; i++) {
        bool has_choices;

        plan_destroy(read_case(scenario, i, NULL, &scenario->mistakes, &has_choices));
        scenario->has_choices |= has_choices;
    }
}

struct plan *scenario_plan(const struct scenario *scenario, uint32_t case_number,
                           const struct choice_spec *choices)
{
    struct mistake_list mistakes = {.arena = scenario->arena};
    struct plan *plan;
    bool has_choices;

    assert(scenario->result.count == 0 && case_number < scenario->cases && choices);
    plan = read_case(scenario, case_number, choices, &mistakes, &has_choices);
    assert(mistakes.count == 0);
    return plan;
}

/* ---- Files ---- */

static const char *describe_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "there is no such file";
    case EACCES:
    case EPERM:
        return "reading it is not allowed";
    default:
        return errno_name(error) ? errno_name(error) : "it can't be read";
    }
}

/* Opening a pipe must not wait for its writer; it is refused once open. */
static int open_file(struct scenario *scenario, size_t *size)
{
    int fd = open(scenario->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat status;

    if (fd < 0) {
        mistake_add(&scenario->mistakes, whole_file, "%s", describe_errno(errno));
        return -1;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        mistake_add(&scenario->mistakes, whole_file,
                    S_ISDIR(status.st_mode) ? "this is a folder, not a file"
                                            : "this is not a regular file");
        close(fd);
        return -1;
    }
    *size = (uint64_t)status.st_size <= SCENARIO_MAX_BYTES ? (size_t)status.st_size
                                                           : SCENARIO_MAX_BYTES + 1;
    return fd;
}

static void refuse_size(struct scenario *scenario)
{
    mistake_add(&scenario->mistakes, whole_file, "larger than %u KiB, which is the most",
                SCENARIO_MAX_BYTES / 1024);
}

/* The text, or NULL after noting why there is none; what is too large is not read. */
static char *read_file(struct scenario *scenario, int fd, size_t size, size_t *bytes)
{
    char *text = NULL;
    ssize_t got = 1;

    *bytes = 0;
    if (size > SCENARIO_MAX_BYTES) {
        refuse_size(scenario);
        return NULL;
    }
    text = arena_alloc(scenario->arena, size + 1);
    while (got > 0 && *bytes < size) {
        got = read(fd, text + *bytes, size - *bytes);
        *bytes += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        mistake_add(&scenario->mistakes, whole_file, "%s", describe_errno(errno));
    }
    return got < 0 ? NULL : text;
}

/* ---- Scenarios ---- */

static struct scenario *create(const char *file)
{
    struct arena *arena = arena_create(SCENARIO_RESERVE_BYTES);
    struct scenario *scenario;

    if (!arena) {
        abort(); /* no memory */
    }
    scenario = arena_alloc(arena, sizeof(*scenario));
    scenario->arena = arena;
    scenario->file = arena_strdup(arena, file);
    scenario->name = scenario->file;
    scenario->cases = 1;
    scenario->mistakes.arena = arena;
    return scenario;
}

/* The text is the arena's. */
static void load_text(struct scenario *scenario, const char *text, size_t bytes)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const struct yaml_node *name;

    if (bytes >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        bytes -= 3;
    }
    scenario->mistakes.text = text;
    scenario->mistakes.bytes = bytes;
    scenario->root = yaml_parse(&scenario->mistakes);
    if (!scenario->root) {
        return;
    }
    name = yaml_get(scenario->root, "name");
    if (name && name->kind == YAML_SCALAR && *name->text) {
        scenario->name = name->text;
    }
    read_matrix(scenario);
    read_variables(scenario);
    check_cases(scenario);
}

struct scenario *scenario_load(const char *file)
{
    struct scenario *scenario = create(file);
    size_t size = 0;
    size_t bytes = 0;
    int fd = open_file(scenario, &size);
    const char *text = fd >= 0 ? read_file(scenario, fd, size, &bytes) : NULL;

    if (fd >= 0) {
        close(fd);
    }
    if (text) {
        load_text(scenario, text, bytes);
    }
    mistakes_finish(&scenario->mistakes, &scenario->result);
    return scenario;
}

struct scenario *scenario_load_text(const char *file, const char *text, size_t bytes)
{
    struct scenario *scenario = create(file);

    if (bytes > SCENARIO_MAX_BYTES) {
        refuse_size(scenario);
    } else {
        char *copy = arena_alloc(scenario->arena, bytes + 1);

        memcpy(copy, text, bytes);
        load_text(scenario, copy, bytes);
    }
    mistakes_finish(&scenario->mistakes, &scenario->result);
    return scenario;
}

void scenario_free(struct scenario *scenario)
{
    if (scenario) {
        arena_destroy(scenario->arena);
    }
}

const struct mistakes *scenario_mistakes(const struct scenario *scenario)
{
    return &scenario->result;
}

const char *scenario_file(const struct scenario *scenario)
{
    return scenario->file;
}

const char *scenario_name(const struct scenario *scenario)
{
    return scenario->name;
}

uint32_t scenario_cases(const struct scenario *scenario)
{
    return scenario->cases;
}

bool scenario_has_choices(const struct scenario *scenario)
{
    return scenario->has_choices;
}
