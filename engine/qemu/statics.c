/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing a foreign file's static variables with what they were, and putting them back.
 *
 * The address sanitizer guards the space between variables, which is compared and copied here like
 * the rest; and its own memcpy() would object.
 */
#include "engine/qemu/statics.h"

#include "engine/qemu/env.h"

#include <stdlib.h>

#define UNGUARDED __attribute__((no_sanitize("address")))

/* Is a byte another one than in `from`? */
static UNGUARDED bool differs(const char *memory, const char *end, const char *from)
{
    bool found = false;

    for (const char *at = memory; at < end && !found; at++) {
        found = *at != from[at - memory];
    }
    return found;
}

/* volatile: no loop becomes a memcpy(). */
static UNGUARDED void copy(volatile char *to, const char *end, const char *from)
{
    for (ptrdiff_t i = 0; to + i < end; i++) {
        to[i] = from[i];
    }
}

static size_t data_bytes(const struct qemu_statics *statics)
{
    return (size_t)(statics->data_end - statics->data);
}

/* Of the zeroes, too: the address sanitizer has bytes of its own among them that are none. */
static void keep_loaded(struct qemu_statics *statics)
{
    size_t data = data_bytes(statics);
    size_t zero = (size_t)(statics->zero_end - statics->zero);

    statics->loaded = malloc(data + zero + 1); /* a byte more: it is not NULL */
    if (statics->loaded == NULL) {
        qemu_die("there is no memory for a copy of the file's variables");
    }
    copy(statics->loaded, statics->loaded + data, statics->data);
    copy(statics->loaded + data, statics->loaded + data + zero, statics->zero);
}

void qemu_statics_renew(struct qemu_statics *statics)
{
    if (statics->loaded == NULL) {
        keep_loaded(statics);
    } else if (!qemu_statics_are_as_loaded(statics)) {
        copy(statics->data, statics->data_end, statics->loaded);
        copy(statics->zero, statics->zero_end, statics->loaded + data_bytes(statics));
    }
}

bool qemu_statics_are_as_loaded(const struct qemu_statics *statics)
{
    return statics->loaded == NULL ||
           (!differs(statics->data, statics->data_end, statics->loaded) &&
            !differs(statics->zero, statics->zero_end, statics->loaded + data_bytes(statics)));
}
