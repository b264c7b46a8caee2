/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variants in words, and the kinds of failures that they are of.
 *
 * Declared in tools/explore/variants.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/units.h"
#include "sim/base/quantity.h"
#include "sim/trace/phrase.h"
#include "tools/base/support.h"
#include "tools/base/text.h"
#include "tools/explore/variants.h"

/* ---- Words ---- */

static const char *applied_text(enum fault_applied applied)
{
    static const char *const texts[] = {[APPLIED_NOTHING] = "",
                                        [APPLIED_PREFIX] = ", half applied",
                                        [APPLIED_TORN] = ", torn",
                                        [APPLIED_ALL] = ", applied",
                                        [APPLIED_BY_CHOICE] = ""};

    return texts[applied];
}

static const char *by_text(enum by by)
{
    return by == BY_GUEST ? "guest " : by == BY_ACTIVE ? "active " : "";
}

static void write_chosen(FILE *out, const struct fault_spec *fault)
{
    fprintf(out, "one %s fails with %s%s", fault->match.ops == 0 ? "request or query" : "write",
            phrase_result(fault->error).text, applied_text(fault->applied));
}

static void write_single(FILE *out, const struct fault_spec *fault, const struct plan *plan)
{
    uint32_t disk = (uint32_t)__builtin_ctzll(fault->match.disks);
    enum op op = (enum op)__builtin_ctz(fault->match.ops);

    fprintf(out, "%s%s %" PRIu64 " of %s fails %s with %s%s", by_text(fault->match.by), op_name(op),
            fault->nth, plan->disks[disk].name, fault->times == 0 ? "from then on" : "once",
            phrase_result(fault->error).text, applied_text(fault->applied));
}

static void write_variant(FILE *out, const struct variant *variant, const struct plan *plan)
{
    static const char *const keeps[] = {
        [CUT_BY_CHOICE] = "some", [CUT_LOSES_ALL] = "all", [CUT_KEEPS_ALL] = "nothing"};

    for (uint32_t i = 0; i < variant->fault_count; i++) {
        fputs(i > 0 ? ", then " : "", out);
        if (variant->faults[i].hits > 0) {
            write_chosen(out, &variant->faults[i]);
        } else {
            write_single(out, &variant->faults[i], plan);
        }
    }
    if (variant->cuts_power) {
        fprintf(out, "the power of %s is cut at %s and %s of its cache is lost",
                plan->disks[plan->job.target].name, quantity_time(variant->cut_ns).text,
                keeps[variant->keeps]);
    }
}

const char *variant_text(const struct variant *variant, const struct plan *plan,
                         char buf[VARIANT_TEXT_BYTES])
{
    char *text = NULL;
    size_t bytes;
    FILE *out = must_memstream(&text, &bytes);

    write_variant(out, variant, plan);
    if (fclose(out) != 0) {
        die("out of memory");
    }
    text_copy(buf, VARIANT_TEXT_BYTES, text);
    free(text);
    return buf;
}

/* ---- Failures, numbered ---- */

/* What can fail, and how; queries have no policy. */
static const struct {
    enum op op;
    int error;
    enum fault_applied applied;
} failures[] = {
    {OP_READ, -EIO, APPLIED_NOTHING},         {OP_WRITE, -EIO, APPLIED_NOTHING},
    {OP_WRITE, -EIO, APPLIED_PREFIX},         {OP_WRITE, -EIO, APPLIED_ALL},
    {OP_WRITE, -ENOSPC, APPLIED_NOTHING},     {OP_FLUSH, -EIO, APPLIED_NOTHING},
    {OP_FLUSH, -ENOSPC, APPLIED_NOTHING},     {OP_STATUS, -EIO, APPLIED_NOTHING},
    {OP_GETLENGTH, -EIO, APPLIED_NOTHING},    {OP_GET_INFO, -EIO, APPLIED_NOTHING},
    {OP_OPEN_BACKING, -EIO, APPLIED_NOTHING}, {OP_REOPEN, -EIO, APPLIED_NOTHING},
    {OP_TRUNCATE, -EIO, APPLIED_NOTHING},     {OP_BUFFER, -EIO, APPLIED_NOTHING},
    {OP_BITMAP, -EIO, APPLIED_NOTHING},
};

/* The first rows are requests, which have an error policy. */
#define FAILING_REQUESTS 7u
#define POLICIES 4u
#define OTHER_FAILURES (COUNT_OF(failures) - FAILING_REQUESTS)

/* Each once and from then on. */
_Static_assert(VARIANT_FAILURES == 2 * (FAILING_REQUESTS * POLICIES + OTHER_FAILURES),
               "VARIANT_FAILURES counts the failures");

static bool failure_row(const struct fault_spec *fault, uint32_t *row)
{
    for (*row = 0; *row < COUNT_OF(failures); (*row)++) {
        if ((fault->match.ops >> (unsigned)failures[*row].op & 1) &&
            fault->error == failures[*row].error && fault->applied == failures[*row].applied) {
            return true;
        }
    }
    return false;
}

bool variant_failure(const struct fault_spec *fault, const struct plan *plan, uint32_t *number)
{
    uint32_t row;
    enum error_policy policy;

    if (fault->match.by == BY_GUEST || fault->hits > 0 || !failure_row(fault, &row)) {
        return false;
    }
    policy = failures[row].op == OP_READ ? plan->job.on_source_error : plan->job.on_target_error;
    *number = row < FAILING_REQUESTS ? row * POLICIES + (uint32_t)policy
                                     : row + FAILING_REQUESTS * (POLICIES - 1);
    *number = 2 * *number + (fault->times == 0);
    return true;
}

const char *variant_failure_text(uint32_t number, char buf[VARIANT_TEXT_BYTES])
{
    const char *duration = number % 2 != 0 ? "from then on" : "once";
    bool has_policy = number / 2 < FAILING_REQUESTS * POLICIES;
    uint32_t row =
        has_policy ? number / 2 / POLICIES : number / 2 - FAILING_REQUESTS * (POLICIES - 1);

    snprintf(buf, VARIANT_TEXT_BYTES, "%s fails %s with %s%s%s%s", op_name(failures[row].op),
             duration, phrase_result(failures[row].error).text, applied_text(failures[row].applied),
             has_policy ? ", policy " : "",
             has_policy ? error_policy_name((enum error_policy)(number / 2 % POLICIES)) : "");
    return buf;
}
