/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expectations about disks: what they hold and how they are linked at the end.
 *
 * Declared in sim/verdict/expect.h: one group of the expectations.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "sim/content/content.h"
#include "sim/trace/phrase.h"
#include "sim/verdict/expect.h"

/* ---- Two disks ---- */

void expect_comparison(const struct run_end *run, const struct expect_spec *expect)
{
    struct evidence *evidence = run->evidence;
    const char *a_name = phrase_disk(evidence, expect->a);
    const char *b_name = phrase_disk(evidence, expect->b);
    uint64_t shorter =
        min_u64(evidence->disks[expect->a]->bytes, evidence->disks[expect->b]->bytes);
    uint64_t bytes = expect->bytes > 0 ? expect->bytes : shorter - min_u64(expect->offset, shorter);
    struct phrase range = phrase_range(expect->offset, bytes);
    struct view a;
    struct view b;
    uint64_t sector;
    bool equal;

    evidence_view(evidence, expect->a, &a);
    evidence_view(evidence, expect->b, &b);
    equal = view_equal(&a, &b, expect->offset, bytes, &sector);
    if (expect->kind == EXPECT_DIFFER && equal) {
        expect_failed(run, expect, FINDING_EXPECT_DIFFER,
                      "%s and %s were expected to differ in %s, but they are "
                      "the same.",
                      a_name, b_name, range.text);
    } else if (expect->kind == EXPECT_SAME && !equal) {
        verdict_mark_sector(
            expect_failed(run, expect, FINDING_EXPECT_SAME,
                          "%s and %s were expected to be the same in %s, but at %s %s holds %s and "
                          "%s holds %s.",
                          a_name, b_name, range.text, phrase_sector(sector).text, a_name,
                          phrase_content(evidence, expect->a, sector).text, b_name,
                          phrase_content(evidence, expect->b, sector).text),
            expect->b, sector);
    }
}

/* ---- Sectors ---- */

/* The expected tag, for all but SECTOR_GUEST_TAG, which allows any tag of a guest request. */
static uint64_t expected_tag(const struct evidence *evidence, const struct expect_spec *expect,
                             uint64_t sector)
{
    bool zero =
        expect->content == SECTOR_ZERO || evidence->plan->disks[expect->b].fill == FILL_ZERO;

    return zero ? TAG_ZERO : tag_fill((uint8_t)expect->b, sector);
}

static struct phrase expected_content(const struct evidence *evidence,
                                      const struct expect_spec *expect, uint64_t sector)
{
    return expect->content == SECTOR_GUEST_TAG
               ? phrase_tagged(expect->tag)
               : phrase_tag(evidence, expected_tag(evidence, expect, sector), sector);
}

/* True if the bytes of the sector are those that the tag stands for. */
static bool holds_bytes_of(const struct view *view, uint64_t sector, uint64_t tag)
{
    uint8_t expected[SECTOR_BYTES];
    uint8_t data[SECTOR_BYTES];

    content_expand(tag, expected);
    view_get_bytes(view, sector, data);
    return memcmp(data, expected, SECTOR_BYTES) == 0;
}

static bool content_is_expected(const struct evidence *evidence, const struct expect_spec *expect,
                                uint64_t sector, uint64_t tag)
{
    const char *name;

    if (expect->content != SECTOR_GUEST_TAG) {
        return tag == expected_tag(evidence, expect, sector);
    }
    name = phrase_name_of_tag(evidence, tag);
    return name != NULL && strcmp(name, expect->tag) == 0;
}

/* All sectors of a run have one origin, so checking the first is enough. */
void expect_sector(const struct run_end *run, const struct expect_spec *expect)
{
    struct evidence *evidence = run->evidence;
    uint64_t sector = expect->offset / SECTOR_BYTES;
    uint64_t end = range_end(expect->offset, max_u64(expect->bytes, SECTOR_BYTES)) / SECTOR_BYTES;
    struct view view;

    evidence_view(evidence, expect->a, &view);
    while (sector < end) {
        struct run seen = view_lookup(&view, sector, end);

        if (!content_is_expected(evidence, expect, sector, seen.tag) ||
            (evidence->plan->content_bytes && !holds_bytes_of(&view, sector, seen.tag))) {
            verdict_mark_sector(expect_failed(run, expect, FINDING_EXPECT_SECTOR,
                                              "%s of %s was expected to hold %s, but it holds %s.",
                                              phrase_sector(sector).text,
                                              phrase_disk(evidence, expect->a),
                                              expected_content(evidence, expect, sector).text,
                                              phrase_tag(evidence, seen.tag, sector).text),
                                expect->a, sector);
            return;
        }
        sector += seen.sectors;
    }
}

/* ---- One disk ---- */

void expect_durable(const struct run_end *run, const struct expect_spec *expect)
{
    const struct evidence *evidence = run->evidence;
    const struct disk_state *disk = evidence->disks[expect->a];
    struct view now = {.layer = {disk->image}, .bytes = {disk->bytes}, .layers = 1};
    struct view least = {.layer = {disk->durable}, .bytes = {disk->bytes}, .layers = 1};
    uint64_t sector;

    if (!view_equal(&now, &least, 0, disk->bytes, &sector)) {
        verdict_mark_sector(
            expect_failed(
                run, expect, FINDING_EXPECT_DURABLE,
                "What %s holds was expected to be durable at the end, but a power cut can "
                "take %s, which holds %s.",
                phrase_disk(evidence, expect->a), phrase_sector(sector).text,
                phrase_content(evidence, expect->a, sector).text),
            expect->a, sector);
    }
}

static uint32_t open_backing(const struct disk_state *disk)
{
    return disk->backing_open ? disk->backing : PLAN_NONE;
}

void expect_disk(const struct run_end *run, const struct expect_spec *expect)
{
    const struct evidence *evidence = run->evidence;
    const struct disk_state *disk = evidence->disks[expect->a];
    const char *name = phrase_disk(evidence, expect->a);
    bool length = expect->kind == EXPECT_LENGTH;
    uint64_t bytes = length ? disk->bytes : image_allocated_bytes(disk->image);

    if (expect->kind == EXPECT_BACKING) {
        if (open_backing(disk) != expect->b) {
            expect_failed(run, expect, FINDING_EXPECT_BACKING,
                          "%s was expected to be backed by %s at the end, but it is backed by %s.",
                          name, phrase_disk(evidence, expect->b),
                          phrase_disk(evidence, open_backing(disk)));
        }
    } else if (bytes != expect->count) {
        expect_failed(run, expect, length ? FINDING_EXPECT_LENGTH : FINDING_EXPECT_ALLOCATED,
                      "%s was expected to %s %s at the end (%" PRIu64 " bytes), but it is %" PRIu64
                      " bytes.",
                      name, length ? "be as long as" : "have allocated",
                      quantity_size(expect->count).text, expect->count, bytes);
    }
}
