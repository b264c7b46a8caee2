/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reliance: an image of what is certain, and a list of writes that may have
 * replaced it.
 */
#include "sim/model/reliance.h"

#include <string.h>

#include "engine/range.h"
#include "sim/content/writer.h"

#define FIRST_CAPACITY 16

/* The largest ordinal that fits into a tag. */
#define MAX_ORDER UINT32_C(0x0fffffff)

/* A part of a guest write that may be on the disk but is not relied upon yet. */
struct piece {
    uint64_t offset;
    uint64_t bytes;
    uint64_t tag; /* of its first sector; TAG_ZERO: of every sector */
    /* Ordinal of its write among the acknowledged, from 1; 0: not acknowledged, or failed. */
    uint64_t stamp;
    uint32_t request;
    uint32_t order; /* ordinal of this piece among all pieces, from 1 */
};

void reliance_begin_again(struct reliance *guest, const struct evidence *evidence)
{
    uint64_t bytes = evidence->disks[guest->disk]->bytes;
    struct view view;

    evidence_view(evidence, guest->disk, &view);
    view_copy(&view, bytes, guest->floor);
    image_punch(guest->orders, 0, bytes);
    guest->piece_count = 0;
}

void reliance_open(struct reliance *guest, const struct evidence *evidence)
{
    guest->disk = evidence->plan->job.source;
    guest->floor = image_create(evidence->arena);
    guest->orders = image_create(evidence->arena);
    reliance_begin_again(guest, evidence);
}

/* ---- Writes and flushes ---- */

static void grow(struct reliance *guest, struct arena *arena)
{
    uint32_t capacity = guest->piece_capacity == 0 ? FIRST_CAPACITY : 2 * guest->piece_capacity;
    struct piece *pieces = arena_alloc(arena, capacity * sizeof(*pieces));

    if (guest->piece_count > 0) {
        memcpy(pieces, guest->pieces, guest->piece_count * sizeof(*pieces));
    }
    arena_free(arena, guest->pieces, guest->piece_capacity * sizeof(*pieces));
    guest->pieces = pieces;
    guest->piece_capacity = capacity;
}

static void add_piece(struct reliance *guest, struct arena *arena,
                      const struct outstanding *request, uint64_t offset, uint64_t bytes)
{
    uint64_t sector = (offset - request->offset) / SECTOR_BYTES;

    if (guest->piece_count == guest->piece_capacity) {
        grow(guest, arena);
    }
    guest->pieces[guest->piece_count++] = (struct piece){
        .offset = offset,
        .bytes = bytes,
        .tag = request->op == OP_WRITE ? tag_guest(request->number, sector) : TAG_ZERO,
        .request = request->number,
        .order = ++guest->order & MAX_ORDER};
}

void reliance_submitted(struct reliance *guest, const struct evidence *evidence,
                        const struct event *event)
{
    if (event->op == OP_READ || outstanding_find(&guest->requests, event->request) != NULL) {
        return;
    }
    outstanding_add(&guest->requests, evidence->arena, event);
    if (event->op == OP_FLUSH) {
        outstanding_find(&guest->requests, event->request)->moved = guest->acknowledged;
    }
}

void reliance_took_effect(struct reliance *guest, const struct evidence *evidence,
                          const struct event *event)
{
    struct outstanding *request = outstanding_find(&guest->requests, event->request);
    uint64_t offset;
    uint64_t bytes = outstanding_take_effect(request, event, &offset);

    if (bytes > 0) {
        add_piece(guest, evidence->arena, request, offset, bytes);
    }
}

/* An acknowledged write counts as written, whatever the device has really done. */
static void acknowledge(struct reliance *guest, struct arena *arena,
                        const struct outstanding *request)
{
    uint64_t left = request->moved;

    if (request->moved < request->bytes) {
        add_piece(guest, arena, request, request->offset, request->bytes);
        left += request->bytes;
    }
    guest->acknowledged++;
    for (uint32_t i = guest->piece_count; i > 0 && left > 0; i--) {
        struct piece *piece = &guest->pieces[i - 1];

        if (piece->request == request->number) {
            piece->stamp = guest->acknowledged;
            left -= piece->bytes;
        }
    }
}

static struct run run_of_piece(const struct piece *piece)
{
    return (struct run){piece->offset / SECTOR_BYTES, piece->bytes / SECTOR_BYTES, piece->tag,
                        piece->tag != TAG_ZERO, false};
}

/* `sectors` sectors of the piece, without its first `skip`. */
static struct run part_of_piece(const struct piece *piece, uint64_t skip, uint64_t sectors)
{
    struct run run = run_of_piece(piece);

    return (struct run){run.sector + skip, sectors, run.tag + skip * run.step, run.step,
                        run.stored};
}

/*
 * A write that took effect later may have been acknowledged and flushed
 * earlier. Where one is already relied upon, this piece changes nothing.
 */
static void rely_on_piece(struct reliance *guest, const struct piece *piece)
{
    uint64_t first = piece->offset / SECTOR_BYTES;
    uint64_t end = range_end(piece->offset, piece->bytes) / SECTOR_BYTES;
    struct run later;

    for (uint64_t at = first; at < end; at += later.sectors) {
        if (!image_lookup(guest->orders, at, end, &later) ||
            tag_request(later.tag) < piece->order) {
            image_write(guest->floor, part_of_piece(piece, at - first, later.sectors));
            image_write(guest->orders, (struct run){at, later.sectors,
                                                    tag_guest(piece->order, at - first), 1, false});
        }
    }
}

/* From now on the guest relies on the first `acknowledged` of the acknowledged writes. */
static void rely_on(struct reliance *guest, uint64_t acknowledged)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < guest->piece_count; i++) {
        const struct piece *piece = &guest->pieces[i];

        if (piece->stamp != 0 && piece->stamp <= acknowledged) {
            rely_on_piece(guest, piece);
        } else {
            guest->pieces[left++] = *piece;
        }
    }
    guest->piece_count = left;
}

void reliance_done(struct reliance *guest, const struct evidence *evidence,
                   const struct event *event)
{
    const struct outstanding *request = outstanding_find(&guest->requests, event->request);

    if (request == NULL) {
        return;
    }
    if (event->ret == 0 && event->op == OP_FLUSH) {
        rely_on(guest, request->moved);
    } else if (event->ret == 0) {
        acknowledge(guest, evidence->arena, request);
    }
    outstanding_remove(&guest->requests, event->request);
}

/* ---- What the disk may hold ---- */

/*
 * The number of sectors from this one on that may hold the tag and those after
 * it because of a write that no flush has covered; 0 if this one may not.
 */
static uint64_t sectors_of_a_write(const struct reliance *guest, uint64_t sector, uint64_t tag)
{
    for (uint32_t i = 0; i < guest->piece_count; i++) {
        struct run run = run_of_piece(&guest->pieces[i]);

        if (sector - run.sector < run.sectors &&
            tag == run.tag + (sector - run.sector) * run.step) {
            return run.sector + run.sectors - sector;
        }
    }
    return 0;
}

/*
 * True if each sector of the run holds what the guest relies on or a later
 * write; else *sector is the first that does not.
 */
static bool is_relied_upon(const struct reliance *guest, struct run run, uint64_t *sector,
                           uint64_t *should_be)
{
    uint64_t end = run.sector + run.sectors;

    for (uint64_t at = run.sector; at < end;) {
        uint64_t tag = run.tag + (at - run.sector) * run.step;
        struct run floor;
        uint64_t sectors;

        if (!image_lookup(guest->floor, at, end, &floor) || floor.tag == tag) {
            at += floor.sectors;
            continue;
        }
        sectors = sectors_of_a_write(guest, at, tag);
        if (sectors == 0) {
            *sector = at;
            *should_be = floor.tag;
            return false;
        }
        at += min_u64(sectors, floor.sectors);
    }
    return true;
}

bool reliance_is_kept(const struct reliance *guest, const struct evidence *evidence,
                      uint64_t *sector, uint64_t *should_be)
{
    uint64_t end = evidence->disks[guest->disk]->bytes / SECTOR_BYTES;
    struct view view;
    struct run run;

    evidence_view(evidence, guest->disk, &view);
    for (uint64_t at = 0; at < end; at += run.sectors) {
        run = view_lookup(&view, at, end);
        if (!is_relied_upon(guest, run, sector, should_be)) {
            return false;
        }
    }
    return true;
}

void reliance_pivoted(struct reliance *guest, const struct evidence *evidence,
                      const struct promise *promise, uint32_t disk)
{
    promise_forget_rest(promise, guest->floor, evidence->disks[guest->disk]->bytes);
    guest->disk = disk;
}

void reliance_digest(const struct reliance *guest, const struct evidence *evidence,
                     struct digest *digest)
{
    digest_u64(digest, guest->disk);
    image_digest(guest->floor, evidence->writers, digest);
    for (uint32_t i = 0; i < guest->piece_count; i++) {
        const struct piece *piece = &guest->pieces[i];

        digest_u64(digest, piece->offset);
        digest_u64(digest, piece->bytes);
        digest_u64(digest, guest->order - piece->order);
        digest_u64(digest, piece->stamp == 0 ? 0 : guest->acknowledged - piece->stamp + 1);
        writers_digest_tag(evidence->writers, piece->tag, digest);
    }
}
