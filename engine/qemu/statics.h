/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a foreign file keeps for itself: its static variables, which outlive a world.
 *
 * The build puts those of each file into two sections of its own (engine/qemu/CMakeLists.txt), so
 * that they can be compared with what they were when the program was loaded, and put back.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_STATICS_H
#define MIRRORSIM_ENGINE_QEMU_STATICS_H

#include <stdbool.h>
#include <stddef.h>

/* The sections of one file; a file that has no such variables has none: then both ends are NULL. */
struct qemu_statics {
    char *data; /* variables with an initial value */
    char *data_end;
    char *zero; /* the others */
    char *zero_end;
    char *loaded; /* a copy of both as they were loaded, from the first renewal on */
};

/* Puts back what has changed; the first time, before any code of the file has run, nothing has. */
void qemu_statics_renew(struct qemu_statics *statics);

/* Are they as they were loaded? */
bool qemu_statics_are_as_loaded(const struct qemu_statics *statics);

/*
 * Defines `statics` and two functions of struct engine, renew() and is_as_loaded().  `name` begins
 * the names of the sections.
 */
#define QEMU_STATICS(name) QEMU_STATICS_OF(name)
#define QEMU_STATICS_OF(name)                                                \
    extern char __start_##name##_data[] __attribute__((weak));               \
    extern char __stop_##name##_data[] __attribute__((weak));                \
    extern char __start_##name##_zero[] __attribute__((weak));               \
    extern char __stop_##name##_zero[] __attribute__((weak));                \
    static struct qemu_statics statics = {.data = __start_##name##_data,     \
                                          .data_end = __stop_##name##_data,  \
                                          .zero = __start_##name##_zero,     \
                                          .zero_end = __stop_##name##_zero}; \
    static void renew(void)                                                  \
    {                                                                        \
        qemu_statics_renew(&statics);                                        \
    }                                                                        \
    static bool is_as_loaded(void)                                           \
    {                                                                        \
        return qemu_statics_are_as_loaded(&statics);                         \
    }                                                                        \
    struct qemu_statics

#endif
