/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stack switching: a stack's first time by ucontext, which can start a function on it, then by
 * setjmp, which makes no system call.
 *
 * The function at a stack's bottom never returns: when a fibre has ended it waits for the next one.
 */
/* With it, longjmp() to another stack is taken for a mistake. */
#undef _FORTIFY_SOURCE

#include "engine/qemu/fibre.h"

#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* Oracles and printf run on this stack, too; pages that are not touched cost nothing. */
#define STACK_BYTES ((size_t)1 << 20)

/* At the upper end of the memory, where no overflow comes. */
struct fibre_stack {
    struct fibre_stack *next; /* of the free ones */
    struct fibre *fibre;      /* whose it is */
    bool waits;               /* its bottom function waits at `idle` */
    jmp_buf idle;
    unsigned valgrind_id;
};

/* Free stacks; which one is taken makes no difference to anybody. */
static struct fibre_stack *free_stacks;

/* ---- The sanitizer ---- */

static void switch_begins(void **own_fake, const void *stack, size_t bytes)
{
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(own_fake, stack, bytes);
#else
    (void)own_fake;
    (void)stack;
    (void)bytes;
#endif
}

static void switch_ends(void *own_fake, const void **from_stack, size_t *from_bytes)
{
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(own_fake, from_stack, from_bytes);
#else
    (void)own_fake;
    (void)from_stack;
    (void)from_bytes;
#endif
}

/* ---- Stacks ---- */

static size_t guard_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *stack_bottom(struct fibre_stack *stack)
{
    return (char *)(stack + 1) - STACK_BYTES;
}

static size_t stack_bytes(void)
{
    return STACK_BYTES - sizeof(struct fibre_stack);
}

static struct fibre_stack *stack_map(void)
{
    size_t guard = guard_bytes();
    char *memory = mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    struct fibre_stack *stack;

    if (memory == MAP_FAILED) {
        return NULL;
    }
    if (mprotect(memory, guard, PROT_NONE) != 0) {
        munmap(memory, guard + STACK_BYTES);
        return NULL;
    }
    stack = (struct fibre_stack *)(void *)(memory + guard + stack_bytes());
    stack->valgrind_id = VALGRIND_STACK_REGISTER(memory + guard, stack);
    return stack;
}

static struct fibre_stack *stack_take(void)
{
    struct fibre_stack *stack = free_stacks;

    if (stack == NULL) {
        return stack_map();
    }
    free_stacks = stack->next;
#ifdef HAS_ASAN
    __asan_unpoison_memory_region(stack_bottom(stack), stack_bytes()); /* of who had it before */
#endif
    return stack;
}

/* ---- Switching ---- */

/*
 * A frame that is left by a jump leaves the sanitizer's marks around its variables behind, for
 * whoever comes to that place next: these functions have none.
 */
#define LEFT_BY_A_JUMP __attribute__((noinline, no_sanitize("address")))

static void run(struct fibre *fibre)
{
    switch_ends(NULL, &fibre->caller_stack, &fibre->caller_stack_bytes);
    fibre->entry(fibre->opaque);
    fibre->ended = true;
    /* NULL: what this stack holds is not needed any more. */
    switch_begins(NULL, fibre->caller_stack, fibre->caller_stack_bytes);
}

/* makecontext() passes ints. */
static LEFT_BY_A_JUMP void begin(unsigned high, unsigned low)
{
    struct fibre_stack *stack = (struct fibre_stack *)(uintptr_t)((uint64_t)high << 32 | low);

    for (;;) {
        run(stack->fibre);
        stack->waits = true;
        if (_setjmp(stack->idle) == 0) {
            _longjmp(stack->fibre->caller, 1);
        }
    }
}

bool fibre_init(struct fibre *fibre, void (*entry)(void *opaque))
{
    *fibre = (struct fibre){.entry = entry, .stack = stack_take()};
    return fibre->stack != NULL;
}

void fibre_release(struct fibre *fibre)
{
    if (fibre->stack != NULL) {
        fibre->stack->next = free_stacks;
        free_stacks = fibre->stack;
        fibre->stack = NULL;
    }
}

static LEFT_BY_A_JUMP _Noreturn void jump_in(struct fibre *fibre)
{
    struct fibre_stack *stack = fibre->stack;
    uint64_t address = (uintptr_t)stack;
    ucontext_t first;

    if (fibre->begun) {
        _longjmp(fibre->own, 1);
    }
    fibre->begun = true;
    stack->fibre = fibre;
    if (stack->waits) {
        stack->waits = false;
        _longjmp(stack->idle, 1);
    }
    getcontext(&first);
    first.uc_stack.ss_sp = stack_bottom(stack);
    first.uc_stack.ss_size = stack_bytes();
    first.uc_link = NULL;
    makecontext(&first, (void (*)(void))begin, 2, (unsigned)(address >> 32), (unsigned)address);
    setcontext(&first);
    __builtin_unreachable();
}

LEFT_BY_A_JUMP void fibre_enter(struct fibre *fibre)
{
    assert(fibre->stack != NULL && !fibre->ended);
    switch_begins(&fibre->caller_fake, stack_bottom(fibre->stack), stack_bytes());
    if (_setjmp(fibre->caller) == 0) {
        jump_in(fibre);
    }
    switch_ends(fibre->caller_fake, NULL, NULL);
}

LEFT_BY_A_JUMP void fibre_yield(struct fibre *fibre)
{
    switch_begins(&fibre->own_fake, fibre->caller_stack, fibre->caller_stack_bytes);
    if (_setjmp(fibre->own) == 0) {
        _longjmp(fibre->caller, 1);
    }
    switch_ends(fibre->own_fake, &fibre->caller_stack, &fibre->caller_stack_bytes);
}
