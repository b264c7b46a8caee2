/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a plan can be left out, and what it is called; a part of tools/explain/explain.h.
 */
#ifndef MIRRORSIM_TOOLS_EXPLAIN_ITEM_H
#define MIRRORSIM_TOOLS_EXPLAIN_ITEM_H

#include "tools/explain/explain.h"

enum item_kind {
    ITEM_NOTHING, /* the run as it is */
    ITEM_FAULT,
    ITEM_STEP,
    ITEM_TIMED,
    ITEM_REACT,
    ITEM_GENERATOR,
    ITEM_CHOICE,
};

struct item {
    enum item_kind kind;
    uint32_t index;
};

struct items {
    struct item *list;
    size_t count;
};

/* Names all items but the first, which is the run as it is, in the list. */
void items_name(const struct plan *plan, const struct items *items, struct without_list *list);

#endif
