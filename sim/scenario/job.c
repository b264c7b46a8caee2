/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `job`: what is started, and the open flags that follow from it.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* Not checked: a name that does not exist is a refusal to be tested. */
static FIELD_READER(read_replaces)
{
    struct plan_job *job = record;

    job->replaces = read_name(loader, node, "disk");
}

static FIELD_WRITER(write_replaces)
{
    const struct plan_job *job = record;

    if (job->replaces) {
        emit_word(emit, field->key, job->replaces);
    }
}

/* What a file that says nothing means: engines have a default each. */
static int64_t default_buffer(const struct plan *plan)
{
    return plan->generation == GENERATION_2_2 ? MIRROR_DEFAULT_BUFFER_BYTES : 0;
}

static FIELD_WRITER(write_buffer)
{
    if (plan->job.buffer_bytes != default_buffer(plan)) {
        write_member(emit, plan, field, record);
    }
}

/* Without one a job has the name of its disk. */
static FIELD_READER(read_id)
{
    struct plan_job *job = record;

    job->id = read_name(loader, node, "job");
}

static FIELD_WRITER(write_id)
{
    const struct plan_job *job = record;

    if (job->id && strcmp(job->id, plan->disks[job->source].name) != 0) {
        emit_word(emit, field->key, job->id);
    }
}

static FIELD_READER(read_filter_name)
{
    struct plan_job *job = record;

    job->filter_name = read_name(loader, node, "filter");
}

static FIELD_WRITER(write_filter_name)
{
    const struct plan_job *job = record;

    if (job->filter_name) {
        emit_word(emit, field->key, job->filter_name);
    }
}

#define LIFE_FIELDS                                                                                \
    FIELD("auto-finalize", "Does the job end by itself, or wait for finalize? Default always.",    \
          .type = &type_switch, MEMBER(struct plan_job, auto_finalize), .otherwise = true,         \
          IN_MODERN),                                                                              \
        FIELD("auto-dismiss",                                                                      \
              "Does the job that has ended leave by itself, or wait for dismiss? Default "         \
              "always.",                                                                           \
              .type = &type_switch, MEMBER(struct plan_job, auto_dismiss), .otherwise = true,      \
              IN_MODERN),                                                                          \
        FIELD("id", "The job's name; default: its disk's.", .shape = &shape_name, .read = read_id, \
              .write = write_id, IN_MODERN),                                                       \
        FIELD("filter-node", "The name of the job's filter node; default: one is made up.",        \
              .shape = &shape_name, .read = read_filter_name, .write = write_filter_name,          \
              IN_MODERN)

#define SPEED_FIELD                                                                     \
    FIELD("speed", "Bytes a second at most; default 0: no bound.", .type = &type_speed, \
          MEMBER(struct plan_job, speed))

static const struct field mirror_fields[] = {
    FIELD("mirror", "The disk that is copied: the guest's.", .shape = &shape_disk,
          MEMBER(struct plan_job, source), .required = true),
    FIELD("to", "The disk that it is copied to.", .shape = &shape_disk,
          MEMBER(struct plan_job, target), .required = true),
    FIELD("sync", "What is copied: full (default), top: the top of the chain, or none.",
          .type = &type_sync, MEMBER(struct plan_job, sync), .otherwise = SYNC_FULL),
    FIELD("granularity", "Of the dirty bitmap; default 0: the engine chooses.",
          .type = &type_job_bytes, MEMBER(struct plan_job, granularity)),
    FIELD("buffer",
          "Bytes that may be in flight; 0: the engine chooses; default 10MiB, in generation modern "
          "0.",
          .type = &type_job_bytes, MEMBER(struct plan_job, buffer_bytes), .write = write_buffer),
    SPEED_FIELD,
    FIELD("on-source-error", "What the job does if a read fails; default report.",
          .type = &type_policy, MEMBER(struct plan_job, on_source_error),
          .otherwise = POLICY_REPORT),
    FIELD("on-target-error", "What the job does if a write fails; default report.",
          .type = &type_policy, MEMBER(struct plan_job, on_target_error),
          .otherwise = POLICY_REPORT),
    FIELD("replaces", "The node that the target takes the place of; default: the source.",
          .shape = &shape_name, .read = read_replaces, .write = write_replaces),
    FIELD("copy-mode",
          "What a guest write waits for: background (default), for the source; write-blocking, for "
          "the target, too.",
          .type = &type_copy_mode, MEMBER(struct plan_job, copy_mode), .otherwise = COPY_BACKGROUND,
          IN_MODERN),
    FIELD("unmap", "May zeroes on the target be written by unmapping? Default always.",
          .type = &type_switch, MEMBER(struct plan_job, unmap), .otherwise = true, IN_MODERN),
    FIELD("target-is-zero", "The user says that the target reads zero, be it true or not.",
          .shape = &shape_flag, MEMBER(struct plan_job, target_is_zero), IN_MODERN),
    FIELD("backing-mode",
          "What becomes of the target's backing at the end: leave (default); open: the file that "
          "its header names; source: the source's, for sync none the source.",
          .type = &type_backing_mode, MEMBER(struct plan_job, backing_mode),
          .otherwise = BACKING_LEAVE, IN_MODERN),
    LIFE_FIELDS,
    FIELD_END};

static const struct field commit_fields[] = {
    FIELD("commit", "The top, the guest's disk, which is committed.", .shape = &shape_disk,
          MEMBER(struct plan_job, source), .required = true),
    FIELD("into", "The disk of its backing chain that it is committed into.", .shape = &shape_disk,
          MEMBER(struct plan_job, target), .required = true),
    SPEED_FIELD,
    FIELD("on-error", "What the job does if a request fails; default report.", .type = &type_policy,
          MEMBER(struct plan_job, on_source_error), .otherwise = POLICY_REPORT),
    FIELD("auto-complete", "The job completes as soon as it is ready.", .shape = &shape_flag,
          MEMBER(struct plan_job, auto_complete), IN_MODERN),
    LIFE_FIELDS,
    FIELD_END};

const struct shape shape_job = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(MAPPING_OF("mirror", mirror_fields), MAPPING_OF("commit", commit_fields)),
    .read = job_read,
    .write = job_write};

static void check_commit(struct loader *loader, const struct yaml_node *node,
                         const struct plan_job *job)
{
    const struct plan *plan = loader->plan;
    uint32_t below = job->source;

    if (job->source == PLAN_NONE || job->target == PLAN_NONE) {
        return;
    }
    for (uint32_t i = 0; i < plan->disk_count && below != PLAN_NONE; i++) {
        below = plan->disks[below].backing;
        if (below == job->target) {
            return;
        }
    }
    read_mistake(loader, node, "disk %s is not below %s: commit goes into its backing chain",
                 read_quote(loader, plan->disks[job->target].name),
                 read_quote(loader, plan->disks[job->source].name));
}

/*
 * A guest's disk and a fresh target are opened for writing; a base is not,
 * which is why a commit has to reopen it.
 */
uint32_t disk_default_flags(const struct plan_job *job, uint32_t disk)
{
    bool is_written = disk == job->source || (disk == job->target && job->kind == JOB_MIRROR);

    return DISK_FLAG_WRITE_BACK | (is_written ? DISK_FLAG_RDWR : 0);
}

static void set_flags(struct loader *loader)
{
    struct plan *plan = loader->plan;

    for (uint32_t i = 0; i < plan->disk_count; i++) {
        if (!(loader->flagged_disks >> i & 1)) {
            plan->disks[i].flags = disk_default_flags(&plan->job, i);
        }
    }
}

static void set_defaults(const struct plan *plan, struct plan_job *job)
{
    job->buffer_bytes = default_buffer(plan);
    if (plan->generation == GENERATION_MODERN) {
        job->unmap = true;
        job->auto_finalize = true;
        job->auto_dismiss = true;
        job->backing_mode = BACKING_LEAVE;
    }
}

FIELD_READER(job_read)
{
    struct plan_job *job = &loader->plan->job;

    if (!read_mapping(loader, &node, "job")) {
        return;
    }
    job->where = node->where;
    set_defaults(loader->plan, job);
    if (yaml_get(node, "commit")) {
        job->kind = JOB_COMMIT;
        read_fields(loader, node, "job", commit_fields, job);
        job->on_target_error = job->on_source_error;
        check_commit(loader, node, job);
    } else {
        read_fields(loader, node, "job", mirror_fields, job);
    }
    if (loader->plan->generation == GENERATION_MODERN && !job->id && job->source != PLAN_NONE) {
        job->id = loader->plan->disks[job->source].name;
    }
    set_flags(loader);
}

FIELD_WRITER(job_write)
{
    write_mapping(emit, plan, field->key,
                  plan->job.kind == JOB_COMMIT ? commit_fields : mirror_fields, &plan->job);
}
