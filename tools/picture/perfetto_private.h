/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the Perfetto writer share; perfetto.h is its contract.
 */
#ifndef MIRRORSIM_TOOLS_PICTURE_PERFETTO_PRIVATE_H
#define MIRRORSIM_TOOLS_PICTURE_PERFETTO_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/picture/shapes.h"
#include "tools/run/one_run.h"

/* Processes and threads of the file. */
enum {
    PID_JOB = 1,
    PID_GUEST = 2,
    PID_DISKS = 10, /* and the disk's number */
    TID_STATUS = 1,
    TID_PHASE = 2,
    TID_JOB = 3,
    TID_STORY = 4,
    TID_FINDINGS = 5,
    TID_DISK = 1,
    TID_LANES = 10, /* and the lane's number */
};

struct lane {
    uint32_t request; /* 0 = free */
    bool read_over;   /* its slice is open although it is over */
};

struct lanes {
    int pid;
    const char *name;
    struct lane *list;
    size_t count;
};

struct perfetto {
    FILE *out;
    const struct one_run *run;
    struct shapes *shapes;
    uint64_t now_ns;
    uint64_t number; /* of the present event */
    struct lanes job;
    struct lanes guest;
    bool reads_over; /* in some lane of the job */
};

/* Begins a line; what follows are members, and "}". */
void perfetto_begin(const struct perfetto *perfetto, char phase, int pid, int tid, uint64_t now_ns);

/* Writes any text as a JSON string. */
void perfetto_put_text(FILE *out, const char *text);

/* Ends a line: how something ended that is `open` if it did not. */
void perfetto_put_end(FILE *out, bool open);

void perfetto_name(const struct perfetto *perfetto, const char *what, int pid, int tid,
                   const char *name);

/* The instant, or that of the last event if it has not come. */
uint64_t perfetto_instant(const struct perfetto *perfetto, uint64_t instant_ns);

/* ---- perfetto_requests.c ---- */

void perfetto_request(void *opaque, const struct shape_request *request, enum shape_news news);

/* To be called before time passes. */
void perfetto_end_reads(struct perfetto *perfetto);

#endif
