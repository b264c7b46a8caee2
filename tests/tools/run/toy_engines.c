/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engines that go wrong in ways that no scenario can cause.
 *
 * Each is the real engine until `complete` is given; the program built with
 * them shows that a bad run does not affect the others.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "tools/run/load.h"

static int toy_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                     struct job_error *error)
{
    return mirror_engine.start(host, spec, job, error);
}

/* Ignores every error of the target. */
static int careless_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                          struct job_error *error)
{
    struct job_spec careless = *spec;

    careless.on_target_error = POLICY_IGNORE;
    return mirror_engine.start(host, &careless, job, error);
}

/* Gives the job a different buffer size in every second run of a process. */
static int fickle_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                        struct job_error *error)
{
    static unsigned starts;
    struct job_spec other = *spec;

    other.buffer_bytes = starts++ % 2 == 0 ? spec->buffer_bytes : 1;
    return mirror_engine.start(host, &other, job, error);
}

/* Copies as fast as it can. */
static int hasty_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                       struct job_error *error)
{
    struct job_spec other = *spec;

    other.speed = 0;
    return mirror_engine.start(host, &other, job, error);
}

/* The real engine with one chunk buffer: different requests, the same end. */
static int narrow_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                        struct job_error *error)
{
    struct job_spec other = *spec;

    other.buffer_bytes = 1;
    return mirror_engine.start(host, &other, job, error);
}

static int toy_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                       struct job_error *error)
{
    return mirror_engine.command(job, verb, arg, error);
}

static int crash_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                         struct job_error *error)
{
    assert(verb != VERB_COMPLETE && "a toy that crashes");
    return mirror_engine.command(job, verb, arg, error);
}

/* The line of its store is where it dies. */
static int segv_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                        struct job_error *error)
{
    int somewhere;
    volatile uintptr_t address = verb == VERB_COMPLETE ? 64 : (uintptr_t)&somewhere;

    *(volatile int *)address = 1; /* the bad pointer */
    return mirror_engine.command(job, verb, arg, error);
}

static int exit_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                        struct job_error *error)
{
    if (verb == VERB_COMPLETE) {
        fputs("a toy\nthat leaves\n", stderr);
        _exit(42);
    }
    return mirror_engine.command(job, verb, arg, error);
}

static int hang_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                        struct job_error *error)
{
    volatile enum job_verb given = verb;

    while (given == VERB_COMPLETE) {
    }
    return mirror_engine.command(job, verb, arg, error);
}

/* Waits for ever, without taking processor time. */
static int stuck_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                         struct job_error *error)
{
    while (verb == VERB_COMPLETE) {
        pause();
    }
    return mirror_engine.command(job, verb, arg, error);
}

/* The host of the last start; a command is not given it. */
static struct host *started_on;

static int flood_start(struct host *host, const struct job_spec *spec, struct engine_job **job,
                       struct job_error *error)
{
    started_on = host;
    return mirror_engine.start(host, spec, job, error);
}

/* Emits without end inside one event of the timeline. */
static int flood_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                         struct job_error *error)
{
    volatile enum job_verb given = verb;
    struct job_info info;

    mirror_engine.query(job, &info);
    while (given == VERB_COMPLETE) {
        host_emit(
            started_on,
            &(struct event){.kind = EVENT_JOB_PROGRESS, .offset = info.offset, .bytes = info.len});
    }
    return mirror_engine.command(job, verb, arg, error);
}

/* Takes memory without end inside one event, and uses it. */
static int glutton_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                           struct job_error *error)
{
    const size_t bytes = 1 << 20;
    void *memory;

    while (verb == VERB_COMPLETE && (memory = malloc(bytes)) != NULL) {
        memset(memory, 1, bytes);
        *(void *volatile *)memory = memory;
    }
    return mirror_engine.command(job, verb, arg, error);
}

/* Loops in the kernel: its own instructions take next to no time. */
static int busy_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                        struct job_error *error)
{
    static char zeroes[1 << 16];
    FILE *zero = fopen("/dev/zero", "r");

    setvbuf(zero, NULL, _IONBF, 0);
    while (verb == VERB_COMPLETE && fread(zeroes, sizeof(zeroes), 1, zero) == 1) {
    }
    fclose(zero);
    return mirror_engine.command(job, verb, arg, error);
}

/* Dies if no guest write has made it copy more than 128KiB: in small.yaml, if that came early. */
static int unlucky_command(struct engine_job *job, enum job_verb verb, int64_t arg,
                           struct job_error *error)
{
    struct job_info info;

    mirror_engine.query(job, &info);
    assert((verb != VERB_COMPLETE || info.offset > 128 * 1024) && "a toy without luck");
    return mirror_engine.command(job, verb, arg, error);
}

static void toy_query(const struct engine_job *job, struct job_info *info)
{
    mirror_engine.query(job, info);
}

static void toy_digest(const struct engine_job *job, struct digest *digest)
{
    mirror_engine.digest(job, digest);
}

/* Never the same state twice, whatever the job does. */
static void moody_digest(const struct engine_job *job, struct digest *digest)
{
    static uint64_t moods;

    mirror_engine.digest(job, digest);
    digest_u64(digest, moods++);
}

/* An invariant that does not hold. */
static void broken_check(const struct engine_job *job)
{
    struct job_info info;

    mirror_engine.query(job, &info);
    assert(!info.ready && "a toy that must not be ready");
}

static void toy_check(const struct engine_job *job)
{
    mirror_engine.check(job);
}

static const char *toy_phase_name(unsigned phase)
{
    return mirror_engine.phase_name(phase);
}

#define TOY(toy_name, toy_start_with, toy_command_with, toy_digest_with, toy_check_with) \
    {                                                                                    \
        .name = (toy_name), .summary = "a toy", .start = (toy_start_with),               \
        .command = (toy_command_with), .query = toy_query, .digest = (toy_digest_with),  \
        .check = (toy_check_with), .phase_name = toy_phase_name                          \
    }

static const struct engine toys[] = {
    TOY("crash", toy_start, crash_command, toy_digest, toy_check),
    TOY("stuck", toy_start, stuck_command, toy_digest, toy_check),
    TOY("segv", toy_start, segv_command, toy_digest, toy_check),
    TOY("exit", toy_start, exit_command, toy_digest, toy_check),
    TOY("careless", careless_start, toy_command, toy_digest, toy_check),
    TOY("hang", toy_start, hang_command, toy_digest, toy_check),
    TOY("fickle", fickle_start, toy_command, toy_digest, toy_check),
    TOY("narrow", narrow_start, toy_command, toy_digest, toy_check),
    TOY("moody", toy_start, toy_command, moody_digest, toy_check),
    TOY("hasty", hasty_start, crash_command, toy_digest, toy_check),
    TOY("broken", toy_start, toy_command, toy_digest, broken_check),
    TOY("flood", flood_start, flood_command, toy_digest, toy_check),
    TOY("glutton", toy_start, glutton_command, toy_digest, toy_check),
    TOY("busy", toy_start, busy_command, toy_digest, toy_check),
    TOY("unlucky", toy_start, unlucky_command, toy_digest, toy_check),
};

const struct engine *const engines[] = {
    &mirror_engine, &toys[0],  &toys[1],  &toys[2],  &toys[3], &toys[4],
    &toys[5],       &toys[6],  &toys[7],  &toys[8],  &toys[9], &toys[10],
    &toys[11],      &toys[12], &toys[13], &toys[14], NULL,
};
