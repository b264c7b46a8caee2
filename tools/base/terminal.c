/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A character is taken to be one column wide.
 */
#include "tools/base/terminal.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned terminal_columns(FILE *stream)
{
    struct winsize size;
    int fd = fileno(stream);

    return isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Within a character of UTF-8, not at its beginning. */
static bool is_inside(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t terminal_fit(const char *text, unsigned columns)
{
    size_t bytes = 0;

    for (unsigned used = 0; text[bytes] != '\0'; bytes++) {
        used += !is_inside(text[bytes]);
        if (used > columns) {
            break;
        }
    }
    return bytes;
}

/* What goes on this line, without the space after it. */
static size_t line_bytes(const char *text, unsigned columns)
{
    size_t fits = terminal_fit(text, columns);
    const char *space = text[fits] == '\0' || text[fits] == ' '
                            ? text + fits
                            : (const char *)memrchr(text, ' ', fits);

    return space != NULL && space != text ? (size_t)(space - text) : strcspn(text, " ");
}

void terminal_wrap(FILE *out, const char *text, unsigned indent, unsigned columns)
{
    unsigned room = columns == 0 ? UINT_MAX : columns > indent + 1 ? columns - indent : 1;

    do {
        size_t bytes = line_bytes(text, room);

        fprintf(out, "%*s%.*s\n", (int)indent, "", (int)bytes, text);
        text += bytes;
        text += *text == ' ';
    } while (*text != '\0');
}
