/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phrases: the words that findings are made of.
 *
 * Each function returns its text by value, so that a call can stand among the
 * arguments of verdict_add(): quantity_time(now_ns).text.
 */
#ifndef MIRRORSIM_SIM_TRACE_PHRASE_H
#define MIRRORSIM_SIM_TRACE_PHRASE_H

#include <stdint.h>

#include "engine/engine.h"
#include "sim/base/quantity.h"
#include "sim/trace/evidence.h"

struct phrase {
    char text[112];
};

/* "sector 1284 (642KiB)" */
struct phrase phrase_sector(uint64_t sector);

/* "[640KiB, 704KiB)" */
struct phrase phrase_range(uint64_t offset, uint64_t bytes);

/* "success", "EIO", or "errno 1234". */
struct phrase phrase_result(int ret);

/*
 * "the initial fill of dst", "guest write #17 (tag newer)", "zeroes"; for a
 * fill of another sector than `sector`, that sector is named, too.
 */
struct phrase phrase_tag(const struct evidence *evidence, uint64_t tag, uint64_t sector);

/* The same for what a disk holds there now. */
struct phrase phrase_content(const struct evidence *evidence, uint32_t disk, uint64_t sector);

/* "a guest write with tag newer" */
struct phrase phrase_tagged(const char *name);

/* The scenario's name for the guest request that wrote the tag, or NULL. */
const char *phrase_name_of_tag(const struct evidence *evidence, uint64_t tag);

/* "error (write, dst, report, EIO)": an event, and the events that a match accepts. */
struct phrase phrase_event(const struct evidence *evidence, const struct event *event);
struct phrase phrase_match(const struct evidence *evidence, const struct event_match *match);

/* How a job ended: "was cancelled", "ended with success", "ended with EIO". */
struct phrase phrase_end(const struct event *end);

/*
 * "the job is ready, having done 64KiB of 64KiB; its last error was EIO (write of dst, ignore) at
 * 3ms", or how, when and where it ended.  `info` is the job's last state; NULL: there never was
 * one.
 */
struct job_phrase {
    char text[352];
};

struct job_phrase phrase_job(const struct evidence *evidence, const struct job_info *info,
                             bool lives);

/* The name of a disk; "no disk" for PLAN_NONE. */
const char *phrase_disk(const struct evidence *evidence, uint32_t disk);

/* " #7" for a request; "" for 0, a question, which has no number. */
struct phrase phrase_number(uint32_t request);

#endif
