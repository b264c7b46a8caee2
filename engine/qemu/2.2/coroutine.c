/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines on glibc's ucontext.
 *
 * Each of its switches costs two system calls, which is little compared to one process per run.
 * A stack lies outside the arena, above a guard page, and is freed when its coroutine has ended.
 * The Coroutine itself stays, so that entering it again is detected.  Every switch is announced
 * to the address sanitizer, every stack to valgrind.
 */
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/qemu/2.2/env.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
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

struct Coroutine {
    Coroutine *next;
    void (*entry)(void *opaque);
    void *opaque;
    char *stack; /* begins with its guard page */
    unsigned valgrind_id;
    bool begun;
    bool ended;
    ucontext_t own;
    ucontext_t caller;
    void *own_fake; /* the sanitizer's fake stack of the side that is not running */
    void *caller_fake;
    const void *caller_stack;
    size_t caller_stack_bytes;
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

static void stack_create(Coroutine *co)
{
    size_t guard = guard_bytes();

    co->stack = mmap(NULL, guard + STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (co->stack == MAP_FAILED || mprotect(co->stack, guard, PROT_NONE) != 0) {
        qemu_die("there is no memory for a coroutine's stack");
    }
    co->valgrind_id = VALGRIND_STACK_REGISTER(co->stack + guard, co->stack + guard + STACK_BYTES);
}

static void stack_free(Coroutine *co)
{
    if (co->stack != NULL) {
        VALGRIND_STACK_DEREGISTER(co->valgrind_id);
        munmap(co->stack, guard_bytes() + STACK_BYTES);
        co->stack = NULL;
    }
}

/* ---- Switching ---- */

/*
 * A coroutine's first function. makecontext() can only pass ints, so it takes
 * the coroutine from `running`.
 */
static void begin(void)
{
    Coroutine *co = qemu_env()->running;

    switch_ends(NULL, &co->caller_stack, &co->caller_stack_bytes);
    co->entry(co->opaque);
    co->ended = true;
    /* NULL: this stack is not needed any more. */
    switch_begins(NULL, co->caller_stack, co->caller_stack_bytes);
    setcontext(&co->caller);
}

Coroutine *qemu_coroutine_create(void (*entry)(void *opaque))
{
    struct engine_job *env = qemu_env();
    Coroutine *co = host_alloc(env->host, sizeof(*co));

    stack_create(co);
    co->entry = entry;
    co->next = env->coroutines;
    env->coroutines = co;
    getcontext(&co->own);
    co->own.uc_stack.ss_sp = co->stack + guard_bytes();
    co->own.uc_stack.ss_size = STACK_BYTES;
    makecontext(&co->own, begin, 0);
    return co;
}

void qemu_coroutine_enter(Coroutine *co, void *opaque)
{
    struct engine_job *env = qemu_env();

    if (env->running != NULL) {
        qemu_die("a coroutine is entered while %s runs", env->running == co ? "it" : "another one");
    }
    if (co->ended) {
        qemu_die("a coroutine that has ended is entered");
    }
    if (!co->begun) {
        co->begun = true;
        co->opaque = opaque;
        qemu_job_started();
    }
    env->running = co;
    switch_begins(&co->caller_fake, co->own.uc_stack.ss_sp, STACK_BYTES);
    swapcontext(&co->caller, &co->own);
    switch_ends(co->caller_fake, NULL, NULL);
    env->running = NULL;
    if (co->ended) {
        stack_free(co);
    }
}

void qemu_coroutine_yield(void)
{
    Coroutine *co = qemu_env()->running;

    if (co == NULL) {
        qemu_die("a yield outside any coroutine");
    }
    switch_begins(&co->own_fake, co->caller_stack, co->caller_stack_bytes);
    swapcontext(&co->own, &co->caller);
    switch_ends(co->own_fake, &co->caller_stack, &co->caller_stack_bytes);
}

void qemu_coroutines_abandon(struct engine_job *env)
{
    for (Coroutine *co = env->coroutines; co != NULL; co = co->next) {
        stack_free(co);
    }
}

void qemu_coroutines_free(struct engine_job *env)
{
    qemu_coroutines_abandon(env);
    while (env->coroutines != NULL) {
        Coroutine *co = env->coroutines;

        env->coroutines = co->next;
        host_free(env->host, co, sizeof(*co));
    }
}
