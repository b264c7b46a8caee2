/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving data: what a request does to content at its effect instant.
 */
#ifndef MIRRORSIM_SIM_DISK_DATA_H
#define MIRRORSIM_SIM_DISK_DATA_H

#include <stdint.h>

struct request;

/*
 * Reads into the request's buffers, or writes, zeroes or discards, a piece of
 * its range.  Emits EVENT_REQUEST_EFFECT with the piece that was read, or the range of
 * the disk that has changed.  A misdirected request has another place on the
 * disk, and is cut off at the disk's end.
 */
void data_move(struct request *request, uint64_t offset, uint64_t bytes);

/* How much of the disk the request would newly allocate. */
uint64_t data_new_bytes(const struct request *request);

#endif
