/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of a disk; a part of sim/plan/plan.h.
 */
#ifndef MIRRORSIM_SIM_PLAN_DISK_H
#define MIRRORSIM_SIM_PLAN_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "engine/zeroes.h"

/* Line and column from 1, in plan->file; 0 = not from a file. */
struct where {
    uint32_t line;
    uint32_t column;
};

/* ---- Latency ---- */

enum latency_kind {
    LATENCY_FIXED,       /* a_ns */
    LATENCY_UNIFORM,     /* [a_ns, b_ns]; the median is the quiet answer */
    LATENCY_EXPONENTIAL, /* mean a_ns */
    LATENCY_PERCENTILES, /* lognormal with p50 = a_ns, p99 = b_ns */
};

struct latency_spec {
    enum latency_kind kind;
    uint64_t a_ns;
    uint64_t b_ns;
    uint64_t min_ns; /* clamps the draw */
    uint64_t max_ns; /* 0 = no upper clamp */
};

/* ---- Disks ---- */

/*
 * A dirty bitmap of more chunks is refused with -EFBIG: 16 TiB at 64 KiB.  So
 * the memory and time that a world costs stay bounded, whatever the plan says.
 */
#define DIRTY_MAX_CHUNKS (UINT64_C(1) << 28)

enum disk_fill {
    FILL_ZERO,    /* reads zero; nothing allocated unless `allocated` says so */
    FILL_UNIQUE,  /* each sector has its own tag; all allocated unless `allocated` says otherwise */
    FILL_GARBAGE, /* as FILL_UNIQUE, and not known to read zero (D15) */
};

enum effect_policy {
    EFFECT_AT_COMPLETE,
    EFFECT_AT_START,
    EFFECT_BY_CHOICE,
    EFFECT_BY_SECTOR, /* a choice for each sector: at the start or at completion */
};

struct range_spec {
    uint64_t offset;
    uint64_t bytes;
};

/* A dirty bitmap of a user other than the job (D6). */
struct bitmap_spec {
    const char *name;
    struct where where;
    uint64_t granularity;
};

struct disk_spec {
    const char *name;
    struct where where;
    uint64_t bytes;
    enum disk_fill fill;
    bool has_allocated; /* `allocated` lists the allocated ranges; else the fill decides */
    struct range_spec *allocated;
    uint32_t allocated_count;
    uint32_t backing;      /* disk that the header names as backing file, or PLAN_NONE */
    bool backing_open;     /* the backing file is open from the start */
    uint64_t cluster;      /* allocation unit, power of two; 0 = none */
    bool cluster_unknown;  /* get-info answers -ENOTSUP (D19) */
    uint32_t lanes;        /* requests served at once; 0 = unlimited */
    uint64_t bandwidth;    /* bytes/s shared by the lanes; 0 = unlimited */
    uint64_t max_transfer; /* bytes; longer requests fail with -EINVAL; 0 = unlimited */
    uint64_t atomic_bytes; /* what is written whole or not at all; 0: a sector */
    uint32_t max_segments; /* chunk buffers per request, as max_transfer; 0 = unlimited */
    struct latency_spec
        latency[OP_COUNT]; /* by operation; queries other than STATUS take no time */
    enum effect_policy effect;
    bool volatile_cache;         /* writes that are not flushed can be lost */
    uint32_t flags;              /* opaque open flags; see DISK_FLAG_* */
    bool tracks_io_status;       /* the guest device stops on error (S2) */
    struct bitmap_spec *bitmaps; /* other users' bitmaps, present from the start */
    uint32_t bitmap_count;
    bool blocked; /* another user blocks operations on it */
    bool filter;  /* a filter node: cannot be replaced */

    /* ---- Today's generation only ---- */
    enum effect_policy read_effect; /* of reads; `effect` is that of all others */
    struct range_spec *zeroes;      /* that begin as explicit zeroes, over what the fill says */
    uint32_t zero_count;
    bool backing_possible; /* a backing file can be attached; named or open ones are possible */
    uint64_t subcluster;   /* what is allocated at once, a power of two; 0 = `cluster` */
    bool can_unmap;        /* can write zeroes by unmapping */
    enum detect_zeroes detect_zeroes;
    bool read_only;
};

/* Open flags, with the values that reference traces use. */
#define DISK_FLAG_RDWR UINT32_C(0x2)
#define DISK_FLAG_WRITE_BACK UINT32_C(0x40)
#define DISK_FLAG_NO_BACKING UINT32_C(0x100)

#endif
