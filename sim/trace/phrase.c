/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phrases: numbers and tags in words.
 */
#include "sim/trace/phrase.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/interposer.h"
#include "sim/base/errno_name.h"

struct phrase phrase_sector(uint64_t sector)
{
    struct phrase phrase;

    snprintf(phrase.text, sizeof(phrase.text), "sector %" PRIu64 " (%.40s)", sector,
             quantity_size(sector * SECTOR_BYTES).text);
    return phrase;
}

struct phrase phrase_range(uint64_t offset, uint64_t bytes)
{
    struct phrase phrase;

    snprintf(phrase.text, sizeof(phrase.text), "[%.40s, %.40s)", quantity_size(offset).text,
             quantity_size(range_end(offset, bytes)).text);
    return phrase;
}

struct phrase phrase_result(int ret)
{
    struct phrase phrase;
    const char *name = errno_name(ret);

    if (ret == 0) {
        snprintf(phrase.text, sizeof(phrase.text), "success");
    } else if (name != NULL) {
        snprintf(phrase.text, sizeof(phrase.text), "%s", name);
    } else {
        snprintf(phrase.text, sizeof(phrase.text), "errno %d", -ret);
    }
    return phrase;
}

const char *phrase_disk(const struct evidence *evidence, uint32_t disk)
{
    if (disk == BLOCK_FILTER_ID) {
        return "the filter";
    }
    return disk < evidence->plan->disk_count ? evidence->plan->disks[disk].name : "no disk";
}

/* The kept trace gives a request's number in the plan. */
const char *phrase_name_of_tag(const struct evidence *evidence, uint64_t tag)
{
    const struct trace *trace = evidence->trace;

    if (tag_kind(tag) != TAG_KIND_GUEST || trace == NULL || !trace->keep) {
        return NULL;
    }
    for (uint64_t i = 0; i < trace->count; i++) {
        const struct event *event = &trace->events[i];

        if (event->kind == EVENT_REQUEST_SUBMIT && event->request == tag_request(tag) &&
            event->index > 0) {
            return plan_guest_origin(evidence->plan, event->index - 1u).tag;
        }
    }
    return NULL;
}

struct phrase phrase_tagged(const char *name)
{
    struct phrase phrase;

    snprintf(phrase.text, sizeof(phrase.text), "a guest write with tag %.64s", name);
    return phrase;
}

static struct phrase phrase_guest(const struct evidence *evidence, uint64_t tag)
{
    struct phrase phrase;
    uint32_t request = tag_request(tag);
    const char *name = phrase_name_of_tag(evidence, tag);

    if (name != NULL) {
        snprintf(phrase.text, sizeof(phrase.text), "guest write #%" PRIu32 " (tag %.64s)", request,
                 name);
    } else {
        snprintf(phrase.text, sizeof(phrase.text), "guest write #%" PRIu32, request);
    }
    return phrase;
}

static struct phrase phrase_fill(const struct evidence *evidence, uint64_t tag, uint64_t sector)
{
    struct phrase phrase;
    const char *disk = phrase_disk(evidence, tag_disk(tag));
    uint64_t home = tag - tag_fill(tag_disk(tag), 0);

    if (home == sector) {
        snprintf(phrase.text, sizeof(phrase.text), "the initial fill of %.64s", disk);
    } else {
        snprintf(phrase.text, sizeof(phrase.text),
                 "the initial fill of sector %" PRIu64 " of %.40s", home, disk);
    }
    return phrase;
}

static struct phrase phrase_origin(const struct evidence *evidence, uint64_t tag, uint64_t sector)
{
    struct phrase phrase;

    switch (tag_kind(tag)) {
    case TAG_KIND_GUEST:
        return phrase_guest(evidence, tag);
    case TAG_KIND_FILL:
        return phrase_fill(evidence, tag, sector);
    case TAG_KIND_ZERO:
        break;
    }
    snprintf(phrase.text, sizeof(phrase.text), "zeroes");
    return phrase;
}

struct phrase phrase_tag(const struct evidence *evidence, uint64_t tag, uint64_t sector)
{
    struct phrase origin = phrase_origin(evidence, tag & ~TAG_CORRUPT, sector);
    struct phrase phrase;

    if (!tag_is_corrupt(tag)) {
        return origin;
    }
    snprintf(phrase.text, sizeof(phrase.text), "%.95s, a bit flipped", origin.text);
    return phrase;
}

struct phrase phrase_content(const struct evidence *evidence, uint32_t disk, uint64_t sector)
{
    struct view view;

    evidence_view(evidence, disk, &view);
    return phrase_tag(evidence, view_lookup(&view, sector, sector + 1).tag, sector);
}

struct phrase phrase_number(uint32_t request)
{
    struct phrase phrase = {""};

    if (request > 0) {
        snprintf(phrase.text, sizeof(phrase.text), " #%" PRIu32, request);
    }
    return phrase;
}
