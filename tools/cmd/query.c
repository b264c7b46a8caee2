/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim query: shows the job, disks, requests and ranges at a virtual instant.
 *
 * Text and JSON have the same content.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/picture/moment.h"
#include "tools/report/report.h"
#include "tools/run/isolate.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"

#define MAX_REQUESTS 256
#define CPU_LIMIT_MS 20000

#define MAX_RANGES 64

struct query_options {
    struct one_run run;
    bool json;
    uint64_t at_ns;
    bool has_sector;
    uint64_t sector;
};

/* What is known at the instant. */
struct moment {
    const struct one_run *run;
    const struct query_options *options;
    struct picture picture;
};

enum { EITHER_SECTOR = 1 };

#define AT(member) offsetof(struct query_options, member)

static const struct option_row options_of_query[] = {
    {{"at", 0, "TIME", 0, "The virtual instant, like 5ms (default: the end)", 2},
     INTO(TIME, at_ns)},
    {{"sector", 0, "N", 0, "Also what each disk holds in this sector of 512 bytes, and since when",
      2},
     INTO(OTHER, sector),
     .given = AT(has_sector),
     .take = one_run_take_sector,
     .alternative = EITHER_SECTOR},
    {{"offset", 0, "BYTES", 0, "The same, by offset, like 640KiB", 2},
     INTO(OTHER, sector),
     .given = AT(has_sector),
     .take = one_run_take_offset,
     .alternative = EITHER_SECTOR},
    {{"json", 0, NULL, 0, "Write the answer as JSON", 2}, INTO(FLAG, json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_query,
    ONE_RUN_OF(struct query_options),
    .doc = "Runs one case of a scenario file up to a virtual instant and shows the job, the disks, "
           "the requests, and which ranges are dirty, in flight and waited for at that instant."};

static bool is_open(const struct shape_range *range)
{
    return range->to_event == SHAPE_NEVER;
}

/* ---- Text ---- */

static void show_job(const struct world *world)
{
    struct job_info job;
    bool lives = world_job(world, &job);

    if (!lives && !world_last_job(world, &job)) {
        puts("job: none yet");
        return;
    }
    printf("job: %s, %s%s; copied %s of %s; speed %s; I/O status %s%s%s%s\n",
           job_kind_name(job.kind), job_status_name(job.status), lives ? "" : " and gone",
           quantity_bytes(job.offset).text, quantity_bytes(job.len).text,
           job.speed > 0 ? quantity_plain(quantity_speed_units, (int64_t)job.speed).text
                         : "unlimited",
           io_status_name(job.io_status), job.busy ? "; busy" : "", job.paused ? "; paused" : "",
           job.cancelled ? "; cancelled" : "");
}

static void show_disks(const struct one_run *run)
{
    const struct evidence *evidence = world_evidence(run->world);

    for (uint32_t i = 0; i < run->plan->disk_count; i++) {
        const struct disk_state *disk = evidence->disks[i];

        printf("disk %s: %s, %s allocated, %" PRIu64 " runs", run->plan->disks[i].name,
               quantity_bytes(disk->bytes).text,
               quantity_bytes(image_allocated_bytes(disk->image)).text, image_runs(disk->image));
        if (disk->backing != PLAN_NONE) {
            printf("; backing %s%s", run->plan->disks[disk->backing].name,
                   disk->backing_open ? "" : " (not open)");
        }
        puts(i == world_guest_disk(run->world) ? "; the guest's" : "");
    }
}

static void show_requests(const struct one_run *run)
{
    struct request_info requests[MAX_REQUESTS];
    uint32_t count = world_requests(run->world, requests, MAX_REQUESTS);

    printf("requests in flight: %" PRIu32 "\n", count);
    for (uint32_t i = 0; i < count && i < MAX_REQUESTS; i++) {
        const struct request_info *request = &requests[i];

        printf("  #%" PRIu32 " %s %s on %s at %s, %s, since %s: %s\n", request->number,
               by_name(request->by), op_name(request->op), run->plan->disks[request->disk].name,
               quantity_bytes(request->offset).text, quantity_bytes(request->bytes).text,
               quantity_time(request->submitted_ns).text, request->state);
    }
}

static void show_range(const struct moment *moment, const struct shape_range *range)
{
    printf("  %s %s since %s, event %" PRIu64,
           phrase_disk(world_evidence(moment->run->world), range->node),
           phrase_range(range->offset, range->bytes).text, quantity_time(range->from_ns).text,
           range->from_event);
    if (range->kind == RANGE_DIRTY) {
        printf(", bitmap %u%s", range->bitmap, range->jobs ? " of the job" : "");
    } else {
        printf(", #%" PRIu32, range->request);
    }
    putchar('\n');
}

static void show_ranges(const struct moment *moment, enum shape_range_kind kind, const char *what)
{
    const struct picture *picture = &moment->picture;
    uint64_t count = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < picture->range_count; i++) {
        if (picture->ranges[i].kind == kind && is_open(&picture->ranges[i])) {
            count++;
            bytes += picture->ranges[i].bytes;
        }
    }
    printf("%s: %" PRIu64 "%s%s\n", what, count, count > 0 ? ", together " : "",
           count > 0 ? quantity_bytes(bytes).text : "");
    for (size_t i = 0, shown = 0; i < picture->range_count && shown < MAX_RANGES; i++) {
        if (picture->ranges[i].kind == kind && is_open(&picture->ranges[i])) {
            show_range(moment, &picture->ranges[i]);
            shown++;
        }
    }
    if (count > MAX_RANGES) {
        printf("  and %" PRIu64 " more\n", count - MAX_RANGES);
    }
}

/* "job write #4" */
static void show_request_name(const struct shape_request *request)
{
    printf("%s %s #%" PRIu32, by_name((enum by)request->by), op_name((enum op)request->op),
           request->request);
}

static void show_provenance(const struct provenance *found)
{
    if (found->effect == NULL) {
        fputs("; nothing has written it", stdout);
    } else if (found->request != NULL) {
        fputs("; by ", stdout);
        show_request_name(found->request);
        printf(" at %s, event %" PRIu64, quantity_time(found->effect->now_ns).text, found->event);
    }
    if (found->carries != NULL) {
        fputs(", which brought that of ", stdout);
        show_request_name(found->carries);
        if (found->carries->effect_event != SHAPE_NEVER) {
            printf(" at %s, event %" PRIu64, quantity_time(found->carries->effect_ns).text,
                   found->carries->effect_event);
        }
    }
    if (found->power_cut != NULL) {
        printf("; power cut at %s", quantity_time(found->power_cut->now_ns).text);
    }
}

static void show_sector(const struct moment *moment)
{
    const struct evidence *evidence = world_evidence(moment->run->world);
    uint64_t sector = moment->options->sector;

    printf("%s:\n", phrase_sector(sector).text);
    for (uint32_t i = 0; i < moment->run->plan->disk_count; i++) {
        struct provenance found;

        if (sector >= evidence->disks[i]->bytes / SECTOR_BYTES) {
            printf("  %s ends before it\n", moment->run->plan->disks[i].name);
            continue;
        }
        found = provenance_of(&moment->picture, &moment->run->trace, i, sector * SECTOR_BYTES);
        printf("  %s holds %s", moment->run->plan->disks[i].name,
               phrase_content(evidence, i, sector).text);
        show_provenance(&found);
        putchar('\n');
    }
}

static void show_text(const struct moment *moment, uint64_t at_ns)
{
    const struct one_run *run = moment->run;

    printf("at %s, after %" PRIu64 " timeline events and event %" PRIu64 " of the trace: %s\n",
           quantity_time(at_ns).text, world_events(run->world),
           run->trace.count > 0 ? run->trace.count - 1 : 0,
           world_end_name(world_ended(run->world)));
    show_job(run->world);
    show_disks(run);
    show_requests(run);
    show_ranges(moment, RANGE_IN_FLIGHT, "ranges in flight");
    show_ranges(moment, RANGE_DIRTY, "dirty ranges");
    if (run->plan->generation == GENERATION_MODERN) {
        show_ranges(moment, RANGE_LOCKED, "ranges that guest requests wait for");
    }
    if (moment->options->has_sector) {
        show_sector(moment);
    }
}

/* ---- JSON ---- */

static json_t *job_json(const struct world *world)
{
    struct job_info job;
    bool lives = world_job(world, &job);

    if (!lives && !world_last_job(world, &job)) {
        return json_null();
    }
    return json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:s, s:b, s:b, s:b, s:b}", "kind",
                     job_kind_name(job.kind), "status", job_status_name(job.status), "gone", !lives,
                     "offset", (json_int_t)job.offset, "len", (json_int_t)job.len, "speed",
                     (json_int_t)job.speed, "io_status", io_status_name(job.io_status), "busy",
                     job.busy, "paused", job.paused, "ready", job.ready, "cancelled",
                     job.cancelled);
}

static json_t *disks_json(const struct one_run *run)
{
    const struct evidence *evidence = world_evidence(run->world);
    json_t *disks = json_array();

    for (uint32_t i = 0; i < run->plan->disk_count; i++) {
        const struct disk_state *disk = evidence->disks[i];
        json_t *object = json_pack(
            "{s:o, s:I, s:I, s:I, s:b}", "name", report_json_string(run->plan->disks[i].name),
            "bytes", (json_int_t)disk->bytes, "allocated",
            (json_int_t)image_allocated_bytes(disk->image), "runs",
            (json_int_t)image_runs(disk->image), "guest", i == world_guest_disk(run->world));

        if (disk->backing != PLAN_NONE) {
            json_object_set_new(object, "backing",
                                report_json_string(run->plan->disks[disk->backing].name));
            json_object_set_new(object, "backing_open", json_boolean(disk->backing_open));
        }
        json_array_append_new(disks, object);
    }
    return disks;
}

static json_t *requests_json(const struct one_run *run)
{
    struct request_info requests[MAX_REQUESTS];
    uint32_t count = world_requests(run->world, requests, MAX_REQUESTS);
    json_t *array = json_array();

    for (uint32_t i = 0; i < count && i < MAX_REQUESTS; i++) {
        const struct request_info *request = &requests[i];

        json_array_append_new(
            array,
            json_pack("{s:i, s:o, s:s, s:s, s:I, s:I, s:I, s:s}", "number", (int)request->number,
                      "disk", report_json_string(run->plan->disks[request->disk].name), "op",
                      op_name(request->op), "by", by_name(request->by), "offset",
                      (json_int_t)request->offset, "bytes", (json_int_t)request->bytes,
                      "submitted_ns", (json_int_t)request->submitted_ns, "state", request->state));
    }
    return array;
}

/* Times of JSON are whole nanoseconds, and what has not come is not there. */
static json_t *ranges_json(const struct moment *moment, enum shape_range_kind kind)
{
    json_t *array = json_array();

    for (size_t i = 0; i < moment->picture.range_count; i++) {
        const struct shape_range *range = &moment->picture.ranges[i];
        json_t *object;

        if (range->kind != kind || !is_open(range)) {
            continue;
        }
        object = json_pack(
            "{s:o, s:I, s:I, s:I, s:I}", "disk",
            report_json_string(phrase_disk(world_evidence(moment->run->world), range->node)),
            "offset", (json_int_t)range->offset, "bytes", (json_int_t)range->bytes, "since_ns",
            (json_int_t)range->from_ns, "event", (json_int_t)range->from_event);
        if (kind == RANGE_DIRTY) {
            json_object_set_new(object, "bitmap", json_integer(range->bitmap));
            json_object_set_new(object, "of_job", json_boolean(range->jobs));
        } else {
            json_object_set_new(object, "request", json_integer(range->request));
        }
        json_array_append_new(array, object);
    }
    return array;
}

static void add_provenance(json_t *object, const struct provenance *found)
{
    if (found->request != NULL) {
        json_object_set_new(object, "request", json_integer(found->request->request));
        json_object_set_new(object, "since_ns", json_integer((json_int_t)found->effect->now_ns));
        json_object_set_new(object, "event", json_integer((json_int_t)found->event));
    }
    if (found->carries != NULL) {
        json_object_set_new(object, "carries", json_integer(found->carries->request));
    }
    if (found->power_cut != NULL) {
        json_object_set_new(object, "power_cut_ns",
                            json_integer((json_int_t)found->power_cut->now_ns));
    }
}

static json_t *sector_json(const struct moment *moment)
{
    const struct evidence *evidence = world_evidence(moment->run->world);
    uint64_t sector = moment->options->sector;
    json_t *disks = json_array();

    for (uint32_t i = 0; i < moment->run->plan->disk_count; i++) {
        json_t *object = json_object();
        struct provenance found;

        json_object_set_new(object, "disk", report_json_string(moment->run->plan->disks[i].name));
        if (sector < evidence->disks[i]->bytes / SECTOR_BYTES) {
            found = provenance_of(&moment->picture, &moment->run->trace, i, sector * SECTOR_BYTES);
            json_object_set_new(object, "holds",
                                report_json_string(phrase_content(evidence, i, sector).text));
            add_provenance(object, &found);
        }
        json_array_append_new(disks, object);
    }
    return json_pack("{s:I, s:o}", "sector", (json_int_t)sector, "disks", disks);
}

static void show_json(const struct moment *moment, uint64_t at_ns)
{
    const struct one_run *run = moment->run;
    json_t *answer = json_pack(
        "{s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "time_ns", (json_int_t)at_ns,
        "events", (json_int_t)world_events(run->world), "trace_events",
        (json_int_t)run->trace.count, "state", world_end_name(world_ended(run->world)), "job",
        job_json(run->world), "disks", disks_json(run), "requests", requests_json(run), "in_flight",
        ranges_json(moment, RANGE_IN_FLIGHT), "dirty", ranges_json(moment, RANGE_DIRTY),
        "waited_for", ranges_json(moment, RANGE_LOCKED));

    if (moment->options->has_sector) {
        json_object_set_new(answer, "content", sector_json(moment));
    }
    report_json_show(answer);
}

static void show(const struct query_options *options)
{
    struct moment moment = {.run = &options->run,
                            .options = options,
                            .picture = picture_of_trace(options->run.plan, &options->run.trace)};

    if (options->json) {
        show_json(&moment, options->at_ns);
    } else {
        show_text(&moment, options->at_ns);
    }
    picture_free(&moment.picture);
}

static int run_query(int argc, char **argv)
{
    struct query_options options = {.run = {.cpu_limit_ms = CPU_LIMIT_MS}, .at_ns = UINT64_MAX};
    struct isolate_limits limits = {.memory_bytes = ISOLATE_MEMORY_BYTES};

    options_parse(&table, argc, argv, &options);
    one_run_load(&options.run);
    limits.cpu_ms = options.run.cpu_limit_ms;
    isolate_stand_apart(options.run.engine, &limits);
    one_run_open(&options.run);
    if (world_run(options.run.world, options.at_ns) != END_NOT) {
        options.at_ns = world_now_ns(options.run.world);
    }
    show(&options);
    one_run_close(&options.run);
    return EXIT_PASSED;
}

const struct command command_query = {
    "query", "show job, disks, requests and ranges at a virtual instant", &table, run_query};
