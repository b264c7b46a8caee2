/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An explanation as text and as JSON.
 *
 * Declared in tools/explain/explain.h: a part of explaining.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/quantity.h"
#include "tools/explain/explain.h"
#include "tools/report/report.h"

/* A chain with more steps is shown without its middle, unless --all says otherwise. */
#define FIRST_STEPS 8
#define LAST_STEPS 40

#define MAX_CHOICES_NAMED 8

/* ---- Text ---- */

static bool has_colour(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0');
}

static void show_chain(const struct answer *answer)
{
    const struct explanation *explanation = &answer->explanation;
    bool is_long = !answer->all && explanation->count > FIRST_STEPS + LAST_STEPS + 1;
    const char *mark = has_colour() ? "\033[1;31m" : "";
    const char *end = has_colour() ? "\033[0m" : "";

    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_step *step = &explanation->steps[i];

        if (is_long && i == FIRST_STEPS) {
            size_t hidden = explanation->count - FIRST_STEPS - LAST_STEPS;

            printf("         ... %zu more (--all shows them) ...\n", hidden);
            i += hidden;
            step = &explanation->steps[i];
        }
        printf("  event %-5" PRIu64 " %12s  %s\n", step->event, quantity_time(step->now_ns).text,
               step->text);
        if (step->wrong != NULL) {
            printf("  %s%*s^ HERE: %s%s\n", mark, 26, "", step->wrong, end);
        }
    }
}

static void show_item(const struct without *without)
{
    printf("%s%s", without->what, without->elsewhere ? ", for another sector" : "");
    if (without->outcome == WITHOUT_CHANGES) {
        printf(": %s", without->becomes);
    }
}

/* There may be hundreds of choices: only some are listed, and none that make no difference. */
static void show_without(const struct without_list *list, enum without_outcome outcome,
                         const char *title)
{
    size_t choices = 0;
    size_t named = outcome == WITHOUT_STILL_THERE ? 0 : MAX_CHOICES_NAMED;
    const char *separator = title;

    for (size_t i = 0; i < list->count; i++) {
        const struct without *without = &list->list[i];

        if (without->outcome != outcome) {
            continue;
        }
        choices += without->is_choice;
        if (!without->is_choice || choices <= named) {
            fputs(separator, stdout);
            show_item(without);
            separator = "; ";
        }
    }
    if (choices > named) {
        printf("%sany one of %zu%s recorded choices", separator, choices - named,
               named > 0 ? " other" : "");
        separator = "; ";
    }
    if (separator != title) {
        puts(".");
    }
}

static void show_counterfactuals(const struct answer *answer)
{
    const struct without_list *list = &answer->without;

    if (answer->finding == NULL) {
        return;
    }
    if (!list->repeats) {
        puts("\nWhat it depends on is unknown: replaying the recorded choices does not give the "
             "finding.");
        return;
    }
    putchar('\n');
    show_without(list, WITHOUT_GONE, "The finding is gone without: ");
    show_without(list, WITHOUT_CHANGES, "Another finding takes its place without: ");
    show_without(list, WITHOUT_NO_END, "It is gone, but the story does not end without: ");
    show_without(list, WITHOUT_STILL_THERE, "It is still there without: ");
    if (list->count == 0) {
        puts("There is no fault, guest request, command or choice that could be left out: the "
             "plain copy has the finding.");
    }
    if (list->left_out > 0) {
        printf("Not tried, because there are too many: %zu more.\n", list->left_out);
    }
}

/* The first finding is usually the cause, but the later ones may be easier to understand. */
static void show_others(const struct answer *answer)
{
    const char *separator = "\nOther findings of the run, for --finding=ORACLE/KIND: ";
    const struct run_finding *last = answer->finding;

    for (uint32_t i = 0; i < answer->result->finding_count; i++) {
        const struct run_finding *other = &answer->result->findings[i];

        if (other != answer->finding && (last == NULL || other->id != last->id)) {
            printf("%s%s/%s", separator, finding_by(other->id), finding_kind_name(other->id));
            separator = ", ";
            last = other;
        }
    }
    if (last != answer->finding) {
        puts(".");
    }
}

void explain_show_text(const struct answer *answer)
{
    if (answer->finding != NULL) {
        printf("%s (%s) at %s:\n%s\n\n", finding_by(answer->finding->id),
               finding_kind_name(answer->finding->id), quantity_time(answer->finding->now_ns).text,
               answer->finding->text);
    }
    printf("%s\n\n", answer->explanation.state);
    show_chain(answer);
    if (answer->explanation.sum != NULL) {
        printf("\n%s\n", answer->explanation.sum);
    }
    show_counterfactuals(answer);
    show_others(answer);
}

/* ---- JSON ---- */

static json_t *finding_json(const struct run_finding *finding)
{
    json_t *object;

    if (finding == NULL) {
        return json_null();
    }
    object = json_pack("{s:s, s:s, s:o, s:I, s:I}", "oracle", finding_by(finding->id), "kind",
                       finding_kind_name(finding->id), "text", report_json_string(finding->text),
                       "time_ns", (json_int_t)finding->now_ns, "event",
                       (json_int_t)finding->event_number);
    if (finding->has_sector) {
        json_object_set_new(object, "disk", report_json_string(finding->disk));
        json_object_set_new(object, "sector", json_integer((json_int_t)finding->sector));
    }
    return object;
}

static json_t *chain_json(const struct explanation *explanation)
{
    json_t *chain = json_array();

    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_step *step = &explanation->steps[i];
        json_t *object =
            json_pack("{s:I, s:I, s:o}", "event", (json_int_t)step->event, "time_ns",
                      (json_int_t)step->now_ns, "text", report_json_string(step->text));

        if (step->wrong != NULL) {
            json_object_set_new(object, "wrong", json_string(step->wrong));
        }
        json_array_append_new(chain, object);
    }
    return chain;
}

static json_t *without_json(const struct without_list *list)
{
    static const char *const words[] = {"gone", "still there", "changes", "no end"};
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct without *without = &list->list[i];
        json_t *object = json_pack("{s:o, s:s}", "without", report_json_string(without->what),
                                   "finding", words[without->outcome]);

        if (without->outcome == WITHOUT_STILL_THERE) {
            json_object_set_new(object, "elsewhere", json_boolean(without->elsewhere));
        }
        if (without->becomes != NULL) {
            json_object_set_new(object, "becomes", report_json_string(without->becomes));
        }
        json_array_append_new(array, object);
    }
    return array;
}

json_t *explain_json(const struct answer *answer)
{
    const struct explanation *explanation = &answer->explanation;
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:o}", "file", report_json_string(answer->file), "finding",
                  finding_json(answer->finding), "state", report_json_string(explanation->state),
                  "chain", chain_json(explanation));

    json_object_set_new(object, "summary",
                        explanation->sum != NULL ? report_json_string(explanation->sum)
                                                 : json_null());
    if (answer->finding != NULL) {
        json_object_set_new(object, "repeats", json_boolean(answer->without.repeats));
        json_object_set_new(object, "counterfactuals", without_json(&answer->without));
        json_object_set_new(object, "not_tried",
                            json_integer((json_int_t)answer->without.left_out));
    }
    return object;
}

void explain_show_json(const struct answer *answer)
{
    report_json_show(explain_json(answer));
}
