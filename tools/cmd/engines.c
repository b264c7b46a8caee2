/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim engines, mirrorsim version: what is compiled in.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <stdio.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/load.h"

static const struct option_table engines_table = {
    .doc = "Lists the mirror engines that are compiled in; the first of each generation is its "
           "default."};

static int run_engines(int argc, char **argv)
{
    options_parse(&engines_table, argc, argv, NULL);
    for (uint32_t i = 0; engines[i] != NULL; i++) {
        printf("%-10s %s\n", engines[i]->name, engines[i]->summary);
    }
    return EXIT_PASSED;
}

const struct command command_engines = {"engines", "list the mirror engines that are compiled in",
                                        &engines_table, run_engines};

static const struct option_table version_table = {
    .doc = "Shows the version, the compiler and the libraries it was built with."};

static int run_version(int argc, char **argv)
{
    options_parse(&version_table, argc, argv, NULL);
    puts("mirrorsim " MIRRORSIM_VERSION);
    puts("compiler: " MIRRORSIM_COMPILER);
    puts("libraries: " MIRRORSIM_LIBRARIES);
    return EXIT_PASSED;
}

const struct command command_version = {"version", "show the version and what it was built with",
                                        &version_table, run_version};
