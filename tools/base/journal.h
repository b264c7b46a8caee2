/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A journal: one file of records that grows while the program works, and that another process of
 * the same program reads when it goes on.
 *
 * The head of the file says how many bytes after it count, and has a checksum over all of them
 * and over itself.  A record is appended first and counts once the head says so: a process that is
 * killed at any instant leaves a journal without its last record, never a damaged one.  Any bit
 * that has changed since, or any missing byte, is noticed when the journal is opened.
 *
 * The head also names the program's very build (program_hash): raw numbers of one build mean
 * nothing to another.
 */
#ifndef MIRRORSIM_TOOLS_BASE_JOURNAL_H
#define MIRRORSIM_TOOLS_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* Where a record is. */
struct journal_place {
    uint64_t offset; /* of its bytes in the file */
    uint64_t bytes;
};

/* What kind of journal it is, in less than 32 bytes. */
struct journal_spec {
    const char *path;
    const char *format;
    const char *name; /* of such a file, in sentences: "a checkpoint" */
};

/*
 * Opens a journal, or makes a new one if there is no file.  NULL if the file can't be gone on from:
 * *why is a sentence, for the caller to free.  Dies if a new one can't be written.  Nobody else can
 * open it until it is closed.
 */
struct journal *journal_open(const struct journal_spec *spec, char **why);

/* Closes it; the file stays. */
void journal_close(struct journal *journal);

/* The first record, for *place = {0}, or the one after *place; false if there is none. */
bool journal_next(const struct journal *journal, struct journal_place *place);

/*
 * The bytes of a record, with a zero byte behind them, for the caller to free.  Dies if they can't
 * be read.  Also in a child process, for places that were known when it was forked.
 */
void *journal_read(const struct journal *journal, struct journal_place place);

/* Appends a record and returns its place; dies if it can't be written. */
struct journal_place journal_append(struct journal *journal, const void *record, size_t bytes);

/* Bytes of the file. */
uint64_t journal_bytes(const struct journal *journal);

/* Keeps only these records, in this order, and puts their new places in the list. */
void journal_compact(struct journal *journal, struct journal_place *places, uint64_t count);

#endif
