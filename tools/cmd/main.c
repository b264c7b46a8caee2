/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mirrorsim: finds and runs the subcommand.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/units.h"
#include "tools/base/support.h"
#include "tools/cmd/command.h"
#include "tools/run/signals.h"

static const struct command *const commands[] = {
    &command_run,    &command_report,  &command_check,   &command_trace,
    &command_query,  &command_explore, &command_shrink,  &command_explain,
    &command_import, &command_bench,   &command_engines, &command_version,
};

#define COMMAND_COUNT COUNT_OF(commands)

static void show_help(FILE *out)
{
    fputs("Usage: mirrorsim COMMAND [OPTION...] [PATH...]\n"
          "Runs a drive-mirroring engine against simulated disks, from scenario files.\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("  help      show this, or the help of a command\n\n"
          "`mirrorsim COMMAND --help` explains a command's options.\n"
          "Exit codes: 0 all passed, 1 a scenario failed, 2 wrong usage or an invalid file,\n"
          "3 the harness itself failed, 130 interrupted.\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    fprintf(stderr, "mirrorsim: there is no command '%s'\n", name);
    show_help(stderr);
    return EXIT_USAGE;
}

/* argp shows argv[0] in messages, so it must have both the program's and the command's name. */
static int run_command(const struct command *command, int argc, char **argv)
{
    argv[0] = must_printf("mirrorsim %s", command->name);
    argp_err_exit_status = EXIT_USAGE;
    return command->run(argc, argv);
}

static int help(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    char option[] = "--help";

    if (command != NULL) {
        return run_command(command, 2, (char *[]){argv[0], option, NULL});
    }
    if (argc > 1) {
        return unknown_command(argv[1]);
    }
    show_help(stdout);
    return EXIT_PASSED;
}

static int run_program(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        show_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "-?") == 0) {
        return help(argc - 1, argv + 1);
    }
    if (strcmp(argv[1], "--version") == 0) {
        argv[1] = argv[0];
        return run_command(find_command("version"), 1, argv + 1);
    }
    command = find_command(argv[1]);
    return command != NULL ? run_command(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

/* The process that has results to write: its children write none. */
static pid_t writer;

/*
 * If results could not be written, the harness has failed, whatever the results were.  At every
 * exit, also that of argp after --help.
 */
static void check_results(void)
{
    if (getpid() == writer && (fflush(stdout) != 0 || ferror(stdout))) {
        die("cannot write the results: %s", strerror(errno));
    }
}

/*
 * Otherwise the next file that is opened takes the place of a closed standard output, and gets the
 * results.  Opened the wrong way round, standard output and standard error still can't be written.
 */
static void keep_standard_files(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

int main(int argc, char **argv)
{
    keep_standard_files();
    writer = getpid();
    atexit(check_results);
    signals_guard();
    return run_program(argc, argv);
}
