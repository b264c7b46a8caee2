/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engines that are compiled in.
 */
#include "tools/command.h"

const struct engine *const engines[] = {&mirror_engine, NULL};
