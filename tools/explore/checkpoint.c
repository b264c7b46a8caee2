/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints as JSON, and the saved searches beside them.
 */
#include "tools/explore/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/digest.h"
#include "tools/base/files.h"
#include "tools/base/support.h"
#include "tools/base/text.h"

#define FORMAT "mirrorsim explore checkpoint 1"

/* ---- What is searched ---- */

static void digest_file(struct digest *digest, const char *path)
{
    FILE *file = fopen(path, "r");
    char buf[4096];
    size_t got;

    if (file == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    while ((got = fread(buf, 1, sizeof(buf), file)) > 0) {
        for (size_t i = 0; i < got; i++) {
            digest_u64(digest, (unsigned char)buf[i]);
        }
    }
    fclose(file);
}

uint64_t checkpoint_identity(const struct explore_options *options, const char *file)
{
    struct digest digest;

    digest_init(&digest);
    digest_file(&digest, file);
    digest_string(&digest, MIRRORSIM_VERSION);
    digest_string(&digest, options->engine->name);
    digest_string(&digest, options->chosen != NULL ? options->chosen : "");
    digest_u64(&digest, options->schedule);
    digest_u64(&digest, options->faults);
    digest_u64(&digest, (uint64_t)options->untimed | (uint64_t)options->every_order << 1 |
                            (uint64_t)options->all << 2);
    digest_u64(&digest, options->depth);
    digest_u64(&digest, options->runs);
    digest_u64(&digest, options->visited_bytes);
    return digest_value(&digest);
}

/* ---- Writing ---- */

/* Items that are done, as [first, last] pairs. */
static json_t *done_json(const struct explore_session *session)
{
    json_t *ranges = json_array();

    for (uint64_t first = 0; first < session->items; first++) {
        uint64_t end = first;

        while (end < session->items && session_is_done(session, end)) {
            end++;
        }
        if (end > first) {
            json_array_append_new(ranges,
                                  json_pack("[I, I]", (json_int_t)first, (json_int_t)(end - 1)));
            first = end;
        }
    }
    return ranges;
}

static json_t *figures_json(const struct search_figures *figures)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}", "ends",
                     (json_int_t)figures->ends, "states", (json_int_t)figures->states,
                     "transitions", (json_int_t)figures->transitions, "merged",
                     (json_int_t)figures->merged, "reduced", (json_int_t)figures->reduced, "depth",
                     (json_int_t)figures->depth, "too_deep", figures->too_deep, "full",
                     figures->full, "unvaried", figures->unvaried);
}

static json_t *failures_json(const struct explore_session *session)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < VARIANT_FAILURES; i++) {
        if (session->failures[i]) {
            json_array_append_new(list, json_integer((json_int_t)i));
        }
    }
    return list;
}

static json_t *findings_json(const struct explore_session *session)
{
    json_t *list = json_array();

    for (uint64_t i = 0; i < session->finding_count; i++) {
        const struct session_finding *found = &session->findings[i];
        const struct explore_finding *finding = &found->finding;

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "oracle",
                            finding_by(finding->id), "kind", finding_kind_name(finding->id), "text",
                            finding->text, "variant", finding->variant, "choices", finding->choices,
                            "time_ns", (json_int_t)finding->now_ns, "item",
                            (json_int_t)finding->item, "scenario", found->scenario));
    }
    return list;
}

void checkpoint_save(const struct explore_session *session, uint64_t identity)
{
    const char *path = session->options->checkpoint;
    struct output output;
    json_t *all;

    all = json_pack("{s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o}", "format", FORMAT, "search",
                    (json_int_t)(identity >> 1), "items", (json_int_t)session->items, "done",
                    done_json(session), "figures", figures_json(&session->figures), "chains",
                    (json_int_t)session->chains, "questions", (json_int_t)session->questions,
                    "failures", failures_json(session), "findings", findings_json(session));
    if (all == NULL || !output_open(&output, path)) {
        die("%s: %s", path, strerror(errno));
    }
    json_dumpf(all, output.stream, JSON_INDENT(1));
    fputc('\n', output.stream);
    if (!output_close(&output)) {
        die("%s: %s", path, strerror(errno));
    }
    json_decref(all);
}

/* ---- Reading ---- */

static bool load_done(struct explore_session *session, json_t *ranges)
{
    json_t *range;
    size_t i;

    json_array_foreach(ranges, i, range)
    {
        json_int_t first, last;

        if (json_unpack(range, "[I, I]", &first, &last) != 0 || first < 0 || last < first ||
            (uint64_t)last >= session->items) {
            return false;
        }
        for (uint64_t item = (uint64_t)first; item <= (uint64_t)last; item++) {
            session_mark_done(session, item);
        }
    }
    return true;
}

static bool load_figures(struct search_figures *figures, json_t *from)
{
    json_int_t ends, states, transitions, merged, reduced, depth;
    const char *unvaried;
    int too_deep, full;

    if (json_unpack(from, "{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}", "ends", &ends, "states",
                    &states, "transitions", &transitions, "merged", &merged, "reduced", &reduced,
                    "depth", &depth, "too_deep", &too_deep, "full", &full, "unvaried",
                    &unvaried) != 0) {
        return false;
    }
    *figures = (struct search_figures){.ends = (uint64_t)ends,
                                       .states = (uint64_t)states,
                                       .transitions = (uint64_t)transitions,
                                       .merged = (uint64_t)merged,
                                       .reduced = (uint64_t)reduced,
                                       .depth = (uint64_t)depth,
                                       .too_deep = too_deep != 0,
                                       .full = full != 0};
    text_copy(figures->unvaried, sizeof(figures->unvaried), unvaried);
    return true;
}

static bool load_failures(struct explore_session *session, json_t *list)
{
    json_t *number;
    size_t i;

    json_array_foreach(list, i, number)
    {
        if (json_integer_value(number) < 0 || json_integer_value(number) >= VARIANT_FAILURES) {
            return false;
        }
        session->failures[json_integer_value(number)] = true;
    }
    return true;
}

static bool load_findings(struct explore_session *session, json_t *list)
{
    json_t *from;
    size_t i;

    json_array_foreach(list, i, from)
    {
        const char *oracle, *kind, *text, *variant, *choices, *scenario;
        struct explore_finding finding = {.item = 0};
        json_int_t now_ns, item;

        if (json_unpack(from, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "oracle", &oracle, "kind",
                        &kind, "text", &text, "variant", &variant, "choices", &choices, "time_ns",
                        &now_ns, "item", &item, "scenario", &scenario) != 0) {
            return false;
        }
        finding.id = finding_find(oracle, kind);
        if (finding.id == FINDING_NONE) {
            return false;
        }
        text_copy(finding.text, sizeof(finding.text), text);
        text_copy(finding.variant, sizeof(finding.variant), variant);
        text_copy(finding.choices, sizeof(finding.choices), choices);
        finding.now_ns = (uint64_t)now_ns;
        finding.item = (uint64_t)item;
        session_take_finding(session, &finding, must_strdup(scenario));
    }
    return true;
}

static char *load_all(struct explore_session *session, json_t *all, uint64_t identity)
{
    const char *format;
    json_t *done, *figures, *failures, *findings;
    json_int_t search, items, chains, questions;

    if (json_unpack(all, "{s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o}", "format", &format,
                    "search", &search, "items", &items, "done", &done, "figures", &figures,
                    "chains", &chains, "questions", &questions, "failures", &failures, "findings",
                    &findings) != 0 ||
        strcmp(format, FORMAT) != 0) {
        return must_strdup("it is no checkpoint of `mirrorsim explore`");
    }
    if ((uint64_t)search != identity >> 1 || (uint64_t)items != session->items) {
        return must_strdup("it is of another search: other options, another scenario or program");
    }
    session->chains = (uint32_t)chains;
    session->questions = (uint64_t)questions;
    if (!load_done(session, done) || !load_figures(&session->figures, figures) ||
        !load_failures(session, failures) || !load_findings(session, findings)) {
        return must_strdup("it is damaged");
    }
    return NULL;
}

char *checkpoint_load(struct explore_session *session, uint64_t identity)
{
    const char *path = session->options->checkpoint;
    json_error_t error;
    json_t *all;
    char *why;

    if (access(path, F_OK) != 0) {
        return NULL;
    }
    all = json_load_file(path, 0, &error);
    if (all == NULL) {
        return must_printf("it is no JSON: %s", error.text);
    }
    why = load_all(session, all, identity);
    json_decref(all);
    return why;
}

void checkpoint_remove(const struct explore_options *options)
{
    unlink(options->checkpoint);
}

/* ---- Items ---- */

static char *item_path(const struct explore_options *options, uint64_t item)
{
    return must_printf("%s.%" PRIu64, options->checkpoint, item);
}

FILE *checkpoint_open_item(const struct explore_options *options, uint64_t item)
{
    char *path = item_path(options, item);
    FILE *file = fopen(path, "r");

    free(path);
    return file;
}

void checkpoint_save_item(const struct explore_options *options, uint64_t item,
                          const struct search *search)
{
    char *path = item_path(options, item);
    struct output output;

    if (!output_open(&output, path)) {
        die("%s: %s", path, strerror(errno));
    }
    search_save(search, output.stream);
    if (!output_close(&output)) {
        die("%s: %s", path, strerror(errno));
    }
    free(path);
}

void checkpoint_remove_item(const struct explore_options *options, uint64_t item)
{
    char *path = item_path(options, item);

    unlink(path);
    free(path);
}
