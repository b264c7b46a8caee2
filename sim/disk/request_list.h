/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests that are not finished: releasing, naming and digesting them.
 */
#ifndef MIRRORSIM_SIM_DISK_REQUEST_LIST_H
#define MIRRORSIM_SIM_DISK_REQUEST_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"
#include "sim/disk/request.h"

struct block_layer;

/* Lets go every request and question that the fault holds or hangs, or would have. */
void requests_release(struct block_layer *layer, uint32_t fault);

/* True if a request or a question is held by the fault now. */
bool requests_held_by(const struct block_layer *layer, uint32_t fault);

/* "queued", "waiting", "served", "held" or "hung". */
const char *request_state_name(enum request_state state);

/* Adds the requests that are not finished, without their absolute numbers. */
void requests_digest(const struct block_layer *layer, struct digest *digest);

/*
 * Asserts each request's state between two timeline events, and that the counts of the nodes and of
 * the guest are those of the list.
 */
void requests_check(const struct block_layer *layer);

#endif
