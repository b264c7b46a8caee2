/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Malicious files and files that are not scenarios are refused, quickly and
 * within memory bounds.
 *
 * The bounds on time are the CPU limit of the process, so a loop that does not
 * end is a failed test and not a hung one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/yaml/yaml.h"
#include "tests/support/load.h"
#include "tests/support/temporary.h"

#define CPU_LIMIT_S 60
#define LARGE_FILE_BYTES ((off_t)100 << 20)

/* Loads a text, shows its mistakes, and makes its plans if it has none. */
static void load_all(const char *text, size_t bytes)
{
    struct scenario *scenario = scenario_load_text("hostile", text, bytes);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    free(mistakes_format("hostile", mistakes));
    for (uint32_t i = 0; mistakes->count == 0 && i < scenario_cases(scenario) && i < 4; i++) {
        struct choice_spec choices = {.seed = i};

        plan_destroy(scenario_plan(scenario, i, &choices));
    }
    scenario_free(scenario);
}

/* The first mistake of a file, which has one. */
static void assert_refused(const char *file, const char *words)
{
    struct scenario *scenario = scenario_load(file);
    const struct mistakes *mistakes = scenario_mistakes(scenario);

    assert_true(mistakes->count > 0);
    if (!strstr(mistakes->list[0].text, words)) {
        fail_msg("%s: %s", file, mistakes->list[0].text);
    }
    assert_string_equal(scenario_file(scenario), file);
    scenario_free(scenario);
}

static void assert_text_refused(const char *text, size_t bytes, const char *words)
{
    struct scenario *scenario = scenario_load_text("hostile", text, bytes);
    char *mistakes = load_list_mistakes(scenario);

    if (!strstr(mistakes, words)) {
        fail_msg("%.60s: %s", text, mistakes);
    }
    free(mistakes);
    scenario_free(scenario);
}

static void test_hostile_paths_are_refused_when_they_are_no_files(void **state)
{
    (void)state;
    assert_refused("/nonexistent/file.yaml", "no such file");
    assert_refused("/", "folder");
    assert_refused("/dev/zero", "not a regular file");
    assert_refused("/dev/null", "not a regular file");
    assert_refused("", "no such file");
}

/* Nobody writes into this pipe: opening it must not wait. */
static void test_hostile_pipe_is_refused_when_nobody_writes(void **state)
{
    char path[TEMPORARY_PATH_BYTES];
    char *pipe = NULL;

    (void)state;
    assert_true(temporary_folder(path));
    assert_true(asprintf(&pipe, "%s/pipe", path) > 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_refused(pipe, "not a regular file");
    unlink(pipe);
    rmdir(path);
    free(pipe);
}

/* A sparse file costs nothing to make; its size alone is enough to refuse it. */
static void test_hostile_file_is_refused_unread_when_it_is_large(void **state)
{
    char path[TEMPORARY_PATH_BYTES];
    struct rusage before;
    struct rusage after;
    int fd = temporary_file(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LARGE_FILE_BYTES), 0);
    close(fd);
    getrusage(RUSAGE_SELF, &before);
    assert_refused(path, "larger than 1024 KiB");
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
    unlink(path);
}

static void test_hostile_file_is_read_when_it_has_a_byte_order_mark(void **state)
{
    static const char text[] = "\xef\xbb\xbfscenario: 1\r\nname: x\r\ndoc: d\r\n"
                               "disks: {a: {size: 512}, b: {size: 512}}\r\n"
                               "job: {mirror: a, to: b}\r\nsteps: [start]\r\n";
    struct scenario *scenario = scenario_load_text("f", text, sizeof(text) - 1);

    (void)state;
    assert_int_equal(scenario_mistakes(scenario)->count, 0);
    assert_string_equal(scenario_name(scenario), "x");
    scenario_free(scenario);
}

static void test_hostile_text_is_refused_when_it_is_binary(void **state)
{
    static const char utf16[] = "\xff\xfes\0c\0e\0";
    static const char elf[] = "\x7f"
                              "ELF\x02\x01\x01";
    static const char zeroes[4096];

    (void)state;
    assert_text_refused(utf16, sizeof(utf16) - 1, "0xff is not UTF-8");
    assert_text_refused(elf, sizeof(elf) - 1, "U+007F");
    assert_text_refused(zeroes, sizeof(zeroes), "U+0000");
    assert_text_refused("%\xf2", 2, "0xf2 is not UTF-8");
    assert_text_refused("", 0, "empty");
}

/* Billion laughs, by the three means YAML and this language offer. */
static void test_hostile_text_is_refused_when_it_would_grow(void **state)
{
    static const char aliases[] = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    static const char variables[] =
        LOAD_HEAD "vars: {a: xxxxxxxxxx, b: \"${a}${a}\", c: \"${b}${b}\"}\n";
    static const char itself[] = LOAD_HEAD "vars: {a: \"${a}\"}\njob: {mirror: \"${a}\"}\n";
    static const char inside[] =
        LOAD_HEAD "vars: {a: {choose: [\"${a}\"]}}\njob: {mirror: x, to: y, buffer: \"${a}\"}\n";

    (void)state;
    assert_text_refused(aliases, sizeof(aliases) - 1, "aliases");
    assert_text_refused(variables, sizeof(variables) - 1, "names of the matrix only");
    assert_text_refused(itself, sizeof(itself) - 1, "names of the matrix only");
    assert_text_refused(inside, sizeof(inside) - 1, "names of the matrix only");
}

/* A variable of `count` pieces, and as many uses of it in a list. */
static void load_large_variable(const char *head, const char *piece, const char *middle,
                                const char *use, uint32_t count)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    fputs(head, out);
    for (uint32_t i = 0; i < count; i++) {
        fputs(piece, out);
    }
    fputs(middle, out);
    for (uint32_t i = 0; i < count; i++) {
        fputs(use, out);
    }
    fputs("]\n", out);
    fclose(out);
    assert_text_refused(text, bytes, "too large to be used so often");
    free(text);
}

/* Many uses of a large variable are as dangerous as aliases. */
static void test_hostile_text_is_refused_when_its_variables_would_multiply(void **state)
{
    (void)state;
    load_large_variable(LOAD_HEAD "vars: {v: [", "ready,", "]}\nsteps: [start,",
                        "{query: {is: \"${v}\"}},", 9000);
    load_large_variable(LOAD_HEAD "vars: {v: {choose: [", "1MiB,", "]}}\nexpect: [",
                        "{length: {d: \"${v}\"}},", 9000);
    load_large_variable(LOAD_HEAD "vars: {v: [", "ready,", "]}\nexpect: [", "{never: \"${v}\"},",
                        9000);
    load_large_variable(LOAD_HEAD "vars: {v: {at: 0, len: 1, x: [", "1,", "]}}\nsteps: [",
                        "{guest: {write: v}},", 9000);
}

/* A few bytes can give a matrix with more cases than anyone can run. */
static void test_hostile_matrix_is_refused_when_it_has_too_many_cases(void **state)
{
    static const char product[] =
        "matrix: {a: [1, 2, 3, 4], b: [1, 2, 3, 4], c: [1, 2, 3, 4], d: [1, 2, 3, 4],\n"
        "         e: [1, 2, 3, 4], f: [1, 2, 3, 4]}\n"
        "tags: [\"${a}${b}${c}${d}${e}${f}\"]\n";
    struct scenario *scenario = load_sections(product);
    char *mistakes = load_list_mistakes(scenario);

    (void)state;
    assert_non_null(strstr(mistakes, "too many cases: 1024 are the most"));
    free(mistakes);
    scenario_free(scenario);
}

/* `head`, `piece` as often as fits, `tail`. */
static void load_repeated(const char *head, const char *piece, const char *tail)
{
    static char text[YAML_MAX_BYTES];
    size_t length = strlen(head);
    size_t step = strlen(piece);

    memcpy(text, head, length);
    while (length + step + strlen(tail) <= sizeof(text)) {
        memcpy(text + length, piece, step);
        length += step;
    }
    memcpy(text + length, tail, strlen(tail));
    load_all(text, length + strlen(tail));
}

/* The largest files with many of one thing; some table must bound each. */
static void test_hostile_text_ends_when_it_repeats_one_thing(void **state)
{
    (void)state;
    load_repeated("", "[", "");
    load_repeated("", "{", "");
    load_repeated("", "- ", "");
    load_repeated("", "? ", "");
    load_repeated("", "a: ", "");
    load_repeated("", "a\n", "");
    load_repeated("", "\"", "");
    load_repeated("a: ", "\xf0\x9f\x98\x80", "\n");
    load_repeated("", " ", "");
    load_repeated("", "\n", "");
    load_repeated("#", "#", "");
    load_repeated("", "!a ", "");
    load_repeated("", "&a ", "");
    load_repeated("{", "a: b, ", "}");
    load_repeated(LOAD_HEAD "steps: [", "start,", "]\n");
    load_repeated(LOAD_HEAD "steps: [", "{mark: m},", "]\n");
    load_repeated(LOAD_HEAD "steps: [", "{guest: {tag: t}},", "]\n");
    load_repeated(LOAD_HEAD "steps: [", "{hold: {name: h}},", "]\n");
    load_repeated(LOAD_HEAD "expect: [", "{never: [ready, ready, ready]},", "]\n");
    load_repeated(LOAD_HEAD "expect: [{never: [", "ready,", "]}]\n");
    load_repeated(LOAD_HEAD "expect: [{never: [", "  ready,", "]}]\n");
    load_repeated(LOAD_HEAD "disks: {d: {size: 1MiB}}\nexpect: [",
                  "{length: {d: {choose: [1MiB]}}},", "]\n");
    load_repeated(LOAD_HEAD "expect: [", "{unknown-key-of-an-expectation: 1},", "]\n");
    load_repeated(LOAD_HEAD "steps: [", "{guest: {unknown-key-of-a-request: 1}},", "]\n");
    load_repeated(LOAD_HEAD "react: [", "{when: ready, do: start},", "]\n");
    load_repeated(LOAD_HEAD "choices: [", "{at: order, pick: 1},", "]\n");
    load_repeated(LOAD_HEAD "xfail: [", "{bug: b},", "]\n");
    load_repeated(LOAD_HEAD "vars: {v: \"", "${", "\"}\n");
    load_repeated(LOAD_HEAD "tags: [\"", "${x}", "\"]\n");
    load_repeated(LOAD_HEAD "matrix: {a: [", "1,", "]}\n");
    load_repeated(LOAD_HEAD "disks: {a: {size: {choose: [", "1MiB,", "]}}}\n");
}

/* As above, with a number between `before` and `after`, so that all are different. */
static void load_numbered(const char *head, const char *before, const char *after, const char *tail)
{
    static char text[YAML_MAX_BYTES];
    size_t length = strlen(head);

    memcpy(text, head, length);
    for (int i = 0; length + 80 < sizeof(text); i++) {
        length += (size_t)snprintf(text + length, 64, "%s%d%s", before, i, after);
    }
    memcpy(text + length, tail, strlen(tail));
    load_all(text, length + strlen(tail));
}

/* The cost of names must not be quadratic in their number. */
static void test_hostile_text_ends_when_it_names_many_things(void **state)
{
    (void)state;
    load_numbered("{", "k", ": 1,", "}");
    load_numbered("{", "unknown-key-", ": 1,", "}");
    load_numbered(LOAD_HEAD "disks: {", "d", ": {size: 1MiB, backing: d0},", "}\n");
    load_numbered(LOAD_HEAD "faults: {", "f", ": {match: {}, error: EIO},", "}\n");
    load_numbered(LOAD_HEAD "steps: [", "{mark: m", "},", "]\n");
    load_numbered(LOAD_HEAD "steps: [", "{release: h", "},", "]\n");
    load_numbered(LOAD_HEAD "steps: [", "{guest: {flush: true, tag: t", "}},", "]\n");
    load_numbered(LOAD_HEAD "steps: [", "{hold: {name: h", ", match: {}}},", "]\n");
    load_numbered(LOAD_HEAD "guest: {", "g", ": {at: 1ms, flush: true},", "}\n");
    load_numbered(LOAD_HEAD "vars: {", "v", ": 1,", "}\n");
    load_numbered(LOAD_HEAD "matrix: {", "m", ": [1],", "}\n");
    load_numbered(LOAD_HEAD "expect: [{fired: {", "f", ": 1,", "}}]\n");
    load_numbered(LOAD_HEAD "disks: {", "d", ": {size: {choose: [1MiB, 2MiB]}},", "}\n");
    load_numbered(LOAD_HEAD "tags: [", "\"${n", "}\",", "]\n");
}

int main(void)
{
    const struct rlimit cpu = {CPU_LIMIT_S, CPU_LIMIT_S};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_paths_are_refused_when_they_are_no_files),
        cmocka_unit_test(test_hostile_pipe_is_refused_when_nobody_writes),
        cmocka_unit_test(test_hostile_file_is_refused_unread_when_it_is_large),
        cmocka_unit_test(test_hostile_file_is_read_when_it_has_a_byte_order_mark),
        cmocka_unit_test(test_hostile_text_is_refused_when_it_is_binary),
        cmocka_unit_test(test_hostile_text_is_refused_when_it_would_grow),
        cmocka_unit_test(test_hostile_text_is_refused_when_its_variables_would_multiply),
        cmocka_unit_test(test_hostile_matrix_is_refused_when_it_has_too_many_cases),
        cmocka_unit_test(test_hostile_text_ends_when_it_repeats_one_thing),
        cmocka_unit_test(test_hostile_text_ends_when_it_names_many_things),
    };

    setrlimit(RLIMIT_CPU, &cpu);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
