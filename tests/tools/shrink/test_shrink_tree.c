/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree of a scenario: its layout, and changes that are kept or undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/shrink/tree.h"

static const char story[] =
    "scenario: 1\n"
    "doc: |\n"
    "  Two lines,\n"
    "  one story.\n"
    "disks:\n"
    "  src: {size: 4MiB, fill: unique, latency: {read: 200us, write: 300us}, lanes: 8}\n"
    "  dst: {size: 4MiB, fill: \"a b\", lanes: 4}\n"
    "steps: [start, {wait: ready}, complete]\n"
    "expect:\n"
    "  - events: [{error: {op: write, action: report}}, {completed: {error: EIO}}, paused]\n"
    "  - result: EIO\n";

static struct tree parsed(const char *text)
{
    struct tree tree;

    tree_parse(&tree, text);
    return tree;
}

static void assert_written(const struct tree *tree, const char *text)
{
    char *written = tree_write(tree);

    assert_string_equal(written, text);
    free(written);
}

/* The node at the end of a path of keys. */
static struct tree_node *at(const struct tree *tree, const char *section, const char *key)
{
    struct tree_node *node = tree_get(tree->root, section);

    return key != NULL ? tree_get(node, key) : node;
}

static void test_tree_writes_what_it_has_read(void **state)
{
    struct tree tree = parsed(story);

    (void)state;
    assert_written(&tree, story);
    tree_free(&tree);
}

static void test_tree_folds_long_lines_but_not_inside_quotes(void **state)
{
    struct tree tree =
        parsed("refs: [\"a reference that is long, for one\", \"another that is long, too\", "
               "\"a third, of 40 columns and a comma, ends\", x]\n");

    (void)state;
    assert_written(&tree, "refs: [\"a reference that is long, for one\", "
                          "\"another that is long, too\",\n"
                          "      \"a third, of 40 columns and a comma, ends\", x]\n");
    tree_free(&tree);
}

static void test_tree_undo_brings_everything_back(void **state)
{
    struct tree tree = parsed(story);
    struct tree_node *src = at(&tree, "disks", "src");

    (void)state;
    tree_set_text(&tree, tree_get(src, "size"), "1MiB");
    tree_set_value(&tree, tree_get(src, "latency"), tree_get(tree_get(src, "latency"), "read"));
    tree_set_text(&tree, tree_get(src, "size"), "2MiB");
    tree_drop(&tree, at(&tree, "steps", NULL));
    tree_drop(&tree, tree_first(at(&tree, "expect", NULL)));
    assert_written(&tree, "scenario: 1\n"
                          "doc: |\n"
                          "  Two lines,\n"
                          "  one story.\n"
                          "disks:\n"
                          "  src: {size: 2MiB, fill: unique, latency: 200us, lanes: 8}\n"
                          "  dst: {size: 4MiB, fill: \"a b\", lanes: 4}\n"
                          "expect: [{result: EIO}]\n");
    tree_undo(&tree);
    assert_written(&tree, story);
    tree_free(&tree);
}

static void test_tree_keeps_what_has_been_decided(void **state)
{
    struct tree tree = parsed("a: 1\nb: 2\nc: 3\n");

    (void)state;
    tree_drop(&tree, at(&tree, "a", NULL));
    tree_keep(&tree);
    tree_drop(&tree, at(&tree, "c", NULL));
    assert_written(&tree, "b: 2\n");
    tree_undo(&tree);
    assert_written(&tree, "b: 2\nc: 3\n");
    assert_null(tree_get(tree.root, "a"));
    tree_free(&tree);
}

static void test_tree_drops_nothing_that_stays_nor_what_it_is_in(void **state)
{
    struct tree tree = parsed("steps: [start, {wait: ready}]\nlimits: {time: 1s}\n");
    struct tree_node *steps = at(&tree, "steps", NULL);

    (void)state;
    tree_next(tree_first(steps))->stays = true;
    tree_drop(&tree, steps);
    tree_drop(&tree, tree_next(tree_first(steps)));
    assert_int_equal(tree.change_count, 0);
    tree_drop(&tree, tree_first(steps));
    assert_written(&tree, "steps: [{wait: ready}]\nlimits: {time: 1s}\n");
    tree_free(&tree);
}

static void cut_at(void *opaque, struct tree_node *node)
{
    struct tree *tree = opaque;

    if (node->key != NULL && strcmp(node->key, "b") == 0) {
        tree_drop(tree, node);
    }
    if (node->key != NULL && strcmp(node->key, "c") == 0) {
        tree_set_text(tree, node, "cut");
    }
}

/* A node that the callback drops is not visited further. */
static void test_tree_visit_goes_through_what_is_left(void **state)
{
    struct tree tree = parsed("a: {b: {c: 1}, d: {c: {c: 2}}}\nc: [3, 4]\n");

    (void)state;
    tree_visit(tree.root, cut_at, &tree);
    assert_written(&tree, "a: {d: {c: cut}}\nc: cut\n");
    assert_int_equal(tree.change_count, 3);
    tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_writes_what_it_has_read),
        cmocka_unit_test(test_tree_folds_long_lines_but_not_inside_quotes),
        cmocka_unit_test(test_tree_undo_brings_everything_back),
        cmocka_unit_test(test_tree_keeps_what_has_been_decided),
        cmocka_unit_test(test_tree_drops_nothing_that_stays_nor_what_it_is_in),
        cmocka_unit_test(test_tree_visit_goes_through_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
