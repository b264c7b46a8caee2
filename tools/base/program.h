/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * This program, told from every other build of it.
 */
#ifndef MIRRORSIM_TOOLS_BASE_PROGRAM_H
#define MIRRORSIM_TOOLS_BASE_PROGRAM_H

#include <stdint.h>

/* A hash of the program's file: its code, its tables and its engines.  Dies if it can't be read. */
uint64_t program_hash(void);

/* A hash of any file; dies if it can't be read. */
uint64_t program_hash_file(const char *path);

#endif
