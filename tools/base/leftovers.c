/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A few paths, which a signal handler may read at any instant.
 */
#include "tools/base/leftovers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

/* Files at one time: results, a report, a checkpoint. */
#define MAX_FILES 8

static _Atomic(const char *) files[MAX_FILES];
static pid_t owner; /* 0 = none has been added yet */

void leftovers_remove(void)
{
    if (getpid() != owner) {
        return;
    }
    for (size_t i = 0; i < MAX_FILES; i++) {
        const char *path = atomic_load(&files[i]);

        if (path != NULL) {
            unlink(path);
        }
    }
}

static void own(void)
{
    if (owner == getpid()) {
        return;
    }
    for (size_t i = 0; i < MAX_FILES; i++) {
        atomic_store(&files[i], NULL);
    }
    owner = getpid();
}

void leftovers_add(const char *path)
{
    size_t i = 0;

    own();
    while (i < MAX_FILES && atomic_load(&files[i]) != NULL) {
        i++;
    }
    assert(i < MAX_FILES);
    atomic_store(&files[i], path);
}

void leftovers_forget(const char *path)
{
    for (size_t i = 0; i < MAX_FILES; i++) {
        if (atomic_load(&files[i]) == path) {
            atomic_store(&files[i], NULL);
        }
    }
}
