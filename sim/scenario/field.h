/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The language as tables: a row is a key, and says all there is to say of it.
 *
 * A row has the key, the type or shape of what stands after it, the member of a
 * record that keeps it, the value that is meant without it, and one line of
 * documentation.  The reader (sim/scenario/read.c), the writer
 * (sim/scenario/field.c), the JSON schema (tools/report/schema.c) and the
 * tables of scenarios/README.md walk the same rows.  Where that is not enough,
 * because a key means more than a member, a row has a read and a write function.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_FIELD_H
#define MIRRORSIM_SIM_SCENARIO_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/plan/plan.h"
#include "sim/scenario/value.h"

struct emit;
struct field;
struct loader;
struct yaml_node;

/* Reads the node into the record; notes mistakes and goes on. */
typedef void field_reader(struct loader *loader, const struct yaml_node *node,
                          const struct field *field, void *record);

/* Writes the key and its value, or nothing if the record says nothing that needs it. */
typedef void field_writer(struct emit *emit, const struct plan *plan, const struct field *field,
                          const void *record);

/* The head of such a function, most of which need not everything that they get. */
#define FIELD_READER(name)                                          \
    void name(struct loader *loader __attribute__((unused)),        \
              const struct yaml_node *node __attribute__((unused)), \
              const struct field *field __attribute__((unused)),    \
              void *record __attribute__((unused)))
#define FIELD_WRITER(name)                                       \
    void name(struct emit *emit __attribute__((unused)),         \
              const struct plan *plan __attribute__((unused)),   \
              const struct field *field __attribute__((unused)), \
              const void *record __attribute__((unused)))

/* What may stand somewhere; for those who describe the language. */
enum shape_kind {
    SHAPE_VALUE,   /* of `type`; it may be left to a choice */
    SHAPE_WORD,    /* `word` and nothing else */
    SHAPE_FLAG,    /* true */
    SHAPE_NAME,    /* a name that the file gives, or has given */
    SHAPE_TEXT,    /* any text */
    SHAPE_FREE,    /* whatever the file wants */
    SHAPE_MAPPING, /* `fields` */
    SHAPE_ONE,     /* {key: value}, one of `fields`; or the word alone, where a row allows it */
    SHAPE_NAMES,   /* {NAME: `of`, ...}; names are free, or of `type` */
    SHAPE_LIST,    /* [`of`, ...] */
    SHAPE_ANY,     /* one of `any` */
};

struct shape {
    enum shape_kind kind;
    const char *name; /* of what is said in several places, or has its table in the README */
    const char *word;
    const char *thing; /* NAME: what is named */
    const struct value_type *type;
    const struct field *fields;
    const struct shape *of;
    const struct shape *const *any; /* NULL ends the list */
    uint32_t least;                 /* LIST, NAMES: how many entries; */
    uint32_t most;                  /* 0: no bound */
    bool is_instant;                /* ONE: rows that take time don't count */
    field_reader *read;             /* for rows that have none */
    field_writer *write;
};

struct field {
    const char *key;               /* NULL ends a table */
    const char *doc;               /* one line */
    const struct value_type *type; /* a value, or ... */
    const struct shape *shape;     /* ... something else */
    size_t offset;                 /* of the member in the record */
    size_t width;
    int64_t otherwise;   /* the value that is meant without the key */
    field_reader *read;  /* NULL: as type or shape say */
    field_writer *write; /* NULL: as type or shape say; not if it is `otherwise`, or empty */
    int kind;            /* what rows that share functions differ in, an enumeration of theirs */
    const char *needs;   /* a key without which this one means nothing */
    uint8_t group;       /* exactly one of the rows of a group must be there; 0: no group */
    uint8_t turn;        /* rows are written by turns, in each in the table's order */
    bool required;
    bool always;          /* is written also where it is `otherwise` */
    bool alone;           /* of SHAPE_ONE: the word is enough */
    bool takes_time;      /* of SHAPE_ONE: can be a step, but not a reaction */
    uint32_t generations; /* GENERATION_BIT() of those that have the key; 0: all have it */
};

#define GENERATION_BIT(generation) (UINT32_C(1) << (generation))
#define IN_MODERN .generations = GENERATION_BIT(GENERATION_MODERN)
#define IN_2_2 .generations = GENERATION_BIT(GENERATION_2_2)

#define FIELD(key_, doc_, ...)                    \
    {                                             \
        .key = (key_), .doc = (doc_), __VA_ARGS__ \
    }
#define FIELD_END   \
    {               \
        .key = NULL \
    }
#define MEMBER(record, member) \
    .offset = offsetof(record, member), .width = sizeof(((record *)0)->member)

/* Shapes that stand in a row. */
#define SHAPE_OF(...) (&(const struct shape){__VA_ARGS__})
#define VALUE_OF(type_) SHAPE_OF(.kind = SHAPE_VALUE, .type = &(type_))
#define WORD_OF(word_) SHAPE_OF(.kind = SHAPE_WORD, .word = (word_))
#define LIST_OF(of_) SHAPE_OF(.kind = SHAPE_LIST, .of = (of_))
#define NAMES_OF(of_) SHAPE_OF(.kind = SHAPE_NAMES, .of = (of_))
#define MAPPING_OF(name_, fields_) \
    SHAPE_OF(.kind = SHAPE_MAPPING, .name = (name_), .fields = (fields_))
#define ALTERNATIVES(...)         \
    (const struct shape *const[]) \
    {                             \
        __VA_ARGS__, NULL         \
    }
#define ANY_OF(...) SHAPE_OF(.kind = SHAPE_ANY, .any = ALTERNATIVES(__VA_ARGS__))

/* As ANY_OF(), with a mapping by that table, which is what is written. */
#define OR_MAPPING_OF(name_, fields_, ...)           \
    SHAPE_OF(.kind = SHAPE_ANY, .fields = (fields_), \
             .any = ALTERNATIVES(__VA_ARGS__, MAPPING_OF(name_, fields_)))

/* The whole file. */
extern const struct shape shape_scenario;

/* Shared ones; each in the file of its subject. */
extern const struct shape shape_flag; /* a bool */
extern const struct shape shape_name;
extern const struct shape shape_text;
extern const struct shape shape_disk;  /* a disk's name; the index, a uint32_t */
extern const struct shape shape_fault; /* a fault's or hold's name */
extern const struct shape shape_mark;  /* a mark's name; the index, a uint32_t */
extern const struct shape shape_range;
extern const struct shape shape_disk_flags; /* a list; the bits, a uint32_t */
extern const struct shape shape_match;
extern const struct shape shape_event;
extern const struct shape shape_awaited;
extern const struct shape shape_answered;
extern const struct shape shape_counted;
extern const struct shape shape_timed;
extern const struct shape shape_query;
extern const struct shape shape_until;
extern const struct shape shape_latency;

static inline const void *field_member(const struct field *field, const void *record)
{
    return (const char *)record + field->offset;
}

static inline void *field_place(const struct field *field, void *record)
{
    return (char *)record + field->offset;
}

/* The member as a number; `type` says whether 32 bits have a sign. */
int64_t field_value(const struct field *field, const void *record);

/* Stores it in the member, as wide as that is. */
void field_store(const struct field *field, void *record, int64_t value);

/* Has a file of that generation the key? */
static inline bool field_is_in(const struct field *field, enum generation generation)
{
    return field->generations == 0 || (field->generations & GENERATION_BIT(generation)) != 0;
}

/* The row of a key, or of the first that has such a kind; NULL if there is none. */
const struct field *field_find(const struct field *fields, const char *key);
const struct field *field_of_kind(const struct field *fields, int kind);

/* ---- Writing by table ---- */

#define LAST_TURN 4

/* Every row of the table, into a mapping that stays open. */
void write_fields(struct emit *emit, const struct plan *plan, const struct field *fields,
                  const void *record);

/* One row; its write function may call this for the member as it is. */
void write_field(struct emit *emit, const struct plan *plan, const struct field *field,
                 const void *record);

/* As the type or shape say, also where it is `otherwise`. */
void write_member(struct emit *emit, const struct plan *plan, const struct field *field,
                  const void *record);

/* The key, and {...} by that table. */
void write_mapping(struct emit *emit, const struct plan *plan, const char *key,
                   const struct field *fields, const void *record);

/* A value after its key. */
void write_value(struct emit *emit, const char *key, const struct value_type *type, int64_t value);

/* For a key that others are written instead of, or that only a reader needs. */
field_writer write_nothing;

#endif
