/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A section over the filter holds a reference on it, for the job may take it out meanwhile.
 */
#include "sim/world/drain.h"

#include "engine/section.h"
#include "sim/trace/phrase.h"
#include "sim/world/action.h"
#include "sim/world/private.h"

/* The section is quiet: what an event waits for; the step that began it does not. */
static void drained(void *opaque)
{
    struct block_node *node = opaque;

    layer_emit(node->layer, &(struct event){.kind = EVENT_DRAINED, .node = node->id});
}

/* A disk, or the job's filter: NULL if there is none, or another one is drained still. */
static struct block_node *node_to_drain(struct world *world, uint32_t index)
{
    const struct story *story = &world->story;
    struct block_node *filter = world->layer.filter;

    if (index != DRAIN_FILTER) {
        return &world->layer.nodes[index];
    }
    return story->drained_filter == NULL || story->drained_filter == filter ? filter : NULL;
}

static void refuse_drain(struct world *world, uint32_t number, const struct action *action,
                         const char *why)
{
    if (!action->may_be_refused) {
        action_fail(world, number, action->where, FINDING_EXPECT_REFUSED,
                    "No drained section of the story is over %s: %s.",
                    action->index == DRAIN_FILTER ? "the filter"
                                                  : phrase_disk(&world->evidence, action->index),
                    why);
    }
}

/* A filter that the job takes out lives as long as the story's sections over it. */
void drain_begin(struct world *world, uint32_t number, const struct action *action)
{
    struct block_node *node = node_to_drain(world, action->index);

    if (node == NULL) {
        refuse_drain(world, number, action, "there is no filter");
        return;
    }
    if (action->index == DRAIN_FILTER && world->story.drains[action->index] == 0) {
        world->story.drained_filter = node;
        block_ref(node);
    }
    world->story.drains[action->index]++;
    section_begin(&world->layer, node, BY_NONE, drained, node);
}

void drain_end(struct world *world, uint32_t number, const struct action *action)
{
    uint32_t *drains = &world->story.drains[action->index];
    struct block_node *node = action->index == DRAIN_FILTER ? world->story.drained_filter
                                                            : &world->layer.nodes[action->index];

    if (*drains == 0) {
        refuse_drain(world, number, action, "there is none to end");
        return;
    }
    --*drains;
    section_end(&world->layer, node, BY_NONE);
    if (action->index == DRAIN_FILTER && *drains == 0) {
        world->story.drained_filter = NULL;
        block_unref(node);
    }
}
