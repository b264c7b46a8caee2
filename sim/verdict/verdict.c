/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict: bounded lists of findings, and the outcome that follows from
 * them.
 */
#include "sim/verdict/verdict.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_init(struct verdict *verdict)
{
    *verdict = (struct verdict){.outcome = OUTCOME_PASS};
}

static uint32_t findings_of(const struct verdict *verdict, enum finding_id id)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        count += verdict->findings[i].id == id;
    }
    return count;
}

/*
 * Names in the text come from files: none may send control characters to a
 * terminal or break a line.
 */
static void disarm(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            *text = '?';
        }
    }
}

struct finding *verdict_add(struct evidence *evidence, enum finding_id id, const char *format, ...)
{
    struct verdict *verdict = evidence->verdict;
    struct finding *finding;
    va_list args;

    if (verdict->finding_count == VERDICT_MAX_FINDINGS ||
        findings_of(verdict, id) == VERDICT_MAX_PER_KIND) {
        verdict->dropped++;
        return NULL;
    }
    finding = &verdict->findings[verdict->finding_count++];
    *finding = (struct finding){.id = id,
                                .now_ns = evidence->now_ns,
                                .event_number = evidence->event_number,
                                .disk = PLAN_NONE};
    va_start(args, format);
    vsnprintf(finding->text, sizeof(finding->text), format, args);
    va_end(args);
    disarm(finding->text);
    return finding;
}

void verdict_mark_sector(struct finding *finding, uint32_t disk, uint64_t sector)
{
    if (finding != NULL) {
        finding->has_sector = true;
        finding->disk = disk;
        finding->sector = sector;
    }
}

void verdict_checked(struct evidence *evidence)
{
    evidence->verdict->checks++;
}

/*
 * Does the xfail cover findings of this oracle?  A vacuous run has shown nothing, so
 * "vacuous" is only covered if the xfail names it.
 */
static bool xfail_covers(const struct xfail_spec *xfail, enum finding_oracle oracle)
{
    if (xfail->oracle == NULL) {
        return !finding_oracle_is(oracle, FINDING_ONLY_NAMED);
    }
    if (oracle == ORACLE_NONE) {
        return strcmp(xfail->oracle, finding_oracle_name(ORACLE_COMPARE)) != 0;
    }
    return strcmp(xfail->oracle, finding_oracle_name(oracle)) == 0;
}

const struct xfail_spec *verdict_xfail(const struct plan *plan, const char *engine,
                                       enum finding_oracle oracle)
{
    for (uint32_t i = 0; i < plan->xfail_count; i++) {
        const struct xfail_spec *xfail = &plan->xfails[i];

        if ((xfail->engine == NULL || strcmp(xfail->engine, engine) == 0) &&
            xfail_covers(xfail, oracle)) {
            return xfail;
        }
    }
    return NULL;
}

/* Every finding must be covered by an xfail: a new failure must not hide behind a known one. */
static enum outcome outcome_of(const struct verdict *verdict, const struct plan *plan,
                               const char *engine)
{
    if (verdict->finding_count == 0) {
        return verdict_xfail(plan, engine, ORACLE_NONE) != NULL ? OUTCOME_XPASS : OUTCOME_PASS;
    }
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        if (verdict_xfail(plan, engine, finding_oracle(verdict->findings[i].id)) == NULL) {
            return OUTCOME_FAIL;
        }
    }
    return OUTCOME_XFAIL;
}

void verdict_conclude(struct evidence *evidence, const char *engine)
{
    struct verdict *verdict = evidence->verdict;

    assert(verdict->outcome != OUTCOME_INVALID);
    if (verdict->checks == 0 && verdict->finding_count == 0) {
        verdict_add(evidence, FINDING_VACUOUS_NOTHING_CHECKED,
                    "Nothing was checked: no job ran, and the scenario expects nothing.");
    }
    verdict->outcome = outcome_of(verdict, evidence->plan, engine);
}

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_PASS:
        return "pass";
    case OUTCOME_FAIL:
        return "fail";
    case OUTCOME_XFAIL:
        return "xfail";
    case OUTCOME_XPASS:
        return "xpass";
    case OUTCOME_INVALID:
        return "invalid";
    }
    return "?";
}

bool outcome_is_bad(enum outcome outcome)
{
    return outcome != OUTCOME_PASS && outcome != OUTCOME_XFAIL;
}
