/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One case: runs NAME.cfg and compares its trace with NAME.out.
 *
 * The trace is compared while the run produces it; only the first difference is
 * kept.
 */
#include "tests/golden/case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/units.h"
#include "sim/scenario/write.h"
#include "tests/golden/config.h"

#define END_OF_TRACE "(the end of the trace)"

/* ---- Line by line ---- */

struct matcher {
    const struct line *expected;
    size_t count;
    size_t next;    /* expected line */
    bool is_strict; /* only the line itself counts, not the alternative the reference may have */
    bool used_or_else;
    bool is_unequal; /* the job has succeeded and the target is not equal to the source */
    bool differs;    /* at expected line `next`; our engine has `got` */
    char got[RENDER_LINE_BYTES];
};

/*
 * "T ABORT text": only the first two words must be equal, the text is the
 * reference simulator's own.
 */
static bool is_same_death(const char *expected, const char *line)
{
    static const char *const words[] = {" ABORT ", " MEMERR "};
    size_t time = strcspn(line, " ");
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t length = strlen(words[i]);
        if (strncmp(line + time, words[i], length) == 0) {
            return strncmp(line, expected, time + length) == 0;
        }
    }
    return false;
}

static void compare_line(void *opaque, const char *line, const char *or_else)
{
    struct matcher *matcher = opaque;
    const char *expected =
        matcher->next < matcher->count ? matcher->expected[matcher->next].text : NULL;
    if (matcher->differs) {
        return;
    }
    if (strncmp(line, "result 0 ", strlen("result 0 ")) == 0 && !strstr(line, " equal=yes ")) {
        matcher->is_unequal = true;
    }
    if (expected && strcmp(expected, line) == 0) {
        matcher->next++;
    } else if (expected && is_same_death(expected, line)) {
        matcher->next++;
    } else if (!matcher->is_strict && expected && or_else && strcmp(expected, or_else) == 0) {
        matcher->next++;
        matcher->used_or_else = true;
    } else {
        matcher->differs = true;
        snprintf(matcher->got, sizeof(matcher->got), "%s", line);
    }
}

/* True if the engine's trace is exactly these lines. */
static bool run_equals(const struct plan *plan, const struct engine *engine,
                       const struct line *expected, size_t count, struct matcher *matcher)
{
    *matcher =
        (struct matcher){.expected = expected, .count = count, .is_strict = matcher->is_strict};
    if (!render_run(plan, engine, compare_line, matcher)) {
        matcher->differs = true;
        snprintf(matcher->got, sizeof(matcher->got), "(no memory for a world)");
    }
    if (!matcher->differs && matcher->next < count) {
        matcher->differs = true;
        snprintf(matcher->got, sizeof(matcher->got), END_OF_TRACE);
    }
    return !matcher->differs;
}

static void explain_difference(const struct matcher *matcher, char *text)
{
    bool at_end = matcher->next == matcher->count;
    const struct line *expected = &matcher->expected[matcher->next];
    if (at_end) {
        snprintf(text, CASE_TEXT_BYTES, "after the last line\n  expected: %s\n  got:      %s",
                 END_OF_TRACE, matcher->got);
    } else {
        snprintf(text, CASE_TEXT_BYTES, "line %" PRIu32 "\n  expected: %.500s\n  got:      %s",
                 expected->number, expected->text, matcher->got);
    }
}

/* ---- The files of a case ---- */

static enum case_outcome read_plan(const char *path, enum generation generation, struct plan **plan,
                                   char *text)
{
    struct text file;
    struct config_error error;
    char problem[120];
    if (!text_read(path, &file, problem, sizeof(problem))) {
        snprintf(text, CASE_TEXT_BYTES, "%.1000s: %s", path, problem);
        return CASE_INVALID;
    }
    *plan = config_read(path, file.bytes, generation, &error);
    text_free(&file);
    if (*plan) {
        return CASE_PASS;
    }
    snprintf(text, CASE_TEXT_BYTES, "%.1000s:%" PRIu32 ": %s", path, error.line, error.text);
    return error.unsupported ? CASE_UNSUPPORTED : CASE_INVALID;
}

/* Drops the lines about leftover references: ours are checked by oracles. */
static void drop_residue(struct text *trace)
{
    size_t kept = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const char *line = trace->lines[i].text;
        if (*line != '\0' && strncmp(line, "residue", strlen("residue")) != 0) {
            trace->lines[kept++] = trace->lines[i];
        }
    }
    trace->count = kept;
}

/* NAME.out of NAME.cfg, or NULL; the caller frees it. */
static char *trace_path(const char *path)
{
    size_t length = strlen(path) - strlen("cfg");
    char *out = malloc(length + sizeof("out"));
    if (out) {
        memcpy(out, path, length);
        memcpy(out + length, "out", sizeof("out"));
    }
    return out;
}

/* Reads the trace beside NAME.cfg. */
static bool read_trace(const char *path, struct text *trace, char *text)
{
    char problem[120];
    char *out = trace_path(path);
    bool read = false;
    if (!out) {
        snprintf(text, CASE_TEXT_BYTES, "%.1000s: no memory", path);
        return false;
    }
    if (!text_read(out, trace, problem, sizeof(problem))) {
        snprintf(text, CASE_TEXT_BYTES, "%.1000s: %s", out, problem);
    } else if (!text_split(trace)) {
        snprintf(text, CASE_TEXT_BYTES, "%.1000s: no memory", out);
        text_free(trace);
    } else {
        drop_residue(trace);
        read = true;
    }
    free(out);
    return read;
}

/* Lines that a trace of 2.2 has not got: `T start`, `T status NAME`, `end guest=...`. */
static bool is_modern_line(const char *line)
{
    const char *word = line + strspn(line, "0123456789");
    return strcmp(word, " start") == 0 || strncmp(word, " status ", strlen(" status ")) == 0 ||
           strncmp(line, "end guest=", strlen("end guest=")) == 0;
}

static bool config_is_modern(const char *path)
{
    struct text file;
    char problem[120];
    if (!text_read(path, &file, problem, sizeof(problem))) {
        return false;
    }
    bool is_modern = config_looks_modern(file.bytes);
    text_free(&file);
    return is_modern;
}

enum generation case_generation(const char *path)
{
    struct text trace = {0};
    char problem[120];
    char *out = trace_path(path);
    bool has_trace = out && text_read(out, &trace, problem, sizeof(problem));
    bool is_modern = !has_trace && config_is_modern(path);
    free(out);
    if (has_trace && text_split(&trace)) {
        for (size_t i = 0; i < trace.count && !is_modern; i++) {
            is_modern = is_modern_line(trace.lines[i].text);
        }
    }
    text_free(&trace);
    return is_modern ? GENERATION_MODERN : GENERATION_2_2;
}

/* ---- One case ---- */

static enum case_outcome compare_plainly(const struct plan *plan, const struct engine *engine,
                                         const struct text *trace, bool is_strict, char *text)
{
    struct matcher matcher = {.is_strict = is_strict};
    if (!run_equals(plan, engine, trace->lines, trace->count, &matcher)) {
        explain_difference(&matcher, text);
        return CASE_DIFF;
    }
    snprintf(text, CASE_TEXT_BYTES, "%s", matcher.used_or_else ? "L2" : "");
    return CASE_PASS;
}

/* Where ours is right, the target of a job that has succeeded is equal to the source. */
static bool must_be_equal(const struct plan *plan)
{
    return plan->generation == GENERATION_MODERN && plan->job.sync != SYNC_NONE;
}

/* An exception that does not apply, or that is not needed, is a difference, too. */
static enum case_outcome compare_edited(const struct plan *plan, const struct engine *engine,
                                        const struct text *trace, const struct exception *exception,
                                        struct line *edited, char *text)
{
    struct matcher matcher = {.is_strict = false};
    const struct line *failed;
    size_t count = exception_apply(exception, trace->lines, trace->count, edited, &failed);
    if (failed) {
        snprintf(text, CASE_TEXT_BYTES,
                 "the exception for %s no longer applies: line %" PRIu32
                 " of the exceptions finds no place\n  %.500s",
                 exception->defect, failed->number, failed->text);
        return CASE_DIFF;
    }
    if (run_equals(plan, engine, edited, count, &matcher)) {
        if (must_be_equal(plan) && matcher.is_unequal) {
            snprintf(text, CASE_TEXT_BYTES,
                     "the exception for %s allows a target that is not equal to the source",
                     exception->defect);
            return CASE_DIFF;
        }
        snprintf(text, CASE_TEXT_BYTES, "%s%s", exception->defect,
                 matcher.used_or_else ? ", L2" : "");
        return CASE_PASS;
    }
    explain_difference(&matcher, text);
    if (run_equals(plan, engine, trace->lines, trace->count, &matcher)) {
        snprintf(text, CASE_TEXT_BYTES,
                 "the exception for %s is not needed: the trace equals the reference",
                 exception->defect);
    }
    return CASE_DIFF;
}

static enum case_outcome compare_trace(const struct plan *plan, const struct engine *engine,
                                       const struct text *trace, const char *name,
                                       const struct exceptions *exceptions, char *text)
{
    const struct exception *exception = exceptions ? exceptions_find(exceptions, name) : NULL;
    if (!exception) {
        return compare_plainly(plan, engine, trace, exceptions == NULL, text);
    }
    struct line *edited = calloc(trace->count + exception->edit_count + 1, sizeof(*edited));
    if (!edited) {
        snprintf(text, CASE_TEXT_BYTES, "no memory for an exception");
        return CASE_DIFF;
    }
    enum case_outcome outcome = compare_edited(plan, engine, trace, exception, edited, text);
    free(edited);
    return outcome;
}

enum case_outcome case_compare(const char *path, const char *name, const struct engine *engine,
                               const struct exceptions *exceptions, char *text)
{
    struct plan *plan;
    struct text trace;
    enum case_outcome outcome = read_plan(path, engine->generation, &plan, text);
    if (outcome != CASE_PASS) {
        return outcome;
    }
    outcome = CASE_INVALID;
    if (read_trace(path, &trace, text)) {
        outcome = compare_trace(plan, engine, &trace, name, exceptions, text);
        text_free(&trace);
    }
    plan_destroy(plan);
    return outcome;
}

enum case_outcome case_print(const char *path, const struct engine *engine, render_line *line,
                             void *opaque, char *text)
{
    struct plan *plan;
    enum case_outcome outcome = read_plan(path, engine->generation, &plan, text);
    if (outcome == CASE_PASS) {
        if (!render_run(plan, engine, line, opaque)) {
            snprintf(text, CASE_TEXT_BYTES, "%.1000s: no memory for a world", path);
            outcome = CASE_INVALID;
        }
        plan_destroy(plan);
    }
    return outcome;
}

enum case_outcome case_print_plan(const char *path, enum generation generation, char *text)
{
    struct plan *plan;
    enum case_outcome outcome = read_plan(path, generation, &plan, text);
    if (outcome == CASE_PASS) {
        scenario_write(plan, stdout);
        plan_destroy(plan);
    }
    return outcome;
}
