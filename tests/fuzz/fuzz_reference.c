/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A configuration of a reference trace of any bytes, in either generation: what is accepted runs.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/golden/config.h"

static void read_as(const uint8_t *data, size_t bytes, enum generation generation)
{
    char *text = malloc(bytes + 1);
    struct config_error error;
    struct plan *plan;

    memcpy(text, data, bytes);
    text[bytes] = '\0';
    config_looks_modern(text);
    plan = config_read("input.cfg", text, generation, &error);
    if (plan != NULL && plan->disks[plan->job.source].bytes <= UINT64_C(1) << 30) {
        fuzz_run(plan);
    }
    plan_destroy(plan);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    read_as(data, bytes, GENERATION_2_2);
    read_as(data, bytes, GENERATION_MODERN);
    return 0;
}
