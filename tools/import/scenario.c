/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes a recording as a scenario: a mirror job that runs under the recorded I/O.
 *
 * Requests recorded at the same instant are placed a nanosecond apart, so that
 * they keep their order with every seed.
 *
 * Declared in tools/import/import.h: the second step of an import.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/range.h"
#include "sim/base/quantity.h"
#include "sim/plan/plan.h"
#include "sim/yaml/emit.h"
#include "tools/base/support.h"
#include "tools/import/import.h"

#define MIB (UINT64_C(1) << 20)
#define NS_PER_US UINT64_C(1000)
#define NS_PER_S UINT64_C(1000000000)

/* How much longer than the recording the job and the guest may take. */
#define TIME_AFTER_NS (3600 * NS_PER_S)

/* A larger disk is not copied whole unless --fill says so. */
#define LARGEST_FILLED_BYTES (UINT64_C(1) << 40)

/* Events that a request of the guest, and the copying that it causes, may take. */
#define EVENTS_OF_REQUEST UINT64_C(40)

#define NAME_BYTES 64u
#define NAME_START "import-"

/* ---- What is left out ---- */

static void append_reason(FILE *out, const char **separator, uint64_t count, const char *what,
                          const char *which)
{
    if (count > 0) {
        fprintf(out, "%s%" PRIu64 " %s%s %s", *separator, count, what, count == 1 ? "" : "s",
                which);
        *separator = ", ";
    }
}

char *import_left_out_text(const struct recording *recording)
{
    const struct import_left_out *left_out = &recording->left_out;
    const char *separator = "";
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = must_memstream(&text, &bytes);

    append_reason(out, &separator, left_out->by_file, "request", "of other files");
    append_reason(out, &separator, left_out->by_part, "request", "before --from");
    append_reason(out, &separator, left_out->by_action, "line", "of other kinds");
    append_reason(out, &separator, left_out->empty, "request", "of no bytes");
    append_reason(out, &separator, left_out->fua, "FUA flag", "of writes");
    append_reason(out, &separator, left_out->wrong, "line", "that are wrong");
    fclose(out);
    return text;
}

/* ---- Head ---- */

/* Writes only characters that are safe in YAML and on a terminal: `instead` replaces all others. */
static void write_plainly(FILE *out, const char *text, const char *allowed, char instead,
                          size_t max)
{
    for (size_t i = 0; text[i] != '\0' && i < max; i++) {
        char byte = text[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || strchr(allowed, byte) != NULL;

        fputc(is_plain ? byte : instead, out);
    }
}

/* The name of --name, or one made from the file's. */
static void write_name(struct emit *emit, const struct import_options *options)
{
    const char *slash = strrchr(options->path, '/');
    const char *base = slash != NULL ? slash + 1 : options->path;

    if (options->name != NULL) {
        emit_word(emit, "name", options->name);
    } else {
        emit_word(emit, "name", NAME_START);
        write_plainly(emit->file, base, "-_.", '-', NAME_BYTES - strlen(NAME_START));
    }
}

static void write_doc(struct emit *emit, const struct recording *recording)
{
    static const char punctuation[] = " -_./,:+=()";
    char *left_out = import_left_out_text(recording);
    char *doc = NULL;
    size_t bytes = 0;
    FILE *out = must_memstream(&doc, &bytes);

    fprintf(out, "%" PRIu32 " request%s of ", recording->request_count,
            recording->request_count == 1 ? "" : "s");
    write_plainly(out,
                  recording->options->file != NULL ? recording->options->file : recording->files[0],
                  punctuation, '?', SIZE_MAX);
    fprintf(out, ", recorded by %s in ", import_formats[recording->format].recorder);
    write_plainly(out, recording->options->path, punctuation, '?', SIZE_MAX);
    fputs(".\n", out);
    if (*left_out != '\0') {
        fprintf(out, "Left out: %s.\n", left_out);
    }
    if (recording->widened > 0) {
        fprintf(out, "Widened to whole sectors: %" PRIu64 " requests.\n", recording->widened);
    }
    fputs("A mirror runs under them; what it loses makes source and target differ.\n", out);
    fclose(out);
    emit_block_text(emit, "doc", doc);
    emit_word(emit, "tags", "[imported]");
    free(doc);
    free(left_out);
}

/* ---- Disks and job ---- */

static uint64_t disk_bytes_of(const struct recording *recording)
{
    uint64_t end = 1;

    if (recording->options->disk_bytes > 0) {
        return recording->options->disk_bytes;
    }
    for (uint32_t i = 0; i < recording->request_count; i++) {
        const struct import_request *request = &recording->requests[i];

        end = max_u64(end, request->offset + request->bytes);
    }
    return (end + MIB - 1) / MIB * MIB;
}

static void write_disks(struct emit *emit, const struct recording *recording)
{
    const struct import_options *options = recording->options;
    uint64_t bytes = disk_bytes_of(recording);
    bool is_filled = options->fill == IMPORT_FILL_UNIQUE ||
                     (options->fill == IMPORT_FILL_BY_SIZE && bytes <= LARGEST_FILLED_BYTES);
    struct quantity_text size = quantity_bytes(bytes);
    struct emit disks = emit_open_below(emit, "disks", EMIT_BLOCK);
    struct emit source = emit_open_below(&disks, "src", EMIT_FLOW);
    struct emit target = emit_open_below(&disks, "dst", EMIT_FLOW);
    struct emit job = emit_open_below(emit, "job", EMIT_FLOW);

    emit_word(&source, "size", size.text);
    emit_word(&source, "fill", is_filled ? "unique" : "zero");
    emit_end(&source);
    emit_word(&target, "size", size.text);
    emit_end(&target);
    emit_word(&job, "mirror", "src");
    emit_word(&job, "to", "dst");
    if (options->job_keys != NULL) {
        fprintf(emit->file, ", %s", options->job_keys);
    }
    emit_end(&job);
}

/* ---- Requests ---- */

static void write_request(struct emit *guest, uint32_t number, uint64_t time_ns,
                          const struct import_request *request)
{
    char name[16];
    struct emit entry;
    struct emit range;

    snprintf(name, sizeof(name), "r%" PRIu32, number);
    entry = emit_open_below(guest, name, EMIT_FLOW);
    range = emit_open_below(&entry, op_name(request->op), EMIT_FLOW);
    emit_word(&entry, "at", quantity_time(time_ns).text);
    if (request->op == OP_FLUSH) {
        emit_word(&entry, op_name(request->op), "true");
    } else {
        emit_word(&range, "at", quantity_bytes(request->offset).text);
        emit_word(&range, "len", quantity_bytes(request->bytes).text);
        emit_end(&range);
    }
    emit_end(&entry);
}

/* Returns the time of the last one. */
static uint64_t write_requests(struct emit *emit, const struct recording *recording)
{
    uint64_t free_ns = 0; /* no request has been placed at or after this instant */
    struct emit guest = emit_open_below(emit, "guest", EMIT_BLOCK);

    for (uint32_t i = 0; i < recording->request_count; i++) {
        uint64_t time_ns = max_u64((uint64_t)recording->requests[i].time_ns, free_ns);

        write_request(&guest, i + 1, time_ns, &recording->requests[i]);
        free_ns = time_ns + 1;
    }
    return free_ns - 1;
}

void import_write_requests(const struct recording *recording, FILE *out)
{
    uint64_t free_ns = 0;

    fputs("mirrorsim requests 1\n", out);
    for (uint32_t i = 0; i < recording->request_count; i++) {
        const struct import_request *request = &recording->requests[i];
        uint64_t time_ns = max_u64((uint64_t)request->time_ns, free_ns);

        fprintf(out, "%" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n", time_ns, op_name(request->op),
                request->offset, request->bytes);
        free_ns = time_ns + 1;
    }
}

/* A generator that makes them again.  Returns the time of the last one. */
static uint64_t write_replay(struct emit *emit, const struct recording *recording,
                             const char *replay)
{
    struct emit guest = emit_open_below(emit, "guest", EMIT_BLOCK);
    struct emit entry = emit_open_below(&guest, "recorded", EMIT_FLOW);
    uint64_t free_ns = 0;

    emit_key(&entry, "replay");
    emit_text(emit->file, replay);
    emit_end(&entry);
    for (uint32_t i = 0; i < recording->request_count; i++) {
        free_ns = max_u64((uint64_t)recording->requests[i].time_ns, free_ns) + 1;
    }
    return free_ns - 1;
}

/* ---- Story ---- */

static void write_story(struct emit *emit, uint64_t last_ns, uint64_t requests)
{
    uint64_t events = requests * EVENTS_OF_REQUEST;

    struct emit steps = emit_open_below(emit, "steps", EMIT_BLOCK_LIST);
    struct emit expect = emit_open_below(emit, "expect", EMIT_BLOCK_LIST);
    struct emit limits = emit_open_below(emit, "limits", EMIT_FLOW);

    emit_list_word(&steps, "start");
    emit_list_word(&steps, "wait: ready");
    emit_list_word(&steps, "at: ");
    fprintf(emit->file, "%s # the last request has been made",
            quantity_time(last_ns + NS_PER_US).text);
    emit_list_word(&steps, "wait: {guest: idle}");
    emit_list_word(&steps, "complete");
    emit_list_word(&steps, "settle: 60s");
    emit_list_word(&expect, "same: [src, dst]");
    emit_word(&limits, "time",
              quantity_time((last_ns / NS_PER_S + 1) * NS_PER_S + TIME_AFTER_NS).text);
    if (events > LIMITS_EVENTS) {
        char text[24];

        snprintf(text, sizeof(text), "%" PRIu64, events);
        emit_word(&limits, "events", text);
    }
    emit_end(&limits);
}

char *import_scenario(const struct recording *recording, const char *replay, size_t *bytes)
{
    uint64_t last_ns;
    char *text = NULL;
    FILE *out = must_memstream(&text, bytes);
    struct emit emit = emit_open(out, EMIT_FILE);

    emit_word(&emit, "scenario", "1");
    write_name(&emit, recording->options);
    write_doc(&emit, recording);
    write_disks(&emit, recording);
    last_ns =
        replay != NULL ? write_replay(&emit, recording, replay) : write_requests(&emit, recording);
    write_story(&emit, last_ns, recording->request_count);
    emit_end(&emit);
    if (fclose(out) != 0) {
        die("out of memory");
    }
    return text;
}
