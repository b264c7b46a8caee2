/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Coroutines of today's generation, and the order in which they are woken.
 *
 * The order is that of engine/life/strand.h, for the same reason: a coroutine that is woken from
 * inside another one runs when that one waits or ends, first in first out, and what it has woken
 * itself comes before the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/qemu/modern/env.h"

#define IS_COROUTINE UINT64_C(0xc0207153d1a7e9b3)

/* ---- Lists ---- */

static void append(struct co_list *list, Coroutine *co)
{
    assert(!co->listed);
    co->listed = true;
    co->next = NULL;
    if (list->first == NULL) {
        list->first = co;
    } else {
        list->last->next = co;
    }
    list->last = co;
}

static Coroutine *take(struct co_list *list)
{
    Coroutine *co = list->first;

    if (co != NULL) {
        list->first = co->next;
        co->listed = false;
    }
    return co;
}

/* `first` comes before `list`. */
static void prepend(struct co_list *list, struct co_list first)
{
    if (first.first == NULL) {
        return;
    }
    first.last->next = list->first;
    if (list->first == NULL) {
        list->last = first.last;
    }
    list->first = first.first;
}

/* ---- Making and entering ---- */

static void begin(void *opaque)
{
    Coroutine *co = opaque;

    co->entry(co->opaque);
}

Coroutine *qemu_co_new(struct engine_job *env, void (*entry)(void *opaque), void *opaque)
{
    Coroutine *co = qemu_own_alloc(sizeof(*co));

    if (!fibre_init(&co->fibre, begin)) {
        qemu_die("there is no memory for a coroutine's stack");
    }
    co->fibre.opaque = co;
    co->mark = IS_COROUTINE;
    co->number = ++env->coroutine_count;
    co->entry = entry;
    co->opaque = opaque;
    LIST_INSERT_HEAD(&env->coroutines, co, link);
    return co;
}

static void end(struct engine_job *env, Coroutine *co)
{
    fibre_release(&co->fibre);
    LIST_REMOVE(co, link);
    if (env->job_coroutine == co) {
        env->job_coroutine = NULL;
    }
    co->mark = 0;
    free(co);
}

static bool is_known(const struct engine_job *env, const Coroutine *wanted)
{
    const Coroutine *co;

    LIST_FOREACH (co, &env->coroutines, link) {
        if (co == wanted) {
            return co->mark == IS_COROUTINE;
        }
    }
    return false;
}

static void resume(struct engine_job *env, Coroutine *co)
{
    Coroutine *outer = env->running;

    co->running = true;
    co->waits = NULL;
    env->running = co;
    fibre_enter(&co->fibre);
    env->running = outer;
    co->running = false;
}

static void enter(struct engine_job *env, Coroutine *co)
{
    struct co_list todo = {NULL, NULL};

    append(&todo, co);
    while ((co = take(&todo)) != NULL) {
        resume(env, co);
        prepend(&todo, co->woken);
        co->woken = (struct co_list){NULL, NULL};
        if (co->fibre.ended) {
            end(env, co);
        }
    }
}

/* ---- For the environment ---- */

void qemu_main(struct engine_job *env, void (*entry)(void *opaque), void *opaque)
{
    Coroutine *co = qemu_co_new(env, entry, opaque);

    co->is_main = true;
    enter(env, co);
}

Coroutine *qemu_co_current(struct engine_job *env)
{
    return env->running != NULL && !env->running->is_main ? env->running : NULL;
}

Coroutine *qemu_co_needed(const char *call)
{
    Coroutine *co = qemu_job_env()->running;

    if (co == NULL) {
        qemu_unsupported("%s in a function that only answers a question", call);
    }
    return co;
}

Coroutine *qemu_co_real(const char *call)
{
    Coroutine *co = qemu_co_current(qemu_job_env());

    if (co == NULL) {
        qemu_die("%s outside a coroutine", call);
    }
    return co;
}

void qemu_co_wait(Coroutine *co, const char *what)
{
    assert(co == qemu_job_env()->running);
    co->waits = what;
    fibre_yield(&co->fibre);
}

void qemu_co_wake(struct engine_job *env, Coroutine *co)
{
    Coroutine *waker = qemu_co_current(env);

    if (co->running || co->listed) {
        qemu_die("a coroutine is woken that %s", co->running ? "runs" : "has been woken already");
    }
    if (waker != NULL) {
        append(&waker->woken, co);
    } else {
        enter(env, co);
    }
}

void qemu_co_wake_from_world(struct engine_job *env, Coroutine *co)
{
    struct qemu_env *before = qemu_begin_call(env);

    qemu_co_wake(env, co);
    qemu_end_call(env, before);
}

void qemu_co_check_all_ended(const struct engine_job *env)
{
    const Coroutine *co = LIST_FIRST(&env->coroutines);

    if (co != NULL) {
        qemu_die("the job is gone, and a coroutine of it still waits for %s",
                 co->waits != NULL ? co->waits : "its beginning");
    }
}

void qemu_co_abandon(struct engine_job *env)
{
    while (!LIST_EMPTY(&env->coroutines)) {
        end(env, LIST_FIRST(&env->coroutines));
    }
}

/* ---- In words ---- */

/*
 * Whose operation a queue belongs to: the coroutine was given the memory that it is in, or has made
 * it; NULL: nobody's who is there.
 */
static const Coroutine *owner_of(const struct engine_job *env, const CoQueue *queue)
{
    const Coroutine *maker = NULL;
    const Coroutine *co;

    LIST_FOREACH (co, &env->coroutines, link) {
        if (!co->is_main && co != env->job_coroutine && co->guest == NULL &&
            qemu_piece_holds(co->opaque, queue)) {
            return co; /* it is the operation's own */
        }
        maker = co->number == queue->own_maker ? co : maker;
    }
    return maker;
}

/* A text that grows as far as there is room. */
struct words {
    char *text;
    size_t bytes;
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *words, const char *format, ...)
{
    va_list args;
    int added;

    va_start(args, format);
    added = vsnprintf(words->text + words->length, words->bytes - words->length, format, args);
    va_end(args);
    words->length = MIN(words->length + (size_t)MAX(added, 0), words->bytes - 1);
}

static void say_name(struct words *words, const struct engine_job *env, const Coroutine *co)
{
    if (co == env->job_coroutine) {
        say(words, "the job");
    } else if (co->guest != NULL) {
        say(words, "guest request #%" PRIu32, qemu_guest_number(co->guest));
    } else if (co->is_main) {
        say(words, "the main loop");
    } else {
        say(words, "coroutine %lu", co->number);
    }
}

static void say_wait(struct words *words, const struct engine_job *env, const Coroutine *co)
{
    const Coroutine *other = co->queue != NULL ? owner_of(env, co->queue) : NULL;

    say(words, "%s", words->length > 0 ? ", " : "");
    say_name(words, env, co);
    say(words, " waits for ");
    if (other != NULL) {
        say_name(words, env, other);
    } else {
        say(words, "%s", co->queue != NULL ? "a queue that nobody will wake" : co->waits);
    }
}

void qemu_co_describe(const struct engine_job *env, char *text, size_t bytes)
{
    struct words words = {text, bytes, 0};
    const Coroutine *co;

    text[0] = '\0';
    LIST_FOREACH (co, &env->coroutines, link) {
        if (co->waits != NULL) {
            say_wait(&words, env, co);
        }
    }
}

/* ---- The interface ---- */

Coroutine *qemu_coroutine_create(void (*entry)(void *opaque), void *opaque)
{
    return qemu_co_new(qemu_job_env(), entry, opaque);
}

void qemu_coroutine_enter(Coroutine *co)
{
    struct engine_job *env = qemu_job_env();

    if (!is_known(env, co)) {
        qemu_die("a coroutine that has ended is entered");
    }
    if (co->running) {
        qemu_die("a coroutine is entered while it runs");
    }
    if (co->listed) {
        qemu_die("a coroutine is entered that %s",
                 co->queue != NULL ? "waits in a queue" : "has been woken already");
    }
    enter(env, co);
}

Coroutine *qemu_coroutine_self(void)
{
    return qemu_job_env()->running;
}

/* ---- Queues: the same lists ---- */

void qemu_co_queue_init(CoQueue *queue)
{
    const Coroutine *maker = qemu_job_env()->running;

    *queue = (CoQueue){.own_maker = maker != NULL ? maker->number : 0};
}

void qemu_co_queue_wait(CoQueue *queue, CoMutex *lock)
{
    Coroutine *co = qemu_co_real("qemu_co_queue_wait()");
    struct co_list list = {queue->own_first, queue->own_last};

    if (lock != NULL) {
        qemu_unsupported("a queue with a lock");
    }
    append(&list, co);
    queue->own_first = list.first;
    queue->own_last = list.last;
    co->queue = queue;
    qemu_co_wait(co, "an operation to end");
}

/* The list is taken first: who is woken may free the queue. */
void qemu_co_queue_restart_all(CoQueue *queue)
{
    struct engine_job *env = qemu_job_env();
    struct co_list list = {queue->own_first, queue->own_last};
    Coroutine *co;

    queue->own_first = queue->own_last = NULL;
    while ((co = take(&list)) != NULL) {
        co->queue = NULL;
        qemu_co_wake(env, co);
    }
}
