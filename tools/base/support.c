/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exits, and memory.
 */
#include "tools/base/support.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "tools/base/leftovers.h"

_Noreturn void die(const char *format, ...)
{
    va_list args;

    leftovers_remove();
    fflush(stdout);
    fputs("mirrorsim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    /* _exit(), so that memory still in use is not reported as leaked. */
    fflush(NULL);
    _exit(EXIT_HARNESS);
}

/* ---- Memory ---- */

/* In place of the library's own (sim/base/arena.h), which aborts without a word. */
_Noreturn void arena_exhausted(size_t bytes)
{
    die("there is no memory or address space for %zu KiB more: a limit may be too low (ulimit -v)",
        bytes / 1024 + 1);
}

void *must_alloc(uint64_t bytes)
{
    void *memory = bytes <= SIZE_MAX ? calloc(1, bytes > 0 ? (size_t)bytes : 1) : NULL;

    if (memory == NULL) {
        die("out of memory");
    }
    return memory;
}

void *must_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        die("cannot share memory with a process: %s", strerror(errno));
    }
    return memory;
}

/* The capacity is the power of two at or above the count. */
void *must_grow(void *list, uint64_t count, size_t element_bytes)
{
    if ((count & (count - 1)) != 0) {
        return list;
    }
    list = count <= SIZE_MAX / 2
               ? reallocarray(list, count > 0 ? 2 * (size_t)count : 1, element_bytes)
               : NULL;
    if (list == NULL) {
        die("out of memory");
    }
    return list;
}

char *must_strdup(const char *text)
{
    return must_printf("%s", text);
}

char *must_printf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        die("out of memory");
    }
    va_end(args);
    return text;
}

FILE *must_memstream(char **text, size_t *bytes)
{
    FILE *file = open_memstream(text, bytes);

    if (file == NULL) {
        die("out of memory");
    }
    return file;
}
