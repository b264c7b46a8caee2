/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of a job's state: fields as numbers, and as words for people.
 */
#include "sim/query.h"

#include <assert.h>
#include <stdio.h>

#include "sim/phrase.h"

static const char *const field_names[] = {
    [QUERY_OFFSET] = "offset",       [QUERY_LEN] = "len",       [QUERY_SPEED] = "speed",
    [QUERY_BUSY] = "busy",           [QUERY_PAUSED] = "paused", [QUERY_READY] = "ready",
    [QUERY_CANCELLED] = "cancelled", [QUERY_STATUS] = "status", [QUERY_IO_STATUS] = "io-status",
    [QUERY_KIND] = "kind",
};

static const char *const comparison_words[] = {
    [COMPARE_EQUAL] = "",
    [COMPARE_AT_LEAST] = "at least ",
    [COMPARE_AT_MOST] = "at most ",
};

uint64_t query_field_value(const struct job_info *info, enum query_field field)
{
    switch (field) {
    case QUERY_OFFSET:
        return info->offset;
    case QUERY_LEN:
        return info->len;
    case QUERY_SPEED:
        return info->speed;
    case QUERY_BUSY:
        return info->busy;
    case QUERY_PAUSED:
        return info->paused;
    case QUERY_READY:
        return info->ready;
    case QUERY_CANCELLED:
        return info->cancelled;
    case QUERY_IO_STATUS:
        return info->io_status;
    case QUERY_STATUS:
        return info->status;
    case QUERY_KIND:
        return info->kind;
    }
    assert(false && "a field");
    return 0;
}

bool query_check_holds(const struct query_check *check, const struct job_info *info)
{
    uint64_t value = query_field_value(info, check->field);

    switch (check->comparison) {
    case COMPARE_EQUAL:
        return value == check->value;
    case COMPARE_AT_LEAST:
        return value >= check->value;
    case COMPARE_AT_MOST:
        return value <= check->value;
    }
    assert(false && "a comparison");
    return false;
}

/* A field's value as scenarios write it. */
static int value_describe(enum query_field field, uint64_t value, char *buf, size_t size)
{
    switch (field) {
    case QUERY_BUSY:
    case QUERY_PAUSED:
    case QUERY_READY:
    case QUERY_CANCELLED:
        return snprintf(buf, size, "%s", value ? "true" : "false");
    case QUERY_IO_STATUS:
        return snprintf(buf, size, "%s", io_status_name((enum io_status)value));
    case QUERY_STATUS:
        return snprintf(buf, size, "%s", job_status_name((enum job_status)value));
    case QUERY_KIND:
        return snprintf(buf, size, "%s", job_kind_name((enum job_kind)value));
    case QUERY_OFFSET:
    case QUERY_LEN:
    case QUERY_SPEED:
        break;
    }
    return snprintf(buf, size, "%s", phrase_size(value).text);
}

int query_check_describe(const struct query_check *check, const struct job_info *info, char *buf,
                         size_t size)
{
    char is[32];
    char wanted[32];

    value_describe(check->field, query_field_value(info, check->field), is, sizeof(is));
    value_describe(check->field, check->value, wanted, sizeof(wanted));
    return snprintf(buf, size, "%s is %s, expected %s%s", field_names[check->field], is,
                    comparison_words[check->comparison], wanted);
}
