/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generators in `guest`: a pace, a mix of requests, a beginning and bounds.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/plan/replay.h"
#include "sim/scenario/private.h"

/* The sum of the weights stays within 32 bits. */
#define MAX_MIX 1000u

/* As it is read. */
struct entry {
    struct generator_spec spec;
    struct mix_spec own; /* the request, if it is the only one */
    struct event_spec when;
};

bool generator_is_meant(const struct yaml_node *node)
{
    return yaml_get(node, "rate") || yaml_get(node, "every") || yaml_get(node, "outstanding") ||
           yaml_get(node, "mix") || yaml_get(node, "replay");
}

/* ---- The mix ---- */

#define DRAWN(word, op_, doc_, record, member)                                      \
    FIELD(word, doc_, .shape = &shape_drawn, MEMBER(record, member), .kind = (op_), \
          .read = draw_read, .write = draw_write)

#define DRAWN_FIELDS(record, member)                                                           \
    DRAWN("write", OP_WRITE, "It writes: {at: PLACE, len: SIZE} or a range.", record, member), \
        DRAWN("write-zeroes", OP_WRITE_ZEROES, "It writes zeroes.", record, member),           \
        DRAWN("discard", OP_DISCARD, "It discards.", record, member),                          \
        DRAWN("read", OP_READ, "It reads.", record, member),                                   \
        FIELD("flush", "It flushes.", .shape = &shape_flag, MEMBER(record, member.request),    \
              .kind = OP_FLUSH, .read = guest_read_request, .write = guest_write_request),     \
        FIELD("latency", "How long it takes, whatever the disk says.", .type = &type_time,     \
              MEMBER(record, member.request), .read = guest_read_latency,                      \
              .write = guest_write_latency)

struct mix_entry {
    struct mix_spec mix;
};

static const struct field mix_fields[] = {
    FIELD("weight", "Its weight in the mix; default 1.", .type = &type_weight,
          MEMBER(struct mix_entry, mix.weight), .always = true),
    DRAWN_FIELDS(struct mix_entry, mix), FIELD_END};

static struct mix_spec empty_mix(const struct yaml_node *node)
{
    return (struct mix_spec){.where = node->where, .weight = 1, .request.op = OP_COUNT};
}

static void add_mix(struct loader *loader, struct generator_spec *spec, const struct mix_spec *mix)
{
    *(struct mix_spec *)read_append(loader, &spec->mix, &spec->mix_count, sizeof(*mix)) = *mix;
}

static FIELD_READER(read_mix)
{
    struct generator_spec *spec = field_place(field, record);

    if (!read_sequence(loader, &node, "mix")) {
        return;
    }
    if (node->count == 0 || node->count > MAX_MIX) {
        read_mistake(loader, node, "a mix is of 1 to %u requests", MAX_MIX);
        return;
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        struct mix_entry entry = {empty_mix(item)};

        read_fields(loader, item, "a request of a mix", mix_fields, &entry);
        if (read_resolve(loader, item)->kind == YAML_MAPPING) {
            guest_check(loader, item, &entry.mix.request);
        }
        add_mix(loader, spec, &entry.mix);
    }
}

static FIELD_WRITER(write_mix)
{
    const struct generator_spec *spec = field_member(field, record);
    struct emit list = emit_open_below(emit, field->key, EMIT_FLOW_LIST);

    for (uint32_t i = 0; i < spec->mix_count; i++) {
        struct mix_entry entry = {spec->mix[i]};
        struct emit mix = emit_open(emit->file, EMIT_FLOW);

        emit_item(&list);
        write_fields(&mix, plan, mix_fields, &entry);
        emit_end(&mix);
    }
    emit_end(&list);
}

/* ---- Pace, beginning and end ---- */

static FIELD_WRITER(write_pace)
{
    if (((const struct entry *)record)->spec.pace == (enum pace)field->kind) {
        write_member(emit, plan, field, record);
    }
}

static const struct field until_fields[] = {
    FIELD("mark", "Until this mark is set.", .shape = &shape_mark,
          MEMBER(struct entry, spec.until_mark), .required = true),
    FIELD_END};

/* TIME, or {mark: NAME}. */
static FIELD_READER(read_until)
{
    struct entry *entry = record;
    int64_t time;

    node = read_resolve(loader, node);
    if (yaml_get(node, "mark")) {
        read_fields(loader, node, "until", until_fields, entry);
    } else if (value_read(loader, node, &type_span, &time)) {
        entry->spec.until_ns = (uint64_t)time;
    }
}

static FIELD_WRITER(write_until)
{
    const struct entry *entry = record;

    if (entry->spec.until_mark != PLAN_NONE) {
        write_mapping(emit, plan, field->key, until_fields, entry);
    } else if (entry->spec.until_ns > 0) {
        write_value(emit, field->key, &type_span, (int64_t)entry->spec.until_ns);
    }
}

/* Relative to the folder of the scenario. */
static const char *resolve(struct loader *loader, const char *file)
{
    const char *slash = strrchr(loader->plan->file, '/');

    if (*file == '/' || slash == NULL) {
        return arena_strdup(loader->arena, file);
    }
    return arena_printf(loader->arena, "%.*s%s", (int)(slash + 1 - loader->plan->file),
                        loader->plan->file, file);
}

/* A disk that is wrong itself has no end. */
static FIELD_READER(read_replay)
{
    struct generator_spec *spec = &((struct entry *)record)->spec;
    const char *file = read_text(loader, node, "file of requests");
    uint32_t disk = loader->plan->job.source;
    bool is_sized = disk != PLAN_NONE && (loader->sized_disks >> disk & 1);
    const char *why;

    if (file == NULL) {
        return;
    }
    spec->replay = resolve(loader, file);
    why = replay_load(loader->arena, spec, is_sized ? disk_end(loader->plan, disk) : INT64_MAX);
    if (why != NULL) {
        read_mistake(loader, node, "%s, %s", read_quote(loader, spec->replay), why);
    }
}

static FIELD_WRITER(write_replay)
{
    const struct entry *entry = record;

    if (entry->spec.replay != NULL) {
        /* The whole path: what is written may stand in another folder. */
        char *path = realpath(entry->spec.replay, NULL);

        emit_key(emit, field->key);
        emit_text(emit->file, path != NULL ? path : entry->spec.replay);
        free(path);
    }
}

#define PACES_GROUP 1

#define PACE(key, doc, type_, member, kind_)                                         \
    FIELD(key, doc, .type = &(type_), MEMBER(struct entry, member), .kind = (kind_), \
          .group = PACES_GROUP, .write = write_pace)

static const struct field generator_fields[] = {
    PACE(
        "rate",
        "Open loop: the next request comes its length / rate after this one was submitted, a flush "
        "being 4KiB; never more than 1024 are unfinished.",
        type_bandwidth, spec.rate, PACE_RATE),
    PACE("every", "Open loop: the next request comes this long after the one before was submitted.",
         type_span, spec.every_ns, PACE_EVERY),
    PACE("outstanding", "Closed loop: this many requests at once.", type_outstanding,
         spec.outstanding, PACE_OUTSTANDING),
    FIELD("replay",
          "Recorded requests, at their own times: a file that `mirrorsim import` has written, in "
          "the scenario's folder or below it.",
          .shape = &shape_text, .group = PACES_GROUP, .read = read_replay, .write = write_replay),
    FIELD("think", "The next request is submitted this long after one has finished; default 0.",
          .type = &type_time, MEMBER(struct entry, spec.think_ns), .needs = "outstanding"),
    FIELD("mix", "Requests by weight, instead of one.",
          .shape = SHAPE_OF(.kind = SHAPE_LIST, .of = MAPPING_OF("mix-request", mix_fields),
                            .least = 1, .most = MAX_MIX),
          MEMBER(struct entry, spec), .read = read_mix, .write = write_mix, .turn = 1),
    DRAWN_FIELDS(struct entry, own),
    FIELD("from", "It begins at this instant; default 0.", .type = &type_time,
          MEMBER(struct entry, spec.from_ns)),
    FIELD("when", "It begins once this event happens.", .shape = &shape_answered,
          MEMBER(struct entry, when), .read = event_read_when, .write = event_write_when),
    FIELD("after", "How long after the event; default 0.", .type = &type_time,
          MEMBER(struct entry, spec.after_ns), .needs = "when"),
    FIELD("count", "It ends after this many requests; settle waits for it.", .type = &type_count,
          MEMBER(struct entry, spec.count)),
    FIELD("bytes", "It ends after this many bytes; settle waits for it.",
          .type = &type_bytes_length, MEMBER(struct entry, spec.bytes)),
    FIELD("until",
          "It ends at this instant, or with a mark. Without any bound it goes on until the story "
          "is over, or, in settle, until the job has ended.",
          .shape = &shape_until, .read = read_until, .write = write_until),
    FIELD("optional",
          "It need not submit anything; any other generator must, or the run proves nothing.",
          .shape = &shape_flag, MEMBER(struct entry, spec.optional)),
    FIELD_END};

const struct shape shape_generator = {
    .kind = SHAPE_MAPPING, .name = "generator", .fields = generator_fields};

/* ---- The whole ---- */

static void set_when(struct entry *entry)
{
    if (entry->when.match.kinds != 0) {
        entry->spec.has_when = true;
        entry->spec.when = entry->when.match;
        entry->spec.nth = entry->when.nth;
    }
}

static void set_pace(struct loader *loader, const struct yaml_node *node,
                     struct generator_spec *spec)
{
    const struct yaml_node *think = yaml_get(node, "think");

    if (read_count_group(node, generator_fields, PACES_GROUP) != 1) {
        read_mistake(loader, node,
                     "a generator has one pace: rate: 8MiB/s, every: 1ms, outstanding: 4, or "
                     "replay: FILE");
    } else if (think && !yaml_get(node, "outstanding")) {
        read_mistake(loader, think,
                     "`think` belongs to `outstanding`: it follows a request that has finished");
    }
    spec->pace = yaml_get(node, "rate")     ? PACE_RATE
                 : yaml_get(node, "every")  ? PACE_EVERY
                 : yaml_get(node, "replay") ? PACE_REPLAY
                                            : PACE_OUTSTANDING;
}

static void set_requests(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (entry->spec.pace == PACE_REPLAY) {
        if (yaml_get(node, "mix") || entry->own.request.op != OP_COUNT) {
            read_mistake(loader, node, "a replay makes the requests of its file, and no others");
        }
    } else if (!yaml_get(node, "mix")) {
        guest_check(loader, node, &entry->own.request);
        add_mix(loader, &entry->spec, &entry->own);
    } else if (entry->own.request.op != OP_COUNT || entry->own.request.has_latency) {
        read_mistake(loader, node, "with a mix, requests stand in it, not beside it");
    }
    for (uint32_t i = 0; i < entry->spec.mix_count; i++) {
        entry->spec.mix[i].request.tag = entry->spec.name;
    }
}

static void check_times(struct loader *loader, const struct yaml_node *node,
                        const struct generator_spec *spec)
{
    const struct yaml_node *from = yaml_get(node, "from");
    const struct yaml_node *after = yaml_get(node, "after");

    if (from && yaml_get(node, "when")) {
        read_mistake(loader, from,
                     "a generator begins either `from` a time or `when` an event "
                     "happens");
    }
    if (after && !yaml_get(node, "when")) {
        read_mistake(loader, after, "`after` belongs to `when`");
    }
    if (loader_is_checking(loader) && spec->until_ns > 0 && spec->from_ns >= spec->until_ns) {
        read_mistake(loader, yaml_get(node, "until"), "it ends before it begins");
    }
}

void generator_read(struct loader *loader, const struct yaml_node *node)
{
    struct plan *plan = loader->plan;
    struct entry entry = {.own = empty_mix(node), .when = event_any()};

    entry.spec.name = arena_strdup(loader->arena, node->key->text);
    entry.spec.where = node->where;
    entry.spec.until_mark = PLAN_NONE;
    read_fields(loader, node, "a generator", generator_fields, &entry);
    set_when(&entry);
    set_pace(loader, node, &entry.spec);
    set_requests(loader, node, &entry);
    check_times(loader, node, &entry.spec);
    *(struct generator_spec *)read_append(loader, &plan->generators, &plan->generator_count,
                                          sizeof(entry.spec)) = entry.spec;
}

void generator_write(struct emit *guest, const struct plan *plan, const struct generator_spec *spec)
{
    struct entry entry = {.spec = *spec, .own.request.op = OP_COUNT, .when = event_any()};

    if (spec->has_when) {
        entry.when = event_matching(&spec->when);
        entry.when.nth = spec->nth;
    }
    write_mapping(guest, plan, spec->name, generator_fields, &entry);
}
