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

/* Is a byte another one than in `from`?  NULL: than 0. */
static UNGUARDED bool differs(const char *memory, const char *end, const char *from)
{
    bool found = false;

    for (const char *at = memory; at < end && !found; at++) {
        found = *at != (from != NULL ? from[at - memory] : 0);
    }
    return found;
}

/* volatile: no loop becomes a memcpy(). */
static UNGUARDED void copy(volatile char *to, const char *end, const char *from)
{
    for (ptrdiff_t i = 0; to + i < end; i++) {
        to[i] = from != NULL ? from[i] : 0;
    }
}

static void keep_loaded(struct qemu_statics *statics)
{
    size_t bytes = (size_t)(statics->data_end - statics->data);

    statics->loaded = malloc(bytes + 1); /* a byte more: it is not NULL */
    if (statics->loaded == NULL) {
        qemu_die("there is no memory for a copy of the file's variables");
    }
    copy(statics->loaded, statics->loaded + bytes, statics->data);
}

void qemu_statics_renew(struct qemu_statics *statics)
{
    if (statics->loaded == NULL) {
        keep_loaded(statics);
    } else if (!qemu_statics_are_as_loaded(statics)) {
        copy(statics->data, statics->data_end, statics->loaded);
        copy(statics->zero, statics->zero_end, NULL);
    }
}

bool qemu_statics_are_as_loaded(const struct qemu_statics *statics)
{
    return statics->loaded == NULL ||
           (!differs(statics->data, statics->data_end, statics->loaded) &&
            !differs(statics->zero, statics->zero_end, NULL));
}
