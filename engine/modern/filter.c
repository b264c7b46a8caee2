/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter node: every guest request on its way (modern-algorithm F1, F2, W1).
 *
 * A request that changes something is either active (active.c), or goes to the source and is marked
 * when that has ended.  The bitmap is there as long as the filter is; the job need not be (R7').
 *
 * Declared in engine/modern/modern.h: it is a part of the job.
 */
#include <assert.h>

#include "engine/modern/modern.h"

static bool changes(enum op op)
{
    return op == OP_WRITE || op == OP_WRITE_ZEROES || op == OP_DISCARD;
}

bool modern_is_active(const struct engine_job *mirror)
{
    return mirror->filter_knows && mirror->write_blocking && mirror->stored_error == 0 &&
           !mirror->life.force_cancelled;
}

/* A request is known by the filter that it came through. */
struct passage {
    struct engine_job *mirror;
    struct interposed *request;
};

static void finish(struct passage *passage, int ret)
{
    struct interposed *request = passage->request;

    host_free(passage->mirror->life.host, passage, sizeof(*passage));
    interposed_finish(request, ret);
}

static void passed(void *opaque, int ret)
{
    finish(opaque, ret);
}

/* F2; also after a failure: a part may have landed. */
static void changed(void *opaque, int ret)
{
    struct passage *passage = opaque;
    struct interposed_info info = interposed_info(passage->request);

    modern_set_synced(passage->mirror, false);
    modern_mark_changed(passage->mirror, info.offset, info.bytes);
    op_note_overtaken(passage->mirror, info.offset, info.bytes);
    finish(passage, ret);
}

static void arrived(void *opaque, struct interposed *request)
{
    struct engine_job *mirror = opaque;
    struct interposed_info info = interposed_info(request);
    struct passage *passage;

    if (changes(info.op) && modern_is_active(mirror)) {
        modern_active_begin(mirror, request);
        return;
    }
    passage = host_alloc(mirror->life.host, sizeof(*passage));
    *passage = (struct passage){mirror, request};
    interposed_pass(request, changes(info.op) ? changed : passed, passage);
}

const struct interposer modern_interposer = {arrived};
