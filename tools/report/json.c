/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report as one JSON object with one line per run; nothing in it depends on
 * the clock.
 *
 * Declared in tools/report/report.h: one of the forms of a report.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/errno_name.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/report/matrix.h"
#include "tools/report/report.h"
#include "tools/run/load.h"

struct json {
    struct report report;
    const char *separator; /* goes before the next element of the array being written */
    const char *list;      /* the key of the one that is open; NULL: `invalid` */
};

void report_json_show(json_t *answer)
{
    json_dumpf(answer, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(answer);
}

json_t *report_json_string(const char *text)
{
    char *clean = utf8_clean(text);
    json_t *string = json_string(clean);

    free(clean);
    return string;
}

static void set_u64(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_string(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, report_json_string(text));
}

static bool is_of_the_dead(const struct report_run *run, const struct run_finding *finding)
{
    return finding_is(finding->id, FINDING_OF_PROCESS) && *run->result->stack != '\0';
}

json_t *report_finding_json(const struct report_run *run, const struct run_finding *finding)
{
    json_t *object = json_object();

    if (run->compared != NULL && finding->about != ABOUT_BOTH) {
        set_string(object, "engine",
                   finding->about == ABOUT_COMPARED ? run->compared->name : run->engine->name);
    }
    set_string(object, "oracle", finding_by(finding->id));
    set_string(object, "kind", finding_kind_name(finding->id));
    set_string(object, "text", finding->text);
    set_u64(object, "time_ns", finding->now_ns);
    set_u64(object, "event", finding->event_number);
    set_string(object, "file", run->file);
    if (finding->line > 0) {
        set_u64(object, "line", finding->line);
    }
    if (finding->step_line > 0) {
        set_u64(object, "step_line", finding->step_line);
    }
    if (finding->fault_line > 0) {
        set_u64(object, "fault_line", finding->fault_line);
    }
    if (is_of_the_dead(run, finding)) {
        json_object_set_new(object, "stack", report_stack_json(run->result->stack));
    }
    if (finding->is_cycle) {
        set_u64(object, "cycle_from_event", finding->cycle_from);
    }
    if (finding->has_sector) {
        set_string(object, "disk", finding->disk);
        set_u64(object, "sector", finding->sector);
    }
    return object;
}

json_t *report_stack_json(const char *stack)
{
    json_t *array = json_array();

    while (*stack != '\0') {
        size_t bytes = strcspn(stack, "\n");
        char *line = must_printf("%.*s", (int)bytes, stack);

        json_array_append_new(array, report_json_string(line));
        free(line);
        stack += bytes + (stack[bytes] == '\n');
    }
    return array;
}

json_t *report_mistakes_json(const struct mistakes *mistakes)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < mistakes->count; i++) {
        const struct mistake *mistake = &mistakes->list[i];
        json_t *object = json_object();

        set_u64(object, "line", mistake->line);
        set_u64(object, "column", mistake->column);
        set_string(object, "text", mistake->text);
        json_array_append_new(array, object);
    }
    return array;
}

/* `steps` has the first difference: what each engine does after the equal steps. */
static json_t *comparison_json(const struct report_run *run)
{
    const struct run_comparison *comparison = &run->result->comparison;
    json_t *object = json_object();

    set_string(object, "engine", run->compared->name);
    set_string(object, "outcome", compared_name(run->result));
    if (comparison->compared != COMPARED_NOT) {
        set_u64(object, "equal", comparison->equal);
    }
    if (comparison->differs) {
        json_object_set_new(object, "steps",
                            json_pack("[o, o]", report_json_string(comparison->lines[0]),
                                      report_json_string(comparison->lines[1])));
    }
    return object;
}

static json_t *tally_json(const struct compare_tally *tally)
{
    json_t *object = json_object();
    json_t *bugs = json_object();

    for (uint32_t i = 0; i < tally->bug_count; i++) {
        set_u64(bugs, tally->bugs[i].name, tally->bugs[i].runs);
    }
    set_u64(object, "same", tally->same);
    set_u64(object, "known", tally->known);
    set_u64(object, "different", tally->different);
    set_u64(object, "unexpectedly_same", tally->unexpectedly_same);
    set_u64(object, "not_compared", tally->not_compared);
    json_object_set_new(object, "bugs", bugs);
    return object;
}

/* Hashes are strings, because many JSON readers only handle numbers below 2^53. */
static json_t *run_json(const struct report_run *run)
{
    const struct run_result *result = run->result;
    json_t *object = json_object();
    json_t *findings = json_array();
    char hash[20];

    set_string(object, "file", run->file);
    set_string(object, "name", run->name);
    set_u64(object, "case", run->case_number);
    set_string(object, "case_name", result->case_name);
    set_u64(object, "seed", run->seed);
    set_string(object, "engine", run->engine->name);
    set_string(object, "outcome", outcome_name(result->outcome));
    for (uint32_t i = 0; i < result->finding_count; i++) {
        json_array_append_new(findings, report_finding_json(run, &result->findings[i]));
    }
    json_object_set_new(object, "findings", findings);
    set_u64(object, "findings_dropped", result->dropped);
    set_u64(object, "virtual_ns", result->virtual_ns);
    set_u64(object, "events", result->events);
    set_u64(object, "trace_events", result->trace_events);
    snprintf(hash, sizeof(hash), "%016" PRIx64, result->trace_hash);
    set_string(object, "trace_hash", hash);
    set_u64(object, "checks", result->checks);
    set_u64(object, "guest_longest_ns", result->guest_longest_ns);
    set_u64(object, "job_still_ns", result->job_still_ns);
    set_u64(object, "copied_bytes", result->copied_bytes);
    json_object_set_new(object, "concluded", json_boolean(result->concluded));
    json_object_set_new(object, "cancelled", json_boolean(result->cancelled));
    set_string(object, "error", result->ret != 0 ? errno_name(result->ret) : "");
    if (*result->bug != '\0') {
        set_string(object, "bug", result->bug);
    }
    if (run->compared != NULL) {
        json_object_set_new(object, "compared", comparison_json(run));
    }
    return object;
}

static void write_element(struct json *json, json_t *element)
{
    fputs(json->separator, json->report.out);
    json_dumpf(element, json->report.out, JSON_COMPACT);
    json_decref(element);
    json->separator = ",\n";
}

/* The engine that was asked for; or the first run's, each of which says its own. */
static const struct engine *first_engine(const struct suite *suite)
{
    return suite->engine_count > 0  ? suite->engines[0]
           : suite->entry_count > 0 ? suite->entries[0].engine
                                    : engines[0];
}

static void json_begin(struct report *report, const struct suite *suite)
{
    struct json *json = (struct json *)(void *)report;

    fprintf(report->out, "{\"mirrorsim\":\"%s\",\"engine\":\"%s\",\"invalid\":[", MIRRORSIM_VERSION,
            first_engine(suite)->name);
    json->separator = "\n";
}

static void json_invalid(struct report *report, const struct suite_invalid *invalid)
{
    json_t *object = json_object();

    set_string(object, "file", invalid->file);
    json_object_set_new(object, "mistakes", report_mistakes_json(invalid->mistakes));
    write_element((struct json *)(void *)report, object);
}

/* The lists follow each other; that of skipped stories is there only if some are. */
static void begin_list(struct json *json, const char *key)
{
    if (json->list != key) {
        fprintf(json->report.out, "],\"%s\":[", key);
        json->separator = "\n";
        json->list = key;
    }
}

static const char skipped_key[] = "skipped";
static const char runs_key[] = "runs";

static void json_skipped(struct report *report, const struct report_run *run, const char *why)
{
    json_t *object = json_object();

    begin_list((struct json *)(void *)report, skipped_key);
    set_string(object, "file", run->file);
    set_string(object, "name", run->name);
    set_u64(object, "case", run->case_number);
    set_string(object, "case_name", run->result->case_name);
    set_string(object, "why", why);
    write_element((struct json *)(void *)report, object);
}

static void json_run(struct report *report, const struct report_run *run)
{
    begin_list((struct json *)(void *)report, runs_key);
    write_element((struct json *)(void *)report, run_json(run));
}

static void json_end(struct report *report, const struct report_summary *summary)
{
    json_t *object = json_object();

    begin_list((struct json *)(void *)report, runs_key);
    set_u64(object, "runs", summary->passed + summary->failed);
    set_u64(object, "passed", summary->passed);
    set_u64(object, "failed", summary->failed);
    set_u64(object, "known_failures", summary->known_failures);
    set_u64(object, "invalid_files", summary->invalid_files);
    if (summary->skipped > 0) {
        set_u64(object, "skipped", summary->skipped);
    }
    set_u64(object, "planned", summary->planned);
    json_object_set_new(object, "interrupted", json_boolean(summary->interrupted));
    if (summary->matrix != NULL) {
        json_object_set_new(object, "matrix", matrix_json(summary->matrix));
    }
    if (summary->compared != NULL) {
        json_object_set_new(object, "compared", tally_json(&summary->tally));
    }
    fputs("],\n\"summary\":", report->out);
    json_dumpf(object, report->out, JSON_COMPACT);
    fputs("}\n", report->out);
    json_decref(object);
}

struct report *report_json(FILE *out)
{
    struct json *json = must_alloc(sizeof(*json));

    json->report = (struct report){out, json_begin, json_invalid, json_skipped, json_run, json_end};
    return &json->report;
}
