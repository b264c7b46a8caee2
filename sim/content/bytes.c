/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table of pages of eight sectors, each with a bit for those it has.
 */
#include "sim/content/bytes.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define PAGE_SECTORS 8
#define FIRST_BUCKETS 64

struct page {
    struct page *next; /* in its bucket */
    uint64_t number;
    uint8_t has;    /* a bit per sector */
    uint8_t of_tag; /* the same: its bytes are known to be those of its tag */
    uint8_t data[PAGE_SECTORS][SECTOR_BYTES];
};

struct bytes {
    struct arena *arena;
    struct page **buckets;
    uint64_t bucket_count; /* a power of two */
    uint64_t pages;
};

static struct page **make_buckets(struct arena *arena, uint64_t count)
{
    return arena_alloc(arena, count * sizeof(struct page *));
}

struct bytes *bytes_create(struct arena *arena)
{
    struct bytes *bytes = arena_alloc(arena, sizeof(*bytes));

    bytes->arena = arena;
    bytes->bucket_count = FIRST_BUCKETS;
    bytes->buckets = make_buckets(arena, FIRST_BUCKETS);
    return bytes;
}

static struct page **bucket_of(const struct bytes *bytes, uint64_t number)
{
    return &bytes->buckets[number & (bytes->bucket_count - 1)];
}

static struct page *find(const struct bytes *bytes, uint64_t number)
{
    struct page *page = *bucket_of(bytes, number);

    while (page != NULL && page->number != number) {
        page = page->next;
    }
    return page;
}

static void link_page(struct bytes *bytes, struct page *page)
{
    struct page **bucket = bucket_of(bytes, page->number);

    page->next = *bucket;
    *bucket = page;
}

static void grow(struct bytes *bytes)
{
    struct page **old = bytes->buckets;
    uint64_t old_count = bytes->bucket_count;

    bytes->bucket_count = 2 * old_count;
    bytes->buckets = make_buckets(bytes->arena, bytes->bucket_count);
    for (uint64_t i = 0; i < old_count; i++) {
        for (struct page *page = old[i], *next; page != NULL; page = next) {
            next = page->next;
            link_page(bytes, page);
        }
    }
    arena_free(bytes->arena, old, old_count * sizeof(struct page *));
}

static struct page *find_or_make(struct bytes *bytes, uint64_t number)
{
    struct page *page = find(bytes, number);

    if (page != NULL) {
        return page;
    }
    if (bytes->pages == bytes->bucket_count) {
        grow(bytes);
    }
    page = arena_alloc_unset(bytes->arena, sizeof(*page));
    page->number = number;
    page->has = 0;
    page->of_tag = 0;
    link_page(bytes, page);
    bytes->pages++;
    return page;
}

void bytes_put(struct bytes *bytes, uint64_t sector, const uint8_t data[SECTOR_BYTES])
{
    struct page *page = find_or_make(bytes, sector / PAGE_SECTORS);
    unsigned place = (unsigned)(sector % PAGE_SECTORS);

    page->has |= (uint8_t)(1u << place);
    page->of_tag &= (uint8_t) ~(1u << place);
    memcpy(page->data[place], data, SECTOR_BYTES);
}

const uint8_t *bytes_get(const struct bytes *bytes, uint64_t sector)
{
    const struct page *page = find(bytes, sector / PAGE_SECTORS);
    unsigned place = (unsigned)(sector % PAGE_SECTORS);

    return page != NULL && (page->has >> place & 1) ? page->data[place] : NULL;
}

bool bytes_are_of_tag(const struct bytes *bytes, uint64_t sector)
{
    const struct page *page = find(bytes, sector / PAGE_SECTORS);

    return page != NULL && (page->has & page->of_tag) >> sector % PAGE_SECTORS & 1;
}

void bytes_note_of_tag(const struct bytes *bytes, uint64_t sector)
{
    struct page *page = find(bytes, sector / PAGE_SECTORS);

    assert(page != NULL);
    page->of_tag |= (uint8_t)(1u << sector % PAGE_SECTORS);
}

/* A page that has nothing left stays, for the next that is put there. */
static void drop_from(struct page *page, uint64_t sector, uint64_t end)
{
    for (unsigned place = 0; place < PAGE_SECTORS; place++) {
        uint64_t here = page->number * PAGE_SECTORS + place;

        if (here >= sector && here < end) {
            page->has &= (uint8_t) ~(1u << place);
        }
    }
}

/* Walks the range or all pages, whichever is less. */
void bytes_drop(struct bytes *bytes, uint64_t sector, uint64_t sectors)
{
    uint64_t end = sector + sectors;
    uint64_t first = sector / PAGE_SECTORS;
    uint64_t last = div_round_up(end, PAGE_SECTORS);

    if (last - first <= bytes->bucket_count) {
        for (uint64_t number = first; number < last; number++) {
            struct page *page = find(bytes, number);

            if (page != NULL) {
                drop_from(page, sector, end);
            }
        }
        return;
    }
    for (uint64_t i = 0; i < bytes->bucket_count; i++) {
        for (struct page *page = bytes->buckets[i]; page != NULL; page = page->next) {
            drop_from(page, sector, end);
        }
    }
}

void bytes_check(const struct bytes *bytes)
{
    uint64_t pages = 0;

    assert(is_power_of_two(bytes->bucket_count));
    for (uint64_t i = 0; i < bytes->bucket_count; i++) {
        for (const struct page *page = bytes->buckets[i]; page != NULL; page = page->next) {
            assert(bucket_of(bytes, page->number) == &bytes->buckets[i]);
            pages++;
            assert(pages <= bytes->pages); /* also if a bucket were a loop */
        }
    }
    assert(pages == bytes->pages);
}
