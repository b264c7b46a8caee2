/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a process was when it died: the chain of calls, as functions with their lines.
 *
 * A signal handler only notes addresses; a process of the same image that lives, the parent, which
 * has forked it, makes functions and lines of them, with libdw if the program was built with it.
 */
#ifndef MIRRORSIM_TOOLS_BASE_STACK_H
#define MIRRORSIM_TOOLS_BASE_STACK_H

#include <stddef.h>
#include <stdint.h>

/* The innermost frames are kept: of an endless recursion they tell enough. */
#define STACK_FRAMES 64

/* Of a stack as text. */
#define STACK_TEXT_BYTES 1600

/* Addresses of instructions, the innermost first. */
struct stack {
    uint32_t count;
    uint64_t frames[STACK_FRAMES];
};

/*
 * The caller's stack; in a signal handler, that of the code that was interrupted.  Safe in a
 * handler, if a call outside of any has come before.
 */
void stack_capture(struct stack *stack);

/*
 * A line "function file:line" for each call, also an inlined one, from the innermost down to the
 * one that steps the world; "" if there is nothing to tell.
 */
void stack_describe(const struct stack *stack, char text[STACK_TEXT_BYTES]);

#endif
