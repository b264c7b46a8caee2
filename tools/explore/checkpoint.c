/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records of the journal: which search it is, the session, and pieces of items.
 *
 * Of the session the last record counts.  Pieces add up, until the session says that their item is
 * done.  The rest is taken out when it is more than half of a large file.
 */
#include "tools/explore/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/range.h"
#include "tools/base/journal.h"
#include "tools/base/program.h"
#include "tools/base/support.h"
#include "tools/explore/packed.h"

/* A file of less is left as it is. */
#define COMPACT_BYTES (UINT64_C(64) << 20)

/* The first number of a record. */
enum record { RECORD_SEARCH, RECORD_SESSION, RECORD_PIECE, RECORD_COUNT };

struct piece {
    struct journal_place place;
    uint64_t item;
};

struct checkpoint {
    char *path;
    struct journal *journal;
    struct journal_place search;
    struct journal_place session; /* .offset is 0 as long as there is none */
    struct piece *pieces;         /* in the order of the file */
    uint64_t piece_count;
    uint64_t compact_bytes; /* of the file, from which on it is looked at */
    uint8_t *record;        /* that checkpoint_next_piece() has given */
};

/* ---- What is searched ---- */

/* Recorded requests stand in files of their own. */
static void pack_replays(struct pack *pack, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->generator_count; i++) {
        const struct generator_spec *spec = &plan->generators[i];

        if (spec->replay != NULL) {
            pack_number(pack, program_hash_file(spec->replay));
        }
    }
}

static void pack_scenario(struct pack *pack, const struct scenario *scenario, const char *file)
{
    const struct choice_spec quiet = {.seed = 0};

    pack_number(pack, program_hash_file(file));
    for (uint32_t i = 0; i < scenario_cases(scenario); i++) {
        struct plan *plan = scenario_plan(scenario, i, &quiet);

        pack_replays(pack, plan);
        plan_destroy(plan);
    }
}

static void pack_search(struct pack *pack, const struct explore_session *session, const char *file)
{
    const struct explore_options *options = session->options;
    struct pack scenario = {0};

    pack_scenario(&scenario, options->scenario, file);
    pack_number(pack, RECORD_SEARCH);
    pack_blob(pack, scenario.bytes, scenario.count);
    pack_free(&scenario);
    pack_text(pack, options->engine->name);
    pack_text(pack, options->chosen != NULL ? options->chosen : "");
    pack_number(pack, options->schedule);
    pack_number(pack, options->faults);
    pack_number(pack, options->untimed);
    pack_number(pack, options->every_order);
    pack_number(pack, options->all);
    pack_number(pack, options->depth);
    pack_number(pack, options->runs);
    pack_number(pack, options->visited_bytes);
    pack_number(pack, session->items);
}

/* Why it is another search; the record differs from ours somewhere. */
static char *tell_search(struct unpack *from, struct unpack *ours,
                         const struct explore_session *session)
{
    size_t bytes;
    size_t our_bytes;
    const uint8_t *scenario = unpack_blob(from, &bytes);
    const uint8_t *our_scenario = unpack_blob(ours, &our_bytes);
    char *engine = unpack_new_text(from);
    char *why;

    if (bytes != our_bytes || memcmp(scenario, our_scenario, bytes) != 0) {
        why = must_strdup("it is of another scenario, or the scenario has changed since");
    } else if (strcmp(engine, session->options->engine->name) != 0) {
        why = must_printf("it is of a search with the engine \"%s\"", engine);
    } else {
        why = must_strdup("it is of a search with other options");
    }
    free(engine);
    return why;
}

/* ---- The session ---- */

/* Items that are done, as first and number of them. */
static void pack_done(struct pack *pack, const struct explore_session *session)
{
    for (uint64_t first = 0; first < session->items; first++) {
        uint64_t end = first;

        while (end < session->items && session_is_done(session, end)) {
            end++;
        }
        if (end > first) {
            pack_number(pack, end - first);
            pack_number(pack, first);
            first = end;
        }
    }
    pack_number(pack, 0);
}

static void pack_session(struct pack *pack, const struct explore_session *session)
{
    pack_number(pack, RECORD_SESSION);
    pack_done(pack, session);
    search_pack_figures(pack, &session->figures);
    pack_number(pack, session->chains);
    pack_number(pack, session->questions);
    for (uint32_t i = 0; i < VARIANT_FAILURES; i++) {
        pack_number(pack, session->failures[i]);
    }
    pack_number(pack, session->finding_count);
    for (uint64_t i = 0; i < session->finding_count; i++) {
        pack_finding(pack, &session->findings[i].finding);
        pack_text(pack, session->findings[i].scenario);
    }
}

static void unpack_done(struct unpack *from, struct explore_session *session)
{
    uint64_t count;

    while ((count = unpack_number(from)) > 0) {
        uint64_t first = unpack_at_most(from, session->items);

        if (from->failed || count > session->items - first) {
            from->failed = true;
            return;
        }
        for (uint64_t item = first; item < first + count; item++) {
            session_mark_done(session, item);
        }
    }
}

static void unpack_session(struct unpack *from, struct explore_session *session)
{
    uint64_t findings;

    unpack_done(from, session);
    search_unpack_figures(from, &session->figures);
    session->chains = (uint32_t)unpack_at_most(from, UINT32_MAX);
    session->questions = unpack_number(from);
    for (uint32_t i = 0; i < VARIANT_FAILURES; i++) {
        session->failures[i] = unpack_bool(from);
    }
    findings = unpack_number(from);
    for (uint64_t i = 0; i < findings && !from->failed; i++) {
        struct explore_finding finding;
        char *scenario;

        unpack_finding(from, &finding);
        scenario = unpack_new_text(from);
        session_take_finding(session, &finding, scenario);
    }
}

/* ---- Reading the file ---- */

static void add_piece(struct checkpoint *checkpoint, struct journal_place place, uint64_t item)
{
    checkpoint->pieces =
        must_grow(checkpoint->pieces, checkpoint->piece_count, sizeof(*checkpoint->pieces));
    checkpoint->pieces[checkpoint->piece_count++] = (struct piece){place, item};
}

/* Notes where the record is; false if there can be no such record. */
static bool index_record(struct checkpoint *checkpoint, struct journal_place place)
{
    uint8_t *record = journal_read(checkpoint->journal, place);
    struct unpack from = {.at = record, .left = (size_t)place.bytes};
    uint64_t kind = unpack_at_most(&from, RECORD_COUNT - 1);
    uint64_t item = kind == RECORD_PIECE ? unpack_number(&from) : 0;
    bool is_first = checkpoint->search.offset == 0;

    free(record);
    if (from.failed || is_first != (kind == RECORD_SEARCH)) {
        return false;
    }
    if (kind == RECORD_PIECE) {
        add_piece(checkpoint, place, item);
    } else {
        *(is_first ? &checkpoint->search : &checkpoint->session) = place;
    }
    return true;
}

/* NULL, or why the file is of another search. */
static char *compare_search(const struct checkpoint *checkpoint,
                            const struct explore_session *session, const char *file)
{
    struct journal_place place = checkpoint->search;
    uint8_t *record = journal_read(checkpoint->journal, place);
    struct unpack from = {.at = record, .left = (size_t)place.bytes};
    struct pack ours = {0};
    char *why = NULL;

    pack_search(&ours, session, file);
    if (ours.count != place.bytes || memcmp(ours.bytes, record, ours.count) != 0) {
        struct unpack wanted = {.at = ours.bytes, .left = ours.count};

        unpack_number(&from);
        unpack_number(&wanted);
        why = tell_search(&from, &wanted, session);
    }
    pack_free(&ours);
    free(record);
    return why;
}

static char *load_session(const struct checkpoint *checkpoint, struct explore_session *session)
{
    struct journal_place place = checkpoint->session;
    struct unpack from = {.left = (size_t)place.bytes};
    uint8_t *record;

    if (place.offset == 0) {
        return NULL;
    }
    record = journal_read(checkpoint->journal, place);
    from.at = record;
    unpack_number(&from);
    unpack_session(&from, session);
    free(record);
    return unpack_ends(&from) ? NULL : must_strdup("it is damaged");
}

static char *load(struct checkpoint *checkpoint, struct explore_session *session, const char *file)
{
    struct journal_place place = {0};
    char *why;

    while (journal_next(checkpoint->journal, &place)) {
        if (!index_record(checkpoint, place)) {
            return must_strdup("it is damaged");
        }
    }
    if (checkpoint->search.offset == 0) {
        struct pack search = {0};

        pack_search(&search, session, file);
        checkpoint->search = journal_append(checkpoint->journal, search.bytes, search.count);
        pack_free(&search);
        return NULL;
    }
    why = compare_search(checkpoint, session, file);
    return why != NULL ? why : load_session(checkpoint, session);
}

struct checkpoint *checkpoint_open(const char *path, struct explore_session *session,
                                   const char *file, char **why)
{
    const struct journal_spec spec = {path, "mirrorsim explore checkpoint 2",
                                      "a checkpoint of `mirrorsim explore`"};
    struct checkpoint *checkpoint = must_alloc(sizeof(*checkpoint));

    checkpoint->path = must_strdup(path);
    checkpoint->compact_bytes = COMPACT_BYTES;
    checkpoint->journal = journal_open(&spec, why);
    if (checkpoint->journal != NULL) {
        *why = load(checkpoint, session, file);
    }
    if (*why != NULL) {
        checkpoint_close(checkpoint, false);
        return NULL;
    }
    return checkpoint;
}

/* ---- Saving ---- */

static uint64_t live_bytes(const struct checkpoint *checkpoint,
                           const struct explore_session *session)
{
    uint64_t bytes = 0;

    for (uint64_t i = 0; i < checkpoint->piece_count; i++) {
        const struct piece *piece = &checkpoint->pieces[i];

        bytes += session_is_done(session, piece->item) ? 0 : piece->place.bytes;
    }
    return bytes;
}

/* Keeps the search, the session, and the pieces of items that are not done. */
static void compact(struct checkpoint *checkpoint, const struct explore_session *session)
{
    struct journal_place *places = must_alloc((checkpoint->piece_count + 2) * sizeof(*places));
    uint64_t count = 2;
    uint64_t kept = 0;

    places[0] = checkpoint->search;
    places[1] = checkpoint->session;
    for (uint64_t i = 0; i < checkpoint->piece_count; i++) {
        if (!session_is_done(session, checkpoint->pieces[i].item)) {
            places[count++] = checkpoint->pieces[i].place;
            checkpoint->pieces[kept++] = checkpoint->pieces[i];
        }
    }
    journal_compact(checkpoint->journal, places, count);
    checkpoint->search = places[0];
    checkpoint->session = places[1];
    for (uint64_t i = 0; i < kept; i++) {
        checkpoint->pieces[i].place = places[i + 2];
    }
    checkpoint->piece_count = kept;
    free(places);
}

void checkpoint_save(struct checkpoint *checkpoint, const struct explore_session *session)
{
    struct pack record = {0};
    uint64_t live;

    pack_session(&record, session);
    checkpoint->session = journal_append(checkpoint->journal, record.bytes, record.count);
    pack_free(&record);
    if (journal_bytes(checkpoint->journal) < checkpoint->compact_bytes) {
        return;
    }
    live = live_bytes(checkpoint, session);
    if (live < journal_bytes(checkpoint->journal) / 2) {
        compact(checkpoint, session);
    }
    checkpoint->compact_bytes = max_u64(2 * live, COMPACT_BYTES);
}

void checkpoint_save_piece(struct checkpoint *checkpoint, uint64_t item, const uint8_t *piece,
                           size_t bytes)
{
    struct pack record = {0};

    pack_number(&record, RECORD_PIECE);
    pack_number(&record, item);
    pack_bytes(&record, piece, bytes);
    add_piece(checkpoint, journal_append(checkpoint->journal, record.bytes, record.count), item);
    pack_free(&record);
}

/* ---- Pieces ---- */

static uint64_t next_of(const struct checkpoint *checkpoint, uint64_t item, uint64_t number)
{
    while (number < checkpoint->piece_count && checkpoint->pieces[number].item != item) {
        number++;
    }
    return number;
}

bool checkpoint_next_piece(struct checkpoint *checkpoint, uint64_t item, uint64_t *number,
                           struct unpack *piece)
{
    struct journal_place place;

    free(checkpoint->record);
    checkpoint->record = NULL;
    *number = next_of(checkpoint, item, *number);
    if (*number == checkpoint->piece_count) {
        return false;
    }
    place = checkpoint->pieces[(*number)++].place;
    checkpoint->record = journal_read(checkpoint->journal, place);
    *piece = (struct unpack){.at = checkpoint->record, .left = (size_t)place.bytes};
    unpack_number(piece);
    unpack_number(piece);
    return true;
}

void checkpoint_close(struct checkpoint *checkpoint, bool is_over)
{
    if (is_over) {
        unlink(checkpoint->path);
    }
    if (checkpoint->journal != NULL) {
        journal_close(checkpoint->journal);
    }
    free(checkpoint->record);
    free(checkpoint->pieces);
    free(checkpoint->path);
    free(checkpoint);
}
