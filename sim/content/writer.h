/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writers: names of guest requests that do not depend on the requests' numbers.
 *
 * A tag names its writer by the number of the request, and numbers follow the
 * order in which everything was submitted.  Two runs that differ only in that
 * order have the same content under other numbers.  In digests a writer is
 * therefore named by its place in the plan, and which of its requests it was; under a symmetry
 * (digest.h), by its place in the plan and the order in which the digest meets those of that place.
 */
#ifndef MIRRORSIM_SIM_CONTENT_WRITER_H
#define MIRRORSIM_SIM_CONTENT_WRITER_H

#include <stdint.h>

#include "engine/digest.h"
#include "sim/base/arena.h"

struct writer {
    uint32_t request;
    uint16_t plan_number; /* as in events */
    uint16_t nth;         /* of the requests with that plan number, from 0; then 65535 */
};

/* In order of their requests' numbers. */
struct writers {
    struct arena *arena;
    struct writer *list;
    uint32_t count;
    uint32_t capacity;
};

void writers_init(struct writers *writers, struct arena *arena);

/* The guest has a request; its number is above those before. */
void writers_add(struct writers *writers, uint32_t request, uint16_t plan_number);

/* Adds a tag, with its writer by name. */
void writers_digest_tag(const struct writers *writers, uint64_t tag, struct digest *digest);

/* Asserts that they are in order. */
void writers_check(const struct writers *writers);

#endif
