/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nearest right word to a wrong one: offer candidates, ask for the best.
 */
#ifndef MIRRORSIM_SIM_YAML_NEAREST_H
#define MIRRORSIM_SIM_YAML_NEAREST_H

#include <stdint.h>

struct nearest {
    const char *word;
    const char *best; /* the candidate itself; NULL if none is near */
    uint32_t distance;
    uint32_t offered;
};

struct nearest nearest_to(const char *word);

/* The first of equally near candidates stays the best. */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
