/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The types of values that scenario files write: tables.
 *
 * Bounds that are no rule of the language keep sums of two values within 64 bits
 * and a hostile file within reasonable memory.
 *
 * Declared in sim/scenario/value.h, with the values they are types of.
 */
#include <string.h>

#include "sim/base/errno_name.h"
#include "sim/plan/plan.h"
#include "sim/scenario/value.h"

#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)
#define PIB (INT64_C(1) << 50)
#define EIB (INT64_C(1) << 60)

#define SECTOR 512
#define MAX_DISK_BYTES (64 * TIB)
#define MAX_BYTES EIB
#define MAX_TIME_NS (INT64_C(1000000) * 1000 * 1000 * 1000)
#define MAX_COUNT (INT64_C(1000) * 1000 * 1000 * 1000)

/* ---- Units ---- */

static const struct unit count_units[] = {{"", 1, false}, {NULL, 0, false}};
static const struct unit percent_units[] = {{"%", 10000, true}, {"", 1, false}, {NULL, 0, false}};
static const struct unit thousandth_units[] = {{"", 1000, false}, {NULL, 0, false}};
static const struct unit factor_units[] = {{"", 100, false}, {NULL, 0, false}};

/* ---- Words whose names others keep ---- */

/* A `prefix_at()` and a `prefix_parse()` for the names of an enumeration from `first` on. */
#define NAMES(prefix, name_of, type, first, count)                                         \
    static const char *prefix##_at(uint32_t i)                                             \
    {                                                                                      \
        return i + (first) < (uint32_t)(count) ? name_of((enum type)(i + (first))) : NULL; \
    }                                                                                      \
    static bool prefix##_parse(const char *text, int64_t *value)                           \
    {                                                                                      \
        for (uint32_t i = 0; prefix##_at(i); i++) {                                        \
            if (strcmp(prefix##_at(i), text) == 0) {                                       \
                *value = (int64_t)i + (first);                                             \
                return true;                                                               \
            }                                                                              \
        }                                                                                  \
        return false;                                                                      \
    }

NAMES(policy, error_policy_name, error_policy, POLICY_REPORT, POLICY_ENOSPC + 1)
NAMES(op, op_name, op, OP_READ, OP_COUNT)
NAMES(by, by_name, by, BY_JOB, BY_COUNT)
NAMES(action, error_action_name, error_action, ACTION_REPORT, ACTION_STOP + 1)
NAMES(verb, job_verb_name, job_verb, VERB_COMPLETE, VERB_COUNT)
NAMES(refusal, job_refusal_name, job_refusal, REFUSED_NOT_READY, REFUSED_COUNT)
NAMES(event, event_kind_name, event_kind, EVENT_REQUEST_QUEUED, EVENT_KIND_COUNT)
NAMES(io_status, io_status_name, io_status, IO_STATUS_OK, IO_STATUS_NOSPACE + 1)
NAMES(job_status, job_status_name, job_status, JOB_STATUS_CREATED, JOB_STATUS_COUNT)
NAMES(job_kind, job_kind_name, job_kind, JOB_MIRROR, JOB_COMMIT + 1)
NAMES(sync, sync_mode_name, sync_mode, SYNC_FULL, SYNC_NONE + 1)
NAMES(copy_mode, copy_mode_name, copy_mode, COPY_BACKGROUND, COPY_WRITE_BLOCKING + 1)
NAMES(backing_mode, backing_mode_name, backing_mode, BACKING_SOURCE, BACKING_LEAVE + 1)
NAMES(generation, generation_name, generation, GENERATION_2_2, GENERATION_MODERN + 1)

static bool error_parse(const char *text, int64_t *value)
{
    int error;

    if (!errno_from_name(text, &error)) {
        return false;
    }
    *value = -error;
    return true;
}

/* ---- Numbers ---- */

#define SIZE_TYPE(id, least, most, times)                          \
    const struct value_type id = {.name = &#id[5],                 \
                                  .what = "size",                  \
                                  .example = "64KiB, 1MiB or 512", \
                                  .units = quantity_size_units,    \
                                  .min = (least),                  \
                                  .max = (most),                   \
                                  .multiple = (times),             \
                                  .range_step = SECTOR}

SIZE_TYPE(type_disk_bytes, 0, MAX_DISK_BYTES, SECTOR);
SIZE_TYPE(type_sectors, 0, MAX_BYTES, SECTOR);
SIZE_TYPE(type_sectors_length, SECTOR, MAX_BYTES, SECTOR);
SIZE_TYPE(type_bytes, 0, MAX_BYTES, 1);
SIZE_TYPE(type_bytes_length, 1, MAX_BYTES, 1);
SIZE_TYPE(type_job_bytes, -PIB, PIB, 1);

static const struct word cluster_words[] = {{"none", 0}, {"unknown", -1}, {NULL, 0}};

const struct value_type type_cluster = {.name = "cluster",
                                        .what = "cluster size",
                                        .example = "64KiB",
                                        .units = quantity_size_units,
                                        .words = cluster_words,
                                        .power_of_two = true,
                                        .min = SECTOR,
                                        .max = 2 * GIB};

const struct value_type type_subcluster = {.name = "subcluster",
                                           .what = "subcluster size",
                                           .example = "4KiB",
                                           .units = quantity_size_units,
                                           .power_of_two = true,
                                           .min = SECTOR,
                                           .max = 2 * GIB};

const struct value_type type_granularity = {.name = "granularity",
                                            .what = "granularity",
                                            .example = "64KiB",
                                            .units = quantity_size_units,
                                            .power_of_two = true,
                                            .min = SECTOR,
                                            .max = 2 * GIB};

#define TIME_TYPE(id, least)                                     \
    const struct value_type id = {.name = &#id[5],               \
                                  .what = "time",                \
                                  .example = "5ms, 200us or 1s", \
                                  .units = quantity_time_units,  \
                                  .needs_unit = true,            \
                                  .min = (least),                \
                                  .max = MAX_TIME_NS,            \
                                  .range_step = 1000}

static const struct word instant_words[] = {{"whenever", -1}, {NULL, 0}};

const struct value_type type_instant = {.name = "instant",
                                        .what = "time",
                                        .example = "5ms, 200us or 1s",
                                        .units = quantity_time_units,
                                        .words = instant_words,
                                        .needs_unit = true,
                                        .max = MAX_TIME_NS,
                                        .range_step = 1000};

TIME_TYPE(type_time, 0);
TIME_TYPE(type_span, 1);
TIME_TYPE(type_shift, -MAX_TIME_NS);

#define SPEED_TYPE(id, words_, least)                             \
    const struct value_type id = {.name = &#id[5],                \
                                  .what = "speed",                \
                                  .example = "1MiB/s or 64KiB/s", \
                                  .units = quantity_speed_units,  \
                                  .words = (words_),              \
                                  .needs_unit = true,             \
                                  .min = (least),                 \
                                  .max = PIB}

/* What an engine refuses, and what needs no unit to be understood. */
static const struct word speed_words[] = {{"-1", -1}, {NULL, 0}};

SPEED_TYPE(type_speed, speed_words, -PIB);
SPEED_TYPE(type_bandwidth, NULL, 1);

#define COUNT_TYPE(id, words_, least, example_)          \
    const struct value_type id = {.name = &#id[5],       \
                                  .what = "number",      \
                                  .example = (example_), \
                                  .units = count_units,  \
                                  .words = (words_),     \
                                  .min = (least),        \
                                  .max = MAX_COUNT}

static const struct word times_words[] = {{"forever", 0}, {NULL, 0}};

COUNT_TYPE(type_count, NULL, 1, "3");
COUNT_TYPE(type_number, NULL, 0, "3");
COUNT_TYPE(type_times, times_words, 1, "3 or forever");

const struct value_type type_small_count = {.name = "small_count",
                                            .what = "number",
                                            .example = "3",
                                            .units = count_units,
                                            .min = 1,
                                            .max = 1000 * 1000};

const struct value_type type_weight = {.name = "weight",
                                       .what = "weight",
                                       .example = "80",
                                       .units = count_units,
                                       .min = 1,
                                       .max = 1000 * 1000};

const struct value_type type_outstanding = {.name = "outstanding",
                                            .what = "number",
                                            .example = "4",
                                            .units = count_units,
                                            .min = 1,
                                            .max = GENERATOR_MAX_UNFINISHED};

const struct value_type type_theta = {.name = "theta",
                                      .what = "exponent",
                                      .example = "0.9",
                                      .units = thousandth_units,
                                      .min = 0,
                                      .max = 2000};

const struct value_type type_pick = {.name = "pick",
                                     .what = "number",
                                     .example = "3",
                                     .units = count_units,
                                     .min = 0,
                                     .max = UINT32_MAX - 1};

const struct value_type type_probability = {.name = "probability",
                                            .what = "probability",
                                            .example = "10%",
                                            .units = percent_units,
                                            .needs_unit = true,
                                            .min = 1,
                                            .max = 1000 * 1000};

const struct value_type type_factor = {.name = "factor",
                                       .what = "factor",
                                       .example = "3 or 1.5",
                                       .units = factor_units,
                                       .min = 1,
                                       .max = 100 * 1000 * 1000};

/* ---- Words ---- */

#define WORD_TYPE(id, thing, ...)                                     \
    static const struct word id##_words[] = {__VA_ARGS__, {NULL, 0}}; \
    const struct value_type id = {.name = &#id[5], .what = (thing), .words = id##_words}

#define NAME_TYPE(id, thing, prefix, ...)                  \
    const struct value_type id = {.name = &#id[5],         \
                                  .what = (thing),         \
                                  .parse = prefix##_parse, \
                                  .word_at = prefix##_at,  \
                                  __VA_ARGS__}

/* The bits of the values from one to the last. */
#define FROM(first, count) ((UINT64_C(1) << (count)) - (UINT64_C(1) << (first)))

static const struct word result_words[] = {{"OK", 0}, {NULL, 0}};

const struct value_type type_error = {.name = "error",
                                      .what = "error",
                                      .example = "EIO or ENOSPC",
                                      .parse = error_parse,
                                      .word_at = errno_name_at};
const struct value_type type_result = {.name = "result",
                                       .what = "result",
                                       .example = "OK or EIO",
                                       .words = result_words,
                                       .parse = error_parse,
                                       .word_at = errno_name_at};

WORD_TYPE(type_fill, "fill", {"unique", FILL_UNIQUE}, {"random", FILL_UNIQUE}, {"zero", FILL_ZERO},
          {"garbage", FILL_GARBAGE});
WORD_TYPE(type_effect, "effect policy", {"complete", EFFECT_AT_COMPLETE},
          {"start", EFFECT_AT_START}, {"choice", EFFECT_BY_CHOICE}, {"sector", EFFECT_BY_SECTOR});
WORD_TYPE(type_power_cut, "fate of what is not flushed", {"choice", CUT_BY_CHOICE},
          {"none", CUT_LOSES_ALL}, {"all", CUT_KEEPS_ALL});
WORD_TYPE(type_content, "content", {"tags", false}, {"bytes", true});
WORD_TYPE(type_timing, "timing", {"timed", false}, {"untimed", true});
WORD_TYPE(type_cache, "cache", {"none", false}, {"volatile", true});
WORD_TYPE(type_io_status_tracking, "I/O status tracking", {"tracked", true}, {"untracked", false});
WORD_TYPE(type_access, "access", {"free", false}, {"blocked", true});
WORD_TYPE(type_role, "role", {"format", false}, {"filter", true});
WORD_TYPE(type_backing_open, "state of a backing file", {"open", true}, {"closed", false});
WORD_TYPE(type_disk_flag, "open flag", {"rdwr", DISK_FLAG_RDWR},
          {"write-back", DISK_FLAG_WRITE_BACK}, {"no-backing", DISK_FLAG_NO_BACKING});
WORD_TYPE(type_request_phase, "phase of a request", {"queued", EVENT_REQUEST_QUEUED},
          {"submit", EVENT_REQUEST_SUBMIT}, {"start", EVENT_REQUEST_START},
          {"effect", EVENT_REQUEST_EFFECT}, {"done", EVENT_REQUEST_DONE});
WORD_TYPE(type_hold_phase, "phase of a hold", {"before-effect", HOLD_BEFORE_EFFECT},
          {"before-completion", HOLD_BEFORE_COMPLETION});
WORD_TYPE(type_claim, "answer", {"data", CLAIM_DATA}, {"zero", CLAIM_ZERO}, {"hole", CLAIM_HOLE});
WORD_TYPE(type_drops, "loss", {"nothing", DROPS_NOTHING}, {"now", DROPS_NOW},
          {"later", DROPS_LATER});
WORD_TYPE(type_detect_zeroes, "fate of written zeroes", {"stay", DETECT_OFF}, {"zero", DETECT_ON},
          {"unmap", DETECT_UNMAP});
WORD_TYPE(type_switch, "rule", {"always", true}, {"never", false});

static const struct word job_flag_words[] = {
    {"busy", QUERY_BUSY},           {"paused", QUERY_PAUSED},          {"ready", QUERY_READY},
    {"cancelled", QUERY_CANCELLED}, {"actively-synced", QUERY_SYNCED}, {NULL, 0}};

const struct value_type type_job_flag = {.name = "job_flag",
                                         .what = "flag of a job",
                                         .words = job_flag_words,
                                         .only_modern = UINT64_C(1) << QUERY_SYNCED};
WORD_TYPE(type_ended, "end of a job", {"completed", EVENT_JOB_COMPLETED},
          {"cancelled", EVENT_JOB_CANCELLED});
WORD_TYPE(type_since, "point to count from", {"start", true});
WORD_TYPE(type_schedule, "schedule", {"exhaustive", EXPLORE_EXHAUSTIVE},
          {"random", EXPLORE_RANDOM});
WORD_TYPE(type_explore_faults, "choice of faults", {"none", EXPLORE_NONE},
          {"singles", EXPLORE_SINGLES}, {"pairs", EXPLORE_PAIRS});
WORD_TYPE(type_explore_amount, "amount", {"all", 0});

NAME_TYPE(type_sync, "sync mode", sync, .only_modern = 0);
NAME_TYPE(type_policy, "error policy", policy, .only_modern = 0);
NAME_TYPE(type_copy_mode, "copy mode", copy_mode, .only_modern = 0);
NAME_TYPE(type_backing_mode, "backing mode", backing_mode, .only_modern = 0);
NAME_TYPE(type_generation, "generation", generation, .only_modern = 0);
NAME_TYPE(type_op, "operation", op, .only_modern = FROM(OP_CONTENT, OP_COUNT));
NAME_TYPE(type_by, "issuer of requests", by, .only_modern = FROM(BY_ACTIVE, BY_COUNT));
NAME_TYPE(type_action, "error action", action, .only_modern = 0);
NAME_TYPE(type_verb, "command", verb, .only_modern = FROM(VERB_FINALIZE, VERB_COUNT));
NAME_TYPE(type_refusal, "reason for a refusal", refusal,
          .only_modern = FROM(REFUSED_VERB, REFUSED_COUNT));
const struct value_type type_event = {.name = "event",
                                      .what = "event",
                                      .example = "ready, error or completed",
                                      .parse = event_parse,
                                      .word_at = event_at,
                                      .only_modern = FROM(EVENT_END + 1, EVENT_KIND_COUNT)};
NAME_TYPE(type_io_status, "I/O status", io_status, .only_modern = 0);
NAME_TYPE(type_job_status, "job status", job_status,
          .only_modern = FROM(JOB_STATUS_UNDEFINED, JOB_STATUS_COUNT),
          .only_2_2 = UINT64_C(1) << JOB_STATUS_CONCLUDING);
NAME_TYPE(type_job_kind, "kind of job", job_kind, .only_modern = 0);
