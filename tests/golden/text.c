/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text file in memory, and its lines.
 */
#include "tests/golden/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the rest of the file; false with errno set on failure. */
static bool read_all(FILE *file, struct text *text)
{
    size_t capacity = 0;
    for (;;) {
        if (text->size + 1 >= capacity) {
            capacity = capacity == 0 ? 4096 : 2 * capacity;
            char *bytes = realloc(text->bytes, capacity);
            if (!bytes) {
                return false;
            }
            text->bytes = bytes;
        }
        size_t got = fread(text->bytes + text->size, 1, capacity - text->size - 1, file);
        text->size += got;
        if (text->size > TEXT_MAX_BYTES) {
            errno = EFBIG;
            return false;
        }
        if (got == 0) {
            text->bytes[text->size] = '\0';
            return !ferror(file);
        }
    }
}

bool text_read(const char *path, struct text *text, char *error, size_t size)
{
    *text = (struct text){0};
    FILE *file = fopen(path, "r");
    bool read = file && read_all(file, text);
    if (!read) {
        snprintf(error, size, "can't be read: %s", strerror(errno));
    } else if (memchr(text->bytes, '\0', text->size)) {
        snprintf(error, size, "is no text file: it holds a NUL byte");
        read = false;
    }
    if (file) {
        fclose(file);
    }
    if (!read) {
        text_free(text);
    }
    return read;
}

bool text_split(struct text *text)
{
    size_t count = 0;
    for (const char *at = text->bytes; *at; count++) {
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    text->lines = calloc(count + 1, sizeof(*text->lines));
    if (!text->lines) {
        return false;
    }
    char *rest = text->bytes;
    for (text->count = 0; text->count < count; text->count++) {
        char *line = strsep(&rest, "\n");
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\r') {
            line[length - 1] = '\0';
        }
        text->lines[text->count] = (struct line){line, (uint32_t)text->count + 1};
    }
    return true;
}

void text_free(struct text *text)
{
    free(text->bytes);
    free(text->lines);
    *text = (struct text){0};
}
