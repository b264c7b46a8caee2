/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Adding up results.
 */
#include "tools/explore/session.h"

#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "tools/base/support.h"

void session_open(struct explore_session *session, const struct explore_options *options,
                  struct explore_space *space)
{
    *session =
        (struct explore_session){.options = options, .space = space, .items = explore_items(space)};
    session->done = must_alloc(div_round_up(session->items, 8) + 1);
}

void session_close(struct explore_session *session)
{
    for (uint64_t i = 0; i < session->finding_count; i++) {
        free(session->findings[i].scenario);
    }
    free(session->findings);
    free(session->done);
}

/* ---- Findings ---- */

static int compare_findings(const void *a, const void *b)
{
    const struct explore_finding *x = &((const struct session_finding *)a)->finding;
    const struct explore_finding *y = &((const struct session_finding *)b)->finding;
    int order = (x->item > y->item) - (x->item < y->item);

    order = order != 0 ? order : strcmp(finding_by(x->id), finding_by(y->id));
    return order != 0 ? order : strcmp(finding_kind_name(x->id), finding_kind_name(y->id));
}

/* The one that a new finding replaces if its item is lower: of a search for all, that of the same
 * kind; NULL: there is none yet. */
static struct session_finding *rival_of(struct explore_session *session,
                                        const struct explore_finding *finding)
{
    for (uint64_t i = 0; i < session->finding_count; i++) {
        if (!session->options->all || session->findings[i].finding.id == finding->id) {
            return &session->findings[i];
        }
    }
    return NULL;
}

void session_take_finding(struct explore_session *session, const struct explore_finding *finding,
                          char *scenario)
{
    struct session_finding *rival = rival_of(session, finding);

    if (rival == NULL) {
        session->findings =
            must_grow(session->findings, session->finding_count, sizeof(*session->findings));
        session->findings[session->finding_count++] = (struct session_finding){*finding, scenario};
    } else if (finding->item < rival->finding.item) {
        free(rival->scenario);
        *rival = (struct session_finding){*finding, scenario};
    } else {
        free(scenario);
    }
    if (session->finding_count > 1) {
        qsort(session->findings, (size_t)session->finding_count, sizeof(*session->findings),
              compare_findings);
    }
}

/* ---- Results ---- */

static void add_figures(struct search_figures *all, const struct search_figures *one)
{
    all->ends += one->ends;
    all->states += one->states;
    all->transitions += one->transitions;
    all->merged += one->merged;
    all->reduced += one->reduced;
    all->depth = max_u64(all->depth, one->depth);
    all->too_deep = all->too_deep || one->too_deep;
    all->full = all->full || one->full;
    if (*one->unvaried != '\0') {
        search_add_word(all->unvaried, one->unvaried);
    }
}

void session_mark_done(struct explore_session *session, uint64_t item)
{
    if (!session_is_done(session, item)) {
        session->done[item / 8] |= (uint8_t)(1u << item % 8);
        session->done_count++;
    }
}

void session_take(struct explore_session *session, const struct explore_result *result)
{
    session->stopped = session->stopped || result->stopped;
    if (!result->stopped) {
        session_mark_done(session, result->item);
    }
    add_figures(result->stopped ? &session->partial : &session->figures, &result->figures);
    session->chains = result->chains > session->chains ? result->chains : session->chains;
    session->questions = max_u64(session->questions, result->questions);
    if (result->fired) {
        explore_note_failures(session->space, result->item, session->failures);
    }
}

struct search_figures session_figures(const struct explore_session *session)
{
    struct search_figures all = session->figures;

    add_figures(&all, &session->partial);
    return all;
}

bool session_is_done(const struct explore_session *session, uint64_t item)
{
    return session->done[item / 8] >> item % 8 & 1;
}

bool session_is_exhausted(const struct explore_session *session)
{
    return session->options->schedule == SCHEDULE_EXHAUSTIVE && !session->figures.too_deep &&
           *session->figures.unvaried == '\0' && !explore_is_cut(session->space) &&
           session->done_count == session->items && session->finding_count == 0;
}
