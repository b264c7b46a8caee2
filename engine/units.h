/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Units of time and size, and the number of elements of an array.
 */
#ifndef MIRRORSIM_ENGINE_UNITS_H
#define MIRRORSIM_ENGINE_UNITS_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS (1000 * NS_PER_US)
#define NS_PER_SECOND (1000 * NS_PER_MS)

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* The number of elements of an array; must not be used on a pointer. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
