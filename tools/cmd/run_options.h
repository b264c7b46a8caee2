/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of `mirrorsim run`.
 */
#ifndef MIRRORSIM_TOOLS_CMD_RUN_OPTIONS_H
#define MIRRORSIM_TOOLS_CMD_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/options.h"
#include "tools/page/page.h"
#include "tools/report/report.h"
#include "tools/run/suite.h"

enum format {
    FORMAT_TEXT, /* on standard output */
    FORMAT_JSON,
    FORMAT_TAP,
    FORMAT_NONE, /* nothing there */
};

struct run_options {
    struct suite suite;
    struct suite_filter filter;
    enum format format;
    struct report_text_options text;
    const char *junit;
    const char *page;        /* file for the report as HTML, "-" = standard output, or NULL */
    const char *page_option; /* what names that file, for messages */
    struct page_options page_options;
    const char *dump_images; /* folder, or NULL */
    bool bisect;
    bool list; /* run nothing */
    bool annotations;
    bool twice;
    bool no_fork;
    uint32_t max_fail; /* failures after which no more runs are made; 0: all are */
    uint32_t jobs;
    uint64_t cpu_limit_ms;
    uint32_t memory_limit_mib;
};

extern const struct option_table run_options_table;

/* What to run, and how: rows for a table whose options are struct run_options. */
extern const struct option_row run_suite_options[];

/* Whatever the options do not say. */
struct run_options run_options_default(void);

/* Explains wrong usage on stderr and exits with EXIT_USAGE. */
void run_options_parse(struct run_options *options, int argc, char **argv);

/*
 * In run.c: makes the runs and the reports, and frees the suite.  `verb` is the command, for
 * messages.  Returns the program's exit code.
 */
int run_and_report(struct run_options *options, const char *verb);

#endif
