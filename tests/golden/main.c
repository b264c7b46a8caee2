/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * golden: compares an engine's traces with reference traces.
 *
 * Exit codes: 0 all passed; 1 a case failed; 2 wrong usage or an invalid file.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/golden/case.h"
#include "tools/run/load.h"

#define SUFFIX ".cfg"

static const char usage[] =
    "Usage: golden [OPTION...] PATH...\n"
    "Runs each NAME.cfg, alone or of a folder, and compares its trace with NAME.out.  Whether the\n"
    "case is one of 2.2 or of today's generation, the trace says, or without one the "
    "configuration.\n"
    "\n"
    "  --engine NAME       the engine to run (default: mirror or modern, by the case's "
    "generation)\n"
    "  --exceptions FILE   known differences of the engines mirror and modern (default: the "
    "source\n"
    "                      tree's golden_exceptions and golden_modern_exceptions); every other\n"
    "                      engine has to do as the reference does\n"
    "  --modern            every case is one of today's generation\n"
    "  --print             print the traces instead of comparing them\n"
    "  --print-plan        print the plans, as scenarios, instead of running them\n"
    "  --help              print this and exit\n";

#define GENERATIONS (GENERATION_MODERN + 1)

struct session {
    const struct engine *engine; /* NULL: ours, of the case's generation */
    struct exceptions exceptions[GENERATIONS];
    bool is_modern;
    bool print;
    bool print_plan;
    unsigned passed;
    unsigned failed;
    bool is_invalid; /* a file could not be read or is invalid */
};

static void print_line(void *opaque, const char *line, const char *or_else)
{
    (void)opaque;
    (void)or_else;
    puts(line);
}

/* The file's name without folder and suffix; the caller frees it. */
static char *case_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    return strndup(base, strlen(base) - strlen(SUFFIX));
}

static void report(struct session *session, const char *name, enum case_outcome outcome,
                   const char *text)
{
    session->passed += outcome == CASE_PASS;
    session->failed += outcome != CASE_PASS;
    switch (outcome) {
    case CASE_PASS:
        printf("PASS %s%s%s%s\n", name, *text ? " (" : "", text, *text ? ")" : "");
        break;
    case CASE_DIFF:
        printf("DIFF %s %s\n", name, text);
        break;
    case CASE_UNSUPPORTED:
        printf("UNSUPPORTED %s: %s\n", name, text);
        break;
    case CASE_INVALID:
        session->is_invalid = true;
        fprintf(stderr, "%s\n", text);
        break;
    }
}

static bool has_suffix(const char *path)
{
    size_t length = strlen(path);
    return length > strlen(SUFFIX) && strcmp(path + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The engine of that name, or NULL. */
static const struct engine *find_engine(const char *name)
{
    for (size_t i = 0; engines[i] != NULL; i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            return engines[i];
        }
    }
    return NULL;
}

static const char *const own_engines[GENERATIONS] = {
    [GENERATION_2_2] = "mirror",
    [GENERATION_MODERN] = "modern",
};

/* Compares, or prints the trace. */
static enum case_outcome run_case(struct session *session, const char *path, const char *name,
                                  enum generation generation, char *text)
{
    const struct engine *engine =
        session->engine ? session->engine : find_engine(own_engines[generation]);
    if (!engine || engine->generation != generation) {
        snprintf(text, CASE_TEXT_BYTES, "a case of the generation %s, %s%s",
                 generation_name(generation),
                 engine ? "unlike the engine " : "for which there is no engine",
                 engine ? engine->name : "");
        return CASE_UNSUPPORTED;
    }
    if (session->print) {
        return case_print(path, engine, print_line, NULL, text);
    }
    bool is_own = strcmp(engine->name, own_engines[generation]) == 0;
    return case_compare(path, name, engine, is_own ? &session->exceptions[generation] : NULL, text);
}

static void run_file(struct session *session, const char *path)
{
    char text[CASE_TEXT_BYTES] = "";
    char *name = case_name(path);
    enum generation generation = session->is_modern ? GENERATION_MODERN : case_generation(path);
    enum case_outcome outcome = session->print_plan
                                    ? case_print_plan(path, generation, text)
                                    : run_case(session, path, name, generation, text);
    if ((!session->print && !session->print_plan) || outcome != CASE_PASS) {
        report(session, name, outcome, text);
    }
    free(name);
}

static int is_case(const struct dirent *entry)
{
    return has_suffix(entry->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(struct session *session, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_case, by_bytes);
    if (count <= 0) {
        fprintf(stderr, "golden: %s: %s\n", folder,
                count < 0 ? strerror(errno) : "no " SUFFIX " file in this folder");
        session->is_invalid = true;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) > 0) {
            run_file(session, path);
        }
        free(path);
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
}

static void run_path(struct session *session, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "golden: %s: %s\n", path, strerror(errno));
        session->is_invalid = true;
    } else if (S_ISDIR(status.st_mode)) {
        run_folder(session, path);
    } else if (has_suffix(path)) {
        run_file(session, path);
    } else {
        fprintf(stderr, "golden: %s: neither a folder nor a " SUFFIX " file\n", path);
        session->is_invalid = true;
    }
}

/* Reads the options; false if the program is to end with *status. */
static bool read_options(int argc, char **argv, struct session *session,
                         const char **exceptions_path, int *status)
{
    enum { ENGINE = 1, EXCEPTIONS, MODERN, PRINT, PRINT_PLAN, HELP };
    static const struct option options[] = {
        {"engine", required_argument, NULL, ENGINE},
        {"exceptions", required_argument, NULL, EXCEPTIONS},
        {"modern", no_argument, NULL, MODERN},
        {"print", no_argument, NULL, PRINT},
        {"print-plan", no_argument, NULL, PRINT_PLAN},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    *status = 2;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case ENGINE:
            session->engine = find_engine(optarg);
            if (!session->engine) {
                fprintf(stderr, "golden: no engine '%s'\n", optarg);
                return false;
            }
            break;
        case EXCEPTIONS:
            *exceptions_path = optarg;
            break;
        case MODERN:
            session->is_modern = true;
            break;
        case PRINT_PLAN:
            session->print_plan = true;
            break;
        case PRINT:
            session->print = true;
            break;
        case HELP:
            fputs(usage, stdout);
            *status = 0;
            return false;
        default:
            fputs(usage, stderr);
            return false;
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const char *const exception_files[GENERATIONS] = {
        [GENERATION_2_2] = GOLDEN_EXCEPTIONS, [GENERATION_MODERN] = GOLDEN_MODERN_EXCEPTIONS};
    struct session session = {0};
    const char *exceptions_path = NULL;
    char error[1000];
    int status;
    if (!read_options(argc, argv, &session, &exceptions_path, &status)) {
        return status;
    }
    for (int i = 0; i < GENERATIONS; i++) {
        if (!exceptions_read(exceptions_path ? exceptions_path : exception_files[i],
                             &session.exceptions[i], error, sizeof(error))) {
            fprintf(stderr, "%s\n", error);
            return 2;
        }
    }
    for (int i = optind; i < argc; i++) {
        run_path(&session, argv[i]);
    }
    if (!session.print && !session.print_plan) {
        printf("%u passed, %u failed\n", session.passed, session.failed);
    }
    for (int i = 0; i < GENERATIONS; i++) {
        exceptions_free(&session.exceptions[i]);
    }
    if (session.is_invalid) {
        return 2;
    }
    return session.failed > 0 ? 1 : 0;
}
