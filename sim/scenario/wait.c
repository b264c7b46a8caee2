/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `wait`: for a time, an event, the end of the job, a hold or the guest.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

static bool is_time(const struct yaml_node *node)
{
    return (node->kind == YAML_SCALAR && node->text[0] >= '0' && node->text[0] <= '9') ||
           yaml_get(node, "choose") || yaml_get(node, "range");
}

FIELD_READER(wait_read)
{
    struct wait_spec *wait = field_place(field, record);
    struct event_spec spec;
    int64_t time;

    node = read_resolve(loader, node);
    if (is_time(node)) {
        wait->kind = WAIT_DURATION;
        if (value_read(loader, node, &type_time, &time)) {
            wait->within_ns = (uint64_t)time;
        }
        return;
    }
    if (read_is_word(loader, node, "concluded")) {
        wait->kind = WAIT_CONCLUDED;
        return;
    }
    if (!event_read(loader, node, &shape_awaited, &spec)) {
        return;
    }
    wait->kind = spec.waits_concluded                                   ? WAIT_CONCLUDED
                 : spec.waits_progress                                  ? WAIT_PROGRESS
                 : spec.waits_tag                                       ? WAIT_GUEST_TAG
                 : spec.waits_guest                                     ? WAIT_GUEST_IDLE
                 : spec.match.kinds == EVENT_BIT(HELD) && spec.nth == 0 ? WAIT_HELD
                                                                        : WAIT_EVENT;
    wait->match = spec.match;
    wait->index = (uint32_t)spec.match.index;
    wait->nth = spec.nth;
    wait->since_start = spec.since_start;
    wait->within_ns = spec.within_ns;
    wait->tag = spec.waits_tag;
    wait->progress_ppm = spec.progress_ppm;
    wait->progress_bytes = spec.progress_bytes;
}

/* As it was read. */
static struct event_spec spec_of(const struct wait_spec *wait)
{
    struct event_spec spec = event_any();

    spec.within_ns = wait->within_ns;
    spec.waits_concluded = wait->kind == WAIT_CONCLUDED;
    spec.waits_guest = wait->kind == WAIT_GUEST_IDLE || wait->kind == WAIT_GUEST_TAG;
    spec.waits_tag = wait->kind == WAIT_GUEST_TAG ? wait->tag : NULL;
    spec.waits_progress = wait->kind == WAIT_PROGRESS;
    spec.progress_ppm = wait->progress_ppm;
    spec.progress_bytes = wait->progress_bytes;
    if (wait->kind == WAIT_HELD) {
        spec.match.kinds = EVENT_BIT(HELD);
        spec.match.index = (int)wait->index;
    } else if (wait->kind == WAIT_EVENT) {
        spec.match = wait->match;
        spec.nth = wait->nth;
        spec.since_start = wait->since_start;
    }
    return spec;
}

/* Does the event's name say all?  A hold's would be another wait. */
static bool is_short(const struct wait_spec *wait)
{
    return wait->kind == WAIT_EVENT && event_is_bare(&wait->match) && wait->nth == 0 &&
           !wait->since_start && wait->within_ns == 0 && wait->match.kinds != EVENT_BIT(HELD);
}

FIELD_WRITER(wait_write)
{
    const struct wait_spec *wait = field_member(field, record);
    struct event_spec spec = spec_of(wait);

    emit_key(emit, field->key);
    if (wait->kind == WAIT_DURATION) {
        value_write(emit->file, &type_time, (int64_t)wait->within_ns);
    } else if (wait->kind == WAIT_CONCLUDED && wait->within_ns == 0) {
        fputs("concluded", emit->file);
    } else if (is_short(wait)) {
        event_write_short(emit->file, plan, &wait->match);
    } else {
        event_write(emit->file, plan, &shape_awaited, &spec);
    }
}

const struct shape shape_wait = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(VALUE_OF(type_time), WORD_OF("concluded"), &shape_awaited)};
