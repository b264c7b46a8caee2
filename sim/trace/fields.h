/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of each kind of event, for the writers of text and JSON.
 *
 * An event is shown as a list of fields; a field is a word, a number, a size
 * or an error.  A field without meaning is left out: a flush has no range.
 */
#ifndef MIRRORSIM_SIM_TRACE_FIELDS_H
#define MIRRORSIM_SIM_TRACE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/trace.h"

enum style {
    STYLE_NONE, /* the field is left out */
    STYLE_WORD,
    STYLE_COUNT,
    STYLE_SIGNED, /* two's complement */
    STYLE_SIZE,   /* bytes */
    STYLE_FLAGS,  /* bits */
    STYLE_ERROR,  /* errno, positive; 0 = success */
};

struct value {
    enum style style;
    uint64_t number;
    const char *word;
};

struct field {
    const char *key;    /* in JSON */
    const char *before; /* in text */
    struct value value;
};

#define EVENT_MAX_FIELDS 8

/*
 * Fills in the fields of an event, in the order of output, and returns their
 * number.  The words in them live as long as `names`.
 */
uint32_t event_fields(const struct trace_names *names, const struct event *event,
                      struct field fields[EVENT_MAX_FIELDS]);

/* That a job was cancelled is no success: in text it is only said if an error came of it. */
bool field_says_nothing(const struct event *event, const struct field *field);

#endif
