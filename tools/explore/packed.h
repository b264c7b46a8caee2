/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Findings and results as bytes: between processes of one search, and in its checkpoint.
 */
#ifndef MIRRORSIM_TOOLS_EXPLORE_PACKED_H
#define MIRRORSIM_TOOLS_EXPLORE_PACKED_H

#include "tools/base/pack.h"
#include "tools/explore/explore.h"

void pack_finding(struct pack *pack, const struct explore_finding *finding);
void unpack_finding(struct unpack *unpack, struct explore_finding *finding);

void pack_result(struct pack *pack, const struct explore_result *result);
void unpack_result(struct unpack *unpack, struct explore_result *result);

#endif
