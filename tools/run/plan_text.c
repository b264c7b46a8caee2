/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing into memory.
 */
#include "tools/run/plan_text.h"

#include <stdio.h>

#include "sim/scenario/write.h"
#include "tools/base/support.h"

char *plan_text(const struct plan *plan)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = must_memstream(&text, &bytes);

    scenario_write(plan, file);
    fclose(file);
    return text;
}
