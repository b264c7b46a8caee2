/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Isolation: code that may crash, loop or exhaust memory runs in a child process.
 *
 *   isolate_open -> isolate_start -> (records) -> isolate_end -> ... -> isolate_close
 *
 * The child runs a body.  It reports to its parent in two ways: records through a pipe (pipe.h),
 * and its progress in shared memory, which the parent can still read when the child is dead.  What
 * it writes to stderr is kept for the parent, too.  The parent reaps the child and describes its
 * death.
 *
 * A child that reaches a limit ends at once, also within one event of the timeline: a timer's
 * signal checks processor time (user and system) and memory, and the world checks the number of
 * events (struct world_options).  A child does not outlive its parent.
 *
 * A child that dies of a limit, or of a signal that says that something has gone wrong in it, notes
 * where it was (stack.h), for its parent.
 *
 * Signal handlers of a child call only async-signal-safe functions: they read the clock and the
 * resource usage (both bare system calls), store numbers and addresses, write() data that is ready,
 * and call _exit() or raise().
 */
#ifndef MIRRORSIM_TOOLS_RUN_ISOLATE_H
#define MIRRORSIM_TOOLS_RUN_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "sim/verdict/finding.h"
#include "tools/base/stack.h"

/* What a run may need in memory unless the user says (`run --memory-limit`). */
#define ISOLATE_MEMORY_MIB 4096
#define ISOLATE_MEMORY_BYTES ((uint64_t)ISOLATE_MEMORY_MIB << 20)

/*
 * 0: no bound.  Memory is what the resident set grows by from the run's beginning; `room_bytes`
 * beyond the limit are tolerated.  Lower limits that the process itself has hold, too: of
 * processor time (`ulimit -t`, RLIMIT_CPU) and of the resident set (`ulimit -m`, RLIMIT_RSS).
 */
struct isolate_limits {
    uint64_t cpu_ms;
    uint64_t memory_bytes;
    uint64_t room_bytes;
};

struct isolate_shared;

struct isolate {
    pid_t pid;                     /* 0 = no child */
    int results;                   /* read end of the child's pipe */
    int errors;                    /* file that has the child's stderr */
    struct isolate_shared *shared; /* with the child */
    void *record;                  /* of the caller's type, shared with the child */
};

/* How a child has ended. */
enum isolate_cause {
    CAUSE_EXIT,        /* with a status */
    CAUSE_SIGNAL,      /* of a signal */
    CAUSE_UNSUPPORTED, /* the engine asked for what its host does not offer */
    CAUSE_CPU,         /* a limit */
    CAUSE_MEMORY,      /* a limit */
    CAUSE_EVENTS,      /* a limit: events within one event of the timeline */
};

struct isolate_death {
    enum isolate_cause cause;
    int number;                   /* exit status, or signal */
    uint64_t limit;               /* the limit it reached: ms, bytes, or events */
    uint64_t peak_bytes;          /* largest resident set */
    char *words;                  /* what it wrote to stderr, or the end of it; the caller's */
    char stack[STACK_TEXT_BYTES]; /* where it was (stack_describe()); "" = not known */
};

/*
 * The child's life.  It sends records to `results`; after it returns, the child exits with
 * EXIT_PASSED.
 */
typedef void isolate_body(void *opaque, void *record, int results);

/* ---- In the parent ---- */

/* The record is zeroed memory of this size. */
void isolate_open(struct isolate *isolate, size_t record_bytes);
void isolate_close(struct isolate *isolate); /* kills the child, if there is one */

/* Starts a child, when there is none; dies if that cannot be done. */
void isolate_start(struct isolate *isolate, isolate_body *body, void *opaque);

/* Ctrl-C reaches the child, too, and is for it to act on: the parent ignores it from now on. */
void isolate_leave_interrupts(void);

/* Waits for the child's end, which the end of its pipe announces. */
struct isolate_death isolate_end(struct isolate *isolate);

/* A finding of the oracle "crash", or, for CAUSE_UNSUPPORTED, of "harness". */
enum finding_id isolate_finding(const struct isolate_death *death);

/* Its death as a sentence, with what it said last; if it said nothing, with where it was. */
void isolate_describe(const struct isolate_death *death, char *text, size_t size);

/*
 * The same on stderr, for a command that looks into one run of the engine, after what the child
 * said itself.  Returns the command's exit code.
 */
int isolate_tell(const struct isolate_death *death, const struct engine *engine);

/*
 * What follows is done in a child with these limits, for a command that has nothing to do
 * without it: the parent waits, tells what the child died of, and exits.  Returns in the child.
 */
void isolate_stand_apart(const struct engine *engine, const struct isolate_limits *limits);

/* ---- In the child ---- */

/* These limits hold from now on, counted anew; NULL: none. */
void isolate_watch(const struct isolate_limits *limits);

/*
 * Calls last_words() when the child is about to die: of a limit, of a signal that says that an
 * assertion has failed or that memory or arithmetic has gone wrong, or of SIGINT, SIGTERM or
 * SIGXCPU.  It is called by a signal handler: see above for what it may do.
 */
void isolate_at_death(void (*last_words)(void));

/*
 * The world has seen too many events within one of the timeline: ends the child.  In a process
 * that is not isolated (`run --no-fork`), says so on stderr and exits with EXIT_FAILED.
 */
_Noreturn void isolate_step_limit(uint64_t events);

#endif
