/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The columns of each kind of shape.  The page's map knows them by these names.
 */
#include "tools/page/shapes.h"

#include "tools/page/block.h"

#define END_OF_COLUMNS \
    {                  \
        .name = NULL   \
    }

#define REQUEST(name, member, kind) COLUMN(struct shape_request, name, member, kind)
#define RANGE(name, member, kind) COLUMN(struct shape_range, name, member, kind)
#define PERIOD(name, member, kind) COLUMN(struct shape_period, name, member, kind)
#define INSTANT(name, member, kind) COLUMN(struct shape_instant, name, member, kind)
#define SAMPLE(name, member, kind) COLUMN(struct shape_sample, name, member, kind)

static const struct column request_columns[] = {
    REQUEST("request", request, NUMBER),
    REQUEST("node", node, NUMBER),
    REQUEST("op", op, NUMBER),
    REQUEST("by", by, NUMBER),
    REQUEST("ret", ret, SIGNED),
    REQUEST("offset", offset, NUMBER),
    REQUEST("bytes", bytes, NUMBER),
    REQUEST("cameNs", came_ns, RISING),
    REQUEST("submitNs", submit_ns, RISING),
    REQUEST("startNs", start_ns, RISING),
    REQUEST("effectNs", effect_ns, RISING),
    REQUEST("doneNs", done_ns, RISING),
    REQUEST("overNs", over_ns, RISING),
    REQUEST("came", came_event, RISING),
    REQUEST("submit", submit_event, RISING),
    REQUEST("effect", effect_event, RISING),
    REQUEST("done", done_event, RISING),
    REQUEST("over", over_event, RISING),
    REQUEST("action", action, NUMBER),
    REQUEST("carries", carries, NUMBER),
    REQUEST("fault", fault, NUMBER),
    END_OF_COLUMNS,
};

static const struct column range_columns[] = {
    RANGE("kind", kind, NUMBER),       RANGE("node", node, NUMBER),
    RANGE("bitmap", bitmap, NUMBER),   RANGE("jobs", jobs, NUMBER),
    RANGE("request", request, NUMBER), RANGE("offset", offset, NUMBER),
    RANGE("bytes", bytes, NUMBER),     RANGE("fromNs", from_ns, RISING),
    RANGE("toNs", to_ns, RISING),      RANGE("from", from_event, RISING),
    RANGE("to", to_event, RISING),     END_OF_COLUMNS,
};

static const struct column period_columns[] = {
    PERIOD("lane", lane, NUMBER),      PERIOD("value", value, NUMBER),
    PERIOD("node", node, NUMBER),      PERIOD("op", op, NUMBER),
    PERIOD("by", by, NUMBER),          PERIOD("request", request, NUMBER),
    PERIOD("offset", offset, NUMBER),  PERIOD("bytes", bytes, NUMBER),
    PERIOD("fromNs", from_ns, RISING), PERIOD("quietNs", quiet_ns, RISING),
    PERIOD("toNs", to_ns, RISING),     PERIOD("from", from_event, RISING),
    PERIOD("to", to_event, RISING),    END_OF_COLUMNS,
};

static const struct column instant_columns[] = {
    INSTANT("event", number, RISING),
    INSTANT("node", event.node, NUMBER),
    INSTANT("op", event.op, NUMBER),
    INSTANT("by", event.by, NUMBER),
    INSTANT("index", event.index, NUMBER),
    INSTANT("request", event.request, NUMBER),
    INSTANT("offset", event.offset, NUMBER),
    INSTANT("bytes", event.bytes, NUMBER),
    INSTANT("ret", event.ret, SIGNED),
    INSTANT("detail", event.detail, NUMBER),
    END_OF_COLUMNS,
};

static const struct column sample_columns[] = {
    SAMPLE("counter", counter, NUMBER), SAMPLE("node", node, NUMBER),
    SAMPLE("event", event, RISING),     SAMPLE("ns", now_ns, RISING),
    SAMPLE("value", value, NUMBER),     END_OF_COLUMNS,
};

void page_shapes_add(struct pack *block, json_t *tables, const struct picture *picture)
{
    page_block_add_table(block, tables, "requests", request_columns, picture->requests,
                         picture->request_count, sizeof(*picture->requests));
    page_block_add_table(block, tables, "ranges", range_columns, picture->ranges,
                         picture->range_count, sizeof(*picture->ranges));
    page_block_add_table(block, tables, "periods", period_columns, picture->periods,
                         picture->period_count, sizeof(*picture->periods));
    page_block_add_table(block, tables, "instants", instant_columns, picture->instants,
                         picture->instant_count, sizeof(*picture->instants));
    page_block_add_table(block, tables, "samples", sample_columns, picture->samples,
                         picture->sample_count, sizeof(*picture->samples));
}
