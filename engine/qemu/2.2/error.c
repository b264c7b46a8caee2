/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors with the classes of 2.2.
 */
#include "engine/qemu/2.2/env.h"

void error_set(Error **errp, ErrorClass cls, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    qemu_error_make(errp, (int)cls, fmt, args);
    va_end(args);
}
