/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a foreign mirror.c: what its generations share.
 *
 * The functions that such a file calls do not say which world they are called in: g_malloc() takes
 * no host.  So there is a global current environment, the only such thing in engine/ and sim/.
 * Every call from the world into the foreign code is bracketed by two qemu_exchange().
 *
 * Each .c file of this folder, and of the generations' folders, implements a part of the interface;
 * its functions are declared and described in the headers that the foreign file includes.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_ENV_H
#define MIRRORSIM_ENGINE_QEMU_ENV_H

#include <stdarg.h>

#include "engine/block.h"
#include "mirrorsim/shared.h"

/* The first member of each generation's struct engine_job. */
struct qemu_env {
    struct host *host;
    int last_error; /* negative errno, or 0, of the last call that can fail */
};

/* Makes it the current environment, NULL: none; returns what was. */
struct qemu_env *qemu_exchange(struct qemu_env *env);

/* The current environment; asserts that there is one. */
struct qemu_env *qemu_current(void);

/* The foreign code has broken a rule: prints the message and aborts. */
_Noreturn void qemu_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The foreign code needs something that is not simulated: the run becomes invalid. */
_Noreturn void qemu_unsupported(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A trace point with three numbers; `c` must fit an int.  Declared in each trace.h, too. */
void qemu_trace_emit(unsigned point, int64_t a, int64_t b, int64_t c);

/* Is `inside` in the memory that g_malloc() gave out as `piece`?  Neither need be from there. */
bool qemu_piece_holds(const void *piece, const void *inside);

/* ---- Errors ---- */

/* Its address as `errp` says that an error ends the run; of today's generation. */
extern Error *error_abort;

/* As error_setg(), with a class: a number of the generation's own. */
void qemu_error_make(Error **errp, int cls, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int qemu_error_class(const Error *error);
const char *qemu_error_text(const Error *error);

#endif
