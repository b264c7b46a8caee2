/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim engines, mirrorsim version: what is compiled in.
 *
 * Declared in tools/cmd/command.h: every subcommand is.
 */
#include <stdio.h>

#include "tools/base/support.h"
#include "tools/cmd/command.h"

static error_t no_options(int key, char *arg, struct argp_state *state)
{
    (void)state;
    if (key == ARGP_KEY_ARG) {
        argp_error(state, "unexpected argument '%s'", arg);
    }
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

int cmd_engines(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = no_options,
        .doc = "Lists the mirror engines that are compiled in; the first is the default.",
    };

    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    for (uint32_t i = 0; engines[i] != NULL; i++) {
        printf("%-10s %s\n", engines[i]->name, engines[i]->summary);
    }
    return EXIT_PASSED;
}

int cmd_version(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = no_options,
        .doc = "Shows the version, the compiler and the libraries it was built with.",
    };

    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    puts("mirrorsim " MIRRORSIM_VERSION);
    puts("compiler: " MIRRORSIM_COMPILER);
    puts("libraries: " MIRRORSIM_LIBRARIES);
    return EXIT_PASSED;
}
