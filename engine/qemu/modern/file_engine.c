/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One foreign file as an engine; compiled for each of them, with these macros:
 *
 *   QEMU_ENGINE        the symbol of its struct engine
 *   QEMU_ENGINE_NAME   its name, a string
 *   QEMU_ENGINE_FILE   the file's name, a string
 *   mirror_start, commit_active_start    the file's own names of what it exports
 *   QEMU_ZERO_TARGET   1: the 11th argument of a start says that the target must be zeroed
 *   QEMU_INSIDE        with a user's own job.c and blockjob.c: the symbol of its struct qemu_inside
 *
 * (engine/qemu/CMakeLists.txt).
 */
#include "engine/qemu/modern/engine.h"
#include "engine/qemu/modern/inside.h"
#include "engine/qemu/statics.h"

QEMU_STATICS(QEMU_ENGINE);

#ifdef QEMU_INSIDE
extern const struct qemu_inside QEMU_INSIDE;
#define FRAMEWORK &qemu_user_framework
#define WITH_WHAT ", with the user's job.c and blockjob.c"
#define INSIDE &QEMU_INSIDE
#else
#define FRAMEWORK &qemu_life_framework
#define WITH_WHAT ""
#define INSIDE NULL
#endif

static int start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                 struct job_error *error)
{
    static const struct qemu_file file = {.mirror = mirror_start,
                                          .commit = commit_active_start,
                                          .eleventh_is_zero_target = QEMU_ZERO_TARGET,
                                          .framework = FRAMEWORK,
                                          .inside = INSIDE};

    return qemu_modern_start(&file, host, spec, job, error);
}

extern const struct engine QEMU_ENGINE;
const struct engine QEMU_ENGINE = {
    .name = QEMU_ENGINE_NAME,
    .summary = "the user's " QEMU_ENGINE_FILE ", a mirror.c of today's generation" WITH_WHAT,
    .generation = GENERATION_MODERN,
    .start = start,
    .command = qemu_modern_command,
    .query = qemu_modern_query,
    .digest = qemu_modern_digest,
    .check = qemu_modern_check,
    .phase_name = qemu_modern_phase_name,
    .trace_point_name = qemu_modern_trace_point_name,
    .foreign = true,
    .renew = renew,
    .is_as_loaded = is_as_loaded,
    .describe_waits = qemu_modern_describe_waits,
    .abandon = qemu_modern_abandon,
};
