/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Suspects: requests whose outcome a device has lied about, and questions it has answered wrongly.
 *
 * A silent fault lets a request succeed that has lost, torn, corrupted or
 * misdirected its data, or a flush that has flushed nothing.  Whether that did
 * harm shows later; a finding can then name the fault to blame.
 */
#ifndef MIRRORSIM_SIM_MODEL_SUSPECTS_H
#define MIRRORSIM_SIM_MODEL_SUSPECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace/evidence.h"
#include "sim/trace/phrase.h"

struct suspect {
    uint64_t offset;
    uint64_t bytes;
    uint64_t now_ns;
    uint64_t moved;   /* for the oracle's own use */
    uint64_t wrong;   /* for the oracle's own use: a sector */
    uint32_t request; /* 0: a question */
    uint16_t fault;
    uint8_t node;
    uint8_t op;
    uint8_t by;
    bool is_wrong; /* for the oracle's own use: `wrong` says where */
    bool told;     /* for the oracle's own use: settled: reported, or made good */
};

/* All zero = none. */
struct suspects {
    struct suspect *list; /* in order of their hits */
    uint32_t count;
    uint32_t capacity;
};

/* True if a fault of that kind damages a request and lets it succeed. */
bool fault_is_silent(enum fault_kind kind);

/* True if the plan has such a fault. */
bool plan_has_silent_fault(const struct plan *plan);

/* For a FAULT event: remembers the request if the fault is silent. */
void suspects_note(struct suspects *suspects, const struct evidence *evidence,
                   const struct event *event);

/* The last suspect of that request, or NULL. */
struct suspect *suspects_find(const struct suspects *suspects, uint32_t request);

/* True if the request was misdirected; *offset is where its data went or came from. */
bool suspect_elsewhere(const struct suspect *suspect, const struct evidence *evidence,
                       uint64_t *offset);

/* "fault liar (lost) hit flush #12 of dst at 3ms" */
struct phrase phrase_suspect(const struct evidence *evidence, const struct suspect *suspect);

/*
 * Blames a suspect for a sector that is not durable on the disk: "; " and
 * phrase_suspect() of the last suspected flush of the disk or request that
 * covers the sector; "" if there is none.
 */
struct phrase suspects_blame(const struct suspects *suspects, const struct evidence *evidence,
                             uint32_t disk, uint64_t sector);

/* Adds the suspects that are not settled. */
void suspects_digest(const struct suspects *suspects, struct digest *digest);

#endif
