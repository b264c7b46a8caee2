/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engines that are compiled in.
 *
 * Declared in tools/run/load.h: tests replace this file by a list of their
 * own.
 */
#include "tools/run/load.h"

#ifdef MIRRORSIM_QEMU
#include "engine/qemu/2.2/engine.h"

const struct engine *const engines[] = {&mirror_engine, &modern_engine, &qemu_engine, NULL};
#else
const struct engine *const engines[] = {&mirror_engine, &modern_engine, NULL};
#endif
