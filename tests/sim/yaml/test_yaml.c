/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML text becomes a tree with places, or a mistake with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/units.h"
#include "sim/yaml/yaml.h"

static int set_up(void **state)
{
    *state = arena_create((size_t)64 << 20);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static struct mistake_list list_for(struct arena *arena, const char *text)
{
    return (struct mistake_list){.arena = arena, .text = text, .bytes = strlen(text)};
}

static void assert_place(const struct yaml_node *node, uint32_t line, uint32_t column)
{
    assert_non_null(node);
    assert_int_equal(node->where.line, line);
    assert_int_equal(node->where.column, column);
}

/* Block and flow style, quotes, and where each thing begins. */
static void test_yaml_gives_nodes_with_places_when_the_text_is_right(void **state)
{
    struct mistake_list mistakes =
        list_for(*state, "# comment\na: [x, 'y', \"z\\n\"]\nb:\n  c: plain text\n  d: |\n    one\n"
                         "    two\n  é: {e: f}\n");
    const struct yaml_node *root = yaml_parse(&mistakes);
    const struct yaml_node *a = yaml_get(root, "a");
    const struct yaml_node *b = yaml_get(root, "b");

    assert_int_equal(mistakes.count, 0);
    assert_place(root, 2, 1);
    assert_int_equal(root->kind, YAML_MAPPING);
    assert_int_equal(root->count, 2);
    assert_place(a, 2, 4);
    assert_place(a->key, 2, 1);
    assert_int_equal(a->count, 3);
    assert_place(a->first->next, 2, 8);
    assert_true(a->first->next->quoted);
    assert_false(a->first->quoted);
    assert_string_equal(a->first->next->next->text, "z\n");
    assert_null(a->first->next->next->next);
    assert_string_equal(yaml_get(b, "c")->text, "plain text");
    assert_string_equal(yaml_get(b, "d")->text, "one\ntwo\n");
    assert_place(yaml_get(yaml_get(b, "é"), "e"), 8, 10);
    assert_null(yaml_get(b, "x"));
    assert_null(yaml_get(a, "x"));
    assert_null(yaml_get(NULL, "x"));
}

/* The carriage returns of Windows' line ends are not part of any text. */
static void test_yaml_ignores_carriage_returns_when_lines_end_with_them(void **state)
{
    struct mistake_list mistakes = list_for(*state, "a: b\r\nc: d\r\n");
    const struct yaml_node *root = yaml_parse(&mistakes);

    assert_int_equal(mistakes.count, 0);
    assert_string_equal(yaml_get(root, "a")->text, "b");
    assert_place(yaml_get(root, "c"), 2, 4);
}

static void test_yaml_refuses_traps_when_they_are_plain(void **state)
{
    static const char *const traps[] = {"yes", "No", "ON", "off", "false", "True", "null", "~", ""};
    char text[40];

    for (size_t i = 0; i < COUNT_OF(traps); i++) {
        struct mistake_list mistakes;
        const struct yaml_node *root;

        snprintf(text, sizeof(text), "a: %s\n", traps[i]);
        mistakes = list_for(*state, text);
        root = yaml_parse(&mistakes);
        assert_int_equal(mistakes.count, 1);
        assert_int_equal(yaml_get(root, "a")->kind, YAML_BROKEN);

        snprintf(text, sizeof(text), "a: '%s'\n", traps[i]);
        mistakes = list_for(*state, text);
        root = yaml_parse(&mistakes);
        assert_int_equal(mistakes.count, 0);
        assert_string_equal(yaml_get(root, "a")->text, traps[i]);
    }
}

struct refused {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *words; /* part of the message */
};

/* The reported place is where the problem is. */
static void test_yaml_refuses_what_is_not_its_part_when_it_is_there(void **state)
{
    static const struct refused cases[] = {
        {"a: &x b", 1, 4, "anchor"},
        {"a:\n  - *x", 2, 5, "alias"},
        {"a: !t b", 1, 4, "tag"},
        {"a: !t [b]", 1, 4, "tag"},
        {"a: !t {b: c}", 1, 4, "tag"},
        {"a: b\n--- \nc: d", 2, 1, "second document"},
        {"a: b\nc: d\na: e", 3, 1, "\"a\" is here twice"},
        {"{a: b, b: c, a: d, b: e}", 1, 14, "\"a\" is here twice"},
        {"[a]: b", 1, 1, "key must be a word"},
        {"", 0, 0, "empty"},
        {"# nothing\n", 0, 0, "empty"},
        {"a: [b", 1, 4, "not YAML"},
        {"a: b\n c: d", 2, 3, "not YAML"},
        {"a:\n\tb: c", 2, 1, "tab"},
        {"a: \x01", 1, 4, "U+0001"},
        {"a: b\x7f", 1, 5, "U+007F"},
        {"a: b\rc: d", 1, 5, "U+000D"},
        {"a: \xe2\x80\xa8", 1, 4, "U+2028"},
        {"a: \xff", 1, 4, "0xff is not UTF-8"},
        {"a: \xc0\xaf", 1, 4, "0xc0 is not UTF-8"},
        {"a: \xed\xa0\x80", 1, 4, "0xed is not UTF-8"},
        {"a: \xf4\x90\x80\x80", 1, 4, "0xf4 is not UTF-8"},
        {"é\n\xe2\x82", 2, 1, "0xe2 is not UTF-8"},
        {"a: \"b\\0c\"", 1, 4, "NUL"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mistake_list mistakes = list_for(*state, cases[i].text);

        yaml_parse(&mistakes);
        assert_true(mistakes.count > 0);
        assert_int_equal(mistakes.list[0].line, cases[i].line);
        assert_int_equal(mistakes.list[0].column, cases[i].column);
        if (!strstr(mistakes.list[0].text, cases[i].words)) {
            fail_msg("%s: %s", cases[i].text, mistakes.list[0].text);
        }
    }
}

/* A NUL byte does not silently end the text. */
static void test_yaml_refuses_zero_bytes_when_text_follows(void **state)
{
    struct mistake_list mistakes = {.arena = *state, .text = "a: b\n\0c: d\n", .bytes = 11};

    assert_null(yaml_parse(&mistakes));
    assert_int_equal(mistakes.list[0].line, 2);
    assert_int_equal(mistakes.list[0].column, 1);
}

static void nest(char *text, uint32_t depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
}

/* The bound itself is allowed, one more is not. */
static void test_yaml_refuses_depth_when_it_is_beyond_the_bound(void **state)
{
    char text[2 * YAML_MAX_DEPTH + 3];
    struct mistake_list mistakes;

    nest(text, YAML_MAX_DEPTH);
    mistakes = list_for(*state, text);
    assert_non_null(yaml_parse(&mistakes));
    nest(text, YAML_MAX_DEPTH + 1);
    mistakes = list_for(*state, text);
    assert_null(yaml_parse(&mistakes));
    assert_int_equal(mistakes.list[0].column, YAML_MAX_DEPTH + 1);
}

static void test_yaml_refuses_nodes_when_they_are_beyond_the_bound(void **state)
{
    static char text[2 * YAML_MAX_NODES + 4];
    struct mistake_list mistakes;
    size_t length = 0;

    text[length++] = '[';
    for (uint32_t i = 0; i < YAML_MAX_NODES - 1; i++) {
        text[length++] = 'a';
        text[length++] = ',';
    }
    text[length] = ']';
    mistakes = list_for(*state, text);
    assert_non_null(yaml_parse(&mistakes));
    text[length] = 'a';
    text[length + 1] = ']';
    mistakes = list_for(*state, text);
    assert_null(yaml_parse(&mistakes));
    assert_non_null(strstr(mistakes.list[0].text, "too many values"));
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_yaml_gives_nodes_with_places_when_the_text_is_right),
        WITH_ARENA(test_yaml_ignores_carriage_returns_when_lines_end_with_them),
        WITH_ARENA(test_yaml_refuses_traps_when_they_are_plain),
        WITH_ARENA(test_yaml_refuses_what_is_not_its_part_when_it_is_there),
        WITH_ARENA(test_yaml_refuses_zero_bytes_when_text_follows),
        WITH_ARENA(test_yaml_refuses_depth_when_it_is_beyond_the_bound),
        WITH_ARENA(test_yaml_refuses_nodes_when_they_are_beyond_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
