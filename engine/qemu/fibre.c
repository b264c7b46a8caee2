/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stack switching: the first time by ucontext, which can start a function on a stack of its own,
 * then by setjmp, which makes no system call.
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
    unsigned valgrind_id;
};

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

static void stack_unmap(struct fibre_stack *stack)
{
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
    munmap(stack_bottom(stack) - guard_bytes(), guard_bytes() + STACK_BYTES);
}

void fibre_stacks_release(struct fibre_stacks *stacks)
{
    while (stacks->free != NULL) {
        struct fibre_stack *stack = stacks->free;

        stacks->free = stack->next;
        stack_unmap(stack);
    }
}

static struct fibre_stack *stack_take(struct fibre_stacks *stacks)
{
    struct fibre_stack *stack = stacks->free;

    if (stack == NULL) {
        return stack_map();
    }
    stacks->free = stack->next;
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

/* makecontext() passes ints. */
static LEFT_BY_A_JUMP void begin(unsigned high, unsigned low)
{
    struct fibre *fibre = (struct fibre *)(uintptr_t)((uint64_t)high << 32 | low);

    switch_ends(NULL, &fibre->caller_stack, &fibre->caller_stack_bytes);
    fibre->entry(fibre->opaque);
    fibre->ended = true;
    /* NULL: this stack is not needed any more. */
    switch_begins(NULL, fibre->caller_stack, fibre->caller_stack_bytes);
    _longjmp(fibre->caller, 1);
}

bool fibre_init(struct fibre *fibre, struct fibre_stacks *stacks, void (*entry)(void *opaque))
{
    *fibre = (struct fibre){.entry = entry, .stack = stack_take(stacks)};
    return fibre->stack != NULL;
}

void fibre_release(struct fibre *fibre, struct fibre_stacks *stacks)
{
    if (fibre->stack != NULL) {
        fibre->stack->next = stacks->free;
        stacks->free = fibre->stack;
        fibre->stack = NULL;
    }
}

static LEFT_BY_A_JUMP _Noreturn void jump_in(struct fibre *fibre)
{
    uint64_t address = (uintptr_t)fibre;
    ucontext_t first;

    if (fibre->begun) {
        _longjmp(fibre->own, 1);
    }
    fibre->begun = true;
    getcontext(&first);
    first.uc_stack.ss_sp = stack_bottom(fibre->stack);
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
