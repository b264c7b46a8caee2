/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Titles and commands that all reports use.
 */
#include "tools/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/quantity.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/run/load.h"

char *report_title(const struct report_run *run)
{
    char *title;
    size_t size;
    FILE *out = must_memstream(&title, &size);

    fputs(run->name, out);
    if (run->cases > 1 && run->result->case_name[0] != '\0') {
        fprintf(out, " [%s]", run->result->case_name);
    } else if (run->cases > 1) {
        fprintf(out, " [case %" PRIu32 "]", run->case_number);
    }
    if (run->seed != 0) {
        fprintf(out, " (seed %" PRIu64 ")", run->seed);
    }
    if (run->of_several) {
        fprintf(out, " on %s", run->engine->name);
    }
    fclose(out);
    return title;
}

static void write_command(FILE *out, const char *program, const char *verb,
                          const struct report_run *run, const struct engine *engine)
{
    shell_write(out, program);
    fprintf(out, " %s ", verb);
    shell_write(out, run->file);
    if (run->cases > 1) {
        fprintf(out, " --case %" PRIu32, run->case_number);
    }
    if (run->seed != 0) {
        fprintf(out, " --seed %" PRIu64, run->seed);
    }
    if (engine != load_engine_of(engine->generation)) {
        fprintf(out, " --engine %s", engine->name);
    }
}

static bool differs_from_itself(const struct run_result *result)
{
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (finding_oracle(result->findings[i].id) == ORACLE_DETERMINISM) {
            return true;
        }
    }
    return false;
}

char *report_repeat_command(const char *program, const struct report_run *run)
{
    char *command;
    size_t size;
    FILE *out = must_memstream(&command, &size);

    write_command(out, program, "run", run, run->engine);
    if (run->compared != NULL) {
        fprintf(out, " --compare %s", run->compared->name);
    }
    if (differs_from_itself(run->result)) {
        fputs(" --twice", out);
    }
    fclose(out);
    return command;
}

char *report_debug_command(const char *program, const struct report_run *run)
{
    char *repeat = report_repeat_command(program, run);
    char *command = must_printf("gdb -ex run --args %s --no-fork", repeat);

    free(repeat);
    return command;
}

void report_show_stack(FILE *out, const char *stack, unsigned indent)
{
    const char *word = "in";

    while (*stack != '\0') {
        size_t bytes = strcspn(stack, "\n");

        fprintf(out, "%*s%-7s %.*s\n", (int)indent, "", word, (int)bytes, stack);
        stack += bytes + (stack[bytes] == '\n');
        word = "";
    }
}

char *report_whole_trace_command(const char *program, const struct report_run *run,
                                 const struct engine *engine)
{
    char *command;
    size_t size;
    FILE *out = must_memstream(&command, &size);

    write_command(out, program, "trace", run, engine);
    fclose(out);
    return command;
}

/* After a death the end of the trace matters, so it is not cut. */
char *report_trace_command(const char *program, const struct report_run *run,
                           const struct run_finding *finding)
{
    char *command;
    size_t size;
    FILE *out = must_memstream(&command, &size);

    write_command(out, program, "trace", run,
                  finding->about == ABOUT_COMPARED ? run->compared : run->engine);
    if (!run->result->died) {
        fprintf(out, " --from %s", quantity_time(finding->trace_from_ns).text);
        fprintf(out, " --to %s", quantity_time(finding->now_ns).text);
    }
    fclose(out);
    return command;
}
