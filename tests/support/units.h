/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times in nanoseconds in the notation of tests: 5 * MS.
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_UNITS_H
#define MIRRORSIM_TESTS_SUPPORT_UNITS_H

#include "engine/units.h"

#define US NS_PER_US
#define MS NS_PER_MS
#define SECOND NS_PER_SECOND

#endif
