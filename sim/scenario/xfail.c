/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `xfail`: known failures, and the cases of the matrix that they are of.
 *
 * Declared in sim/scenario/private.h, with all that the loader's files share.
 */
#include "sim/scenario/private.h"

/* A text in quotes, kept as a pointer. */
static FIELD_READER(read_text_line)
{
    const char **text = field_place(field, record);

    *text = read_line(loader, node, "text");
}

struct xfail_entry {
    struct xfail_spec spec;
    bool is_elsewhere; /* it is about other cases of the matrix */
};

/* One value of an axis; true if the case has it. */
static bool case_has(struct loader *loader, const struct axis *axis, const struct yaml_node *node)
{
    const struct yaml_node *value = axis->values->first;
    const char *text = read_text(loader, node, "value");

    if (!text) {
        return false;
    }
    while (value && strcmp(value->text, text) != 0) {
        value = value->next;
    }
    if (!value) {
        read_mistake(loader, node, "matrix name %s has no value %s", axis->name,
                     read_quote(loader, text));
    }
    return strcmp(axis->value->text, text) == 0;
}

static bool case_has_one(struct loader *loader, const struct axis *axis,
                         const struct yaml_node *node)
{
    bool has = false;

    if (node->kind != YAML_SEQUENCE) {
        return case_has(loader, axis, node);
    }
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        has |= case_has(loader, axis, item);
    }
    return has;
}

static const struct axis *find_axis(struct loader *loader, const struct yaml_node *key)
{
    const struct matrix *matrix = loader->matrix;
    struct nearest nearest = nearest_to(key->text);

    for (uint32_t i = 0; i < matrix->count; i++) {
        if (strcmp(matrix->axes[i].name, key->text) == 0) {
            return &matrix->axes[i];
        }
        nearest_offer(&nearest, matrix->axes[i].name);
    }
    read_unknown_name(loader, key, "name of the matrix", key->text, &nearest);
    return NULL;
}

/* {policy: stop, side: [src, dst]}: the cases that have all of these values. */
FIELD_READER(case_read)
{
    bool *is_elsewhere = field_place(field, record);

    if (!read_mapping(loader, &node, field->key)) {
        return;
    }
    for (const struct yaml_node *value = node->first; value; value = value->next) {
        const struct axis *axis = find_axis(loader, value->key);

        *is_elsewhere |= axis && !case_has_one(loader, axis, value);
    }
}

static FIELD_WRITER(write_xfail_word)
{
    const char *const *word = field_member(field, record);

    if (*word) {
        emit_word(emit, field->key, *word);
    }
}

static FIELD_WRITER(write_bug)
{
    const char *const *bug = field_member(field, record);

    if (*bug) {
        emit_key(emit, field->key);
        emit_text(emit->file, *bug);
    }
}

/* A plan is of one case, so that `case` is not written. */
static const struct field xfail_fields[] = {
    FIELD("engine", "On this engine, which need not be compiled in; default: on any.",
          .shape = &shape_text, MEMBER(struct xfail_entry, spec.engine), .read = read_text_line,
          .write = write_xfail_word),
    FIELD(
        "finding",
        "Of this oracle: content, debt, ready, durable, ledger, guest, job, life, synced, naming, "
        "bounds, sharing, limit, liveness, expect or compare; default: of any.",
        .shape = &shape_text, MEMBER(struct xfail_entry, spec.oracle), .read = read_text_line,
        .write = write_xfail_word),
    FIELD("bug", "A reference for people, such as a bug's number.", .shape = &shape_text,
          MEMBER(struct xfail_entry, spec.bug), .read = read_text_line, .write = write_bug),
    FIELD("case", "In the cases of the matrix that have these values: {policy: [stop, enospc]}.",
          .shape = NAMES_OF(SHAPE_OF(.kind = SHAPE_FREE)), MEMBER(struct xfail_entry, is_elsewhere),
          .read = case_read, .write = write_nothing),
    FIELD_END};

FIELD_READER(xfail_read)
{
    struct plan *plan = record;
    struct xfail_entry entry = {.spec.where = node->where};

    if (node->kind == YAML_SEQUENCE) {
        for (const struct yaml_node *item = node->first; item; item = item->next) {
            xfail_read(loader, item, field, record);
        }
        return;
    }
    read_fields(loader, node, field->key, xfail_fields, &entry);
    if (!entry.is_elsewhere) {
        struct xfail_spec *xfail =
            read_append(loader, &plan->xfails, &plan->xfail_count, sizeof(*xfail));

        *xfail = entry.spec;
    }
}

FIELD_WRITER(xfail_write_all)
{
    struct emit xfails = emit_open_below(emit, field->key, EMIT_BLOCK_LIST);

    for (uint32_t i = 0; i < plan->xfail_count; i++) {
        struct xfail_entry entry = {.spec = plan->xfails[i]};
        struct emit xfail = emit_open(emit->file, EMIT_FLOW);

        emit_item(&xfails);
        write_fields(&xfail, plan, xfail_fields, &entry);
        emit_end(&xfail);
    }
    emit_end(&xfails);
}

static const struct shape shape_xfail = {
    .kind = SHAPE_MAPPING, .name = "xfail", .fields = xfail_fields};

const struct shape shape_xfails = {.kind = SHAPE_ANY,
                                   .any = ALTERNATIVES(&shape_xfail, LIST_OF(&shape_xfail)),
                                   .read = xfail_read,
                                   .write = xfail_write_all};
