/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options of `mirrorsim run`.
 */
#ifndef MIRRORSIM_TOOLS_CMD_RUN_OPTIONS_H
#define MIRRORSIM_TOOLS_CMD_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/options.h"
#include "tools/report/report.h"
#include "tools/run/suite.h"

enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_TAP,
};

struct run_options {
    struct suite suite;
    struct suite_filter filter;
    enum format format;
    struct report_text_options text;
    const char *junit;
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

/* Explains wrong usage on stderr and exits with EXIT_USAGE. */
void run_options_parse(struct run_options *options, int argc, char **argv);

#endif
