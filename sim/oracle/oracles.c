/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of oracles. Their order is that of reports: first what was lost,
 * then why.
 */
#include "sim/oracle/oracles.h"

#include <stddef.h>

const struct oracle *const oracles[] = {
    &oracle_content, &oracle_debt,    &oracle_ready, &oracle_durable,  &oracle_ledger,
    &oracle_guest,   &oracle_job,     &oracle_life,  &oracle_synced,   &oracle_naming,
    &oracle_bounds,  &oracle_sharing, &oracle_limit, &oracle_liveness, NULL,
};
