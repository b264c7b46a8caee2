/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phrases for events and matches: a name, and its conditions in parentheses.
 *
 * Declared in sim/trace/phrase.h: the phrases for events are part of the same vocabulary.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/interposer.h"
#include "sim/trace/phrase.h"

/* Events about one request, or one failed request. */
#define OF_REQUEST                                                                              \
    (EVENT_BIT(REQUEST_QUEUED) | EVENT_BIT(REQUEST_SUBMIT) | EVENT_BIT(REQUEST_START) |         \
     EVENT_BIT(REQUEST_EFFECT) | EVENT_BIT(REQUEST_DONE) | EVENT_BIT(FAULT) | EVENT_BIT(HELD) | \
     EVENT_BIT(RELEASED) | EVENT_BIT(JOB_ERROR) | EVENT_BIT(ARRIVE) | EVENT_BIT(ANSWERED))
#define OF_FAULT (EVENT_BIT(FAULT) | EVENT_BIT(HELD) | EVENT_BIT(RELEASED))
#define OF_COMMAND (EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED))

/* Appends what still fits. */
static void add(struct phrase *phrase, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct phrase *phrase, const char *format, ...)
{
    size_t length = strlen(phrase->text);
    va_list args;

    va_start(args, format);
    vsnprintf(phrase->text + length, sizeof(phrase->text) - length, format, args);
    va_end(args);
}

/* ", " between the words in parentheses, " (" before the first. */
static void add_word(struct phrase *phrase, const char *word)
{
    add(phrase, "%s%s", strchr(phrase->text, '(') == NULL ? " (" : ", ", word);
}

static void close_words(struct phrase *phrase)
{
    if (strchr(phrase->text, '(') != NULL) {
        add(phrase, ")");
    }
}

static const char *index_name(const struct plan *plan, uint64_t kinds, uint32_t index)
{
    if (kinds & OF_FAULT) {
        return index < plan->fault_count ? plan->faults[index].name : NULL;
    }
    if (kinds & EVENT_BIT(MARK)) {
        return index < plan->mark_count ? plan->marks[index] : NULL;
    }
    return NULL;
}

struct phrase phrase_event(const struct evidence *evidence, const struct event *event)
{
    struct phrase phrase = {""};
    uint64_t kind = UINT64_C(1) << event->kind;
    const char *name = index_name(evidence->plan, kind, event->index);

    add(&phrase, "%s", event_kind_name(event_kind(event)));
    if (name != NULL) {
        add_word(&phrase, name);
    }
    if (kind & OF_REQUEST) {
        add_word(&phrase, op_name(event_op(event)));
        add_word(&phrase,
                 event->node == BLOCK_FILTER_ID ? "filter" : phrase_disk(evidence, event->node));
    }
    if (event->kind == EVENT_JOB_ERROR) {
        add_word(&phrase, error_action_name(event_action(event)));
    }
    if (kind & OF_COMMAND) {
        add_word(&phrase, job_verb_name(event_verb(event)));
    }
    if (event->kind == EVENT_JOB_STATUS) {
        add_word(&phrase, job_status_name((enum job_status)event->detail2));
    }
    if (event->ret != 0) {
        add_word(&phrase, phrase_result(event->ret).text);
    }
    close_words(&phrase);
    return phrase;
}

static void add_kinds(struct phrase *phrase, uint64_t kinds)
{
    const char *separator = "";

    if (kinds == 0) {
        add(phrase, "any event");
    }
    for (uint32_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (kinds >> kind & 1) {
            add(phrase, "%s%s", separator, event_kind_name((enum event_kind)kind));
            separator = "|";
        }
    }
}

static void add_request(struct phrase *phrase, const struct evidence *evidence,
                        const struct request_match *match)
{
    for (uint32_t op = 0; op < OP_COUNT; op++) {
        if (match->ops >> op & 1) {
            add_word(phrase, op_name((enum op)op));
        }
    }
    for (uint32_t disk = 0; disk < evidence->plan->disk_count; disk++) {
        if (match->disks >> disk & 1) {
            add_word(phrase, phrase_disk(evidence, disk));
        }
    }
    if (match->by != BY_NONE) {
        add_word(phrase, by_name(match->by));
    }
    if (match->has_range) {
        add_word(phrase, phrase_range(match->offset, match->bytes).text);
    }
}

struct phrase phrase_match(const struct evidence *evidence, const struct event_match *match)
{
    struct phrase phrase = {""};
    const char *name = match->index == MATCH_ANY
                           ? NULL
                           : index_name(evidence->plan, match->kinds, (uint32_t)match->index);

    add_kinds(&phrase, match->kinds);
    if (name != NULL) {
        add_word(&phrase, name);
    }
    add_request(&phrase, evidence, &match->request);
    if (match->action != MATCH_ANY) {
        add_word(&phrase, error_action_name((enum error_action)match->action));
    }
    if (match->verb != MATCH_ANY) {
        add_word(&phrase, job_verb_name((enum job_verb)match->verb));
    }
    if (match->refusal != MATCH_ANY) {
        add_word(&phrase, job_refusal_name((enum job_refusal)match->refusal));
    }
    for (uint32_t status = 0; status < JOB_STATUS_COUNT; status++) {
        if (match->statuses >> status & 1) {
            add_word(&phrase, job_status_name((enum job_status)status));
        }
    }
    if (match->has_ret) {
        add_word(&phrase, phrase_result(match->ret).text);
    }
    close_words(&phrase);
    return phrase;
}
