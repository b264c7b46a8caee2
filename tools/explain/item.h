/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a plan that can be left out, and their names; a part of
 * tools/explain/explain.h.
 */
#ifndef MIRRORSIM_TOOLS_EXPLAIN_ITEM_H
#define MIRRORSIM_TOOLS_EXPLAIN_ITEM_H

#include "tools/explain/explain.h"
#include "tools/report/choices.h"

enum item_kind {
    ITEM_NOTHING, /* the unchanged run */
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

/* Fills in the names in the list: of all items but the first, which is the unchanged run. */
void items_name(const struct plan *plan, const struct told_choices *told, const struct items *items,
                struct without_list *list);

#endif
