/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shapes in, one line of JSON out for each thing that begins, happens or ends.
 */
#include "tools/picture/perfetto.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "sim/trace/fields.h"
#include "tools/base/support.h"
#include "tools/picture/perfetto_private.h"
#include "tools/report/report.h"

/* ---- Lines ---- */

void perfetto_begin(const struct perfetto *perfetto, char phase, int pid, int tid, uint64_t now_ns)
{
    fprintf(perfetto->out, ",\n{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d,\"ts\":%" PRIu64 ".%03" PRIu64,
            phase, pid, tid, now_ns / 1000, now_ns % 1000);
}

void perfetto_put_text(FILE *out, const char *text)
{
    json_t *string = report_json_string(text);

    json_dumpf(string, out, JSON_ENCODE_ANY);
    json_decref(string);
}

void perfetto_name(const struct perfetto *perfetto, const char *what, int pid, int tid,
                   const char *name)
{
    fprintf(perfetto->out,
            ",\n{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":", what, pid,
            tid);
    perfetto_put_text(perfetto->out, name);
    fputs("}}", perfetto->out);
}

void perfetto_put_end(FILE *out, bool open)
{
    fputs(open ? ",\"args\":{\"open\":true}}" : "}", out);
}

uint64_t perfetto_instant(const struct perfetto *perfetto, uint64_t instant_ns)
{
    return instant_ns == SHAPE_NEVER ? perfetto->now_ns : instant_ns;
}

/* ---- Periods ---- */

static bool is_disk(const struct perfetto *perfetto, unsigned node)
{
    return node < perfetto->run->plan->disk_count;
}

/* Status and phase follow each other, so they are slices of a thread each. */
static void tell_slice(const struct perfetto *perfetto, const struct shape_period *period,
                       enum shape_news news)
{
    bool is_status = period->lane == LANE_STATUS;
    int tid = is_status ? TID_STATUS : TID_PHASE;

    if (news == SHAPE_BEGUN) {
        perfetto_begin(perfetto, 'B', PID_JOB, tid, period->from_ns);
        fprintf(perfetto->out, ",\"cat\":\"%s\",\"name\":", shape_lane_name(period->lane));
        perfetto_put_text(perfetto->out, is_status && period->value < JOB_STATUS_COUNT
                                             ? job_status_name((enum job_status)period->value)
                                             : perfetto->run->engine->phase_name(period->value));
        fprintf(perfetto->out, ",\"args\":{\"event\":%" PRIu64 "}}", period->from_event);
    } else if (news == SHAPE_OVER) {
        perfetto_begin(perfetto, 'E', PID_JOB, tid, perfetto_instant(perfetto, period->to_ns));
        perfetto_put_end(perfetto->out, period->to_ns == SHAPE_NEVER);
    }
}

static void put_period_name(const struct perfetto *perfetto, const struct shape_period *period)
{
    const struct plan *plan = perfetto->run->plan;
    char name[80] = "drained: all disks";

    if (period->lane == LANE_HOLD && period->value < plan->fault_count) {
        perfetto_put_text(perfetto->out, plan->faults[period->value].name);
        return;
    }
    if (period->lane == LANE_HOLD) {
        snprintf(name, sizeof(name), "hold");
    } else if (period->value != SECTION_OF_ALL) {
        snprintf(name, sizeof(name), "drained: %s",
                 is_disk(perfetto, period->node) ? plan->disks[period->node].name : "filter");
    }
    perfetto_put_text(perfetto->out, name);
}

/* Holds and sections overlap as they like: async spans. */
static void tell_span_of_period(const struct perfetto *perfetto, const struct shape_period *period,
                                enum shape_news news)
{
    bool on_disk = is_disk(perfetto, period->node) &&
                   !(period->lane == LANE_SECTION && period->value == SECTION_OF_ALL);
    int pid = on_disk ? PID_DISKS + period->node : PID_JOB;
    uint64_t now_ns = news == SHAPE_BEGUN     ? period->from_ns
                      : news == SHAPE_GOES_ON ? period->quiet_ns
                                              : perfetto_instant(perfetto, period->to_ns);

    perfetto_begin(perfetto,
                   news == SHAPE_BEGUN     ? 'b'
                   : news == SHAPE_GOES_ON ? 'n'
                                           : 'e',
                   pid, 0, now_ns);
    fprintf(perfetto->out,
            ",\"cat\":\"%s\",\"id\":%" PRIu64 ",\"name\":", shape_lane_name(period->lane),
            period->number);
    if (news == SHAPE_GOES_ON) {
        fputs("\"quiet\"}", perfetto->out);
        return;
    }
    put_period_name(perfetto, period);
    if (news == SHAPE_BEGUN) {
        fprintf(perfetto->out, ",\"args\":{\"event\":%" PRIu64 ",\"request\":%" PRIu32 "}}",
                period->from_event, period->request);
    } else {
        perfetto_put_end(perfetto->out, period->to_ns == SHAPE_NEVER);
    }
}

static void tell_period(void *opaque, const struct shape_period *period, enum shape_news news)
{
    if (period->lane == LANE_STATUS || period->lane == LANE_PHASE) {
        tell_slice(opaque, period, news);
    } else {
        tell_span_of_period(opaque, period, news);
    }
}

/* ---- Instants and counters ---- */

#define STORY                                                                               \
    (EVENT_BIT(COMMAND) | EVENT_BIT(COMMAND_REFUSED) | EVENT_BIT(STEP) | EVENT_BIT(REACT) | \
     EVENT_BIT(MARK) | EVENT_BIT(QUERY) | EVENT_BIT(CHECK_FAILED) | EVENT_BIT(END) |        \
     EVENT_BIT(GUEST_MOVED))
#define OF_DISKS                                                                    \
    (EVENT_BIT(FAULT) | EVENT_BIT(GRAPH_OPEN_BACKING) | EVENT_BIT(GRAPH_REOPEN) |   \
     EVENT_BIT(GRAPH_TRUNCATE) | EVENT_BIT(GRAPH_PIVOT) | EVENT_BIT(GRAPH_UNLINK) | \
     EVENT_BIT(GRAPH_USE) | EVENT_BIT(GRAPH_BACKING) | EVENT_BIT(GRAPH_READ_ONLY) | \
     EVENT_BIT(POWER_CUT))

/* "command complete", "fault stale": the kind, and the first word that says more. */
static void put_instant_name(const struct perfetto *perfetto, const struct event *event)
{
    const struct trace_names names = {perfetto->run->plan, perfetto->run->engine};
    struct field fields[EVENT_MAX_FIELDS];
    uint32_t count = event_fields(&names, event, fields);
    const char *word = NULL;
    char *name;

    for (uint32_t i = 0; i < count && word == NULL; i++) {
        word = fields[i].value.style == STYLE_WORD ? fields[i].value.word : NULL;
    }
    name = must_printf("%s%s%s", event_kind_name(event_kind(event)), word != NULL ? " " : "",
                       word != NULL ? word : "");
    perfetto_put_text(perfetto->out, name);
    free(name);
}

static void put_event(const struct perfetto *perfetto, const struct event *event, uint64_t number)
{
    const struct trace_names names = {perfetto->run->plan, perfetto->run->engine};
    size_t length = (size_t)trace_format_json(&names, event, number, NULL, 0);
    char *text = must_alloc(length + 1);

    trace_format_json(&names, event, number, text, length + 1);
    fputs(text, perfetto->out);
    free(text);
}

static void tell_instant(void *opaque, const struct shape_instant *instant)
{
    struct perfetto *perfetto = opaque;
    const struct event *event = &instant->event;
    bool on_disk = (OF_DISKS >> event->kind & 1) != 0 && is_disk(perfetto, event->node);
    int tid = (STORY >> event->kind & 1) != 0 ? TID_STORY : TID_JOB;

    if (on_disk) {
        perfetto_begin(perfetto, 'i', PID_DISKS + event->node, TID_DISK, event->now_ns);
    } else {
        perfetto_begin(perfetto, 'i', PID_JOB, tid, event->now_ns);
    }
    fputs(",\"s\":\"t\",\"name\":", perfetto->out);
    put_instant_name(perfetto, event);
    fputs(",\"args\":", perfetto->out);
    put_event(perfetto, event, instant->number);
    fputs("}", perfetto->out);
}

static int pid_of_counter(const struct shape_sample *sample)
{
    switch (sample->counter) {
    case COUNTER_DIRTY:
    case COUNTER_IN_FLIGHT:
        return PID_DISKS + sample->node;
    case COUNTER_QUEUED:
    case COUNTER_GUEST_LATENCY:
        return PID_GUEST;
    case COUNTER_OFFSET:
    case COUNTER_LEN:
    case COUNTER_COUNT:
        break;
    }
    return PID_JOB;
}

static void tell_sample(void *opaque, const struct shape_sample *sample)
{
    const struct perfetto *perfetto = opaque;
    const char *unit = sample->counter == COUNTER_QUEUED          ? "requests"
                       : sample->counter == COUNTER_GUEST_LATENCY ? "ns"
                                                                  : "bytes";

    perfetto_begin(perfetto, 'C', pid_of_counter(sample), 0, sample->now_ns);
    fprintf(perfetto->out, ",\"name\":\"%s\",\"args\":{\"%s\":%" PRIu64 "}}",
            shape_counter_name(sample->counter), unit, sample->value);
}

/* ---- The file ---- */

static void name_process(const struct perfetto *perfetto, int pid, const char *name)
{
    perfetto_name(perfetto, "process_name", pid, 0, name);
    fprintf(perfetto->out,
            ",\n{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%d,\"tid\":0,\"args\":{"
            "\"sort_index\":%d}}",
            pid, pid);
}

static void name_tracks(const struct perfetto *perfetto)
{
    const struct plan *plan = perfetto->run->plan;

    name_process(perfetto, PID_JOB, "job");
    perfetto_name(perfetto, "thread_name", PID_JOB, TID_STATUS, "status");
    perfetto_name(perfetto, "thread_name", PID_JOB, TID_PHASE, "phase");
    perfetto_name(perfetto, "thread_name", PID_JOB, TID_JOB, "events");
    perfetto_name(perfetto, "thread_name", PID_JOB, TID_STORY, "story");
    perfetto_name(perfetto, "thread_name", PID_JOB, TID_FINDINGS, "findings");
    name_process(perfetto, PID_GUEST, "guest");
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        const char *role = i == plan->job.source   ? " (source)"
                           : i == plan->job.target ? " (target)"
                                                   : "";
        char *name = must_printf("%s%s", plan->disks[i].name, role);

        name_process(perfetto, PID_DISKS + (int)i, name);
        perfetto_name(perfetto, "thread_name", PID_DISKS + (int)i, TID_DISK, "events");
        free(name);
    }
}

struct perfetto *perfetto_open(FILE *out, const struct one_run *run)
{
    struct perfetto *perfetto = must_alloc(sizeof(*perfetto));
    const struct shape_sink sink = {.opaque = perfetto,
                                    .request = perfetto_request,
                                    .period = tell_period,
                                    .instant = tell_instant,
                                    .sample = tell_sample};

    perfetto->out = out;
    perfetto->run = run;
    perfetto->job = (struct lanes){.pid = PID_JOB, .name = "operation"};
    perfetto->guest = (struct lanes){.pid = PID_GUEST, .name = "request"};
    perfetto->shapes = shapes_create(run->plan, &sink);
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"name\":\"process_labels\",\"pid\":1,\"tid\":0,\"args\":{\"labels\":",
          out);
    perfetto_put_text(out, run->engine->name);
    fputs("}}", out);
    name_tracks(perfetto);
    return perfetto;
}

void perfetto_event(struct perfetto *perfetto, const struct event *event, uint64_t number)
{
    if (event->now_ns != perfetto->now_ns) {
        perfetto_end_reads(perfetto);
    }
    perfetto->now_ns = event->now_ns;
    perfetto->number = number;
    shapes_event(perfetto->shapes, event, number);
}

static void tell_finding(const struct perfetto *perfetto, const struct run_finding *finding)
{
    perfetto_begin(perfetto, 'i', PID_JOB, TID_FINDINGS, finding->now_ns);
    fprintf(perfetto->out,
            ",\"s\":\"g\",\"name\":\"finding %s/%s\",\"args\":{\"text\":", finding_by(finding->id),
            finding_kind_name(finding->id));
    perfetto_put_text(perfetto->out, finding->text);
    fprintf(perfetto->out, ",\"event\":%" PRIu64, finding->event_number);
    if (finding->has_sector) {
        fputs(",\"disk\":", perfetto->out);
        perfetto_put_text(perfetto->out, finding->disk);
        fprintf(perfetto->out, ",\"sector\":%" PRIu64, finding->sector);
    }
    fputs("}}", perfetto->out);
}

static void put_origin(const struct perfetto *perfetto, const struct run_result *result,
                       const char *death)
{
    const struct plan *plan = perfetto->run->plan;
    FILE *out = perfetto->out;

    fputs("\n],\"otherData\":{\"scenario\":", out);
    perfetto_put_text(out, plan->name);
    fputs(",\"case\":", out);
    perfetto_put_text(out, plan->case_name);
    fprintf(out, ",\"seed\":%" PRIu64 ",\"outcome\":", perfetto->run->seed);
    perfetto_put_text(out, result != NULL ? outcome_name(result->outcome) : death);
    fputs("}}\n", out);
}

void perfetto_close(struct perfetto *perfetto, const struct run_result *result, const char *death)
{
    perfetto_end_reads(perfetto);
    shapes_end(perfetto->shapes);
    for (uint32_t i = 0; result != NULL && i < result->finding_count; i++) {
        tell_finding(perfetto, &result->findings[i]);
    }
    put_origin(perfetto, result, death);
    free(perfetto->job.list);
    free(perfetto->guest.list);
    free(perfetto);
}
