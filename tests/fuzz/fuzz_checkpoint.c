/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checkpoint whose checksum is right and whose records are any bytes: it is refused, or the
 * search goes on from it.
 *
 * The file of a real search is made first, and the input is appended as a record.  If its first
 * byte is 255, it changes a real piece of progress instead: two bytes say where, and one is put
 * there.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"
#include "tools/base/journal.h"
#include "tools/explore/checkpoint.h"
#include "tools/run/load.h"

static const char text[] =
    "scenario: 1\nname: x\ndoc: d\n"
    "disks: {src: {size: 256KiB, fill: unique}, dst: {size: 256KiB}}\n"
    "job: {mirror: src, to: dst, granularity: 64KiB, buffer: 192KiB, on-target-error: report}\n"
    "guest: {v: {at: 0, write: {at: 0, len: 64KiB}}, w: {at: 0, write: {at: 32KiB, len: 64KiB}}}\n"
    "steps: [start, {wait: ready}, complete, {wait: concluded}]\n";

struct attempt {
    struct explore_options options;
    struct explore_session session;
    struct explore_space *space;
    struct checkpoint *checkpoint;
    struct explore_record *record;
    const char *file; /* the scenario's */
    const char *path; /* the checkpoint's */
    const uint8_t *data;
    size_t bytes;
};

/* A real piece, once the first search has been stopped. */
static struct pack real;

/* At once: what comes after the beginning shows no more. */
static bool stop(void *opaque)
{
    (void)opaque;
    return true;
}

static void ignore(void *opaque, const struct explore_finding *finding, const char *scenario)
{
    (void)opaque;
    (void)finding;
    (void)scenario;
}

static void keep_piece(void *opaque, uint64_t item, const struct pack *piece)
{
    (void)opaque;
    if (real.count == 0) {
        pack_number(&real, 2); /* a record of a piece */
        pack_number(&real, item);
        pack_bytes(&real, piece->bytes, piece->count);
    }
}

static bool next_piece(void *opaque, uint64_t item, uint64_t *number, struct unpack *piece)
{
    struct attempt *attempt = opaque;

    return checkpoint_next_piece(attempt->checkpoint, item, number, piece);
}

static void append_changed(struct journal *journal, const uint8_t *data, size_t bytes)
{
    struct pack piece = {0};

    pack_bytes(&piece, real.bytes, real.count);
    for (; bytes >= 3; data += 3, bytes -= 3) {
        piece.bytes[(data[0] | (size_t)data[1] << 8) % piece.count] = data[2];
    }
    journal_append(journal, piece.bytes, piece.count);
    pack_free(&piece);
}

static void append_input(struct attempt *attempt)
{
    const struct journal_spec spec = {attempt->path, "mirrorsim explore checkpoint 2", "one"};
    char *why;
    struct journal *journal = journal_open(&spec, &why);

    assert(journal != NULL);
    if (attempt->bytes > 0 && attempt->data[0] == 255 && real.count > 0) {
        append_changed(journal, attempt->data + 1, attempt->bytes - 1);
    } else {
        journal_append(journal, attempt->data, attempt->bytes);
    }
    journal_close(journal);
}

static bool open_checkpoint(struct attempt *attempt)
{
    char *why = NULL;

    session_open(&attempt->session, &attempt->options, attempt->space);
    attempt->checkpoint = checkpoint_open(attempt->path, &attempt->session, attempt->file, &why);
    free(why);
    return attempt->checkpoint != NULL;
}

static void go_on(void *opaque)
{
    struct attempt *attempt = opaque;

    unlink(attempt->path);
    if (open_checkpoint(attempt)) {
        checkpoint_close(attempt->checkpoint, false);
    }
    session_close(&attempt->session);
    append_input(attempt);
    if (open_checkpoint(attempt)) {
        explore_item(attempt->space, 0, attempt->record);
        checkpoint_save(attempt->checkpoint, &attempt->session);
        checkpoint_close(attempt->checkpoint, true);
    }
    session_close(&attempt->session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static char path[64];
    struct scenario *scenario = scenario_load_text("x.yaml", text, strlen(text));
    struct attempt attempt = {.data = data, .bytes = bytes, .path = path};

    snprintf(path, sizeof(path), "/dev/shm/fuzz_checkpoint.%ld", (long)getpid());
    attempt.file = fuzz_file(text, strlen(text));
    attempt.options = (struct explore_options){.scenario = scenario,
                                               .engine = load_engine_of(GENERATION_2_2),
                                               .untimed = true,
                                               .runs = 1,
                                               .depth = 3,
                                               .visited_bytes = 1 << 16,
                                               .stop = stop,
                                               .found = ignore,
                                               .save = keep_piece,
                                               .saved = next_piece,
                                               .opaque = &attempt};
    attempt.space = explore_open(&attempt.options);
    attempt.record = calloc(1, sizeof(*attempt.record));
    if (real.count == 0) {
        attempt.options.saved = NULL;
        explore_item(attempt.space, 0, attempt.record);
        attempt.options.saved = next_piece;
    }
    if (fuzz_attempt(go_on, &attempt)) {
        unlink(path);
    }
    explore_close(attempt.space);
    free(attempt.record);
    scenario_free(scenario);
    return 0;
}
