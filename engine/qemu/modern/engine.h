/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engines made of users' own files of today's generation.
 *
 * A program can have several: each file is compiled together with file_engine.c, which makes a
 * struct engine of it, and all share the environment.
 */
#ifndef MIRRORSIM_ENGINE_QEMU_MODERN_ENGINE_H
#define MIRRORSIM_ENGINE_QEMU_MODERN_ENGINE_H

#include "engine/engine.h"
#include "mirrorsim/functions.h"

struct qemu_framework; /* engine/qemu/modern/env.h */
struct qemu_inside;    /* engine/qemu/modern/inside.h */

/* A file, and what differs between versions. */
struct qemu_file {
    __typeof__(mirror_start) *mirror;
    __typeof__(commit_active_start) *commit;
    bool eleventh_is_zero_target; /* up to 10.0: "the target must be zeroed" */
    const struct qemu_framework *framework;
    const struct qemu_inside *inside; /* of the user's own framework; else NULL */
};

extern const struct qemu_framework qemu_life_framework; /* ours */
extern const struct qemu_framework qemu_user_framework; /* a user's job.c and blockjob.c */

/* As in struct engine; start() knows which file. */
int qemu_modern_start(const struct qemu_file *file, struct host *host, const struct job_spec *spec,
                      struct engine_job **job, struct job_error *error);
int qemu_modern_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                        struct job_error *error);
void qemu_modern_query(const struct engine_job *job, struct job_info *info);
void qemu_modern_digest(const struct engine_job *job, struct digest *digest);
void qemu_modern_check(const struct engine_job *job);
const char *qemu_modern_phase_name(unsigned phase);
const char *qemu_modern_trace_point_name(unsigned point);
void qemu_modern_describe_waits(const struct engine_job *job, char *text, size_t bytes);
void qemu_modern_abandon(struct engine_job *job);

#endif
