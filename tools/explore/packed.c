/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Member by member: what is read was checked, member by member, too.
 */
#include "tools/explore/packed.h"

void pack_finding(struct pack *pack, const struct explore_finding *finding)
{
    pack_number(pack, finding->id);
    pack_text(pack, finding->text);
    pack_text(pack, finding->variant);
    pack_text(pack, finding->choices);
    pack_text(pack, finding->lasso);
    pack_text(pack, finding->stack);
    pack_number(pack, finding->now_ns);
    pack_number(pack, finding->item);
}

void unpack_finding(struct unpack *unpack, struct explore_finding *finding)
{
    finding->id = (enum finding_id)unpack_at_most(unpack, FINDING_COUNT - 1);
    unpack_text(unpack, finding->text, sizeof(finding->text));
    unpack_text(unpack, finding->variant, sizeof(finding->variant));
    unpack_text(unpack, finding->choices, sizeof(finding->choices));
    unpack_text(unpack, finding->lasso, sizeof(finding->lasso));
    unpack_text(unpack, finding->stack, sizeof(finding->stack));
    finding->now_ns = unpack_number(unpack);
    finding->item = unpack_number(unpack);
}

void pack_result(struct pack *pack, const struct explore_result *result)
{
    pack_number(pack, result->item);
    search_pack_figures(pack, &result->figures);
    pack_number(pack, result->stopped);
    pack_number(pack, result->fired);
    pack_number(pack, result->chains);
    pack_number(pack, result->questions);
    pack_number(pack, result->finding_count);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        pack_finding(pack, &result->findings[i]);
    }
}

void unpack_result(struct unpack *unpack, struct explore_result *result)
{
    result->item = unpack_number(unpack);
    search_unpack_figures(unpack, &result->figures);
    result->stopped = unpack_bool(unpack);
    result->fired = unpack_bool(unpack);
    result->chains = (uint32_t)unpack_at_most(unpack, UINT32_MAX);
    result->questions = unpack_number(unpack);
    result->finding_count = (uint32_t)unpack_at_most(unpack, EXPLORE_MAX_FINDINGS);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        unpack_finding(unpack, &result->findings[i]);
    }
}
