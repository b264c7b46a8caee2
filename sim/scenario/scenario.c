/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scenario files: reading and checking them, and making their plans.
 *
 * Loading makes, and throws away, the plan of every case; what that finds is
 * the file's list of mistakes.
 */
#include "sim/scenario/scenario.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/errno_name.h"
#include "sim/scenario/private.h"

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
    struct matrix matrix;
    bool has_choices;
};

static const struct where whole_file = {0, 0};

/* ---- Cases ---- */

/* Checking if `choices` is NULL. */
static struct plan *read_case(const struct scenario *scenario, uint32_t number,
                              const struct choice_spec *choices, struct mistake_list *mistakes,
                              bool *has_choices)
{
    struct matrix matrix = scenario->matrix;
    struct plan *plan = plan_create();
    struct loader loader = {
        .mistakes = mistakes,
        .plan = plan,
        .root = scenario->root,
        .matrix = &matrix,
        .choice_spec = choices,
    };

    if (!plan) {
        arena_exhausted(ARENA_LEAST_BYTES);
    }
    matrix_select(&matrix, number);
    loader.arena = plan->arena;
    plan->file = arena_strdup(plan->arena, scenario->file);
    plan->case_name = matrix_name_case(&matrix, plan->arena);
    scenario_read_plan(&loader);
    *has_choices = loader.decisions != NULL;
    return plan;
}

static void check_cases(struct scenario *scenario)
{
    if (scenario->matrix.cases * (uint64_t)yaml_count(scenario->root) > MAX_WORK) {
        mistake_add(&scenario->mistakes, whole_file, "too large for so many matrix cases");
        return;
    }
    for (uint32_t i = 0; i < scenario->matrix.cases; i++) {
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

    assert(scenario->result.count == 0 && case_number < scenario->matrix.cases && choices);
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
    *size =
        (uint64_t)status.st_size <= YAML_MAX_BYTES ? (size_t)status.st_size : YAML_MAX_BYTES + 1;
    return fd;
}

static void refuse_size(struct scenario *scenario)
{
    mistake_add(&scenario->mistakes, whole_file, "larger than %u KiB, which is the most",
                YAML_MAX_BYTES / 1024);
}

/* The text, or NULL after noting why there is none; what is too large is not read. */
static char *read_file(struct scenario *scenario, int fd, size_t size, size_t *bytes)
{
    char *text = NULL;
    ssize_t got = 1;

    *bytes = 0;
    if (size > YAML_MAX_BYTES) {
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
        arena_exhausted(ARENA_LEAST_BYTES);
    }
    scenario = arena_alloc(arena, sizeof(*scenario));
    scenario->arena = arena;
    scenario->file = arena_strdup(arena, file);
    scenario->name = scenario->file;
    scenario->matrix.cases = 1;
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
    matrix_read(&scenario->matrix, scenario->root, &scenario->mistakes);
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
    arena_trim(scenario->arena);
    return scenario;
}

struct scenario *scenario_load_text(const char *file, const char *text, size_t bytes)
{
    struct scenario *scenario = create(file);

    if (bytes > YAML_MAX_BYTES) {
        refuse_size(scenario);
    } else {
        char *copy = arena_alloc(scenario->arena, bytes + 1);

        memcpy(copy, text, bytes);
        load_text(scenario, copy, bytes);
    }
    mistakes_finish(&scenario->mistakes, &scenario->result);
    arena_trim(scenario->arena);
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

const char *scenario_line(const struct scenario *scenario, uint32_t number, size_t *bytes)
{
    const char *line = scenario->mistakes.text;
    const char *end = line + scenario->mistakes.bytes;

    for (; number > 1 && line < end; number--) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));

        line = newline ? newline + 1 : end;
    }
    if (number == 0 || line == end) {
        return NULL;
    }
    *bytes = 0;
    while (line + *bytes < end && line[*bytes] != '\n' && line[*bytes] != '\r') {
        (*bytes)++;
    }
    return line;
}

uint32_t scenario_cases(const struct scenario *scenario)
{
    return scenario->matrix.cases;
}

bool scenario_has_choices(const struct scenario *scenario)
{
    return scenario->has_choices;
}

/* Only a name of the matrix, which can't be read here, makes a plan necessary. */
enum generation scenario_generation(const struct scenario *scenario, uint32_t case_number)
{
    const struct yaml_node *node = yaml_get(scenario->root, "generation");
    const struct choice_spec quiet = {.seed = 0};
    enum generation generation;
    struct plan *plan;

    if (!node || strcmp(node->text, generation_name(GENERATION_2_2)) == 0) {
        return GENERATION_2_2;
    }
    if (strcmp(node->text, generation_name(GENERATION_MODERN)) == 0) {
        return GENERATION_MODERN;
    }
    plan = scenario_plan(scenario, case_number, &quiet);
    generation = plan->generation;
    plan_destroy(plan);
    return generation;
}
