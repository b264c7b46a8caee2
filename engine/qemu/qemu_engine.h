/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine that a user's own mirror.c becomes.
 *
 * One is linked with a program: the foreign file it was compiled from is the build's affair
 * (engine/qemu/CMakeLists.txt).
 */
#ifndef MIRRORSIM_ENGINE_QEMU_QEMU_ENGINE_H
#define MIRRORSIM_ENGINE_QEMU_QEMU_ENGINE_H

#include "engine/engine.h"

extern const struct engine qemu_engine;

#endif
