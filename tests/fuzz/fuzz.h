/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets share: a bounded run, and a way out of die().
 *
 * A target that reads what the program refuses by die() runs inside fuzz_attempt(): the linker puts
 * __wrap_die() in the place of die(), and that ends the attempt.
 */
#ifndef MIRRORSIM_TESTS_FUZZ_FUZZ_H
#define MIRRORSIM_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plan/plan.h"

/* libFuzzer's entry. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Calls the function; false if it died. */
bool fuzz_attempt(void (*function)(void *opaque), void *opaque);

_Noreturn void __wrap_die(const char *format, ...);
_Noreturn void __wrap_exit(int code);

/* A file in memory that has a path, good until the next one is made. */
const char *fuzz_file(const void *data, size_t bytes);

/* Runs the plan, with fewer events than it allows, and returns the hash of its trace; 0 if it emits
 * too much at once. */
uint64_t fuzz_run(struct plan *plan);

#endif
