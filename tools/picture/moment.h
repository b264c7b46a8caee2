/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a sector's content comes from, as far as a trace goes.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_MOMENT_H
#define MIRRORSIM_TOOLS_PICTURE_MOMENT_H

#include "tools/picture/picture.h"

struct provenance {
    const struct event *effect; /* that wrote it last; NULL: nothing has, in this trace */
    uint64_t event;             /* its number */
    const struct shape_request *request;
    const struct shape_request *carries; /* whose content that request brought; NULL: its own */
    const struct event *power_cut;       /* of the disk since then, which may have undone it */
};

/* What wrote the disk there last. Pointers are into the trace and the picture, which is of it. */
struct provenance provenance_of(const struct picture *picture, const struct trace *trace,
                                uint32_t disk, uint64_t offset);

#endif
