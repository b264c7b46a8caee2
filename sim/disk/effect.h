/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects: when a request's data moves, how much of it, and where to.
 *
 * Ordinarily all of it moves at one instant of the service, which the disk's
 * policy names.  With policy `sector` each sector has an instant of its own, so
 * that requests which overlap in time mix.  A fault can keep a part from
 * moving (an error's rest, a lost request, a torn one), let it move at another
 * place (misdirect), or change a sector on its way (corrupt).
 *
 * The instants are the end of the service, which is the quiet answer, and the
 * beginnings of its quarters.
 */
#ifndef MIRRORSIM_SIM_DISK_EFFECT_H
#define MIRRORSIM_SIM_DISK_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/digest.h"

/* The parts of a service at whose beginnings data can move. */
#define EFFECT_QUARTERS 4

struct request;

/* All zero = all the data moves at the end of the service. */
struct effect {
    uint64_t start_ns; /* of the service */
    uint64_t service_ns;
    uint64_t victim; /* sector that a fault corrupts */
    uint8_t *places; /* of each sector; NULL: all have `next` */
    uint8_t next;    /* quarter of the service at which data moves next */
    bool begun;      /* the request's result is known */
};

/*
 * The service begins and takes `service_ns`.  Returns how long it is until data
 * moves.  Asks the choices about the instants and the torn sectors.
 */
uint64_t effect_begin(struct request *request, uint64_t service_ns);

/*
 * The service has begun: is it a read of today's generation that samples its data now, and not as
 * an event of its own?
 */
bool effect_is_sample(const struct request *request);

/* The service ends now: all data that has not moved is due. */
void effect_hurry(struct request *request);

/*
 * Moves what is due; the first call also decides the request's result.  True if
 * more will be due, *delay_ns from now; false if all has moved.
 */
bool effect_take(struct request *request, uint64_t *delay_ns);

/* Gives back the memory; the request ends. */
void effect_release(struct request *request);

void effect_digest(const struct request *request, struct digest *digest);

#endif
