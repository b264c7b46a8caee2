/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Summarises the chain of a sector in a sentence or two.
 *
 * Declared in tools/explain/private.h: it sums up what follow.c has found.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/explain/private.h"

static const char *disk_name(const struct follow *follow, uint32_t disk)
{
    return phrase_disk(world_evidence(follow->run->world), disk);
}

/* Says whether the copy read the content before or after the guest's write. */
static char *taken_in_words(const struct follow *follow, const struct copy *copy)
{
    char *guest = explain_request(follow->run, follow->changed_by);
    char *read = explain_request(follow->run, copy->read);
    char *text;

    if (follow->changed_by == 0) {
        text =
            must_printf("%s had read the sector at %s", read, quantity_time(copy->taken_ns).text);
    } else {
        text = must_printf("%s had read the sector at %s, %s %s changed it at %s", read,
                           quantity_time(copy->taken_ns).text,
                           copy->taken_ns <= follow->changed_ns ? "before" : "after", guest,
                           quantity_time(follow->changed_ns).text);
    }
    free(guest);
    free(read);
    return text;
}

static char *old_over_new(const struct follow *follow)
{
    char *write = explain_request(follow->run, follow->wrong.request);
    char *taken = taken_in_words(follow, &follow->wrong.copy);
    char *earlier = explain_request(follow->run, follow->wrong.earlier_by);
    bool over = follow->wrong.earlier_by != 0;
    char *text =
        must_printf("%s wrote older content to %s at %s: its %s.%s%s%s%s%s Nothing marked the "
                    "chunk dirty again.",
                    write, disk_name(follow, follow->target), quantity_time(follow->wrong.ns).text,
                    taken, over ? " It overwrote the newer content that " : "", over ? earlier : "",
                    over ? " had written at " : "",
                    over ? quantity_time(follow->wrong.earlier_ns).text : "", over ? "." : "");

    free(write);
    free(taken);
    free(earlier);
    return text;
}

static char *failed(const struct follow *follow)
{
    char *name = explain_request(follow->run, follow->wrong.request);
    const struct event *submit = explain_submit(follow->run, follow->wrong.request);
    char *text = must_printf("The dirty bit had been cleared at %s for this copy; when its %s of "
                             "%s failed at %s, nothing set it again: the sector was forgotten.",
                             quantity_time(follow->cleared_ns).text, name,
                             disk_name(follow, submit->node), quantity_time(follow->wrong.ns).text);

    free(name);
    return text;
}

static char *cleared(const struct follow *follow)
{
    char *taken = taken_in_words(follow, &follow->wrong.copy);
    char *text =
        must_printf("The dirty bit was cleared at %s, when %s held content that no copy in flight "
                    "had read: %s.",
                    quantity_time(follow->wrong.ns).text, disk_name(follow, follow->source), taken);

    free(taken);
    return text;
}

static char *guest_changed(const struct follow *follow)
{
    char *guest = explain_request(follow->run, follow->wrong.request);
    uint64_t changed_ns =
        follow->changed_by == follow->wrong.request ? follow->changed_ns : follow->wrong.ns;
    char *marked = follow->set_ns > 0 && follow->was_cleared
                       ? must_printf(" (the bit had last been set at %s and cleared at %s)",
                                     quantity_time(follow->set_ns).text,
                                     quantity_time(follow->cleared_ns).text)
                       : must_strdup("");
    char *text =
        follow->wrong.kind == WRONG_UNWATCHED
            ? must_printf("%s changed %s at %s, when the job had already released its dirty "
                          "bitmap: nobody copied it.",
                          guest, disk_name(follow, follow->source), quantity_time(changed_ns).text)
            : must_printf("%s changed %s at %s, and nothing marked the chunk dirty after that%s.",
                          guest, disk_name(follow, follow->source), quantity_time(changed_ns).text,
                          marked);

    free(guest);
    free(marked);
    return text;
}

static char *not_written(const struct follow *follow)
{
    char *write = explain_request(follow->run, follow->wrong.request);
    char *text = must_printf(
        "%s of the job was acknowledged at %s, but %s does not hold what it should have written.",
        write, quantity_time(follow->wrong.ns).text, disk_name(follow, follow->target));

    free(write);
    return text;
}

static char *target_changed(const struct follow *follow)
{
    char *flushed = follow->was_flushed ? must_printf("its last successful flush ended at %s",
                                                      quantity_time(follow->flushed_ns).text)
                                        : must_strdup("no flush of it had succeeded before");
    char *text = must_printf("Something other than the job changed %s at %s; %s.",
                             disk_name(follow, follow->target),
                             quantity_time(follow->wrong.ns).text, flushed);

    free(flushed);
    return text;
}

static char *still_owed(const struct follow *follow)
{
    char *guest = follow->changed_by > 0 ? explain_request(follow->run, follow->changed_by)
                                         : must_strdup("nobody since the start of the job");
    const char *why = follow->wrong.guest  ? "; that write was still in flight, and not marked yet"
                      : follow->wrong.read ? "; a copy of it was in flight"
                                           : "; its dirty bit was still set";
    char *text = must_printf(
        "The job %s at %s, though the sector was still to be copied: %s was last changed by %s%s.",
        follow->wrong.kind == WRONG_ENDED ? "ended with success" : "released its dirty bitmap",
        quantity_time(follow->wrong.ns).text, disk_name(follow, follow->source), guest, why);

    free(guest);
    return text;
}

/* For a sector that was never owed, or whose finding is not about the copy. */
static char *otherwise(const struct follow *follow)
{
    const struct run_finding *finding = follow->subject->finding;
    bool differ = follow->source_tag != follow->target_tag;
    bool of_flush = finding != NULL && finding_is(finding->id, FINDING_OF_FLUSH);
    char *write = explain_request(follow->run, follow->written_by);
    char *text = NULL;

    if (differ && follow->started && !follow->was_marked && finding != NULL) {
        text = must_printf(
            "Until then the job had not once marked the sector dirty, so it did not copy it.");
    } else if (of_flush && follow->written_by > 0 && !follow->was_flushed) {
        text =
            must_printf("%s reached %s at %s, and no flush of %s has succeeded since.", write,
                        disk_name(follow, follow->target), quantity_time(follow->written_ns).text,
                        disk_name(follow, follow->target));
    } else if (of_flush && follow->written_by > 0) {
        text =
            must_printf("%s reached %s at %s; the last successful flush of %s ended at %s.", write,
                        disk_name(follow, follow->target), quantity_time(follow->written_ns).text,
                        disk_name(follow, follow->target), quantity_time(follow->flushed_ns).text);
    } else if (differ && finding != NULL && follow->dirty) {
        text = must_printf("The sector is still marked dirty: it was not copied in time.");
    } else if (differ && finding != NULL && follow->copy_count > 0) {
        text = must_printf("A copy of the sector is still in flight.");
    } else if (!differ && follow->written_by > 0 && finding == NULL) {
        text =
            must_printf("%s wrote to %s at %s what %s holds: the sector is copied.", write,
                        disk_name(follow, follow->target), quantity_time(follow->written_ns).text,
                        disk_name(follow, follow->source));
    }
    free(write);
    return text;
}

static char *sentence(const struct follow *follow)
{
    switch (follow->wrong.kind) {
    case WRONG_OLD_OVER_NEW:
        return old_over_new(follow);
    case WRONG_FAILED:
        return failed(follow);
    case WRONG_CLEARED:
        return cleared(follow);
    case WRONG_UNMARKED:
    case WRONG_UNWATCHED:
        return guest_changed(follow);
    case WRONG_NOT_WRITTEN:
        return not_written(follow);
    case WRONG_TARGET:
        return target_changed(follow);
    case WRONG_ENDED:
    case WRONG_BITMAP_GONE:
        return still_owed(follow);
    case WRONG_NOT:
        break;
    }
    return otherwise(follow);
}

/* Every sentence begins with a capital letter, even one that begins with "write #4". */
char *follow_sum(const struct follow *follow)
{
    char *text = sentence(follow);

    if (text != NULL && *text >= 'a' && *text <= 'z') {
        *text = (char)(*text - 'a' + 'A');
    }
    return text;
}
