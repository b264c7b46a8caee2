/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `job`: what is started, and the open flags that follow from it.
 */
#include "sim/scenario/private.h"

/* Not checked: a name that does not exist is a refusal to be tested. */
static void read_replaces(struct loader *loader, const struct yaml_node *node, void *record)
{
    const char **replaces = record;

    *replaces = read_name(loader, node, "disk");
}

static const struct field mirror_fields[] = {
    FIELD_NEEDED_PART("mirror", disk_read_index, struct plan_job, source),
    FIELD_NEEDED_PART("to", disk_read_index, struct plan_job, target),
    FIELD_VALUE("sync", type_sync, struct plan_job, sync),
    FIELD_VALUE("granularity", type_job_bytes, struct plan_job, granularity),
    FIELD_VALUE("buffer", type_job_bytes, struct plan_job, buffer_bytes),
    FIELD_VALUE("speed", type_speed, struct plan_job, speed),
    FIELD_VALUE("on-source-error", type_policy, struct plan_job, on_source_error),
    FIELD_VALUE("on-target-error", type_policy, struct plan_job, on_target_error),
    FIELD_PART("replaces", read_replaces, struct plan_job, replaces),
    FIELD_END};

static const struct field commit_fields[] = {
    FIELD_NEEDED_PART("commit", disk_read_index, struct plan_job, source),
    FIELD_NEEDED_PART("into", disk_read_index, struct plan_job, target),
    FIELD_VALUE("speed", type_speed, struct plan_job, speed),
    FIELD_VALUE("on-error", type_policy, struct plan_job, on_source_error), FIELD_END};

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

void job_read(struct loader *loader)
{
    const struct yaml_node *node = yaml_get(loader->root, "job");
    struct plan_job *job = &loader->plan->job;

    if (!node || !read_mapping(loader, &node, "job")) {
        return;
    }
    job->where = node->where;
    if (yaml_get(node, "commit")) {
        job->kind = JOB_COMMIT;
        read_fields(loader, node, "job", commit_fields, job);
        job->on_target_error = job->on_source_error;
        check_commit(loader, node, job);
    } else {
        read_fields(loader, node, "job", mirror_fields, job);
    }
    set_flags(loader);
}
