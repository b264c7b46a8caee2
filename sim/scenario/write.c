/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a plan: values, disks, the job, limits and choices.
 */
#include "sim/scenario/write.h"

#include <inttypes.h>
#include <string.h>

#include "sim/scenario/private.h"

/* ---- Values ---- */

/* The word for a value, or NULL. */
static const char *word_of(const struct value_type *type, int64_t value)
{
    for (const struct word *word = type->words; word && word->text; word++) {
        if (word->value == value) {
            return word->text;
        }
    }
    for (uint32_t i = 0; type->word_at && type->parse && type->word_at(i); i++) {
        int64_t parsed;

        if (type->parse(type->word_at(i), &parsed) && parsed == value) {
            return type->word_at(i);
        }
    }
    return NULL;
}

/* Units of a whole number; a fraction of the smallest that has one is written as such. */
static void number_write(FILE *file, const struct unit *unit, int64_t value)
{
    uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value;

    while (unit[1].suffix && value % unit->factor != 0) {
        unit++;
    }
    fprintf(file, "%s%" PRIu64, value < 0 ? "-" : "", amount / (uint64_t)unit->factor);
    amount %= (uint64_t)unit->factor;
    if (amount > 0) {
        fputc('.', file);
    }
    for (int64_t place = unit->factor / 10; amount > 0; place /= 10) {
        fprintf(file, "%" PRIu64, amount / (uint64_t)place);
        amount %= (uint64_t)place;
    }
    fputs(unit->suffix, file);
}

void value_write(FILE *file, const struct value_type *type, int64_t value)
{
    const char *word = word_of(type, value);

    if (word) {
        fputs(word, file);
    } else if (value == 0) {
        fputc('0', file);
    } else {
        number_write(file, type->units, value);
    }
}

void text_write(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            fprintf(file, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", file);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(file, "\\x%02x", c);
        } else {
            fputc(c, file);
        }
    }
    fputc('"', file);
}

void flow_key(struct flow *flow, const char *key)
{
    fprintf(flow->file, "%s%s: ", flow->has_entry ? ", " : "{", key);
    flow->has_entry = true;
}

void flow_value(struct flow *flow, const char *key, const struct value_type *type, int64_t value)
{
    flow_key(flow, key);
    value_write(flow->file, type, value);
}

void flow_text(struct flow *flow, const char *key, const char *text)
{
    flow_key(flow, key);
    fputs(text, flow->file);
}

void flow_end(struct flow *flow)
{
    fputs(flow->has_entry ? "}" : "{}", flow->file);
}

void write_range(FILE *file, uint64_t offset, uint64_t bytes)
{
    struct flow flow = {file, false};

    flow_value(&flow, "at", &type_bytes, (int64_t)offset);
    flow_value(&flow, "len", &type_bytes, (int64_t)bytes);
    flow_end(&flow);
}

/* ---- Disks ---- */

static void write_latency(FILE *file, const struct latency_spec *latency)
{
    struct flow flow = {file, false};

    if (latency->kind == LATENCY_FIXED && latency->min_ns == 0 && latency->max_ns == 0) {
        value_write(file, &type_time, (int64_t)latency->a_ns);
        return;
    }
    switch (latency->kind) {
    case LATENCY_FIXED:
    case LATENCY_UNIFORM:
        flow_key(&flow, "uniform");
        fputc('[', file);
        value_write(file, &type_time, (int64_t)latency->a_ns);
        fputs(", ", file);
        value_write(file, &type_time,
                    (int64_t)(latency->kind == LATENCY_FIXED ? latency->a_ns : latency->b_ns));
        fputc(']', file);
        break;
    case LATENCY_EXPONENTIAL:
        flow_value(&flow, "exponential", &type_time, (int64_t)latency->a_ns);
        break;
    case LATENCY_PERCENTILES:
        flow_value(&flow, "p50", &type_time, (int64_t)latency->a_ns);
        flow_value(&flow, "p99", &type_time, (int64_t)latency->b_ns);
        break;
    }
    if (latency->min_ns > 0) {
        flow_value(&flow, "min", &type_time, (int64_t)latency->min_ns);
    }
    if (latency->max_ns > 0) {
        flow_value(&flow, "max", &type_time, (int64_t)latency->max_ns);
    }
    flow_end(&flow);
}

static bool same_latency(const struct latency_spec *a, const struct latency_spec *b)
{
    return a->kind == b->kind && a->a_ns == b->a_ns && a->b_ns == b->b_ns &&
           a->min_ns == b->min_ns && a->max_ns == b->max_ns;
}

/* Those that are not what a file gets that says nothing. */
static void write_latencies(struct flow *disk, const struct latency_spec *latency)
{
    static const struct {
        const char *key;
        enum op op;
    } ops[] = {{"read", OP_READ},       {"write", OP_WRITE}, {"write-zeroes", OP_WRITE_ZEROES},
               {"discard", OP_DISCARD}, {"flush", OP_FLUSH}, {"block-status", OP_STATUS}};
    struct latency_spec standard[OP_COUNT] = {0};
    struct flow flow = {disk->file, false};

    latency_set_defaults(standard);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        const struct latency_spec *here = &latency[ops[i].op];

        if (same_latency(here, &standard[ops[i].op])) {
            continue;
        }
        if (!flow.has_entry) {
            flow_key(disk, "latency");
        }
        flow_key(&flow, ops[i].key);
        write_latency(disk->file, here);
        if (ops[i].op == OP_WRITE) {
            standard[OP_WRITE_ZEROES] = *here;
            standard[OP_DISCARD] = *here;
        }
    }
    if (flow.has_entry) {
        flow_end(&flow);
    }
}

static void write_flags(struct flow *flow, uint32_t flags)
{
    const char *before = "";

    flow_key(flow, "flags");
    fputc('[', flow->file);
    for (const struct word *word = type_disk_flag.words; word->text; word++) {
        if (flags & (uint32_t)word->value) {
            fprintf(flow->file, "%s%s", before, word->text);
            before = ", ";
        }
    }
    fputc(']', flow->file);
}

static void write_allocated(struct flow *flow, const struct disk_spec *disk)
{
    flow_key(flow, "allocated");
    if (disk->allocated_count == 0) {
        fputs("none", flow->file);
        return;
    }
    for (uint32_t i = 0; i < disk->allocated_count; i++) {
        fputs(i == 0 ? "[" : ", ", flow->file);
        write_range(flow->file, disk->allocated[i].offset, disk->allocated[i].bytes);
    }
    fputc(']', flow->file);
}

static void write_backing(struct flow *flow, const struct plan *plan, const struct disk_spec *disk)
{
    const char *name = plan->disks[disk->backing].name;

    flow_key(flow, "backing");
    if (disk->backing_open) {
        fputs(name, flow->file);
    } else {
        fprintf(flow->file, "{name: %s, state: closed}", name);
    }
}

static void write_bitmaps(struct flow *disk, const struct disk_spec *spec)
{
    struct flow flow = {disk->file, false};

    flow_key(disk, "bitmaps");
    for (uint32_t i = 0; i < spec->bitmap_count; i++) {
        flow_value(&flow, spec->bitmaps[i].name, &type_granularity,
                   (int64_t)spec->bitmaps[i].granularity);
    }
    flow_end(&flow);
}

/* An entry whose value is not the one it has without it. */
static void flow_unless(struct flow *flow, const char *key, const struct value_type *type,
                        uint64_t value, uint64_t otherwise)
{
    if (value != otherwise) {
        flow_value(flow, key, type, (int64_t)value);
    }
}

static void write_disk(const struct plan *plan, const struct disk_spec *disk, FILE *file)
{
    struct flow flow = {file, false};

    fprintf(file, "  %s: ", disk->name);
    flow_value(&flow, "size", &type_disk_bytes, (int64_t)disk->bytes);
    flow_value(&flow, "fill", &type_fill, (int64_t)disk->fill);
    if (disk->has_allocated) {
        write_allocated(&flow, disk);
    }
    if (disk->backing != PLAN_NONE) {
        write_backing(&flow, plan, disk);
    }
    if (disk->cluster_unknown) {
        flow_text(&flow, "cluster", "unknown");
    }
    flow_unless(&flow, "cluster", &type_cluster, disk->cluster_unknown ? 0 : disk->cluster, 0);
    flow_unless(&flow, "lanes", &type_small_count, disk->lanes, 0);
    flow_unless(&flow, "bandwidth", &type_bandwidth, disk->bandwidth, 0);
    flow_unless(&flow, "max-transfer", &type_sectors_length, disk->max_transfer, 0);
    flow_unless(&flow, "max-segments", &type_small_count, disk->max_segments, 0);
    write_latencies(&flow, disk->latency);
    flow_unless(&flow, "effect", &type_effect, disk->effect, EFFECT_AT_COMPLETE);
    flow_unless(&flow, "cache", &type_cache, disk->volatile_cache, false);
    if (disk->bitmap_count > 0) {
        write_bitmaps(&flow, disk);
    }
    if (disk->flags != disk_default_flags(&plan->job, (uint32_t)(disk - plan->disks))) {
        write_flags(&flow, disk->flags);
    }
    flow_unless(&flow, "io-status", &type_io_status_tracking, disk->tracks_io_status, true);
    flow_unless(&flow, "access", &type_access, disk->blocked, false);
    flow_unless(&flow, "role", &type_role, disk->filter, false);
    flow_end(&flow);
    fputc('\n', file);
}

/* ---- The job ---- */

static void write_job(const struct plan *plan, FILE *file)
{
    const struct plan_job *job = &plan->job;
    struct flow flow = {file, false};

    fputs("job: ", file);
    if (job->kind == JOB_COMMIT) {
        flow_text(&flow, "commit", plan->disks[job->source].name);
        flow_text(&flow, "into", plan->disks[job->target].name);
        flow_unless(&flow, "speed", &type_speed, (uint64_t)job->speed, 0);
        flow_unless(&flow, "on-error", &type_policy, job->on_source_error, POLICY_REPORT);
    } else {
        flow_text(&flow, "mirror", plan->disks[job->source].name);
        flow_text(&flow, "to", plan->disks[job->target].name);
        flow_unless(&flow, "sync", &type_sync, job->sync, SYNC_FULL);
        flow_unless(&flow, "granularity", &type_job_bytes, (uint64_t)job->granularity, 0);
        flow_unless(&flow, "buffer", &type_job_bytes, (uint64_t)job->buffer_bytes,
                    (uint64_t)MIRROR_DEFAULT_BUFFER_BYTES);
        flow_unless(&flow, "speed", &type_speed, (uint64_t)job->speed, 0);
        flow_unless(&flow, "on-source-error", &type_policy, job->on_source_error, POLICY_REPORT);
        flow_unless(&flow, "on-target-error", &type_policy, job->on_target_error, POLICY_REPORT);
        if (job->replaces) {
            flow_text(&flow, "replaces", job->replaces);
        }
    }
    flow_end(&flow);
    fputc('\n', file);
}

/* ---- Limits, choices, known failures ---- */

static bool is_standard(const struct plan *plan)
{
    const struct limits_spec *limits = &plan->limits;
    const struct limits_spec standard = limits_default();

    return limits->time_ns == standard.time_ns && limits->events == standard.events &&
           limits->events_at_once == standard.events_at_once &&
           limits->ready_within_ns == standard.ready_within_ns && plan->timer_slack_ns == 0;
}

static void write_limits(const struct plan *plan, FILE *file)
{
    const struct limits_spec *limits = &plan->limits;
    const struct limits_spec standard = limits_default();
    struct flow flow = {file, false};

    if (is_standard(plan)) {
        return;
    }
    fputs("limits: ", file);
    flow_unless(&flow, "time", &type_time, limits->time_ns, standard.time_ns);
    flow_unless(&flow, "events", &type_count, limits->events, standard.events);
    flow_unless(&flow, "events-at-once", &type_count, limits->events_at_once,
                standard.events_at_once);
    flow_unless(&flow, "ready-within", &type_time, limits->ready_within_ns,
                standard.ready_within_ns);
    flow_unless(&flow, "timer-slack", &type_time, plan->timer_slack_ns, 0);
    flow_end(&flow);
    fputc('\n', file);
}

static void write_choices(const struct plan *plan, FILE *file)
{
    if (plan->quiet) {
        fputs("choices: quiet\n", file);
    } else if (plan->choice_count > 0) {
        fputs("choices:\n", file);
        for (uint32_t i = 0; i < plan->choice_count; i++) {
            const struct choice_answer *answer = &plan->choices[i];

            fprintf(file, "  - {at: ");
            text_write(file, answer->site);
            fprintf(file, ", nth: %" PRIu32 ", pick: %" PRIu32 "}\n", answer->nth, answer->pick);
        }
    }
}

static void write_xfails(const struct plan *plan, FILE *file)
{
    if (plan->xfail_count > 0) {
        fputs("xfail:\n", file);
    }
    for (uint32_t i = 0; i < plan->xfail_count; i++) {
        const struct xfail_spec *xfail = &plan->xfails[i];
        struct flow flow = {file, false};

        fputs("  - ", file);
        if (xfail->engine) {
            flow_text(&flow, "engine", xfail->engine);
        }
        if (xfail->oracle) {
            flow_text(&flow, "finding", xfail->oracle);
        }
        if (xfail->bug) {
            flow_key(&flow, "bug");
            text_write(file, xfail->bug);
        }
        flow_end(&flow);
        fputc('\n', file);
    }
}

/* ---- The whole ---- */

static void write_lines(const char *key, const char *const *lines, uint32_t count, FILE *file)
{
    for (uint32_t i = 0; i < count; i++) {
        fprintf(file, i == 0 ? "%s: [" : ", ", key);
        text_write(file, lines[i]);
    }
    if (count > 0) {
        fputs("]\n", file);
    }
}

/* Can the text stand as it is, indented, under a "|"? */
static bool is_plain_block(const char *text)
{
    for (const char *at = text; *at; at++) {
        bool begins_line = at == text || at[-1] == '\n';

        if ((unsigned char)*at < 0x20 && *at != '\n') {
            return false;
        }
        if ((begins_line && (*at == ' ' || *at == '\n')) ||
            (*at == ' ' && (at[1] == '\n' || at[1] == '\0'))) {
            return false;
        }
    }
    return *text != '\0';
}

static void write_doc(const char *doc, FILE *file)
{
    size_t length = strlen(doc);
    bool ends_line = length > 0 && doc[length - 1] == '\n';

    if (!is_plain_block(doc)) {
        fputs("doc: ", file);
        text_write(file, doc);
        fputc('\n', file);
        return;
    }
    fputs(ends_line ? "doc: |\n  " : "doc: |-\n  ", file);
    for (; *doc; doc++) {
        fputc(*doc, file);
        if (*doc == '\n' && doc[1]) {
            fputs("  ", file);
        }
    }
    fputs(ends_line ? "" : "\n", file);
}

void scenario_write(const struct plan *plan, FILE *file)
{
    fprintf(file, "scenario: 1\nname: %s\n", plan->name);
    write_doc(plan->doc, file);
    write_lines("refs", plan->refs, plan->ref_count, file);
    write_lines("tags", plan->tags, plan->tag_count, file);
    fputs("disks:\n", file);
    for (uint32_t i = 0; i < plan->disk_count; i++) {
        write_disk(plan, &plan->disks[i], file);
    }
    write_job(plan, file);
    write_faults(plan, file);
    write_reacts(plan, file);
    write_guest(plan, file);
    write_steps(plan, file);
    write_expects(plan, file);
    write_limits(plan, file);
    if (plan->content_bytes) {
        fputs("content: bytes\n", file);
    }
    if (plan->untimed) {
        fputs("timing: untimed\n", file);
    }
    write_choices(plan, file);
    write_xfails(plan, file);
}
