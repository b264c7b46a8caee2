/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of what a job is made in a user's own job.c and blockjob.c; what begins with `own` belongs to the
 * environment.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_PARTS_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_FRAMEWORK_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "mirrorsim/macros.h"

typedef struct Notifier Notifier;

struct Notifier {
    void (*notify)(Notifier *notifier, void *data);
    QLIST_ENTRY(Notifier) node;
};

typedef struct NotifierList {
    QLIST_HEAD(, Notifier) notifiers;
} NotifierList;

typedef struct QEMUTimer {
    void (*own_fired)(void *opaque);
    void *own_opaque;
    struct host_timer *own_timer; /* NULL: it is not pending */
    struct engine_job *own_env;
} QEMUTimer;

typedef struct ProgressMeter {
    uint64_t current;
    uint64_t total;
} ProgressMeter;

typedef struct RateLimit {
    uint64_t own[4];
} RateLimit;

typedef struct QemuMutex {
    bool own_locked;
} QemuMutex;

typedef struct GSList {
    void *data;
    struct GSList *next;
} GSList;

#endif
