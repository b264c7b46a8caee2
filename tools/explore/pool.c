/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Workers take the next item from shared memory and send results through pipes.
 */
#include "tools/explore/pool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/base/progress.h"
#include "tools/base/support.h"
#include "tools/explore/packed.h"
#include "tools/run/crew.h"
#include "tools/run/pipe.h"

/* No message of a worker is that long. */
#define MAX_MESSAGE_BYTES ((size_t)1 << 30)

/* The first number of a message. */
enum message {
    MESSAGE_RESULT,
    MESSAGE_FINDING, /* and its scenario */
    MESSAGE_PIECE,   /* of an item's progress */
    MESSAGE_COUNT
};

struct shared {
    atomic_uint_fast64_t next;   /* item */
    atomic_uint_fast64_t lowest; /* item with a finding: items above it need not be searched */
    atomic_bool over;            /* the time is up, or a signal has come */
};

struct search_crew {
    struct crew crew;
    const struct explore_pool *pool;
    struct explore_space *space;
    struct shared *shared;

    /* In a worker. */
    struct explore_record *record;
    int results;
};

static void note_lowest(struct shared *shared, uint64_t item)
{
    uint_fast64_t lowest = atomic_load(&shared->lowest);

    while (item < lowest && !atomic_compare_exchange_weak(&shared->lowest, &lowest, item)) {
    }
}

/* ---- In a worker ---- */

/* A broken pipe means that the parent is gone: there is nobody to tell. */
static void send(const struct search_crew *crew, struct pack *message)
{
    if (!pipe_send(crew->results, message->bytes, message->count)) {
        _exit(EXIT_HARNESS);
    }
    pack_free(message);
}

static void send_finding(void *opaque, const struct explore_finding *finding, const char *scenario)
{
    struct pack message = {0};

    pack_number(&message, MESSAGE_FINDING);
    pack_finding(&message, finding);
    pack_text(&message, scenario);
    send(opaque, &message);
}

static void send_result(const struct search_crew *crew, const struct explore_result *result)
{
    struct pack message = {0};

    pack_number(&message, MESSAGE_RESULT);
    pack_result(&message, result);
    send(crew, &message);
}

static void send_piece(void *opaque, uint64_t item, const struct pack *piece)
{
    struct pack message = {0};

    pack_number(&message, MESSAGE_PIECE);
    pack_number(&message, item);
    pack_blob(&message, piece->bytes, piece->count);
    send(opaque, &message);
}

static bool find_piece(void *opaque, uint64_t item, uint64_t *number, struct unpack *piece)
{
    const struct search_crew *crew = opaque;

    return crew->pool->saved(crew->pool->opaque, item, number, piece);
}

static bool stop_worker(void *opaque)
{
    const struct search_crew *crew = opaque;
    const struct isolate_limits limits = {.cpu_ms = crew->pool->options->cpu_limit_ms,
                                          .memory_bytes = ISOLATE_MEMORY_BYTES};

    isolate_watch(&limits);
    return atomic_load(&crew->shared->over) ||
           (!crew->pool->options->all &&
            atomic_load(&crew->shared->lowest) < crew->record->result.item);
}

static void search_item(struct search_crew *crew, uint64_t item)
{
    const struct explore_result *result = &crew->record->result;

    explore_item(crew->space, item, crew->record);
    isolate_watch(NULL);
    if (result->finding_count > 0 && !crew->pool->options->all) {
        note_lowest(crew->shared, item);
    }
    send_result(crew, result);
}

static void work(void *opaque, void *record, int results)
{
    struct search_crew *crew = opaque;
    const struct explore_pool *pool = crew->pool;
    uint64_t items = explore_items(crew->space);

    crew->record = record;
    crew->results = results;
    pool->options->found = send_finding;
    for (;;) {
        uint64_t item = atomic_fetch_add(&crew->shared->next, 1);

        crew->record->result.item = item;
        if (item >= items || stop_worker(crew)) {
            _exit(EXIT_PASSED);
        }
        if (!pool->is_done(pool->opaque, item)) {
            search_item(crew, item);
        }
    }
}

/* ---- In the parent ---- */

static void take_finding(void *opaque, const struct explore_finding *finding, const char *scenario)
{
    const struct search_crew *crew = opaque;

    crew->pool->found(crew->pool->opaque, finding, scenario);
}

static void receive_result(const struct search_crew *crew, struct unpack *message)
{
    struct explore_result result;

    unpack_result(message, &result);
    if (unpack_ends(message)) {
        crew->pool->deliver(crew->pool->opaque, &result);
    }
}

static void receive_finding(const struct search_crew *crew, struct unpack *message)
{
    struct explore_finding finding;
    char *scenario;

    unpack_finding(message, &finding);
    scenario = unpack_new_text(message);
    if (unpack_ends(message)) {
        crew->pool->found(crew->pool->opaque, &finding, scenario);
    }
    free(scenario);
}

static void receive_piece(const struct search_crew *crew, struct unpack *message)
{
    uint64_t item = unpack_number(message);
    size_t bytes;
    const uint8_t *piece = unpack_blob(message, &bytes);

    if (unpack_ends(message)) {
        crew->pool->save(crew->pool->opaque, item, piece, bytes);
    }
}

/* Receives a message of the worker; false at its end, and if it is none of ours: the worker's
 * memory may be damaged. */
static bool receive(const struct search_crew *crew, int results)
{
    static void (*const receivers[MESSAGE_COUNT])(const struct search_crew *crew,
                                                  struct unpack *message) = {
        [MESSAGE_RESULT] = receive_result,
        [MESSAGE_FINDING] = receive_finding,
        [MESSAGE_PIECE] = receive_piece};
    struct unpack message = {.failed = false};
    void *record = pipe_receive(results, MAX_MESSAGE_BYTES, &message.left);
    uint64_t kind;

    if (record == NULL) {
        return false;
    }
    message.at = record;
    kind = unpack_at_most(&message, MESSAGE_COUNT - 1);
    if (!message.failed) {
        receivers[kind](crew, &message);
    }
    free(record);
    return unpack_ends(&message);
}

/* The engine has died: the run up to its death is the item's finding. */
static void take_death(struct search_crew *crew, struct explore_record *record,
                       const struct isolate_death *death)
{
    if (death->cause == CAUSE_UNSUPPORTED) {
        die("the engine asked for what its environment has not got: see what `mirrorsim run` says");
    }
    explore_item_died(crew->space, record, death);
    if (!crew->pool->options->all) {
        note_lowest(crew->shared, record->result.item);
    }
    crew->pool->deliver(crew->pool->opaque, &record->result);
    record->under_way = false;
}

/* The worker has sent something, or has ended; one that died is replaced. */
static bool attend(void *opaque, uint32_t number)
{
    struct search_crew *crew = opaque;
    struct isolate *worker = &crew->crew.workers[number];
    struct explore_record *record = worker->record;
    struct isolate_death death;

    if (receive(crew, worker->results)) {
        return true;
    }
    crew_leave(&crew->crew, number);
    death = isolate_end(worker);
    if (record->under_way) {
        take_death(crew, record, &death);
        crew_start(&crew->crew, number);
    } else if (death.cause != CAUSE_EXIT || death.number != EXIT_PASSED) {
        fputs(death.words, stderr);
        die("a worker ended unexpectedly");
    }
    free(death.words);
    return true;
}

/* Returns the signal that has ended it early, or 0. */
static int crew_work(struct search_crew *crew)
{
    const struct explore_pool *pool = crew->pool;
    int interrupted = 0;

    while (crew->crew.alive > 0) {
        int signal_number = crew_wait(&crew->crew, 100, attend);

        interrupted = signal_number != 0 ? signal_number : interrupted;
        if (interrupted != 0 || (pool->end_ms != 0 && clock_ms() >= pool->end_ms)) {
            atomic_store(&crew->shared->over, true);
        }
        pool->progress(pool->opaque);
    }
    return interrupted;
}

int explore_pool_run(const struct explore_pool *pool, struct explore_space *space)
{
    struct search_crew crew = {
        .pool = pool, .space = space, .shared = must_share(sizeof(*crew.shared))};
    int interrupted;

    atomic_init(&crew.shared->lowest, UINT64_MAX);
    pool->options->stop = stop_worker;
    pool->options->found = take_finding;
    pool->options->save = pool->save != NULL ? send_piece : NULL;
    pool->options->saved = pool->saved != NULL ? find_piece : NULL;
    pool->options->opaque = &crew;
    crew_open(&crew.crew, pool->jobs, sizeof(struct explore_record), work, &crew);
    interrupted = crew_work(&crew);
    crew_close(&crew.crew);
    munmap(crew.shared, sizeof(*crew.shared));
    return interrupted;
}
