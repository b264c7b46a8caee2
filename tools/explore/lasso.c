/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Choosing the events of a cycle that tell it, and laying them out.
 */
#include "tools/explore/lasso.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/quantity.h"

/* What else happens on the way round follows from these. */
static bool tells(const struct event *event)
{
    switch (event->kind) {
    case EVENT_REQUEST_DONE:
    case EVENT_ANSWERED:
    case EVENT_DRAIN_BEGIN:
    case EVENT_DRAINED:
    case EVENT_DRAIN_END:
    case EVENT_SECTION:
    case EVENT_JOB_READY:
    case EVENT_JOB_ERROR:
    case EVENT_JOB_PAUSED:
    case EVENT_JOB_RESUMED:
    case EVENT_REACT:
    case EVENT_MARK:
        return true;
    default:
        return false;
    }
}

/* The columns of a trace's line become single spaces, and its instant goes. */
static void squeeze(char *line)
{
    const char *from = strstr(line, "ms");
    char *to = line;

    from = from != NULL ? from + 2 : line;
    from += strspn(from, " ");
    for (; *from != '\0'; from++) {
        if (*from != ' ' || from[1] != ' ') {
            *to++ = *from;
        }
    }
    *to = '\0';
}

void lasso_tell(const struct world *world, const struct engine *engine, char text[LASSO_BYTES])
{
    const struct evidence *evidence = world_evidence_of(world);
    const struct trace_names names = {evidence->plan, engine};
    const struct trace *trace = evidence->trace;
    uint64_t left_out = 0;
    size_t length;

    text[0] = '\0';
    if (!evidence->repeats || world_ended(world) != END_LIVELOCK) {
        return;
    }
    length = (size_t)snprintf(text, LASSO_BYTES, "%" PRIu64 " events, to %s",
                              evidence->repeats_event, quantity_time(evidence->repeats_ns).text);
    for (uint64_t i = evidence->repeats_event; i < trace->count; i++) {
        char line[160];
        size_t bytes;

        if (!tells(&trace->events[i])) {
            continue;
        }
        trace_format_text(&names, &trace->events[i], line, sizeof(line));
        squeeze(line);
        bytes = strlen(line) + 1;
        if (length + bytes + 32 > LASSO_BYTES) {
            left_out++;
            continue;
        }
        text[length] = '\n';
        memcpy(text + length + 1, line, bytes);
        length += bytes;
    }
    if (left_out > 0) {
        snprintf(text + length, LASSO_BYTES - length, "\n... and %" PRIu64 " more", left_out);
    }
}

void lasso_print(const char *text)
{
    const char *head = "    stem    ";

    while (*text != '\0') {
        int bytes = (int)strcspn(text, "\n");

        printf("%s%.*s\n", head, bytes, text);
        head = head[4] == 's' ? "    cycle   " : "            ";
        text += bytes + (text[bytes] == '\n');
    }
}
