/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a device has taken, by operation and size, as the `latency` of a disk.
 *
 * Percentiles are of the requests themselves, without interpolation.  The language has a
 * distribution for each operation; sizes are told in comments, for those who want to know how much
 * they matter.
 *
 * Declared in tools/import/import.h: another end of an import.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/base/quantity.h"
#include "sim/yaml/emit.h"
#include "tools/base/support.h"
#include "tools/import/import.h"

/* Sizes up to a power of two each: 512 bytes, 1 KiB and so on; the last has all that is larger. */
#define CLASSES 16u

struct sample {
    uint64_t *ns;
    uint64_t count;
};

static void take(struct sample *sample, uint64_t ns)
{
    sample->ns = must_grow(sample->ns, sample->count, sizeof(*sample->ns));
    sample->ns[sample->count++] = ns;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t percentile(const struct sample *sample, uint64_t percent)
{
    return sample->ns[(sample->count - 1) * percent / 100];
}

static uint32_t class_of(uint64_t bytes)
{
    uint32_t class = 0;

    while (class + 1 < CLASSES && UINT64_C(512) << class < bytes) {
        class ++;
    }
    return class;
}

/* Of the operation, and of one class of sizes, or of all. */
static struct sample collect(const struct recording *recording, enum op op, uint32_t class)
{
    struct sample sample = {.count = 0};

    for (uint32_t i = 0; i < recording->request_count; i++) {
        const struct import_request *request = &recording->requests[i];

        if (request->op == op && request->latency_ns != IMPORT_NO_LATENCY &&
            (class == CLASSES || class_of(request->bytes) == class)) {
            take(&sample, request->latency_ns);
        }
    }
    if (sample.count > 1) {
        qsort(sample.ns, (size_t)sample.count, sizeof(*sample.ns), compare);
    }
    return sample;
}

static void tell_sizes(FILE *out, const struct recording *recording, enum op op)
{
    for (uint32_t class = 0; class < CLASSES; class ++) {
        struct sample sample = collect(recording, op, class);

        if (sample.count > 0) {
            fprintf(out, "# %-12s %-10s %10" PRIu64 " %12s %12s %12s\n", op_name(op),
                    class + 1 < CLASSES ? quantity_bytes(UINT64_C(512) << class).text : "more",
                    sample.count, quantity_time(percentile(&sample, 50)).text,
                    quantity_time(percentile(&sample, 99)).text,
                    quantity_time(percentile(&sample, 100)).text);
        }
        free(sample.ns);
    }
}

static void write_latency(struct emit *latency, const struct recording *recording, enum op op)
{
    struct sample sample = collect(recording, op, CLASSES);
    struct emit entry = emit_open_below(latency, op_name(op), EMIT_FLOW);

    if (sample.count > 0) {
        emit_word(&entry, "p50", quantity_time(percentile(&sample, 50)).text);
        emit_word(&entry, "p99", quantity_time(percentile(&sample, 99)).text);
        emit_word(&entry, "min", quantity_time(percentile(&sample, 0)).text);
        emit_word(&entry, "max", quantity_time(percentile(&sample, 100)).text);
    }
    emit_end(&entry);
    free(sample.ns);
}

uint64_t import_write_profile(const struct recording *recording, FILE *out)
{
    static const enum op ops[] = {OP_READ, OP_WRITE, OP_WRITE_ZEROES, OP_DISCARD, OP_FLUSH};
    struct emit emit = emit_open(out, EMIT_FILE);
    struct emit latency;
    uint64_t known = 0;

    for (uint32_t i = 0; i < recording->request_count; i++) {
        known += recording->requests[i].latency_ns != IMPORT_NO_LATENCY;
    }
    fprintf(out, "# %-12s %-10s %10s %12s %12s %12s\n", "operation", "up to", "requests", "p50",
            "p99", "max");
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        tell_sizes(out, recording, ops[i]);
    }
    latency = emit_open_below(&emit, "latency", EMIT_BLOCK);
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        write_latency(&latency, recording, ops[i]);
    }
    emit_end(&emit);
    return known;
}
