/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine made of a user's own mirror.c.
 *
 * A program is linked with one of them; the build decides which foreign file it is compiled
 * from (engine/qemu/CMakeLists.txt).
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_ENGINE_H
#define MIRRORSIM_ENGINE_QEMU_2_2_ENGINE_H

#include "engine/engine.h"

extern const struct engine qemu_engine;

#endif
