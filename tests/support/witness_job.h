/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the tests of the oracle "job".
 */
#ifndef MIRRORSIM_TESTS_SUPPORT_WITNESS_JOB_H
#define MIRRORSIM_TESTS_SUPPORT_WITNESS_JOB_H

#include "tests/support/witness.h"

static inline struct witness *called(void **state)
{
    struct witness *w = *state;

    witness_call(w, &oracle_job);
    return w;
}

/* Starts again with a fresh oracle and an empty verdict. */
static inline struct witness *called_again(void **state)
{
    struct witness *w = called(state);

    verdict_init(&w->verdict);
    w->copied = 0;
    return w;
}

/* A read fails, its range is marked dirty, and the job reports the error. */
static inline void fail_read(struct witness *w, int ret, enum error_action action)
{
    struct ticket ticket = begin_read(w, 0, CHUNK);

    settle(w);
    done(w, ticket, ret);
    dirty(w, EVENT_DIRTY_SET, 0, CHUNK);
    error_event(w, OP_READ, ret, action);
}

#endif
