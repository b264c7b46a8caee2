/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run as a map in text: time in columns, addresses in rows.
 *
 * A column is an instant at which something happens, so idle time takes no room; a row is a range
 * of addresses that the same requests touch, so untouched addresses take none, either. Below each
 * other in a row are its disks, and requests that overlap. What does not fit is put together:
 * addresses where little happens into a row that counts requests, instants far from the finding
 * into one column. The map says where it has done so.
 *
 * The same run gives the same map.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_MAP_H
#define MIRRORSIM_TOOLS_PICTURE_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/engine.h"
#include "tools/picture/picture.h"
#include "tools/run/result.h"

struct map_options {
    uint32_t columns; /* of the whole line, at least MAP_MIN_COLUMNS */
    bool ascii;
    bool colour;
    uint64_t from_ns; /* the part of the run to show */
    uint64_t to_ns;
};

#define MAP_MIN_COLUMNS 40u
#define MAP_COLUMNS 80u

/* The terminal's width and colours if `out` is one, and NO_COLOR is not set; else 80, and none. */
struct map_options map_options_for(FILE *out);

/* `finding` is marked; NULL: there is none. */
void map_show(FILE *out, const struct plan *plan, const struct engine *engine,
              const struct picture *picture, const struct run_finding *finding,
              const struct map_options *options);

#endif
