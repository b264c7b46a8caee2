/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fibres: stacks to switch between; what coroutines of the foreign file, and its calls, run on.
 *
 * A stack lies outside the arena, above a guard page.  Every switch is announced to the address
 * sanitizer, every stack to valgrind.  A fibre that is entered from another one returns to that.
 *
 * Stacks that are given back are kept, for whatever comes next in this process: a run of a small
 * story takes less time than the system needs to map them.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_FIBRE_H
#define MIRRORSIM_ENGINE_QEMU_FIBRE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct fibre_stack; /* mapped memory; begins with its guard page */

struct fibre {
    void (*entry)(void *opaque);
    void *opaque;
    struct fibre_stack *stack; /* NULL: given back */
    bool begun;
    bool ended;
    jmp_buf own;
    jmp_buf caller;
    void *own_fake; /* the sanitizer's fake stack of the side that is not running */
    void *caller_fake;
    const void *caller_stack;
    size_t caller_stack_bytes;
};

/* Not started; false if the system has no memory. */
bool fibre_init(struct fibre *fibre, void (*entry)(void *opaque));

/* Gives its stack back, whether or not it has ended; it can't be entered any more. */
void fibre_release(struct fibre *fibre);

/* Runs it until it yields or ends.  It does not run, and has not ended. */
void fibre_enter(struct fibre *fibre);

/* From inside it: back to who has entered it. */
void fibre_yield(struct fibre *fibre);

#endif
