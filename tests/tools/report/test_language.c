/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One row is a key: when a toy's table gets another row, the key can be read,
 * written, proposed and described.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/scenario/private.h"
#include "sim/yaml/emit.h"
#include "tools/report/schema.h"

struct toy {
    uint64_t bytes;
    uint64_t delay_ns;
    bool wet;
};

#define OLD_ROWS                                                                       \
    FIELD("bytes", "How large it is.", .type = &type_bytes, MEMBER(struct toy, bytes), \
          .otherwise = 4096),                                                          \
        FIELD("wet", "Does it drip?", .shape = &shape_flag, MEMBER(struct toy, wet))

static const struct field old_fields[] = {OLD_ROWS, FIELD_END};
static const struct field other_fields[] = {OLD_ROWS,
                                            FIELD("delay", "How long it waits.", .type = &type_time,
                                                  MEMBER(struct toy, delay_ns), IN_MODERN),
                                            FIELD_END};
static const struct field new_fields[] = {
    OLD_ROWS,
    FIELD("delay", "How long it waits.", .type = &type_time, MEMBER(struct toy, delay_ns)),
    FIELD_END};

/* Reads a file that is one toy; the mistakes are formatted, and the caller frees them. */
static char *read_toy(const char *text, const struct field *fields, struct toy *toy)
{
    struct arena *arena = arena_create((size_t)1 << 26);
    struct mistake_list mistakes = {.arena = arena, .text = text, .bytes = strlen(text)};
    struct matrix matrix = {.cases = 1};
    struct plan plan = {.generation = GENERATION_2_2};
    struct loader loader = {
        .mistakes = &mistakes, .plan = &plan, .arena = arena, .matrix = &matrix};
    struct mistakes result;
    char *formatted;

    loader.root = yaml_parse(&mistakes);
    assert_non_null(loader.root);
    *toy = (struct toy){.bytes = 4096};
    read_fields(&loader, loader.root, "toy", fields, toy);
    mistakes_finish(&mistakes, &result);
    formatted = mistakes_format("toy.yaml", &result);
    arena_destroy(arena);
    return formatted;
}

static void assert_mistake(const char *text, const struct field *fields, const char *expected)
{
    struct toy toy;
    char *mistakes = read_toy(text, fields, &toy);

    if (expected == NULL) {
        assert_string_equal(mistakes, "");
    } else if (strstr(mistakes, expected) == NULL) {
        fail_msg("%s\nis not in\n%s", expected, mistakes);
    }
    free(mistakes);
}

static void assert_written(const struct toy *toy, const struct field *fields, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    const struct plan plan = {.generation = GENERATION_2_2};
    struct emit emit;

    assert_non_null(file);
    emit = emit_open(file, EMIT_FLOW);
    write_fields(&emit, &plan, fields, toy);
    emit_end(&emit);
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

/* The toy is of the generation 2.2: a key of today's is a mistake, is not proposed, not written. */
static void test_language_refuses_a_key_when_the_generation_lacks_it(void **state)
{
    struct toy toy = {.bytes = 4096, .delay_ns = 5000000, .wet = true};

    (void)state;
    assert_written(&toy, new_fields, "{wet: true, delay: 5ms}");
    assert_written(&toy, other_fields, "{wet: true}");
    free(read_toy("delay: 5ms\n", other_fields, &toy));
    assert_int_equal(toy.delay_ns, 0);
    assert_mistake("delay: 5ms\n", other_fields, "1:1: key \"delay\" belongs to generation modern");
    assert_mistake("dealy: 5ms\n", other_fields,
                   "unknown key \"dealy\" in toy; its keys are bytes, wet\n");
}

/* A key is read into its member if its table has a row for it, and is a mistake otherwise. */
static void test_language_reads_a_key_when_its_table_has_the_row(void **state)
{
    struct toy toy;

    (void)state;
    free(read_toy("delay: 5ms\n", new_fields, &toy));
    assert_int_equal(toy.delay_ns, 5000000);
    assert_int_equal(toy.bytes, 4096);
    assert_mistake("delay: 5ms\n", new_fields, NULL);
    assert_mistake("delay: 5ms\n", old_fields,
                   "unknown key \"delay\" in toy; its keys are bytes, wet\n");
}

/* Writing follows the rows, and leaves out values equal to the default. */
static void test_language_writes_a_key_when_its_value_is_not_the_default(void **state)
{
    const struct toy dry = {.bytes = 4096};
    const struct toy wet = {.bytes = 512, .delay_ns = 2000, .wet = true};

    (void)state;
    assert_written(&dry, new_fields, "{}");
    assert_written(&wet, new_fields, "{bytes: 512, wet: true, delay: 2us}");
    assert_written(&wet, old_fields, "{bytes: 512, wet: true}");
}

/* Reading what has been written gives the same record. */
static void test_language_reads_the_same_record_when_it_has_written_it(void **state)
{
    struct toy toy;

    (void)state;
    free(read_toy("{bytes: 512, wet: true, delay: 2us}\n", new_fields, &toy));
    assert_written(&toy, new_fields, "{bytes: 512, wet: true, delay: 2us}");
}

/* For a misspelt key the nearest one is proposed. */
static void test_language_proposes_a_key_when_it_is_misspelt(void **state)
{
    (void)state;
    assert_mistake("dealy: 5ms\n", new_fields, "did you mean \"delay\"?");
    assert_mistake("dealy: 5ms\n", old_fields, "its keys are bytes, wet\n");
    assert_mistake("delay: 5\n", new_fields, "needs a unit");
}

/* The schema for editors has the row's type and its line of documentation. */
static void test_language_describes_a_key_when_its_table_has_the_row(void **state)
{
    json_t *before = schema_json_of(old_fields);
    json_t *after = schema_json_of(new_fields);
    const json_t *delay = json_object_get(json_object_get(after, "properties"), "delay");

    (void)state;
    assert_null(json_object_get(json_object_get(before, "properties"), "delay"));
    assert_string_equal(json_string_value(json_object_get(delay, "description")),
                        "How long it waits.");
    assert_string_equal(json_string_value(json_object_get(delay, "$ref")), "#/$defs/type-time");
    assert_non_null(json_object_get(json_object_get(after, "$defs"), "type-time"));
    json_decref(before);
    json_decref(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_language_refuses_a_key_when_the_generation_lacks_it),
        cmocka_unit_test(test_language_reads_a_key_when_its_table_has_the_row),
        cmocka_unit_test(test_language_writes_a_key_when_its_value_is_not_the_default),
        cmocka_unit_test(test_language_reads_the_same_record_when_it_has_written_it),
        cmocka_unit_test(test_language_proposes_a_key_when_it_is_misspelt),
        cmocka_unit_test(test_language_describes_a_key_when_its_table_has_the_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
