/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of a run, as JSON, and its tables.
 *
 * What numbers mean is said in words here, so that the page knows nothing of engines and plans.
 */
#include "tools/page/run.h"

#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/page/block.h"
#include "tools/page/shapes.h"
#include "tools/page/trace.h"
#include "tools/page/why.h"
#include "tools/picture/picture.h"

#define MAX_TEXT_BYTES ((size_t)1 << 20)

/* ---- Words ---- */

static json_t *words(size_t count, const char *(*name)(size_t number))
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, report_json_string(name(i)));
    }
    return array;
}

static const char *op_word(size_t number)
{
    return op_name((enum op)number);
}

static const char *by_word(size_t number)
{
    return number == BY_NONE ? "" : by_name((enum by)number);
}

static const char *status_word(size_t number)
{
    return job_status_name((enum job_status)number);
}

/* Of the phases that occur: {"3": "wait-op"}. */
static json_t *phases_json(const struct picture *picture, const struct engine *engine)
{
    json_t *object = json_object();

    for (size_t i = 0; i < picture->period_count; i++) {
        const struct shape_period *period = &picture->periods[i];
        char key[16];

        if (period->lane == LANE_PHASE) {
            snprintf(key, sizeof(key), "%u", (unsigned)period->value);
            json_object_set_new(object, key, json_string(engine->phase_name(period->value)));
        }
    }
    return object;
}

static json_t *faults_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < plan->fault_count; i++) {
        const struct fault_spec *fault = &plan->faults[i];

        json_array_append_new(
            array, json_pack("{s:o, s:i, s:b}", "name",
                             report_json_string(fault->name != NULL ? fault->name : "fault"),
                             "line", (int)fault->where.line, "hold", fault->kind == FAULT_HOLD));
    }
    return array;
}

/* Of guest requests, by the number of their action. */
static json_t *guests_json(const struct plan *plan)
{
    uint32_t count = plan_generator_number(plan, plan->generator_count);
    json_t *array = json_array();

    for (uint32_t i = 0; i < count; i++) {
        struct guest_origin origin = plan_guest_origin(plan, i);

        json_array_append_new(array, json_pack("[i, o]", (int)origin.where.line,
                                               origin.tag != NULL ? report_json_string(origin.tag)
                                                                  : json_string("")));
    }
    return array;
}

static json_t *disks_json(const struct plan *plan)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        json_array_append_new(array, json_pack("{s:o, s:I}", "name",
                                               report_json_string(plan->disks[i].name), "bytes",
                                               (json_int_t)plan->disks[i].bytes));
    }
    return array;
}

static int disk_or_none(uint32_t disk)
{
    return disk == PLAN_NONE ? -1 : (int)disk;
}

static json_t *plan_json(const struct plan *plan)
{
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:I, s:s}", "disks", disks_json(plan), "faults",
                     faults_json(plan), "guests", guests_json(plan), "source",
                     disk_or_none(plan->job.source), "target", disk_or_none(plan->job.target),
                     "granularity", (json_int_t)plan->job.granularity, "generation",
                     generation_name(plan->generation));
}

/* The scenario as it is in its file now; null if it can't be read. */
static json_t *text_json(const char *file)
{
    FILE *in = fopen(file, "re");
    char *text = must_alloc(MAX_TEXT_BYTES + 1);
    json_t *string = json_null();

    if (in != NULL) {
        text[fread(text, 1, MAX_TEXT_BYTES, in)] = '\0';
        fclose(in);
        string = report_json_string(text);
    }
    free(text);
    return string;
}

/* ---- The verdict ---- */

static json_t *findings_json(const struct report_run *run)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < run->result->finding_count; i++) {
        json_array_append_new(array, report_finding_json(run, &run->result->findings[i]));
    }
    return array;
}

static void set_command(json_t *head, const char *key, char *command)
{
    json_object_set_new(head, key, report_json_string(command));
    free(command);
}

static json_t *head_json(const struct report_run *run, const struct plan *plan)
{
    const struct run_result *result = run->result;
    char *title = report_title(run);
    json_t *head =
        json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:I}", "title", report_json_string(title), "file",
                  report_json_string(run->file), "doc",
                  report_json_string(plan->doc != NULL ? plan->doc : ""), "outcome",
                  outcome_name(result->outcome), "bug", report_json_string(result->bug), "findings",
                  findings_json(run), "virtualNs", (json_int_t)result->virtual_ns);

    set_command(head, "repeat", report_repeat_command("mirrorsim", run));
    set_command(head, "traceCommand", report_whole_trace_command("mirrorsim", run, run->engine));
    json_object_set_new(head, "plan", plan_json(plan));
    json_object_set_new(head, "text", text_json(run->file));
    json_object_set_new(head, "ops", words(OP_COUNT, op_word));
    json_object_set_new(head, "by", words(BY_COUNT, by_word));
    json_object_set_new(head, "statuses", words(JOB_STATUS_COUNT, status_word));
    free(title);
    return head;
}

/* ---- All of it ---- */

static void add_trace(struct pack *block, json_t *head, const struct plan *plan,
                      const struct engine *engine, const struct trace *trace)
{
    const struct trace_names names = {plan, engine};
    struct picture picture = picture_of_trace(plan, trace);
    json_t *tables = json_object();

    page_trace_add(block, head, tables, &names, trace);
    page_shapes_add(block, tables, &picture);
    json_object_set_new(head, "phases", phases_json(&picture, engine));
    json_object_set_new(head, "tables", tables);
    picture_free(&picture);
}

/* The nearest run is an element of its own, which is only unpacked when somebody looks. */
static void write_nearest(FILE *out, const char *id, const struct one_run *run,
                          const struct page_why *why)
{
    struct pack block = {0};
    json_t *head = json_object();
    char *own_id = must_printf("%s-near", id);

    add_trace(&block, head, run->plan, run->engine, &why->nearest);
    page_block_write(out, own_id, head, &block);
    free(own_id);
}

static void add_why(FILE *out, const char *id, json_t *head, const struct one_run *run,
                    const struct page_why *why)
{
    if (why->answer != NULL) {
        json_object_set(head, "why", why->answer);
    }
    if (why->nearest.count > 0) {
        json_object_set_new(head, "near",
                            json_pack("{s:o, s:I}", "without", report_json_string(why->without),
                                      "difference", (json_int_t)why->difference));
        write_nearest(out, id, run, why);
    }
}

void page_run_write(FILE *out, const char *id, const struct report_run *run,
                    const struct one_run *made, const struct page_why *why)
{
    json_t *head = head_json(run, made->plan);
    struct pack block = {0};

    add_trace(&block, head, made->plan, made->engine, &made->trace);
    json_object_set_new(head, "cut", json_boolean(made->trace.count == PAGE_MAX_EVENTS));
    add_why(out, id, head, made, why);
    page_block_write(out, id, head, &block);
}
