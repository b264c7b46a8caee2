/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests of a generator: what is drawn, and from what.
 *
 * Here a `choose` in a place or a length is no decision of the loader: all its
 * alternatives go into the plan, and each request draws from them.
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

static void read_sequential(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_flag(loader, node);
    set_kind(loader, node, record, ADDRESS_SEQUENTIAL);
}

static void read_uniform(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_flag(loader, node);
    set_kind(loader, node, record, ADDRESS_UNIFORM);
}

static void read_zipf(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct place *place = record;
    int64_t theta;

    if (value_read(loader, node, &type_theta, &theta)) {
        place->address.theta = (uint32_t)theta;
    }
    set_kind(loader, node, place, ADDRESS_ZIPF);
}

/* A part of the range as a share of it, 10%, or as a range of its own. */
static void read_hot_part(struct loader *loader, const struct yaml_node *node, void *record)
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

static const struct field hot_fields[] = {
    FIELD_NEEDED_VALUE("share", type_probability, struct place, address.share_ppm),
    {"of", true, read_hot_part, NULL, 0, 0},
    FIELD_END};

static void read_hot(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_fields(loader, node, "hot", hot_fields, record);
    set_kind(loader, node, record, ADDRESS_HOT);
}

static void read_within(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct place *place = record;
    struct range_spec range;

    if (range_read(loader, node, &type_sectors, &range)) {
        check_on_disk(loader, node, &range);
        place->address.offset = range.offset;
        place->address.bytes = range.bytes;
    }
}

static const struct field place_fields[] = {
    FIELD_WHOLE("sequential", read_sequential),
    FIELD_WHOLE("uniform", read_uniform),
    FIELD_WHOLE("zipf", read_zipf),
    FIELD_WHOLE("hot", read_hot),
    FIELD_VALUE("align", type_sectors_length, struct place, address.align),
    FIELD_WHOLE("in", read_within),
    FIELD_END};

static bool is_word(const struct yaml_node *node, const char *word)
{
    return node->kind == YAML_SCALAR && strcmp(node->text, word) == 0;
}

static void read_place(struct loader *loader, const struct yaml_node *node, void *record)
{
    struct place *place = record;
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

/* ---- Requests ---- */

struct drawn {
    struct place place;
    struct value_list lengths;
};

static void read_length(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_values(loader, read_resolve(loader, node), &type_sectors_length, record);
}

static const struct field drawn_fields[] = {
    FIELD_NEEDED_PART("at", read_place, struct drawn, place),
    FIELD_PART("len", read_length, struct drawn, lengths), FIELD_END};

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

static void read_request(struct loader *loader, const struct yaml_node *node, void *record,
                         enum op op)
{
    struct mix_spec *mix = record;
    struct drawn drawn = {.place.address.kind = ADDRESS_LIST};
    struct range_spec range;

    if (mix->request.op != OP_COUNT) {
        read_mistake(loader, node, "a guest request does one thing");
    }
    mix->request.op = op;
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

void draw_read_write(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_request(loader, node, record, OP_WRITE);
}

void draw_read_write_zeroes(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_request(loader, node, record, OP_WRITE_ZEROES);
}

void draw_read_discard(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_request(loader, node, record, OP_DISCARD);
}

void draw_read_read(struct loader *loader, const struct yaml_node *node, void *record)
{
    read_request(loader, node, record, OP_READ);
}
