/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A trace in a page: the same lines as `mirrorsim trace`, in a few bytes each.
 */
#ifndef MIRRORSIM_TOOLS_PAGE_TRACE_H
#define MIRRORSIM_TOOLS_PAGE_TRACE_H

#include <jansson.h>

#include "sim/trace/trace.h"
#include "tools/base/pack.h"

/*
 * Appends the table "events" and a blob with the numbers in the lines; `head` gets the lines
 * without their numbers (`templates`), and `tables` the table.  The trace must be kept.
 */
void page_trace_add(struct pack *block, json_t *head, json_t *tables,
                    const struct trace_names *names, const struct trace *trace);

#endif
