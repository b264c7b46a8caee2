/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Excuses: three sets of ranges, images of which only the allocation matters.
 */
#include "sim/model/excuses.h"

#include <stddef.h>

#include "sim/model/owed.h"
#include "sim/model/suspects.h"

void excuses_open(struct excuses *excuses, const struct evidence *evidence)
{
    if (plan_has_silent_fault(evidence->plan)) {
        excuses->lasting = image_create(evidence->arena);
        excuses->untold = image_create(evidence->arena);
        excuses->unseen = image_create(evidence->arena);
    }
}

static void add(struct image *image, uint64_t offset, uint64_t bytes)
{
    if (bytes > 0) {
        image_write(image,
                    (struct run){offset / SECTOR_BYTES, bytes / SECTOR_BYTES, TAG_ZERO, 0, false});
    }
}

/* What a change was to bring to its place, and what it has spoiled elsewhere. */
static void excuse_change(struct image *image, const struct event *event,
                          const struct fault_spec *spec)
{
    add(image, event->offset, event->bytes);
    if (spec->kind == FAULT_MISDIRECT) {
        add(image, spec->bytes, event->bytes);
    }
}

/* What the guest's own writes spoil is on the source, and copied; but what they hit elsewhere is
 * not marked. */
void excuses_hit(struct excuses *excuses, const struct evidence *evidence,
                 const struct event *event)
{
    const struct fault_spec *spec = &evidence->plan->faults[event->index];

    if (excuses->lasting == NULL || !fault_is_silent(spec->kind)) {
        return;
    }
    if (event->by == BY_GUEST) {
        if (op_is_change(event->op) && spec->kind == FAULT_MISDIRECT) {
            add(excuses->lasting, spec->bytes, event->bytes);
        }
    } else if (op_is_change(event->op)) {
        excuse_change(excuses->untold, event, spec);
    } else if (event->op == OP_ALL_ZERO) {
        add(excuses->unseen, event->offset, event->bytes);
    } else if (event->op != OP_FLUSH) {
        add(excuses->lasting, event->offset, event->bytes);
    }
}

void excuses_end(struct excuses *excuses, uint64_t offset, uint64_t bytes)
{
    if (excuses->lasting != NULL) {
        image_punch(excuses->lasting, offset, bytes);
        image_punch(excuses->untold, offset, bytes);
    }
}

void excuses_written(struct excuses *excuses, uint64_t offset, uint64_t bytes)
{
    if (excuses->unseen != NULL) {
        image_punch(excuses->unseen, offset, bytes);
    }
}

static void confirm(struct excuses *excuses, uint64_t end)
{
    struct run run;

    for (uint64_t sector = 0; sector < end; sector += run.sectors) {
        if (image_lookup(excuses->untold, sector, end, &run)) {
            image_write(excuses->lasting, run);
        }
    }
}

void excuses_flushed(struct excuses *excuses, const struct evidence *evidence,
                     const struct event *event)
{
    uint64_t bytes = evidence->disks[event->node]->bytes;

    if (excuses->lasting == NULL) {
        return;
    }
    if (event->ret == 0) {
        confirm(excuses, bytes / SECTOR_BYTES);
    }
    if (event->ret == 0 || evidence->plan->disks[event->node].volatile_cache) {
        image_punch(excuses->untold, 0, bytes);
    }
}

bool excuses_cover(const struct excuses *excuses, uint64_t *sector, uint64_t limit)
{
    struct run run;

    if (excuses->lasting == NULL || (!image_lookup(excuses->lasting, *sector, limit, &run) &&
                                     !image_lookup(excuses->untold, *sector, limit, &run) &&
                                     !image_lookup(excuses->unseen, *sector, limit, &run))) {
        return false;
    }
    *sector = run.sector + run.sectors;
    return true;
}

void excuses_digest(const struct excuses *excuses, const struct evidence *evidence,
                    struct digest *digest)
{
    if (excuses->lasting != NULL) {
        image_digest(excuses->lasting, evidence->writers, digest);
        image_digest(excuses->untold, evidence->writers, digest);
        image_digest(excuses->unseen, evidence->writers, digest);
    }
}
