/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim query: shows the job, disks and requests at a virtual instant.
 *
 * Text and JSON have the same content.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/report/report.h"
#include "tools/run/isolate.h"
#include "tools/run/load.h"
#include "tools/run/one_run.h"

#define MAX_REQUESTS 256
#define CPU_LIMIT_MS 20000

struct query_options {
    struct one_run run;
    bool json;
    uint64_t at_ns;
};

#define AT(member) offsetof(struct query_options, member)

static const struct option_row options_of_query[] = {
    {{"at", 0, "TIME", 0, "The virtual instant, like 5ms (default: the end)", 2},
     INTO(TIME, at_ns)},
    {{"json", 0, NULL, 0, "Write the answer as JSON", 2}, INTO(FLAG, json)},
    {.shown = {0}},
};

static const struct option_table table = {
    .options = options_of_query,
    ONE_RUN_OF(struct query_options),
    .doc = "Runs one case of a scenario file up to a virtual instant and shows the job, the disks "
           "and the requests at that instant."};

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

static void show_text(const struct one_run *run, uint64_t at_ns)
{
    printf("at %s, after %" PRIu64 " timeline events: %s\n", quantity_time(at_ns).text,
           world_events(run->world), world_end_name(world_ended(run->world)));
    show_job(run->world);
    show_disks(run);
    show_requests(run);
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

static void show_json(const struct one_run *run, uint64_t at_ns)
{
    json_t *answer = json_pack("{s:I, s:I, s:s, s:o, s:o, s:o}", "time_ns", (json_int_t)at_ns,
                               "events", (json_int_t)world_events(run->world), "state",
                               world_end_name(world_ended(run->world)), "job", job_json(run->world),
                               "disks", disks_json(run), "requests", requests_json(run));

    report_json_show(answer);
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
    if (options.json) {
        show_json(&options.run, options.at_ns);
    } else {
        show_text(&options.run, options.at_ns);
    }
    one_run_close(&options.run);
    return EXIT_PASSED;
}

const struct command command_query = {"query", "show job, disks and requests at a virtual instant",
                                      &table, run_query};
