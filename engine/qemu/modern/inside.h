/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A user's own job.c and blockjob.c, as the environment sees them.
 *
 * Their words and types are not the environment's, some of the same names.  So inside.c, which is
 * compiled like the user's files and linked with them, answers in those of this header.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_INSIDE_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

struct Coroutine;
struct Error;

/* How a job is; statuses in the order of the user's files. */
struct qemu_inside_state {
    unsigned status;
    bool busy;
    bool pause_wanted;
    bool user_paused;
    bool cancel_wanted;
    bool force_cancelled;
    bool is_commit;
    bool synced;
    int ret;
    int io_status; /* 0 ok, 1 failed, 2 no space */
    uint64_t done_bytes;
    uint64_t total_bytes;
    int64_t speed;
    const char *error_text; /* NULL: none of the run's own */
    struct Coroutine *co;
};

enum qemu_inside_verb {
    INSIDE_COMPLETE,
    INSIDE_CANCEL, /* arg: by force? */
    INSIDE_PAUSE,
    INSIDE_RESUME,
    INSIDE_SET_SPEED, /* arg */
    INSIDE_FINALIZE,
    INSIDE_DISMISS,
    INSIDE_CHANGE, /* arg: write-blocking? */
};

struct qemu_inside {
    /* False: there is no job of this id. */
    bool (*look)(const char *id, struct qemu_inside_state *state);

    /* The job is there; from a main coroutine. */
    void (*command)(const char *id, enum qemu_inside_verb verb, int64_t arg, struct Error **errp);
};

#endif
