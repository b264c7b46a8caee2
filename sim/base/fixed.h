/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logarithms and powers of two in fixed point: the same on every machine.
 */
#ifndef MIRRORSIM_SIM_BASE_FIXED_H
#define MIRRORSIM_SIM_BASE_FIXED_H

#include <stdint.h>

#define FIXED_ONE (INT64_C(1) << 16)

/* log2(value) in 16.16 fixed point, rounded down; value > 0. */
int64_t fixed_log2(uint64_t value);

/* value * 2 ^ (power / FIXED_ONE), saturating; power from -128 to 127. */
uint64_t fixed_scale(uint64_t value, int64_t power);

/* 2 to the power of 2^-1, 2^-2, ... 2^-16, in 1.31 fixed point (latency_tables.c). */
extern const uint32_t fixed_power[16];

#endif
