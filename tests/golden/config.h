/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the configuration of a reference trace into a plan.
 *
 * The formats are those of shared/golden/README.md, for the generation 2.2, and of
 * shared/golden-modern/README.md, for today's: one directive per line, a node
 * exists if it is mentioned, lengths default to the source's.  What the formats
 * leave open is decided here: the mode is `full`, the granularity 0 and, in 2.2, a
 * latency that no directive gives 0 ns.
 */
#ifndef MIRRORSIM_TESTS_GOLDEN_CONFIG_H
#define MIRRORSIM_TESTS_GOLDEN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/plan.h"

/* Longer names are refused, which bounds the length of a trace line. */
#define CONFIG_MAX_NAME 64

/* Why there is no plan. */
struct config_error {
    uint32_t line;    /* from 1; 0 = the file as a whole */
    bool unsupported; /* the file is well-formed but asks for something a plan cannot express */
    char text[200];
};

/*
 * Reads `text`, which it splits in place; `path` is the name for messages.
 * Returns NULL with *error filled in if the text is not a valid configuration.
 * Guest requests carry their tag as its text; timed[0] is the start of the job.
 */
struct plan *config_read(const char *path, char *text, enum generation generation,
                         struct config_error *error);

/* Valid for today's generation, not for 2.2?  For a file without a trace, which says it better. */
bool config_looks_modern(const char *text);

/* Parses a number of the format: decimal, or hexadecimal after 0x. */
bool config_parse_number(const char *word, uint64_t *value);

#endif
