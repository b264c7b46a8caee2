/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engines that `golden` can run: also ours of today's generation, which mirrorsim does not list
 * yet.
 *
 * Declared in tools/run/load.h, as is mirrorsim's own list.
 */
#include "tools/run/load.h"

#ifdef MIRRORSIM_QEMU
#include "engine/qemu/qemu_engine.h"

const struct engine *const engines[] = {&mirror_engine, &modern_engine, &qemu_engine, NULL};
#else
const struct engine *const engines[] = {&mirror_engine, &modern_engine, NULL};
#endif
