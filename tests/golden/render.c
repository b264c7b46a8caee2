/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a plan in its own process, and tells how the process ended.
 */
#include "tests/golden/render.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/golden/render_world.h"
#include "tools/base/support.h"
#include "tools/run/isolate.h"
#include "tools/run/progress.h"

#define CPU_LIMIT_MS 500
#define NO_MEMORY "no memory"

/* What the child shares with its parent. */
struct render_record {
    struct run_progress progress; /* first */
    uint64_t step;
};

/* ---- In the child ---- */

struct work {
    const struct plan *plan;
    const struct engine *engine;
    uint64_t last_step; /* the run is known to die in it: only its lines are wanted */
};

/* Where the lines go. */
struct sink {
    FILE *file;
    struct render_pace pace;
};

/* Each line is followed by the alternative that the reference may have, or an empty line. */
static void send_line(void *opaque, const char *line, const char *or_else)
{
    const struct sink *sink = opaque;
    if (sink->pace.last_step == RENDER_NO_STEP || render_is_last_step(&sink->pace)) {
        fprintf(sink->file, "%s\n%s\n", line, or_else ? or_else : "");
    }
}

static void tell_run(void *opaque, void *shared, int results)
{
    static const struct isolate_limits limits = {.cpu_ms = CPU_LIMIT_MS};
    const struct work *work = opaque;
    struct render_record *record = shared;
    struct sink sink = {fdopen(results, "w"),
                        {&record->progress.now_ns, &record->step, work->last_step}};
    if (!sink.file) {
        die("fdopen: %s", strerror(errno));
    }
    setvbuf(sink.file, NULL, _IOLBF, 0);
    record->progress.under_way = true;
    isolate_watch(&limits);
    if (!render_world(work->plan, work->engine, send_line, &sink, &sink.pace)) {
        fputs(NO_MEMORY "\n\n", sink.file);
    }
    isolate_watch(NULL);
    fclose(sink.file);
    record->progress.under_way = false;
}

/* ---- In the parent ---- */

/* Reads one line without its newline; false at the end of the stream. */
static bool read_line(FILE *from, char *line)
{
    if (!fgets(line, RENDER_LINE_BYTES, from)) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* Passes the child's lines on; false if it had no memory. */
static bool pass_lines(FILE *from, render_line *line, void *opaque)
{
    char told[RENDER_LINE_BYTES];
    char or_else[RENDER_LINE_BYTES];
    while (read_line(from, told) && read_line(from, or_else)) {
        if (strcmp(told, NO_MEMORY) == 0) {
            return false;
        }
        line(opaque, told, *or_else != '\0' ? or_else : NULL);
    }
    return true;
}

/* "file.c:12: f: Assertion `EXPR' failed": the reference's lines do not name mirror.c. */
static void tell_assertion(const char *words, const char *assertion, char *line, size_t size)
{
    const char *expression = strchr(assertion, '`') + 1;
    const char *adapter = strstr(words, "engine/qemu/");
    char file[80] = "";
    if (adapter && adapter < assertion) {
        size_t end = strcspn(words, ":");
        const char *name = (const char *)memrchr(words, '/', end) + 1;
        snprintf(file, sizeof(file), "(%.*s)", (int)(words + end - name), name);
    }
    snprintf(line, size, "ASSERT%s %.*s", file, (int)strcspn(expression, "'"), expression);
}

static bool is_memory_error(const char *text)
{
    return strstr(text, "SIGSEGV") || strstr(text, "SIGBUS") || strstr(text, "AddressSanitizer");
}

static void tell_death(const struct run_result *death, render_line *line, void *opaque)
{
    const struct run_finding *finding = &death->findings[0];
    const char *assertion = strstr(finding->text, "Assertion `");
    char how[400];
    char told[RENDER_LINE_BYTES];
    if (finding->id == FINDING_CRASH_HANG) {
        snprintf(how, sizeof(how), "SPIN");
    } else if (assertion) {
        tell_assertion(finding->text, assertion, how, sizeof(how));
    } else if (is_memory_error(finding->text)) {
        snprintf(how, sizeof(how), "MEMERR %.300s", finding->text);
    } else {
        snprintf(how, sizeof(how), "ABORT %.300s", finding->text);
    }
    snprintf(told, sizeof(told), "%" PRIu64 " %s", finding->now_ns, how);
    line(opaque, told, NULL);
}

/* One run in a process; how it died, or NULL. */
static struct run_result *run_once(const struct work *work, render_line *line, void *opaque,
                                   uint64_t *steps, bool *had_memory)
{
    struct work copy = *work;
    struct isolate worker;
    isolate_open(&worker, sizeof(struct render_record));
    isolate_start(&worker, tell_run, &copy);
    FILE *from = fdopen(dup(worker.results), "r");
    if (!from) {
        die("fdopen: %s", strerror(errno));
    }
    *had_memory = pass_lines(from, line, opaque);
    fclose(from);
    struct run_result *death = run_progress_end(&worker);
    *steps = ((const struct render_record *)worker.record)->step;
    isolate_close(&worker);
    return death;
}

/*
 * A run tells the events of a step after it, so that of one in which the engine dies nothing has
 * been told.  It is made again, and tells them as they happen.
 */
bool render_run(const struct plan *plan, const struct engine *engine, render_line *line,
                void *opaque)
{
    struct work work = {plan, engine, RENDER_NO_STEP};
    bool had_memory;
    uint64_t steps;
    struct run_result *death = run_once(&work, line, opaque, &steps, &had_memory);
    if (death) {
        bool again;
        work.last_step = steps;
        free(run_once(&work, line, opaque, &steps, &again));
        tell_death(death, line, opaque);
        free(death);
    }
    return had_memory;
}
