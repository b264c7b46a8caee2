/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The emitter's output, and that reading it gives the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/yaml/emit.h"
#include "sim/yaml/yaml.h"

static char *text;
static size_t text_bytes;

static FILE *open_text(void)
{
    FILE *file = open_memstream(&text, &text_bytes);

    assert_non_null(file);
    return file;
}

static void assert_text(FILE *file, const char *expected)
{
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

/* A file, a block, a list of items of one entry, and flows inside them. */
static void test_emit_nests_what_is_opened_below_a_key(void **state)
{
    FILE *file = open_text();
    struct emit all = emit_open(file, EMIT_FILE);
    struct emit disks = emit_open_below(&all, "disks", EMIT_BLOCK);
    struct emit disk = emit_open_below(&disks, "a", EMIT_FLOW);
    struct emit flags = emit_open_below(&disk, "flags", EMIT_FLOW_LIST);
    struct emit steps = emit_open_below(&all, "steps", EMIT_BLOCK_LIST);
    struct emit bare = emit_open(file, EMIT_BARE);

    (void)state;
    emit_word(&all, "name", "x");
    emit_word(&disk, "size", "512");
    emit_list_word(&flags, "one");
    emit_list_word(&flags, "two");
    emit_end(&flags);
    emit_end(&disk);
    emit_item(&steps);
    emit_word(&bare, "wait", "5ms");
    emit_list_word(&steps, "start");
    emit_end(&all);
    assert_text(file, "name: x\n"
                      "disks:\n"
                      "  a: {size: 512, flags: [one, two]}\n"
                      "steps:\n"
                      "  - wait: 5ms\n"
                      "  - start\n");
}

/*
 * A mapping or list without entries is left out together with its key; without
 * a key it is emitted as empty.
 */
static void test_emit_leaves_a_key_out_when_nothing_stands_below_it(void **state)
{
    FILE *file = open_text();
    struct emit all = emit_open(file, EMIT_FILE);
    struct emit limits = emit_open_below(&all, "limits", EMIT_FLOW);
    struct emit match = emit_open(file, EMIT_FLOW);

    (void)state;
    emit_end(&limits);
    emit_key(&all, "match");
    emit_end(&match);
    emit_end(&all);
    assert_text(file, "match: {}\n");
}

/* Only text that cannot be mistaken for anything else is emitted without quotes. */
static void test_emit_quotes_a_scalar_when_it_needs_it(void **state)
{
    static const char *const pairs[][2] = {
        {"5ms", "5ms"},     {"-1", "-1"},          {"10%", "10%"},        {"a b", "\"a b\""},
        {"", "\"\""},       {".5", "\".5\""},      {"a: b", "\"a: b\""},  {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""}, {"a\nb", "\"a\\nb\""}, {"\x01", "\"\\x01\""}, {"%x", "\"%x\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        FILE *file = open_text();

        emit_scalar(file, pairs[i][0]);
        assert_text(file, pairs[i][1]);
    }
}

static void assert_read_back(const char *value, bool is_block)
{
    FILE *file = open_text();
    struct emit all = emit_open(file, EMIT_FILE);
    struct arena *arena = arena_create((size_t)1 << 26);
    struct mistake_list mistakes = {.arena = arena};
    const struct yaml_node *root;

    emit_block_text(&all, "doc", value);
    emit_word(&all, "after", "x");
    emit_end(&all);
    fclose(file);
    mistakes.text = text;
    mistakes.bytes = text_bytes;
    root = yaml_parse(&mistakes);
    assert_int_equal(mistakes.count, 0);
    assert_string_equal(yaml_get(root, "doc")->text, value);
    assert_string_equal(yaml_get(root, "after")->text, "x");
    assert_int_equal(strncmp(text, "doc: |", 6) == 0, is_block);
    arena_destroy(arena);
    free(text);
}

/* Whatever a text contains, reading it gives the same text; it is a block if possible. */
static void test_emit_block_text_is_read_as_it_was_whatever_is_in_it(void **state)
{
    (void)state;
    assert_read_back("one line", true);
    assert_read_back("one line\n", true);
    assert_read_back("two\nlines", true);
    assert_read_back("two\n\nparagraphs\n", true);
    assert_read_back(" begins with a space\n", false);
    assert_read_back("a line\n begins with a space\n", false);
    assert_read_back("ends with a space \nthere\n", false);
    assert_read_back("ends with several\n\n", false);
    assert_read_back("\nbegins with a newline", false);
    assert_read_back("a\ttab", false);
    assert_read_back("", false);
}

/* Lines are folded after commas that are not quoted; a line without one stays long. */
static void test_emit_folds_a_line_when_it_is_long(void **state)
{
    char long_word[121];
    char quoted[200];
    char flow[200];
    FILE *file;

    (void)state;
    memset(long_word, 'x', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    snprintf(quoted, sizeof(quoted), "a: \"1, %s\"\n", long_word);
    snprintf(flow, sizeof(flow), "a: [1, %s, 2]\nb: 3\n", long_word);
    file = open_text();
    emit_folded(file, quoted);
    assert_text(file, quoted);
    file = open_text();
    emit_folded(file, flow);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(strncmp(text, "a: [1,\n      xxx", 16), 0);
    assert_non_null(strstr(text, "\nb: 3\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emit_nests_what_is_opened_below_a_key),
        cmocka_unit_test(test_emit_leaves_a_key_out_when_nothing_stands_below_it),
        cmocka_unit_test(test_emit_quotes_a_scalar_when_it_needs_it),
        cmocka_unit_test(test_emit_block_text_is_read_as_it_was_whatever_is_in_it),
        cmocka_unit_test(test_emit_folds_a_line_when_it_is_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
