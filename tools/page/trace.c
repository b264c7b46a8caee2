/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: a trace has thousands of lines, but few that differ in more than their numbers.
 *
 * A template is an event's kind, and for each of its fields the text before it, and its word or,
 * for a number, how to write it.  A line is its template and its numbers.  The page gets the words
 * from here, so it says what the trace says.
 */
#include "tools/page/trace.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/errno_name.h"
#include "sim/trace/fields.h"
#include "tools/base/support.h"
#include "tools/page/block.h"
#include "tools/report/report.h"

/* The numbers of every so manieth line are where the column `mark` says. */
#define LINES_A_MARK 64

#define FIRST_BUCKETS 256

struct template
{
    bool has_request;
    enum event_kind kind;
    uint32_t count;
    struct field fields[EVENT_MAX_FIELDS]; /* of the first event that it fits; numbers are 0 */
};

struct templates {
    struct template *list;
    size_t count;
    uint32_t *buckets; /* index + 1; 0 = free */
    size_t bucket_count;
};

struct line {
    uint32_t template;
    uint64_t now_ns;
};

struct mark {
    uint64_t at;
};

/* ---- One event ---- */

/* Errors are words here: there are few of them. */
static void error_as_word(struct value *value)
{
    const char *name = value->number == 0           ? "ok"
                       : value->number <= INT32_MAX ? errno_name((int)value->number)
                                                    : NULL;

    if (name != NULL) {
        *value = (struct value){.style = STYLE_WORD, .word = name};
    }
}

static struct template template_of(const struct trace_names *names, const struct event *event)
{
    struct template template = {.has_request = event->request != 0, .kind = event_kind(event)};
    struct field fields[EVENT_MAX_FIELDS];
    uint32_t count = event_fields(names, event, fields);

    for (uint32_t i = 0; i < count; i++) {
        if (field_says_nothing(event, &fields[i])) {
            continue;
        }
        if (fields[i].value.style == STYLE_ERROR) {
            error_as_word(&fields[i].value);
        }
        template.fields[template.count++] = fields[i];
    }
    return template;
}

static void add_number(struct pack *numbers, const struct value *value)
{
    if (value->style == STYLE_SIGNED) {
        pack_number(numbers, value->number << 1 ^ (value->number >> 63 != 0 ? UINT64_MAX : 0));
    } else if (value->style != STYLE_WORD) {
        pack_number(numbers, value->number);
    }
}

static void add_numbers(struct pack *numbers, const struct event *event,
                        const struct template *template)
{
    if (template->has_request) {
        pack_number(numbers, event->request);
    }
    for (uint32_t i = 0; i < template->count; i++) {
        add_number(numbers, &template->fields[i].value);
    }
}

/* ---- The list ---- */

static uint64_t stirred(uint64_t hash, uint64_t number)
{
    return (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15) >> 7;
}

/* By the words' addresses: the same word at two of them costs a template. */
static uint64_t hash_of(const struct template *template)
{
    uint64_t hash = stirred((uint64_t) template->kind, template->has_request);

    for (uint32_t i = 0; i < template->count; i++) {
        const struct field *field = &template->fields[i];

        hash = stirred(hash, (uint64_t)(uintptr_t)field->key);
        hash = stirred(hash, (uint64_t)(uintptr_t)field->value.word ^ field->value.style);
    }
    return hash;
}

static bool is_same(const struct template *a, const struct template *b)
{
    if (a->kind != b->kind || a->has_request != b->has_request || a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        const struct field *one = &a->fields[i];
        const struct field *other = &b->fields[i];

        if (one->key != other->key || one->value.style != other->value.style ||
            one->value.word != other->value.word) {
            return false;
        }
    }
    return true;
}

static uint32_t *bucket_of(const struct templates *templates, const struct template *template)
{
    size_t i = (size_t)hash_of(template) & (templates->bucket_count - 1);

    while (templates->buckets[i] != 0 &&
           !is_same(&templates->list[templates->buckets[i] - 1], template)) {
        i = (i + 1) & (templates->bucket_count - 1);
    }
    return &templates->buckets[i];
}

static void grow_buckets(struct templates *templates)
{
    free(templates->buckets);
    templates->bucket_count =
        templates->bucket_count > 0 ? 2 * templates->bucket_count : FIRST_BUCKETS;
    templates->buckets = must_alloc(templates->bucket_count * sizeof(*templates->buckets));
    for (size_t i = 0; i < templates->count; i++) {
        *bucket_of(templates, &templates->list[i]) = (uint32_t)i + 1;
    }
}

static uint32_t template_number(struct templates *templates, const struct template *template)
{
    uint32_t *bucket;

    if (2 * templates->count >= templates->bucket_count) {
        grow_buckets(templates);
    }
    bucket = bucket_of(templates, template);
    if (*bucket == 0) {
        templates->list = must_grow(templates->list, templates->count, sizeof(*templates->list));
        templates->list[templates->count++] = *template;
        *bucket = (uint32_t)templates->count;
    }
    return *bucket - 1;
}

/* ---- As JSON ---- */

/* [kind, has a request, [key, before, style, word or null]...] */
static json_t *template_json(const struct template *template)
{
    static const char *const styles[] = {
        [STYLE_NONE] = "none",     [STYLE_WORD] = "word", [STYLE_COUNT] = "count",
        [STYLE_SIGNED] = "signed", [STYLE_SIZE] = "size", [STYLE_FLAGS] = "flags",
        [STYLE_ERROR] = "errno"};
    json_t *array =
        json_pack("[s, b]", event_kind_name(template->kind), (int)template->has_request);

    for (uint32_t i = 0; i < template->count; i++) {
        const struct field *field = &template->fields[i];
        bool is_word = field->value.style == STYLE_WORD;

        json_array_append_new(
            array, json_pack("[s, s, s, o]", field->key, field->before, styles[field->value.style],
                             is_word ? report_json_string(field->value.word) : json_null()));
    }
    return array;
}

static json_t *templates_json(const struct templates *templates)
{
    json_t *array = json_array();

    for (size_t i = 0; i < templates->count; i++) {
        json_array_append_new(array, template_json(&templates->list[i]));
    }
    return array;
}

/* ---- All of it ---- */

static void add_lines(struct pack *block, json_t *tables, const struct line *lines, size_t count)
{
    static const struct column columns[] = {
        COLUMN(struct line, "template", template, NUMBER),
        COLUMN(struct line, "ns", now_ns, RISING),
        {.name = NULL},
    };

    page_block_add_table(block, tables, "events", columns, lines, count, sizeof(*lines));
}

static void add_marks(struct pack *block, json_t *tables, const struct mark *marks, size_t count)
{
    static const struct column columns[] = {
        COLUMN(struct mark, "at", at, RISING),
        {.name = NULL},
    };

    page_block_add_table(block, tables, "marks", columns, marks, count, sizeof(*marks));
}

void page_trace_add(struct pack *block, json_t *head, json_t *tables,
                    const struct trace_names *names, const struct trace *trace)
{
    size_t mark_count = (size_t)(trace->count + LINES_A_MARK - 1) / LINES_A_MARK;
    struct line *lines = must_alloc((size_t)trace->count * sizeof(*lines) + 1);
    struct mark *marks = must_alloc(mark_count * sizeof(*marks) + 1);
    struct templates templates = {0};
    struct pack numbers = {0};

    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];
        const struct template template = template_of(names, event);

        if (i % LINES_A_MARK == 0) {
            marks[i / LINES_A_MARK].at = numbers.count;
        }
        lines[i] = (struct line){template_number(&templates, &template), event->now_ns};
        add_numbers(&numbers, event, &template);
    }
    add_lines(block, tables, lines, (size_t)trace->count);
    add_marks(block, tables, marks, mark_count);
    page_block_add_blob(block, tables, "numbers", &numbers);
    json_object_set_new(head, "templates", templates_json(&templates));
    pack_free(&numbers);
    free(templates.buckets);
    free(templates.list);
    free(marks);
    free(lines);
}
