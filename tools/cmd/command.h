/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The subcommands: a name, a table of options, and a function.
 */
#ifndef MIRRORSIM_TOOLS_CMD_COMMAND_H
#define MIRRORSIM_TOOLS_CMD_COMMAND_H

#include "tools/base/options.h"

struct command {
    const char *name;
    const char *summary;
    const struct option_table *table;

    /* argv[0] is "mirrorsim NAME".  Returns the program's exit code. */
    int (*run)(int argc, char **argv);
};

/* Each command is in a file of its name. */
extern const struct command command_run;
extern const struct command command_check;
extern const struct command command_trace;
extern const struct command command_query;
extern const struct command command_report;
extern const struct command command_explore;
extern const struct command command_shrink;
extern const struct command command_explain;
extern const struct command command_import;
extern const struct command command_bench;
extern const struct command command_engines;
extern const struct command command_version;

#endif
