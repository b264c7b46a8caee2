/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rules absorb a failed query, and how the others are judged. */
#include "sim/model/queries.h"

#include <assert.h>
#include <errno.h>

#include "sim/trace/phrase.h"
#include "sim/verdict/verdict.h"

/*
 * S1: without an answer the granularity is the default.  D19: without an answer
 * there is no cluster size.  C6: a pivot carries on if the flags cannot be
 * restored.  Today's generation: what can't be asked is copied (O5), a target
 * that can't report has no clusters (S1', R4'), and a pivot carries on without
 * the read-only flag (C6').
 */
static bool is_absorbed(const struct evidence *evidence, const struct event *event, bool job_alive)
{
    if (evidence->plan->generation == GENERATION_MODERN) {
        return event->op == OP_CONTENT || event->op == OP_GET_INFO ||
               (event->op == OP_READ_ONLY && job_alive);
    }
    return (event->op == OP_GET_INFO && (!job_alive || event->ret == -ENOTSUP)) ||
           (event->op == OP_REOPEN && job_alive);
}

/* A further fault on the same query is ignored: the first one decides the error. */
void queries_failed(struct queries *queries, const struct evidence *evidence,
                    const struct event *event, bool job_alive)
{
    bool same = queries->event_number + 1 == evidence->event_number;

    queries->event_number = evidence->event_number;
    if (!same && !is_absorbed(evidence, event, job_alive) && queries->count < MAX_QUERIES) {
        queries->list[queries->count++] = *event;
    }
}

void queries_refused(struct queries *queries, const struct event *event)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < queries->count; i++) {
        if (queries->list[i].ret != event->ret) {
            queries->list[left++] = queries->list[i];
        }
    }
    queries->count = left;
}

void queries_judge(struct queries *queries, struct evidence *evidence, const char *went_on)
{
    for (uint32_t i = 0; i < queries->count; i++) {
        const struct event *query = &queries->list[i];

        verdict_add(
            evidence, FINDING_LEDGER_SWALLOWED_QUERY,
            "Query %s of %s failed with %s at %s (fault %s); no start or command was refused for "
            "it, but the job %s at %s.",
            op_name(event_op(query)), phrase_disk(evidence, query->node),
            phrase_result(query->ret).text, quantity_time(query->now_ns).text,
            evidence->plan->faults[query->index].name, went_on,
            quantity_time(evidence->now_ns).text);
    }
    queries->count = 0;
}

void queries_forget(struct queries *queries)
{
    queries->count = 0;
}

void queries_digest(const struct queries *queries, struct digest *digest)
{
    for (uint32_t i = 0; i < queries->count; i++) {
        digest_u64(digest, queries->list[i].op);
        digest_i64(digest, queries->list[i].ret);
    }
}

void queries_check(const struct queries *queries)
{
    assert(queries->count <= MAX_QUERIES);
}
