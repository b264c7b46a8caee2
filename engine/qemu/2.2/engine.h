/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engines made of users' own files of 2.2.
 *
 * A program can have several: each file is compiled together with file_engine.c, which makes a
 * struct engine of it, and all share the environment.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_2_2_ENGINE_H
#define MIRRORSIM_ENGINE_QEMU_2_2_ENGINE_H

#include "block/block_int.h"
#include "engine/engine.h"

struct qemu_file {
    __typeof__(mirror_start) *mirror;
    __typeof__(commit_active_start) *commit;
};

/* As in struct engine; start() knows which file. */
int qemu_2_2_start(const struct qemu_file *file, struct host *host, const struct job_spec *spec,
                   struct engine_job **job, struct job_error *error);
int qemu_2_2_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                     struct job_error *error);
void qemu_2_2_query(const struct engine_job *job, struct job_info *info);
void qemu_2_2_digest(const struct engine_job *job, struct digest *digest);
void qemu_2_2_check(const struct engine_job *job);
const char *qemu_2_2_phase_name(unsigned phase);
const char *qemu_2_2_trace_point_name(unsigned point);
void qemu_2_2_abandon(struct engine_job *job);

#endif
