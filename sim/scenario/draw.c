/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests of a generator: what is drawn, and from what.
 *
 * Here a `choose` in a place or a length is no decision of the loader: all its
 * alternatives go into the plan, and each request draws from them.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "engine/range.h"
#include "sim/scenario/private.h"

#define DEFAULT_LENGTH UINT64_C(4096)
#define PPM UINT64_C(1000000)

/* ---- The disk ---- */

/* The end of a disk that could be read. */
static uint64_t end_of(const struct loader *loader, uint32_t disk)
{
    bool is_sized = disk != PLAN_NONE && loader->sized_disks >> disk & 1;

    return is_sized ? disk_end(loader->plan, disk) : INT64_MAX;
}

/* The guest may have either of two disks: as far as both go. */
static uint64_t guest_end(const struct loader *loader)
{
    const struct plan_job *job = &loader->plan->job;

    return min_u64(end_of(loader, job->source), end_of(loader, job->target));
}

static void check_on_disk(struct loader *loader, const struct yaml_node *node,
                          const struct range_spec *range)
{
    if (loader->plan->job.source != PLAN_NONE) {
        range_check(loader, node, range, loader->plan->job.source);
    }
}

/* ---- Values to draw from ---- */

struct value_list {
    uint64_t *values;
    uint32_t count;
};

static void add_value(struct loader *loader, const struct yaml_node *node,
                      const struct value_type *type, struct value_list *list)
{
    int64_t value;

    if (value_read_fixed(loader, node, type, &value)) {
        *(uint64_t *)read_append(loader, &list->values, &list->count, sizeof(uint64_t)) =
            (uint64_t)value;
    }
}

/* One value, or {choose: [...]}. */
static void read_values(struct loader *loader, const struct yaml_node *node,
                        const struct value_type *type, struct value_list *list)
{
    const struct yaml_node *choose = yaml_get(node, "choose");

    if (yaml_get(node, "range")) {
        read_mistake(loader, node,
                     "a generator draws from {choose: [...]} for each request, not from a range");
    } else if (!choose) {
        add_value(loader, node, type, list);
    } else if (read_single(loader, node, "a choice is one {choose: [...]}") &&
               read_sequence(loader, &choose, "choose")) {
        for (const struct yaml_node *item = choose->first; item; item = item->next) {
            add_value(loader, item, type, list);
        }
        if (choose->count == 0) {
            read_mistake(loader, choose, "choose needs something to choose from");
        }
    }
}

static void write_values(FILE *file, const uint64_t *values, uint32_t count)
{
    if (count == 1) {
        value_write(file, &type_bytes, (int64_t)values[0]);
        return;
    }
    fputs("{choose: [", file);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : ", ", file);
        value_write(file, &type_bytes, (int64_t)values[i]);
    }
    fputs("]}", file);
}

/* ---- Where requests go ---- */

/* A place as it is read: what depends on the range comes when that is known. */
struct place {
    struct address_spec address;
    struct range_spec hot;
    uint64_t hot_ppm; /* of the range; 0 = `hot` says it */
    const struct yaml_node *hot_node;
};

static void set_kind(struct loader *loader, const struct yaml_node *node, struct place *place,
                     enum address_kind kind)
{
    if (place->address.kind != ADDRESS_LIST) {
        read_mistake(loader, node, "a place follows one distribution");
    }
    place->address.kind = kind;
}

/* `sequential` and `uniform`. */
static FIELD_READER(read_plain)
{
    read_flag(loader, node);
    set_kind(loader, node, record, (enum address_kind)field->kind);
}

static FIELD_READER(read_zipf)
{
    int64_t theta;

    if (value_read(loader, node, field->type, &theta)) {
        field_store(field, record, theta);
    }
    set_kind(loader, node, record, ADDRESS_ZIPF);
}

static FIELD_WRITER(write_kind)
{
    if (((const struct place *)record)->address.kind == (enum address_kind)field->kind) {
        write_member(emit, plan, field, record);
    }
}

/* A part of the range as a share of it, 10%, or as a range of its own. */
static FIELD_READER(read_hot_part)
{
    struct place *place = record;
    int64_t ppm;

    node = read_resolve(loader, node);
    place->hot_node = node;
    if (node->kind == YAML_SCALAR && strchr(node->text, '%')) {
        if (value_read(loader, node, &type_probability, &ppm)) {
            place->hot_ppm = (uint64_t)ppm;
        }
    } else if (range_read(loader, node, &type_sectors, &place->hot)) {
        check_on_disk(loader, node, &place->hot);
    }
}

/* A part that is no whole sectors was a share of the range. */
static FIELD_WRITER(write_hot_part)
{
    const struct address_spec *address = &((const struct place *)record)->address;

    emit_key(emit, field->key);
    if ((address->hot_offset | address->hot_bytes) % SECTOR_BYTES == 0) {
        range_write(emit->file, address->offset + address->hot_offset, address->hot_bytes);
    } else {
        value_write(emit->file, &type_probability,
                    (int64_t)div_round_up(address->hot_bytes * PPM, address->bytes));
    }
}

static const struct field hot_fields[] = {
    FIELD("share", "This share of the requests ...", .type = &type_probability,
          MEMBER(struct place, address.share_ppm), .required = true),
    FIELD("of", "... goes to this part: a share, the first one, or a range.",
          .shape = ANY_OF(VALUE_OF(type_probability), &shape_range), .required = true,
          .read = read_hot_part, .write = write_hot_part),
    FIELD_END};

static FIELD_READER(read_hot)
{
    read_fields(loader, node, "hot", hot_fields, record);
    set_kind(loader, node, record, ADDRESS_HOT);
}

static FIELD_WRITER(write_hot)
{
    if (((const struct place *)record)->address.kind == ADDRESS_HOT) {
        write_mapping(emit, plan, field->key, hot_fields, record);
    }
}

static FIELD_READER(read_within)
{
    struct place *place = record;
    struct range_spec range;

    if (range_read(loader, node, &type_sectors, &range)) {
        check_on_disk(loader, node, &range);
        place->address.offset = range.offset;
        place->address.bytes = range.bytes;
    }
}

static FIELD_WRITER(write_within)
{
    const struct address_spec *address = &((const struct place *)record)->address;

    emit_key(emit, field->key);
    range_write(emit->file, address->offset, address->bytes);
}

static const struct field place_fields[] = {
    FIELD("sequential", "Each after the one before; from the start again at the end.",
          .shape = &shape_flag, .kind = ADDRESS_SEQUENTIAL, .group = 1, .read = read_plain,
          .write = write_kind),
    FIELD("uniform", "Every place is as likely.", .shape = &shape_flag, .kind = ADDRESS_UNIFORM,
          .group = 1, .read = read_plain, .write = write_kind),
    FIELD("zipf",
          "The exponent, 0 to 2, of a zipf distribution; popular places are scattered, always the "
          "same way.",
          .type = &type_theta, MEMBER(struct place, address.theta), .kind = ADDRESS_ZIPF,
          .group = 1, .read = read_zipf, .write = write_kind),
    FIELD("hot", "A share of the requests goes to one part.",
          .shape = MAPPING_OF("hot", hot_fields), .group = 1, .read = read_hot, .write = write_hot),
    FIELD("align", "Places are multiples of this; default: the shortest length.",
          .type = &type_sectors_length, MEMBER(struct place, address.align), .always = true),
    FIELD("in", "In this range; default: what source and target have in common.",
          .shape = &shape_range, .read = read_within, .write = write_within),
    FIELD_END};

static const struct shape shape_place = {
    .kind = SHAPE_ANY,
    .any = ALTERNATIVES(WORD_OF("sequential"), WORD_OF("uniform"), VALUE_OF(type_sectors),
                        MAPPING_OF("place", place_fields))};

static bool is_word(const struct yaml_node *node, const char *word)
{
    return node->kind == YAML_SCALAR && strcmp(node->text, word) == 0;
}

static FIELD_READER(read_place)
{
    struct place *place = field_place(field, record);
    struct value_list list = {NULL, 0};

    node = read_resolve(loader, node);
    if (is_word(node, "sequential")) {
        place->address.kind = ADDRESS_SEQUENTIAL;
    } else if (is_word(node, "uniform")) {
        place->address.kind = ADDRESS_UNIFORM;
    } else if (node->kind == YAML_MAPPING && !yaml_get(node, "choose") &&
               !yaml_get(node, "range")) {
        read_fields(loader, node, "a place", place_fields, place);
        if (place->address.kind == ADDRESS_LIST) {
            read_mistake(loader, node,
                         "a place follows sequential, uniform, zipf or hot; a fixed one is "
                         "written at: 64KiB");
        }
    } else {
        read_values(loader, node, &type_sectors, &list);
        place->address.places = list.values;
        place->address.place_count = list.count;
    }
}

static FIELD_WRITER(write_place)
{
    const struct place *place = field_member(field, record);

    if (place->address.kind == ADDRESS_LIST) {
        emit_key(emit, field->key);
        write_values(emit->file, place->address.places, place->address.place_count);
    } else {
        write_mapping(emit, plan, field->key, place_fields, place);
    }
}

/* ---- Requests ---- */

struct drawn {
    struct place place;
    struct value_list lengths;
};

static FIELD_READER(read_length)
{
    read_values(loader, read_resolve(loader, node), &type_sectors_length,
                field_place(field, record));
}

static FIELD_WRITER(write_length)
{
    const struct value_list *lengths = field_member(field, record);

    emit_key(emit, field->key);
    write_values(emit->file, lengths->values, lengths->count);
}

static const struct field drawn_fields[] = {
    FIELD("at", "Where: a place, or a distribution; choose is drawn for each request.",
          .shape = &shape_place, MEMBER(struct drawn, place), .required = true, .read = read_place,
          .write = write_place),
    FIELD("len", "How long; default 4KiB; choose is drawn for each request.",
          .shape = VALUE_OF(type_sectors_length), MEMBER(struct drawn, lengths),
          .read = read_length, .write = write_length),
    FIELD_END};

const struct shape shape_drawn = {
    .kind = SHAPE_ANY,
    .name = "drawn",
    .any = ALTERNATIVES(SHAPE_OF(.kind = SHAPE_NAME, .thing = "variable"),
                        MAPPING_OF("drawn-request", drawn_fields))};

static uint64_t longest(const struct value_list *list)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        bytes = max_u64(bytes, list->values[i]);
    }
    return bytes;
}

static uint64_t shortest(const struct value_list *list)
{
    uint64_t bytes = UINT64_MAX;

    for (uint32_t i = 0; i < list->count; i++) {
        bytes = min_u64(bytes, list->values[i]);
    }
    return bytes;
}

static void set_hot_part(struct loader *loader, struct place *place)
{
    struct address_spec *address = &place->address;

    if (place->hot_ppm > 0) {
        address->hot_bytes = max_u64(
            address->bytes / PPM * place->hot_ppm + address->bytes % PPM * place->hot_ppm / PPM, 1);
    } else if (place->hot.offset < address->offset ||
               place->hot.offset + place->hot.bytes > address->offset + address->bytes) {
        read_mistake(loader, place->hot_node, "the hot part goes beyond the range of the requests");
    } else {
        address->hot_offset = place->hot.offset - address->offset;
        address->hot_bytes = place->hot.bytes;
    }
}

/* Every fixed place must have room for every length. */
static void check_places(struct loader *loader, const struct yaml_node *node,
                         const struct drawn *drawn)
{
    const struct address_spec *address = &drawn->place.address;

    for (uint32_t i = 0; i < address->place_count; i++) {
        check_on_disk(loader, node,
                      &(struct range_spec){address->places[i], longest(&drawn->lengths)});
    }
}

/* What the file leaves to the default. */
static void complete(struct loader *loader, const struct yaml_node *node, struct drawn *drawn)
{
    struct address_spec *address = &drawn->place.address;

    if (drawn->lengths.count == 0) {
        *(uint64_t *)read_append(loader, &drawn->lengths.values, &drawn->lengths.count,
                                 sizeof(uint64_t)) = DEFAULT_LENGTH;
    }
    if (address->kind == ADDRESS_LIST) {
        check_places(loader, node, drawn);
        return;
    }
    if (address->align == 0) {
        address->align = shortest(&drawn->lengths);
    }
    if (address->bytes == 0) {
        address->bytes = guest_end(loader);
    }
    if (longest(&drawn->lengths) > address->bytes) {
        read_mistake(loader, node, "requests of %s find no room in %s",
                     value_format(loader, &type_bytes, (int64_t)longest(&drawn->lengths)),
                     value_format(loader, &type_bytes, (int64_t)address->bytes));
    } else if (address->kind == ADDRESS_HOT) {
        set_hot_part(loader, &drawn->place);
    }
}

FIELD_READER(draw_read)
{
    struct mix_spec *mix = field_place(field, record);
    struct drawn drawn = {.place.address.kind = ADDRESS_LIST};
    struct range_spec range;

    guest_set_op(loader, node, &mix->request, field->kind);
    node = read_resolve(loader, node);
    if (node->kind == YAML_MAPPING) {
        read_fields(loader, node, "a request", drawn_fields, &drawn);
    } else if (range_read(loader, node, &type_sectors, &range)) {
        *(uint64_t *)read_append(loader, &drawn.place.address.places,
                                 &drawn.place.address.place_count, sizeof(uint64_t)) = range.offset;
        *(uint64_t *)read_append(loader, &drawn.lengths.values, &drawn.lengths.count,
                                 sizeof(uint64_t)) = range.bytes;
    }
    complete(loader, node, &drawn);
    mix->address = drawn.place.address;
    mix->lengths = drawn.lengths.values;
    mix->length_count = drawn.lengths.count;
}

FIELD_WRITER(draw_write)
{
    const struct mix_spec *mix = field_member(field, record);
    struct drawn drawn = {{.address = mix->address}, {mix->lengths, mix->length_count}};

    if (mix->request.op == (enum op)field->kind) {
        write_mapping(emit, plan, field->key, drawn_fields, &drawn);
    }
}
