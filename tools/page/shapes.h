/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shapes of a run in a page, as tables.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_SHAPES_H
#define MIRRORSIM_TOOLS_PAGE_SHAPES_H

#include <jansson.h>

#include "tools/base/pack.h"
#include "tools/picture/picture.h"

/* Appends the tables "requests", "ranges", "periods", "instants" and "samples". */
void page_shapes_add(struct pack *block, json_t *tables, const struct picture *picture);

#endif
