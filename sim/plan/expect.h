/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan expects beyond what the oracles prove.
 */
#ifndef MIRRORSIM_SIM_PLAN_EXPECT_H
#define MIRRORSIM_SIM_PLAN_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/action.h"
#include "sim/plan/disk.h"
#include "sim/plan/match.h"

enum expect_kind {
    EXPECT_RESULT,    /* ret of the job's end */
    EXPECT_CANCELLED, /* the job ended CANCELLED */
    EXPECT_EVENTS,    /* exactly these job events (ready, error, paused, resumed, completed,
                         cancelled), in order */
    EXPECT_IN_ORDER,  /* these events in this order, with others between them */
    EXPECT_NEVER,
    EXPECT_AT_MOST, /* count */
    EXPECT_COUNT,   /* exactly count */
    EXPECT_SAME,    /* disks a, b over the range (bytes 0: over the shorter) */
    EXPECT_DIFFER,
    EXPECT_SECTOR,      /* disk a at offset holds ... */
    EXPECT_WITHIN,      /* matches[0] happens by time_ns */
    EXPECT_NOT_BEFORE,  /* matches[0] does not happen before time_ns */
    EXPECT_FIRED,       /* fault `a` hit `count` requests */
    EXPECT_CONCLUDED,   /* by time_ns (0: at all) */
    EXPECT_GUEST_STALL, /* bounds on what guest requests (of `tag`) have suffered */
    EXPECT_JOB_STILL,   /* the job did not stand still for longer than time_ns */
    EXPECT_GUEST_ON,    /* the guest's disk at the end is disk a */
    EXPECT_BACKING,     /* disk a's open backing at the end is disk b, or PLAN_NONE */
    EXPECT_LENGTH,      /* disk a is `count` bytes long at the end */
    EXPECT_QUERY,       /* of the job's last state */
    EXPECT_DURABLE,     /* a power cut at the end would take nothing from disk a */
    EXPECT_ALLOCATED,   /* disk a has exactly `count` bytes allocated */
};

enum sector_content {
    SECTOR_GUEST_TAG, /* written by the guest request of that tag */
    SECTOR_FILL_OF,   /* the initial fill of disk b at this offset */
    SECTOR_ZERO,
};

struct expect_spec {
    enum expect_kind kind;
    struct where where;
    struct event_match *matches;
    uint32_t match_count;
    uint64_t count;
    int ret;
    uint32_t a;
    uint32_t b;
    uint64_t offset;
    uint64_t bytes;
    uint64_t time_ns;
    enum sector_content content;
    const char *tag;
    struct query_check *checks;
    uint32_t check_count;
    /* GUEST_STALL; time_ns is the bound of the longest, 0: none. */
    uint64_t p50_ns; /* half of them take no longer; 0: no bound */
    uint64_t p95_ns;
    uint64_t p99_ns;
    int64_t errors; /* at most so many fail; -1: no bound */
};

#endif
