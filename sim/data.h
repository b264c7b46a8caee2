/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving data: what a request does to content at its effect instant.
 */
#ifndef MIRRORSIM_SIM_DATA_H
#define MIRRORSIM_SIM_DATA_H

#include <stdint.h>

struct request;

/*
 * Reads into the request's buffers, or writes, zeroes or discards the first
 * `bytes` of its range.
 */
void data_move(struct request *request, uint64_t bytes);

/* How much of the disk the request would newly allocate. */
uint64_t data_new_bytes(const struct request *request);

#endif
