/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: a class and a sentence.
 */
#include <stdio.h>
#include <string.h>

#include "engine/qemu/env.h"

struct Error {
    int cls;
    char text[160];
};

/* Nobody writes it. */
Error *error_abort;

static void die_of(const Error *error)
{
    qemu_die("an error where there must be none: %s", error->text);
}

void qemu_error_make(Error **errp, int cls, const char *format, va_list args)
{
    Error error = {.cls = cls};

    if (errp == NULL) {
        return;
    }
    vsnprintf(error.text, sizeof(error.text), format, args);
    if (errp == &error_abort) {
        die_of(&error);
    }
    assert(*errp == NULL && "an error is set already");
    *errp = g_malloc(sizeof(**errp));
    **errp = error;
}

void error_setg(Error **errp, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    qemu_error_make(errp, 0, fmt, args);
    va_end(args);
}

void error_setg_errno(Error **errp, int os_errno, const char *fmt, ...)
{
    va_list args;
    size_t length;

    va_start(args, fmt);
    qemu_error_make(errp, 0, fmt, args);
    va_end(args);
    if (errp != NULL && os_errno != 0) {
        length = strlen((*errp)->text);
        snprintf((*errp)->text + length, sizeof((*errp)->text) - length, ": %s",
                 strerrordesc_np(os_errno));
    }
}

void error_free(Error *err)
{
    g_free(err);
}

void error_propagate(Error **dst, Error *local)
{
    if (local != NULL && dst != NULL && *dst == NULL) {
        *dst = local;
    } else {
        error_free(local);
    }
}

const char *error_get_pretty(const Error *err)
{
    return err->text;
}

int qemu_error_class(const Error *error)
{
    return error->cls;
}

const char *qemu_error_text(const Error *error)
{
    return error->text;
}
