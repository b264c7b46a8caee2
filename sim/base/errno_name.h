/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of the errors that scenarios can ask for and traces can show.
 *
 * Only names are written to files: the numbers behind them are Linux's, and
 * the build fails on a system where they are others.
 */
#ifndef MIRRORSIM_SIM_BASE_ERRNO_NAME_H
#define MIRRORSIM_SIM_BASE_ERRNO_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* "EIO" for EIO or -EIO; NULL for 0 and for what has no name here. */
const char *errno_name(int error);

/* The positive number of that name; false if the name is not known. */
bool errno_from_name(const char *name, int *error);

/* The i-th name, for messages that list them; NULL past the last. */
const char *errno_name_at(uint32_t i);

#endif
