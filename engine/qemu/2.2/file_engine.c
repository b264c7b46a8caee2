/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One foreign file as an engine; compiled for each of them, with these macros:
 *
 *   QEMU_ENGINE        the symbol of its struct engine
 *   QEMU_ENGINE_NAME   its name, a string
 *   QEMU_ENGINE_FILE   the file's name, a string
 *   mirror_start, commit_active_start    the file's own names of what it exports
 *
 * (engine/qemu/CMakeLists.txt).
 */
#include "engine/qemu/2.2/engine.h"
#include "engine/qemu/statics.h"

QEMU_STATICS(QEMU_ENGINE);

static int start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                 struct job_error *error)
{
    static const struct qemu_file file = {mirror_start, commit_active_start};

    return qemu_2_2_start(&file, host, spec, job, error);
}

extern const struct engine QEMU_ENGINE;
const struct engine QEMU_ENGINE = {
    .name = QEMU_ENGINE_NAME,
    .summary = "the user's " QEMU_ENGINE_FILE ", a mirror.c of QEMU's 2.2 generation",
    .start = start,
    .command = qemu_2_2_command,
    .query = qemu_2_2_query,
    .digest = qemu_2_2_digest,
    .check = qemu_2_2_check,
    .phase_name = qemu_2_2_phase_name,
    .trace_point_name = qemu_2_2_trace_point_name,
    .foreign = true,
    .renew = renew,
    .is_as_loaded = is_as_loaded,
    .abandon = qemu_2_2_abandon,
};
