/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The final comparison of a reference trace.
 *
 * Our tags say exactly who wrote a sector.  The reference's say less: images
 * whose names begin with the same letter, and guest writes that were given the
 * same tag, cannot be told apart.  So tags are translated before they are
 * compared.
 */
#include "tests/golden/content.h"

#include <assert.h>
#include <ctype.h>

#include "engine/range.h"
#include "sim/content/writer.h"
#include "tests/golden/config.h"

/* The tag that a run's sectors have in the reference: value + i * step. */
struct reference_tags {
    uint64_t value;
    uint64_t step;
    uint64_t sectors;
};

/* The tag that the configuration gave the guest request of that number. */
static uint64_t guest_tag(const struct plan *plan, const struct trace *trace, uint32_t request)
{
    const struct event *submit = trace->events;
    uint64_t tag;
    while (submit->kind != EVENT_REQUEST_SUBMIT || submit->request != request) {
        submit++; /* terminates: whatever is on a disk has been submitted */
    }
    bool is_number = config_parse_number(plan_action(plan, submit->index - 1U)->guest.tag, &tag);
    assert(is_number);
    return tag;
}

static struct reference_tags reference_tags(const struct plan *plan, const struct trace *trace,
                                            struct run run)
{
    struct reference_tags tags = {0, 0, run.sectors};
    switch (tag_kind(run.tag)) {
    case TAG_KIND_ZERO:
        break;
    case TAG_KIND_FILL: {
        int letter = toupper((unsigned char)plan->disks[tag_disk(run.tag)].name[0]);
        tags.value = (uint64_t)letter << 56 | (run.tag & ((UINT64_C(1) << 52) - 1));
        tags.step = 1;
        break;
    }
    case TAG_KIND_GUEST:
        tags.value = guest_tag(plan, trace, tag_request(run.tag));
        break;
    }
    return tags;
}

/*
 * A disk as its reader sees it: through its open backing files and, if `named`,
 * through one that its header names but that is not open.  The links are those
 * of the plan: changes by a pivot are ignored.
 */
static void view_of(const struct evidence *evidence, uint32_t disk, bool named, struct view *view)
{
    const struct plan *plan = evidence->plan;
    bool follow = true;
    view->layers = 0;
    while (disk != PLAN_NONE && follow) {
        assert(view->layers < VIEW_MAX_LAYERS);
        view->layer[view->layers] = evidence->disks[disk]->image;
        view->bytes[view->layers] = evidence->disks[disk]->bytes;
        view->layers++;
        follow = named || plan->disks[disk].backing_open;
        named = false;
        disk = plan->disks[disk].backing;
    }
}

/* ---- Today's generation: tags of 32 bits, and links as they are ---- */

static uint64_t modern_guest_tag(const struct evidence *evidence, uint32_t request)
{
    const struct writer *writer = evidence->writers->list;
    uint64_t tag;
    while (writer->request != request) {
        writer++; /* terminates: whatever is on a disk has been written by somebody */
    }
    bool is_number =
        config_parse_number(plan_action(evidence->plan, writer->plan_number - 1U)->guest.tag, &tag);
    assert(is_number);
    return tag;
}

static struct reference_tags modern_tags(const struct evidence *evidence, struct run run)
{
    struct reference_tags tags = {0, 0, run.sectors};
    switch (tag_kind(run.tag)) {
    case TAG_KIND_ZERO:
        break;
    case TAG_KIND_FILL: {
        const char *name = evidence->plan->disks[tag_disk(run.tag)].name;
        uint64_t letter = (uint64_t)toupper((unsigned char)name[0]);
        tags.value = letter << 24 | (run.tag & ((UINT64_C(1) << 52) - 1));
        tags.step = 1;
        break;
    }
    case TAG_KIND_GUEST:
        tags.value = modern_guest_tag(evidence, tag_request(run.tag));
        break;
    }
    return tags;
}

static void modern_view(const struct evidence *evidence, uint32_t disk, bool named,
                        struct view *view)
{
    bool follow = true;
    view->layers = 0;
    while (disk != PLAN_NONE && follow && view->layers < VIEW_MAX_LAYERS) {
        const struct disk_state *state = evidence->disks[disk];
        view->layer[view->layers] = state->image;
        view->bytes[view->layers] = state->bytes;
        view->layers++;
        follow = named || state->backing_open;
        named = false;
        disk = state->backing;
    }
}

struct content_difference content_compare(const struct evidence *evidence, uint32_t disk,
                                          bool named)
{
    uint32_t source_disk = evidence->plan->job.source;
    uint64_t end = evidence->disks[source_disk]->bytes / SECTOR_BYTES;
    struct content_difference difference = {0, 0};
    struct view source;
    struct view other;
    modern_view(evidence, source_disk, false, &source);
    modern_view(evidence, disk, named, &other);
    for (uint64_t sector = 0; sector < end;) {
        struct reference_tags a = modern_tags(evidence, view_lookup(&source, sector, end));
        struct reference_tags b = modern_tags(evidence, view_lookup(&other, sector, end));
        uint64_t sectors = a.step == b.step ? min_u64(a.sectors, b.sectors) : 1;
        if (a.value != b.value) {
            difference.first = difference.sectors == 0 ? sector : difference.first;
            difference.sectors += sectors;
        }
        sector += sectors;
    }
    return difference;
}

uint64_t content_tag(const struct evidence *evidence, uint32_t disk, uint64_t sector)
{
    struct view view;
    modern_view(evidence, disk, false, &view);
    return modern_tags(evidence, view_lookup(&view, sector, sector + 1)).value;
}

/* ---- 2.2 ---- */

bool content_equal(const struct evidence *evidence, const struct trace *trace, uint64_t *sector)
{
    const struct plan *plan = evidence->plan;
    uint64_t end = evidence->disks[plan->job.source]->bytes / SECTOR_BYTES;
    struct view source;
    struct view target;
    view_of(evidence, plan->job.source, false, &source);
    view_of(evidence, plan->job.target, true, &target);
    for (*sector = 0; *sector < end;) {
        struct reference_tags a = reference_tags(plan, trace, view_lookup(&source, *sector, end));
        struct reference_tags b = reference_tags(plan, trace, view_lookup(&target, *sector, end));
        if (a.value != b.value) {
            return false;
        }
        *sector += a.step == b.step ? min_u64(a.sectors, b.sectors) : 1;
    }
    return true;
}
