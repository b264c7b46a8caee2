/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All of the interface: each header that a mirror.c of 6.2 to 11.1 includes is this one.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_INTERFACE_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_INTERFACE_H

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mirrorsim/bits.h"
#include "mirrorsim/functions.h"
#include "trace.h"
#ifdef QEMU_OWN_FRAMEWORK
#include "mirrorsim/framework.h"
#endif

#endif
