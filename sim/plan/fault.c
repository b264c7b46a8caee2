/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which operations a fault can do something to.
 */
#include "sim/plan/fault.h"

#include <stddef.h>

#define BIT(op) (UINT32_C(1) << OP_##op)
#define CHANGES (BIT(WRITE) | BIT(WRITE_ZEROES) | BIT(DISCARD))
#define REQUESTS (CHANGES | BIT(READ) | BIT(FLUSH))
#define PROBES (BIT(STATUS) | BIT(CONTENT))

/* A kind, what it can hit, and why it can't hit anything else. */
static const struct ability {
    uint32_t ops;
    const char *why_not;
} abilities[] = {
    [FAULT_ERROR] = {UINT32_MAX, NULL},
    [FAULT_HANG] = {REQUESTS | PROBES, "takes no time: all it can do is fail"},
    [FAULT_DELAY] = {REQUESTS | PROBES, "takes no time: all it can do is fail"},
    [FAULT_LATENCY] = {REQUESTS | PROBES, "takes no time: all it can do is fail"},
    [FAULT_HOLD] = {REQUESTS | PROBES, "takes no time: all it can do is fail"},
    [FAULT_FULL] = {BIT(WRITE) | BIT(WRITE_ZEROES), "allocates nothing"},
    [FAULT_LOST] = {REQUESTS, "moves nothing that could be lost; \"claims\" makes an answer wrong"},
    [FAULT_TORN] = {CHANGES | BIT(READ), "moves no sectors"},
    [FAULT_CORRUPT] = {BIT(READ) | BIT(WRITE) | BIT(WRITE_ZEROES), "brings no data"},
    [FAULT_MISDIRECT] = {CHANGES | BIT(READ), "moves no data"},
    [FAULT_LATENT] = {BIT(READ), "does not read"},
    [FAULT_STALE] = {BIT(READ), "does not read"},
    [FAULT_CLAIM] = {PROBES | BIT(ALL_ZERO), "asks for nothing that is data, zero or a hole"},
};

const char *fault_why_not(const struct fault_spec *fault, enum op op)
{
    const struct ability *ability = &abilities[fault->kind];

    if (fault->kind == FAULT_CLAIM && op == OP_STATUS && fault->claim == CLAIM_ZERO) {
        return "says only whether a place is allocated: data or hole";
    }
    if (fault->kind == FAULT_CLAIM && op == OP_ALL_ZERO && fault->claim == CLAIM_HOLE) {
        return "says only whether a disk is known to read zero: zero or data";
    }
    return ability->ops >> op & 1 ? NULL : ability->why_not;
}
