/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options: argp's table and parser, made from a command's table.
 */
#include "tools/base/options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"

/* Keys of options without a letter: their index in the table, starting here. */
#define FIRST_KEY 256

#define MS_PER_S UINT64_C(1000)
#define LONGEST_MS (86400 * MS_PER_S)

/* ---- Wrong usage ---- */

_Noreturn void option_refuse(const struct argp_state *state, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    argp_error(state, "%s", text);
    exit(EXIT_USAGE);
}

/* "a, b or c" */
static _Noreturn void refuse_word(const struct argp_state *state, const struct option_row *option,
                                  const char *arg)
{
    char list[256] = "";
    size_t length = 0;

    for (size_t i = 0; option->words[i] != NULL; i++) {
        const char *separator = i == 0 ? "" : option->words[i + 1] == NULL ? " or " : ", ";

        length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", separator,
                                   option->words[i]);
        assert(length < sizeof(list));
    }
    option_refuse(state, "--%s is %s, not '%s'", option->shown.name, list, arg);
}

/* ---- Arguments ---- */

uint64_t option_number(const struct argp_state *state, const char *name, const char *arg)
{
    uint64_t number;

    if (!number_parse(arg, &number)) {
        option_refuse(state, "--%s wants a number from 0 up, not '%s'", name, arg);
    }
    return number;
}

static uint64_t ordinal_of(const struct argp_state *state, const char *name, const char *arg)
{
    uint64_t number = option_number(state, name, arg);

    if (number == 0) {
        option_refuse(state, "--%s wants a number from 1 up, not '%s'", name, arg);
    }
    return number;
}

static uint32_t count_of(const struct argp_state *state, const struct option_row *option,
                         const char *arg)
{
    uint64_t count = option_number(state, option->shown.name, arg);

    if (count < 1 || count > option->max) {
        option_refuse(state, "--%s wants a number from 1 to %" PRIu32 ", not '%s'",
                      option->shown.name, option->max, arg);
    }
    return (uint32_t)count;
}

static uint64_t time_of(const struct argp_state *state, const char *name, const char *arg)
{
    uint64_t ns;

    if (!quantity_read_time(arg, &ns)) {
        option_refuse(state, "--%s wants a time with its unit, like 5ms or 250us, not '%s'", name,
                      arg);
    }
    return ns;
}

static uint64_t seconds_of(const struct argp_state *state, const char *name, const char *arg)
{
    uint64_t ms;

    if (!quantity_read_thousandths(arg, &ms) || ms < 1 || ms > LONGEST_MS) {
        option_refuse(state, "--%s wants seconds from 0.001 to %" PRIu64 ", not '%s'", name,
                      LONGEST_MS / MS_PER_S, arg);
    }
    return ms;
}

static int word_of(const struct argp_state *state, const struct option_row *option, const char *arg)
{
    for (int i = 0; option->words[i] != NULL; i++) {
        if (strcmp(option->words[i], arg) == 0) {
            return i;
        }
    }
    refuse_word(state, option, arg);
}

void option_take_file(const struct argp_state *state, const struct option_row *option,
                      const char *arg, void *member)
{
    const char **file = member;

    (void)option;
    if (*file != NULL) {
        option_refuse(state, "one file at a time: '%s' is one too many", arg);
    }
    *file = arg;
}

/* Sets an enumeration, which has the size of an int. */
static void set_value(void *member, int value)
{
    memcpy(member, &value, sizeof(value));
}

static void take_option(const struct argp_state *state, const struct option_row *option,
                        const char *arg, void *member)
{
    const char *name = option->shown.name;

    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_UNFLAG:
        *(bool *)member = option->kind == OPTION_FLAG;
        break;
    case OPTION_VALUE:
        set_value(member, option->value);
        break;
    case OPTION_TEXT:
        *(const char **)member = arg;
        break;
    case OPTION_NUMBER:
        *(uint64_t *)member = option_number(state, name, arg);
        break;
    case OPTION_ORDINAL:
        *(uint64_t *)member = ordinal_of(state, name, arg);
        break;
    case OPTION_COUNT:
        *(uint32_t *)member = count_of(state, option, arg);
        break;
    case OPTION_TIME:
        *(uint64_t *)member = time_of(state, name, arg);
        break;
    case OPTION_SPAN:
        *(uint64_t *)member = time_of(state, name, arg) / NS_PER_MS;
        break;
    case OPTION_SECONDS:
        *(uint64_t *)member = seconds_of(state, name, arg);
        break;
    case OPTION_WORD:
        set_value(member, option->value + word_of(state, option, arg));
        break;
    case OPTION_CHOICE:
        *(const char **)member = option->words[word_of(state, option, arg)];
        break;
    case OPTION_OTHER:
        option->take(state, option, arg, member);
        break;
    }
}

/* ---- The command line ---- */

/* The rows of one command, the shared ones first, and argp's options in the same order. */
struct parser {
    const struct option_table *table;
    char *options;       /* the command's options */
    size_t shared_count; /* rows */
    size_t count;        /* rows, including the shared ones */
    struct argp_option *shown;
    const struct option_row *chosen[OPTION_ALTERNATIVES]; /* by alternative; NULL = none yet */
};

static size_t count_rows(const struct option_row *options)
{
    size_t count = 0;

    while (options != NULL && (options[count].shown.name || options[count].shown.doc)) {
        count++;
    }
    return count;
}

static const struct option_row *row_at(const struct parser *parser, size_t i)
{
    return i < parser->shared_count ? &parser->table->shared[i]
                                    : &parser->table->options[i - parser->shared_count];
}

static void open_parser(struct parser *parser)
{
    parser->shared_count = count_rows(parser->table->shared);
    parser->count = parser->shared_count + count_rows(parser->table->options);
    parser->shown = must_alloc((parser->count + 1) * sizeof(*parser->shown));
    for (size_t i = 0; i < parser->count; i++) {
        parser->shown[i] = row_at(parser, i)->shown;
        if (parser->shown[i].name != NULL && parser->shown[i].key == 0) {
            parser->shown[i].key = FIRST_KEY + (int)i;
        }
    }
}

static void choose_one(const struct argp_state *state, struct parser *parser,
                       const struct option_row *option)
{
    const struct option_row **chosen = &parser->chosen[option->alternative];

    assert(option->alternative < OPTION_ALTERNATIVES);
    if (option->alternative == 0) {
        return;
    }
    if (*chosen != NULL && *chosen != option) {
        option_refuse(state, "--%s and --%s contradict each other: give only one of them",
                      (*chosen)->shown.name, option->shown.name);
    }
    *chosen = option;
}

static void take_row(const struct argp_state *state, struct parser *parser, size_t i,
                     const char *arg)
{
    const struct option_row *option = row_at(parser, i);
    char *options = parser->options + (i < parser->shared_count ? parser->table->shared_member : 0);

    choose_one(state, parser, option);
    take_option(state, option, arg, options + option->member);
    if (option->given != 0) {
        *(bool *)(options + option->given) = true;
    }
}

static bool take_key(const struct argp_state *state, struct parser *parser, int key,
                     const char *arg)
{
    for (size_t i = 0; i < parser->count; i++) {
        if (parser->shown[i].name != NULL && parser->shown[i].key == key) {
            take_row(state, parser, i, arg);
            return true;
        }
    }
    return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct parser *parser = state->input;
    const struct option_table *table = parser->table;

    if (take_key(state, parser, key, arg)) {
        return 0;
    }
    switch (key) {
    case ARGP_KEY_ARG:
        if (table->take == NULL) {
            option_refuse(state, "unexpected argument '%s'", arg);
        }
        table->take(state, NULL, arg, parser->options + table->member);
        return 0;
    case ARGP_KEY_NO_ARGS:
        if (table->missing != NULL) {
            option_refuse(state, "%s", table->missing);
        }
        return 0;
    case ARGP_KEY_END:
        if (table->check != NULL) {
            table->check(state, parser->options);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void options_parse(const struct option_table *table, int argc, char **argv, void *options)
{
    struct parser parser = {.table = table, .options = options};
    struct argp argp = {.parser = parse, .args_doc = table->args, .doc = table->doc};

    open_parser(&parser);
    /* glibc's help leaks what it allocates for a table without a row. */
    argp.options = parser.count > 0 ? parser.shown : NULL;
    argp_parse(&argp, argc, argv, 0, NULL, &parser);
    free(parser.shown);
}
