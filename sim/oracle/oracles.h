/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Declares each oracle, for the table and for tests.
 */
#ifndef MIRRORSIM_SIM_ORACLE_ORACLES_H
#define MIRRORSIM_SIM_ORACLE_ORACLES_H

#include "sim/oracle/oracle.h"

extern const struct oracle oracle_content;
extern const struct oracle oracle_debt;
extern const struct oracle oracle_ready;
extern const struct oracle oracle_durable;
extern const struct oracle oracle_guest;
extern const struct oracle oracle_job;
extern const struct oracle oracle_life;
extern const struct oracle oracle_synced;
extern const struct oracle oracle_naming;
extern const struct oracle oracle_bounds;
extern const struct oracle oracle_sharing;
extern const struct oracle oracle_ledger;
extern const struct oracle oracle_limit;
extern const struct oracle oracle_liveness;

#endif
