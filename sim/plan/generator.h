/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest generators of a plan: which requests the guest makes by itself, when, and where.
 */
#ifndef MIRRORSIM_SIM_PLAN_GENERATOR_H
#define MIRRORSIM_SIM_PLAN_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/plan/action.h"
#include "sim/plan/disk.h"
#include "sim/plan/match.h"

enum address_kind {
    ADDRESS_LIST,       /* one of `places` */
    ADDRESS_SEQUENTIAL, /* each after the one before, then from the start again */
    ADDRESS_UNIFORM,
    ADDRESS_ZIPF, /* rank k is drawn in proportion to k^-theta; ranks are scattered */
    ADDRESS_HOT,  /* a share of the requests goes to one part */
};

/* Where requests go: multiples of `align` from the start of a range of the disk. */
struct address_spec {
    enum address_kind kind;
    uint64_t *places; /* LIST */
    uint32_t place_count;
    uint64_t offset; /* the range */
    uint64_t bytes;
    uint64_t align;
    uint32_t theta;      /* ZIPF: theta in thousandths, at most 2000 */
    uint32_t share_ppm;  /* HOT: share of the requests that goes ... */
    uint64_t hot_offset; /* ... to this part, relative to the start of the range */
    uint64_t hot_bytes;
};

/* One kind of request in a generator's mix. */
struct mix_spec {
    struct where where;
    uint64_t weight;
    struct guest_request request; /* its offset and bytes are drawn */
    struct address_spec address;
    uint64_t *lengths; /* each request has one of these */
    uint32_t length_count;
};

/* The most requests that a generator may have in flight or queued. */
#define GENERATOR_MAX_UNFINISHED 1024u

enum pace {
    PACE_RATE,  /* open loop: the next request comes length / rate later */
    PACE_EVERY, /* open loop: the next request comes `every_ns` later */
    /* Closed loop: `outstanding` at once, each `think_ns` after one has finished. */
    PACE_OUTSTANDING,
    PACE_REPLAY, /* open loop: recorded requests, at their own times */
};

/* A recorded request. */
struct replay_request {
    uint64_t at_ns; /* after the generator's beginning; they do not fall */
    enum op op;
    uint64_t offset; /* both 0 for a flush */
    uint64_t bytes;
};

struct generator_spec {
    const char *name;
    struct where where;
    enum pace pace;
    uint64_t rate; /* bytes/s */
    uint64_t every_ns;
    uint64_t outstanding;
    uint64_t think_ns;
    struct mix_spec *mix;
    uint32_t mix_count; /* 0 of a replay */
    const char *replay; /* the file of the requests, for messages; or NULL */
    struct replay_request *requests;
    uint32_t replay_count;
    uint64_t from_ns; /* starts at this instant, or ... */
    bool has_when;    /* ... `after_ns` after the nth event that matches `when` */
    struct event_match when;
    uint64_t nth;
    uint64_t after_ns;
    uint64_t count;      /* requests; 0 = no bound */
    uint64_t bytes;      /* sum over its requests; 0 = no bound */
    uint64_t until_ns;   /* no request from this instant on; 0 = no bound */
    uint32_t until_mark; /* ends when this mark is set, or PLAN_NONE */
    bool optional;       /* if it submits nothing the run is not vacuous */
};

#endif
