/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The port that every mirror engine offers: start, command, query, digest.
 *
 * An engine is a value of struct engine.  The world holds a pointer to one
 * and knows nothing else about it.  All state of a job lives in the host's
 * arena, so that copying the arena copies the job.
 */
#ifndef MIRRORSIM_ENGINE_ENGINE_H
#define MIRRORSIM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/block.h"
#include "engine/digest.h"
#include "engine/event.h"

/* Copy buffer size when the user gives none (mirror-algorithm section 1). */
#define MIRROR_DEFAULT_BUFFER_BYTES INT64_C(10485760)

enum job_kind {
    JOB_MIRROR,
    JOB_COMMIT, /* active commit of `source` into `target` (section 9) */
};

enum sync_mode {
    SYNC_FULL,
    SYNC_TOP,
    SYNC_NONE,
};

/* Whose mirror: that of QEMU 2.2 (2014), or today's. */
enum generation {
    GENERATION_2_2,
    GENERATION_MODERN,
};

/* What a guest write waits for (modern-algorithm W). */
enum copy_mode {
    COPY_BACKGROUND,
    COPY_WRITE_BLOCKING,
};

/* What becomes of the target's backing at the end (C6'). */
enum backing_mode {
    BACKING_SOURCE, /* it becomes the source's, or the source */
    BACKING_OPEN,   /* the file that its header names is opened */
    BACKING_LEAVE,
};

struct engine_job; /* each engine's own */
struct job_error;

/* What to do; the caller keeps ownership of strings and nodes. */
struct job_spec {
    enum job_kind kind;
    struct block_node *source;
    struct block_node *target;
    const char *replaces; /* name of the node to replace, or NULL: the source */
    enum sync_mode sync;
    int64_t speed;        /* bytes/s, 0 = unlimited */
    int64_t granularity;  /* bytes, 0 = choose (S1) */
    int64_t buffer_bytes; /* MIRROR_DEFAULT_BUFFER_BYTES unless the user sets it */
    enum error_policy on_source_error;
    enum error_policy on_target_error; /* a commit uses on_source_error for both */

    /* ---- Today's generation only; zeroes for 2.2 ---- */
    const char *id;          /* NULL: none (S3') */
    const char *filter_name; /* of the filter's node; NULL: made up */
    enum copy_mode copy_mode;
    enum backing_mode backing_mode;
    bool unmap;          /* zeroes may be written by unmapping; set for a commit (A1') */
    bool target_is_zero; /* the user says so (Z2) */
    bool auto_finalize;
    bool auto_dismiss;
    bool auto_complete; /* a commit */
    bool plain_cursor;  /* a foreign file's dirty iterator: the order of the recorded runs */

    /*
     * The job exists: called from inside of start(), or from the main loop if start() has to wait
     * in a drained section; before the status event CREATED.
     */
    void (*announced)(void *opaque, struct engine_job *job);

    /*
     * A start that answered -EINPROGRESS is over: 0, or -errno with *error, which lives as long as
     * the call, and no job.
     */
    void (*started)(void *opaque, int ret, const struct job_error *error);

    /*
     * Called once, from the main loop, when the job has concluded, after the
     * COMPLETED or CANCELLED event; the job is gone when it returns.  It is not
     * called for a refused start.  Today's generation: called when the job is
     * NULL, which with a manual dismiss is later than that event.
     */
    void (*concluded)(void *opaque, int ret);
    void *opaque;
};

/* Why a start or a command was refused: in words, and as a number for checks. */
struct job_error {
    enum job_refusal refusal;
    char text[160]; /* a sentence without a full stop */
};

/* The state of the job's life cycle, as the user sees it. */
enum job_status {
    JOB_STATUS_CREATED,
    JOB_STATUS_RUNNING, /* copying, not ready */
    JOB_STATUS_PAUSED,  /* parked while not ready */
    JOB_STATUS_READY,
    JOB_STATUS_STANDBY,    /* parked while ready */
    JOB_STATUS_CONCLUDING, /* the loop has ended, the completion has not run yet */
    JOB_STATUS_CONCLUDED,
    JOB_STATUS_UNDEFINED, /* from here on: today's generation (J) */
    JOB_STATUS_WAITING,
    JOB_STATUS_PENDING,
    JOB_STATUS_ABORTING,
    JOB_STATUS_NULL,
    JOB_STATUS_COUNT,
};

/* The answer to a query (C7). */
struct job_info {
    enum job_kind kind;
    enum job_status status;
    uint64_t offset;
    uint64_t len;
    uint64_t speed;
    enum io_status io_status;
    bool busy;   /* neither sleeping nor parked */
    bool paused; /* a pause is wanted, whether or not the job has parked yet */
    bool ready;
    bool cancelled;

    /* ---- Today's generation only ---- */
    bool actively_synced;   /* W9 */
    int64_t dirty_bytes;    /* whole chunks; -1: there is no bitmap any more */
    const char *error_text; /* of a job that has failed, from the end of its run on; else NULL */
};

struct engine {
    const char *name;
    const char *summary; /* one line for `mirrorsim engines` */
    enum generation generation;

    /*
     * Starts a job.  Returns 0 and sets *job; the job has run until it first
     * had to wait, and may have deferred its conclusion to the main loop.  Or
     * returns -errno: the start was refused, *error says why, and everything is
     * as it was.  Then *job is not set, except for a job that stays attached
     * although its start failed (D2).  -EINPROGRESS (today's generation): the
     * start waits in a drained section; spec->announced and spec->started say
     * the rest.
     */
    int (*start)(struct host *host, const struct job_spec *spec, struct engine_job **job,
                 struct job_error *error);

    /*
     * Gives a command.  `arg` is the speed for VERB_SET_SPEED, 1 for a force
     * cancel, the copy mode for VERB_CHANGE.  Returns 0, or -errno with *error
     * filled in and nothing changed.  Never calls `concluded`.
     */
    int (*command)(struct engine_job *job, enum job_verb verb, int64_t arg,
                   struct job_error *error);

    void (*query)(const struct engine_job *job, struct job_info *info);

    /* Adds the complete state of the job, without addresses. */
    void (*digest)(const struct engine_job *job, struct digest *digest);

    /* Asserts the job's own invariants (section 10). */
    void (*check)(const struct engine_job *job);

    /*
     * A promise, for exploring (sim/world/independent.h): when a read of the source has succeeded,
     * the job submits the write of that data, and reads and changes nothing else of its state.
     */
    bool reads_only_write;

    /* The name of a phase number in EVENT_JOB_PHASE. */
    const char *(*phase_name)(unsigned phase);

    /* The name of a trace point number in EVENT_JOB_TRACE; NULL: the engine has no trace points. */
    const char *(*trace_point_name)(unsigned point);

    /*
     * Somebody else's code.  Not all its state is in the host's arena, so a world with it cannot
     * be saved and restored, nor its states be told apart, and damage it does may outlive its
     * run.  Therefore exploring replays from the start, and a finding counts only in the first
     * run of a process.
     */
    bool foreign;

    /*
     * Of a foreign engine: data that the code keeps for itself, from world to world of a process.
     * A world begins by putting it back to what it was when the program was loaded; is_as_loaded():
     * it is that now.  Both NULL: there is none.
     */
    void (*renew)(void);
    bool (*is_as_loaded)(void);

    /*
     * Who waits for what inside the job, in words: a part of a sentence.  For a job that does not
     * end; NULL: its phases tell.
     */
    void (*describe_waits)(const struct engine_job *job, char *text, size_t bytes);

    /*
     * Called when the world ends while the job exists: frees what is not in the arena.  NULL:
     * there is nothing outside the arena.
     */
    void (*abandon)(struct engine_job *job);
};

/*
 * A foreign engine that needs something the host does not offer prints a sentence on stderr and
 * ends its process with this signal: there is no other way out of the middle of somebody else's
 * code.
 */
#define ENGINE_SIGNAL_UNSUPPORTED SIGSYS

/* Our engines: of 2.2, and today's. */
extern const struct engine mirror_engine;
extern const struct engine modern_engine;

/* Names; implemented in event.c with those of events. */
const char *job_status_name(enum job_status status);
const char *job_kind_name(enum job_kind kind);
const char *sync_mode_name(enum sync_mode sync);
const char *copy_mode_name(enum copy_mode mode);
const char *backing_mode_name(enum backing_mode mode);
const char *generation_name(enum generation generation);

#endif
