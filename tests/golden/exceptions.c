/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where our engine is known to differ from a reference trace, and how.
 */
#include "tests/golden/exceptions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_edit(const struct line *line)
{
    return line->text[0] != '\0' && strchr(" -+", line->text[0]) != NULL;
}

static bool is_ignored(const struct line *line)
{
    return line->text[0] == '\0' || line->text[0] == '#';
}

/* D1, D2, ...; D'1, D'2, ... of today's generation */
static bool is_defect(const char *word)
{
    if (!word || word[0] != 'D') {
        return false;
    }
    word += word[1] == '\'' ? 2 : 1;
    return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* Parses `NAME D5: reason`. */
static bool read_heading(const struct line *line, struct exception *exception)
{
    char *rest = line->text;
    exception->number = line->number;
    exception->name = strsep(&rest, " ");
    exception->defect = strsep(&rest, ":");
    return exception->name[0] != '\0' && is_defect(exception->defect) && rest && *rest != '\0';
}

/* Reads the blocks; returns the first wrong line, or NULL. */
static const struct line *read_blocks(struct exceptions *exceptions)
{
    struct text *text = &exceptions->text;
    for (size_t i = 0; i < text->count;) {
        const struct line *heading = &text->lines[i++];
        if (is_ignored(heading)) {
            continue;
        }
        struct exception *exception = &exceptions->list[exceptions->count];
        if (is_edit(heading) || !read_heading(heading, exception) ||
            exceptions_find(exceptions, exception->name)) {
            return heading;
        }
        exception->edits = &text->lines[i];
        bool changes = false;
        for (; i < text->count && is_edit(&text->lines[i]); i++) {
            changes = changes || text->lines[i].text[0] != ' ';
        }
        exception->edit_count = (size_t)(&text->lines[i] - exception->edits);
        if (!changes) {
            return heading;
        }
        exceptions->count++;
    }
    return NULL;
}

bool exceptions_read(const char *path, struct exceptions *exceptions, char *error, size_t size)
{
    char problem[120];
    *exceptions = (struct exceptions){0};
    if (!text_read(path, &exceptions->text, problem, sizeof(problem))) {
        snprintf(error, size, "%s: %s", path, problem);
        return false;
    }
    if (text_split(&exceptions->text)) {
        exceptions->list = calloc(exceptions->text.count + 1, sizeof(*exceptions->list));
    }
    if (!exceptions->list) {
        snprintf(error, size, "%s: no memory", path);
        exceptions_free(exceptions);
        return false;
    }
    const struct line *wrong = read_blocks(exceptions);
    if (wrong) {
        snprintf(error, size,
                 "%s:%" PRIu32 ": expected 'NAME D1: sentence', each name once, and then the edits",
                 path, wrong->number);
        exceptions_free(exceptions);
        return false;
    }
    return true;
}

void exceptions_free(struct exceptions *exceptions)
{
    text_free(&exceptions->text);
    free(exceptions->list);
    *exceptions = (struct exceptions){0};
}

const struct exception *exceptions_find(const struct exceptions *exceptions, const char *name)
{
    for (size_t i = 0; i < exceptions->count; i++) {
        if (strcmp(exceptions->list[i].name, name) == 0) {
            return &exceptions->list[i];
        }
    }
    return NULL;
}

size_t exception_apply(const struct exception *exception, const struct line *lines, size_t count,
                       struct line *edited, const struct line **failed)
{
    size_t at = 0;
    size_t kept = 0;
    *failed = NULL;
    for (size_t i = 0; i < exception->edit_count; i++) {
        const struct line *edit = &exception->edits[i];
        if (edit->text[0] == '+') {
            edited[kept++] = (struct line){edit->text + 1, at < count ? lines[at].number : 0};
            continue;
        }
        while (at < count && strcmp(lines[at].text, edit->text + 1) != 0) {
            edited[kept++] = lines[at++];
        }
        if (at == count) {
            *failed = edit;
            return kept;
        }
        if (edit->text[0] == ' ') {
            edited[kept++] = lines[at];
        }
        at++;
    }
    while (at < count) {
        edited[kept++] = lines[at++];
    }
    return kept;
}
