/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One worker process, as its parent sees it.
 */
#ifndef MIRRORSIM_TOOLS_RUN_WORKER_H
#define MIRRORSIM_TOOLS_RUN_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/run/workers.h"

/* In memory that all processes share. */
struct worker_shared {
    _Atomic uint64_t next;          /* number of the next run that nobody has taken */
    struct run_progress progress[]; /* one per worker */
};

struct worker {
    pid_t pid;                     /* 0 = none */
    int results;                   /* read end of its pipe */
    int errors;                    /* file that gets its stderr */
    struct run_progress *progress; /* shared */
};

/*
 * What a worker process does, from its fork to its end.  Around each run it sets
 * progress->under_way; it sends results to `results`.
 */
typedef void worker_body(void *opaque, struct run_progress *progress, int results);

/* Starts a process; worker->progress is set already. */
void worker_fork(struct worker *worker, worker_body *body, void *opaque);

/* For bodies: a result for the parent, and a bound on the processor time from now on (0: none). */
void worker_send(int results, const struct run_result *result);
void worker_watch(uint64_t ms);

/*
 * Starts a process for a suite: it runs until there is no next run, or, with a foreign engine,
 * once.
 */
void worker_start(struct worker *worker, const struct suite *suite,
                  const struct workers_options *options, struct worker_shared *shared);

/* The next result, to be freed by the caller; NULL at its end or death. */
struct run_result *worker_receive(const struct worker *worker);

/*
 * After worker_receive() gave NULL: reaps it.  If it died during a run,
 * returns that run's result.
 */
struct run_result *worker_end(struct worker *worker, uint32_t cpu_limit_s);

void worker_kill(struct worker *worker);

#endif
