/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A journal gives back its records, or a sentence.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/temporary.h"
#include "tools/base/journal.h"

#define HEAD_BYTES 56

static char folder[TEMPORARY_PATH_BYTES];
static char path[sizeof(folder) + 8];
static struct journal_spec spec = {path, "test journal 1", "a test's journal"};

static int make_folder(void **state)
{
    (void)state;
    assert_true(temporary_folder(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct journal *open_sound(void)
{
    char *why;
    struct journal *journal = journal_open(&spec, &why);

    assert_non_null(journal);
    assert_null(why);
    return journal;
}

static void append(struct journal *journal, const char *text)
{
    journal_append(journal, text, strlen(text));
}

/* The records, each followed by a '|'. */
static void assert_records(const struct journal *journal, const char *expected)
{
    struct journal_place place = {0};
    char all[256] = "";

    while (journal_next(journal, &place)) {
        char *record = journal_read(journal, place);

        strncat(strncat(all, record, 64), "|", 2);
        free(record);
    }
    assert_string_equal(all, expected);
}

static void make_file(void)
{
    struct journal *journal = open_sound();

    append(journal, "one");
    append(journal, "");
    append(journal, "three");
    journal_close(journal);
}

static void assert_refused(const char *expected)
{
    char *why;

    assert_null(journal_open(&spec, &why));
    assert_non_null(why);
    assert_non_null(strstr(why, expected));
    free(why);
}

static size_t read_bytes(uint8_t bytes[256])
{
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, 256, file);

    fclose(file);
    return count;
}

static void write_bytes(const uint8_t *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");

    fwrite(bytes, 1, count, file);
    fclose(file);
}

/* A journal that is opened again has its records, and takes more. */
static void test_journal_gives_its_records_to_the_next(void **state)
{
    struct journal *journal;

    (void)state;
    make_file();
    journal = open_sound();
    assert_records(journal, "one||three|");
    append(journal, "four");
    journal_close(journal);
    journal = open_sound();
    assert_records(journal, "one||three|four|");
    journal_close(journal);
}

/* Whatever single bit has changed, the file is refused. */
static void test_journal_is_refused_when_any_bit_has_changed(void **state)
{
    uint8_t bytes[256];
    size_t count;

    (void)state;
    make_file();
    count = read_bytes(bytes);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_bytes(bytes, count);
        assert_refused("it is ");
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Wherever the file is cut, it is refused. */
static void test_journal_is_refused_when_it_is_cut(void **state)
{
    uint8_t bytes[256];
    size_t count;

    (void)state;
    make_file();
    count = read_bytes(bytes);
    for (size_t left = 0; left < count; left++) {
        write_bytes(bytes, left);
        assert_refused(left == 0           ? "it is empty"
                       : left < HEAD_BYTES ? "it is not a test's journal"
                                           : "its end is missing");
    }
}

/* A process that is killed while it appends leaves bytes that do not count. */
static void test_journal_ignores_what_was_not_finished(void **state)
{
    uint8_t bytes[256];
    size_t count;
    struct journal *journal;

    (void)state;
    make_file();
    count = read_bytes(bytes);
    memset(bytes + count, 7, 20);
    write_bytes(bytes, count + 20);
    journal = open_sound();
    assert_records(journal, "one||three|");
    append(journal, "4");
    journal_close(journal);
    journal = open_sound();
    assert_records(journal, "one||three|4|");
    journal_close(journal);
}

/* Another build's file is told as such. */
static void test_journal_of_another_build_is_refused(void **state)
{
    uint8_t bytes[256];
    size_t count;

    (void)state;
    make_file();
    count = read_bytes(bytes);
    bytes[32] ^= 1;
    write_bytes(bytes, count);
    assert_refused("it is of another build of mirrorsim");
}

/* A pipe would wait for ever, a folder can't be written. */
static void test_journal_refuses_what_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_refused("it is not a regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_refused("Is a directory");
    rmdir(path);
}

/* Compacting keeps some records, and appending goes on after them. */
static void test_journal_keeps_what_compacting_leaves(void **state)
{
    struct journal_place places[2];
    struct journal *journal;
    char *record;

    (void)state;
    make_file();
    journal = open_sound();
    places[0] = journal_append(journal, "kept", 4);
    places[1] = (struct journal_place){0};
    assert_true(journal_next(journal, &places[1]));
    journal_compact(journal, places, 2);
    append(journal, "new");
    record = journal_read(journal, places[1]);
    assert_string_equal(record, "one");
    free(record);
    journal_close(journal);
    journal = open_sound();
    assert_records(journal, "kept|one|new|");
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_journal_gives_its_records_to_the_next, remove_file),
        cmocka_unit_test_teardown(test_journal_is_refused_when_any_bit_has_changed, remove_file),
        cmocka_unit_test_teardown(test_journal_is_refused_when_it_is_cut, remove_file),
        cmocka_unit_test_teardown(test_journal_ignores_what_was_not_finished, remove_file),
        cmocka_unit_test_teardown(test_journal_of_another_build_is_refused, remove_file),
        cmocka_unit_test_teardown(test_journal_refuses_what_is_no_file, remove_file),
        cmocka_unit_test_teardown(test_journal_keeps_what_compacting_leaves, remove_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
