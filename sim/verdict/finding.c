/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of findings, and lookups in it.
 */
#include "sim/verdict/finding.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t traits;
} oracle_table[ORACLE_COUNT] = {[ORACLE_NONE] = {"", 0},
#define X(oracle, name, traits) [ORACLE_##oracle] = {name, traits},
                                ORACLES(X)
#undef X
};

static const struct {
    enum finding_oracle oracle;
    const char *kind;
} finding_table[FINDING_COUNT] = {[FINDING_NONE] = {ORACLE_NONE, ""},
#define X(oracle, kind, name) [FINDING_##oracle##_##kind] = {ORACLE_##oracle, name},
                                  FINDINGS(X)
#undef X
};

const char *finding_oracle_name(enum finding_oracle oracle)
{
    assert(oracle < ORACLE_COUNT);
    return oracle_table[oracle].name;
}

const char *finding_kind_name(enum finding_id id)
{
    assert(id < FINDING_COUNT);
    return finding_table[id].kind;
}

enum finding_oracle finding_oracle(enum finding_id id)
{
    assert(id < FINDING_COUNT);
    return finding_table[id].oracle;
}

bool finding_oracle_is(enum finding_oracle oracle, uint32_t traits)
{
    assert(oracle < ORACLE_COUNT);
    return (oracle_table[oracle].traits & traits) != 0;
}

bool finding_is(enum finding_id id, uint32_t traits)
{
    return finding_oracle_is(finding_oracle(id), traits);
}

enum finding_id finding_find(const char *oracle, const char *kind)
{
    const struct finding_pattern pattern = {oracle, kind};
    enum finding_id id = FINDING_COUNT;

    while (id > FINDING_NONE && !finding_fits(&pattern, --id)) {
    }
    return id;
}

bool finding_fits(const struct finding_pattern *pattern, enum finding_id id)
{
    return (pattern->oracle == NULL || strcmp(pattern->oracle, finding_by(id)) == 0) &&
           (pattern->kind == NULL || strcmp(pattern->kind, finding_kind_name(id)) == 0);
}
