/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logarithms and powers of two, a bit at a time.
 */
#include "sim/base/fixed.h"

#define ONE_31 (UINT64_C(1) << 31)

int64_t fixed_log2(uint64_t value)
{
    int64_t result = 0;
    uint64_t mantissa;
    unsigned exponent = 0;

    while (value >> exponent > 1) {
        exponent++;
    }
    /* In 1.31: each squaring doubles the logarithm, and brings out one bit of it. */
    mantissa = exponent > 31 ? value >> (exponent - 31) : value << (31 - exponent);
    for (int bit = 0; bit < 16; bit++) {
        mantissa = mantissa * mantissa >> 31;
        result = 2 * result;
        if (mantissa >= 2 * ONE_31) {
            mantissa >>= 1;
            result++;
        }
    }
    return exponent * FIXED_ONE + result;
}

uint64_t fixed_scale(uint64_t value, int64_t power)
{
    const int64_t bias = 128 * FIXED_ONE; /* makes it positive, to round towards the lower power */
    uint64_t biased = (uint64_t)(power + bias);
    int shift = (int)(biased >> 16) - 128 - 31;
    uint64_t mantissa = ONE_31;

    for (unsigned bit = 0; bit < 16; bit++) {
        if (biased >> (15 - bit) & 1) {
            mantissa = mantissa * fixed_power[bit] >> 31;
        }
    }
    for (; value > UINT32_MAX; value >>= 1) {
        shift++;
    }
    value *= mantissa;
    if (shift <= 0) {
        return shift > -64 ? value >> -shift : 0;
    }
    return shift < 64 && value <= UINT64_MAX >> shift ? value << shift : UINT64_MAX;
}
