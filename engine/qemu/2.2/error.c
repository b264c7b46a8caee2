/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: a class and a sentence.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/qemu/2.2/env.h"

struct Error {
    ErrorClass cls;
    char text[160];
};

static void __attribute__((format(printf, 3, 0)))
make(Error **errp, ErrorClass cls, const char *format, va_list args)
{
    if (errp == NULL) {
        return;
    }
    assert(*errp == NULL && "an error is set already");
    *errp = g_malloc(sizeof(**errp));
    (*errp)->cls = cls;
    vsnprintf((*errp)->text, sizeof((*errp)->text), format, args);
}

void error_set(Error **errp, ErrorClass cls, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    make(errp, cls, fmt, args);
    va_end(args);
}

void error_setg(Error **errp, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    make(errp, ERROR_CLASS_GENERIC_ERROR, fmt, args);
    va_end(args);
}

void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
{
    va_list args;
    size_t length;

    va_start(args, fmt);
    make(errp, ERROR_CLASS_GENERIC_ERROR, fmt, args);
    va_end(args);
    if (errp != NULL && os_errno != 0) {
        length = strlen((*errp)->text);
        snprintf((*errp)->text + length, sizeof((*errp)->text) - length, ": %s",
                 strerrordesc_np(os_errno));
    }
}

void error_propagate(Error **dst, Error *local)
{
    if (local != NULL && dst != NULL && *dst == NULL) {
        *dst = local;
    } else {
        error_free(local);
    }
}

void error_free(Error *err)
{
    g_free(err);
}

ErrorClass qemu_error_class(const Error *error)
{
    return error->cls;
}

const char *qemu_error_text(const Error *error)
{
    return error->text;
}
