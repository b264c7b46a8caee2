/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drained sections, edges and deferred calls as a stub that a test moves by hand.
 *
 * Declared in tests/engine/stub_block.h: it is a part of the stub.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/section.h"
#include "tests/engine/stub_block.h"

struct block_edge {
    struct block_edge *next;
    struct block_node *node;
    const struct edge_user *user;
    void *opaque;
};

struct block_edge *block_edge_attach(struct block_node *node, const struct edge_user *user,
                                     void *opaque)
{
    struct block_edge *edge = calloc(1, sizeof(*edge));

    assert_non_null(edge);
    *edge = (struct block_edge){node->host->edges, node, user, opaque};
    node->host->edges = edge;
    if (node->sections > 0) {
        user->begun(opaque);
    }
    return edge;
}

void block_edge_detach(struct block_edge *edge)
{
    struct block_edge **link = &edge->node->host->edges;

    while (*link != edge) {
        link = &(*link)->next;
    }
    *link = edge->next;
    if (edge->node->sections > 0) {
        edge->user->ended(edge->opaque);
    }
    free(edge);
}

void stub_begin_section(struct host *host, struct block_node *node)
{
    if (node->sections++ > 0) {
        return;
    }
    for (struct block_edge *edge = host->edges; edge != NULL; edge = edge->next) {
        if (edge->node == node) {
            edge->user->begun(edge->opaque);
        }
    }
}

void stub_end_section(struct host *host, struct block_node *node)
{
    assert_true(node->sections > 0);
    if (--node->sections > 0) {
        return;
    }
    for (struct block_edge *edge = host->edges; edge != NULL; edge = edge->next) {
        if (edge->node == node) {
            edge->user->ended(edge->opaque);
        }
    }
}

bool stub_section_is_disturbed(const struct host *host, const struct block_node *node)
{
    for (const struct block_edge *edge = host->edges; edge != NULL; edge = edge->next) {
        if (edge->node == node && edge->user->busy(edge->opaque)) {
            return true;
        }
    }
    return false;
}

static void wait_until_quiet(struct host *host, void (*quiet)(void *opaque), void *opaque)
{
    if (host->sections_wait) {
        assert_null(host->quiet.run);
        host->quiet = (struct stub_call){quiet, opaque};
    } else {
        quiet(opaque);
    }
}

void block_section_begin_all(struct host *host, void (*quiet)(void *opaque), void *opaque)
{
    host->all_node_sections++;
    wait_until_quiet(host, quiet, opaque);
}

void block_section_end_all(struct host *host)
{
    assert_true(host->all_node_sections > 0);
    host->all_node_sections--;
}

static void run(struct stub_call *call)
{
    struct stub_call taken = *call;

    assert_true(taken.run != NULL);
    call->run = NULL;
    taken.run(taken.opaque);
}

void stub_let_quiet(struct host *host)
{
    run(&host->quiet);
}

void host_defer(struct host *host, void (*call)(void *opaque), void *opaque)
{
    assert_true(host->deferred.run == NULL);
    host->deferred = (struct stub_call){call, opaque};
}

void stub_run_deferred(struct host *host)
{
    run(&host->deferred);
}
