/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of `expect` that are about disks, and what they share with the others.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_EXPECT_H
#define MIRRORSIM_SIM_SCENARIO_EXPECT_H

#include "sim/scenario/private.h"

/*
 * One more expectation; the pointer is good until the next one is added.
 * Beyond the bound, which is noted, the last one is used again.
 */
struct expect_spec *expect_add(struct loader *loader, const struct yaml_node *node,
                               enum expect_kind kind);

/* `same` and `differ`. */
field_reader expect_read_compared;
field_writer expect_write_compared;
extern const struct shape shape_compared;

field_reader expect_read_sector;
extern const struct shape shape_sector;

field_reader expect_read_guest_on;
field_reader expect_read_durable;
field_writer expect_write_durable;
field_reader expect_read_backing;
field_writer expect_write_backing;

/* `length` and `allocated`. */
field_reader expect_read_amounts;
field_writer expect_write_amount;

#endif
