/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of a job's state: fields as numbers and in words.
 */
#include "sim/verdict/query.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace/phrase.h"

static const char *const field_names[] = {
    [QUERY_OFFSET] = "offset",
    [QUERY_LEN] = "len",
    [QUERY_SPEED] = "speed",
    [QUERY_BUSY] = "busy",
    [QUERY_PAUSED] = "paused",
    [QUERY_READY] = "ready",
    [QUERY_CANCELLED] = "cancelled",
    [QUERY_STATUS] = "status",
    [QUERY_IO_STATUS] = "io-status",
    [QUERY_KIND] = "kind",
    [QUERY_SYNCED] = "actively-synced",
    [QUERY_DIRTY] = "dirty",
    [QUERY_ERROR] = "error",
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
    case QUERY_SYNCED:
        return info->actively_synced;
    case QUERY_DIRTY:
        return (uint64_t)info->dirty_bytes;
    case QUERY_ERROR:
        break; /* text: no number */
    }
    assert(false && "a field");
    return 0;
}

static bool says(const struct job_info *info, const char *text)
{
    return info->error_text != NULL && strstr(info->error_text, text) != NULL;
}

bool query_check_holds(const struct query_check *check, const struct job_info *info)
{
    uint64_t value;

    if (check->field == QUERY_ERROR) {
        return says(info, check->text);
    }
    value = query_field_value(info, check->field);
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

/* A field's value in the words of scenarios. */
static struct phrase value_phrase(enum query_field field, uint64_t value)
{
    struct phrase phrase;
    const char *word = NULL;

    switch (field) {
    case QUERY_BUSY:
    case QUERY_PAUSED:
    case QUERY_READY:
    case QUERY_CANCELLED:
    case QUERY_SYNCED:
        word = value ? "true" : "false";
        break;
    case QUERY_IO_STATUS:
        word = io_status_name((enum io_status)value);
        break;
    case QUERY_STATUS:
        word = job_status_name((enum job_status)value);
        break;
    case QUERY_KIND:
        word = job_kind_name((enum job_kind)value);
        break;
    case QUERY_ERROR:
        word = "";
        break;
    case QUERY_DIRTY:
        if (value == UINT64_MAX) {
            word = "unknown";
            break;
        }
        /* fall through */
    case QUERY_OFFSET:
    case QUERY_LEN:
    case QUERY_SPEED:
        snprintf(phrase.text, sizeof(phrase.text), "%s", quantity_size(value).text);
        return phrase;
    }
    snprintf(phrase.text, sizeof(phrase.text), "%s", word);
    return phrase;
}

int query_check_describe(const struct query_check *check, const struct job_info *info, char *buf,
                         size_t size)
{
    uint64_t value;

    if (check->field == QUERY_ERROR) {
        return snprintf(buf, size, "error is %s%s%s, expected one that says \"%s\"",
                        info->error_text ? "\"" : "", info->error_text ? info->error_text : "none",
                        info->error_text ? "\"" : "", check->text);
    }
    value = query_field_value(info, check->field);
    return snprintf(buf, size, "%s is %s, expected %s%s", field_names[check->field],
                    value_phrase(check->field, value).text, comparison_words[check->comparison],
                    value_phrase(check->field, check->value).text);
}
