/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engines that are compiled in.
 *
 * Declared in tools/run/load.h: tests replace this file by a list of their
 * own.
 */
#include "tools/run/load.h"

#ifdef MIRRORSIM_QEMU
/* X(symbol) for each engine of a user's own file: engine/qemu/CMakeLists.txt. */
#define X(symbol) extern const struct engine symbol;
MIRRORSIM_QEMU
#undef X
#define X(symbol) &symbol,
#else
#define MIRRORSIM_QEMU
#endif

const struct engine *const engines[] = {&mirror_engine, &modern_engine, MIRRORSIM_QEMU NULL};
