/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the scenario loader share.
 *
 * The tree of a file is read into a plan by tables: a mapping is a list of
 * fields, a field is a value of a type (sim/scenario/value.h) or a part with a
 * reader of its own.  The same code checks a file and makes its plans:
 *
 * - Checking (loader->choice_spec is NULL) reads every alternative of a `choose`
 *   and goes on with the greatest, or with the least where that is what can
 *   go wrong (the size of a disk), so that whatever is chosen later is right.
 * - Planning asks the choices, and no mistake can be left.
 *
 * A reader notes what is wrong and goes on: nothing is said twice, and what
 * could not be read keeps its default.
 */
#ifndef MIRRORSIM_SIM_SCENARIO_PRIVATE_H
#define MIRRORSIM_SIM_SCENARIO_PRIVATE_H

#include <string.h>

#include "sim/plan/plan.h"
#include "sim/scenario/field.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/value.h"
#include "sim/yaml/emit.h"
#include "sim/yaml/mistakes.h"
#include "sim/yaml/nearest.h"
#include "sim/yaml/yaml.h"

#define SCENARIO_MAX_AXES 16       /* names in `matrix` */
#define SCENARIO_MAX_ACTIONS 10000 /* steps; guest requests; reactions; expectations */
#define SCENARIO_MAX_FAULTS 1000   /* holds included */
#define SCENARIO_MAX_MARKS 1000
#define SCENARIO_MAX_DECISIONS 1000

/* A name of `matrix` and the value it has in the case that is being read. */
struct axis {
    const char *name;
    const struct yaml_node *values;
    const struct yaml_node *value;
};

struct matrix {
    struct axis axes[SCENARIO_MAX_AXES];
    uint32_t count;
    uint32_t cases; /* at least 1 */
};

/* What was picked at a `choose` or `range`: once, however often it is read. */
struct decision {
    struct decision *next;
    const struct yaml_node *node;
    const char *site;
    bool is_made;
    uint32_t pick;
};

struct loader {
    struct mistake_list *mistakes;
    struct plan *plan;
    struct arena *arena;                   /* the plan's */
    const struct choice_spec *choice_spec; /* NULL: checking */
    struct choices *choices;               /* from it, once `choices` has been read */
    const struct yaml_node *root;
    const struct matrix *matrix;
    struct decision *decisions;
    uint32_t decision_count;
    uint32_t variable_nodes; /* what variables add to the file, in nodes */
    bool want_least;         /* checking goes on with the least alternative */
    uint32_t sized_disks;    /* bit per disk: its size could be read */
    uint32_t flagged_disks;  /* bit per disk: the file gives its flags */
    const char **guest_tags; /* of all guest requests */
    uint32_t guest_tag_count;

    /* Mappings with a misspelled key, as far as there is room: what else they lack is that key. */
    const struct yaml_node *misspelled[8];
    uint32_t misspelled_count;
};

static inline bool loader_is_checking(const struct loader *loader)
{
    return loader->choice_spec == NULL;
}

/* ---- The matrix: matrix.c ---- */

/* Reads `matrix`, and checks that `vars` use nothing but its names. */
void matrix_read(struct matrix *matrix, const struct yaml_node *root,
                 struct mistake_list *mistakes);

/* Sets the values of a case; the last name varies fastest. */
void matrix_select(struct matrix *matrix, uint32_t number);

/* "policy=stop lanes=4" */
const char *matrix_name_case(const struct matrix *matrix, struct arena *arena);

/* ---- Nodes: read.c ---- */

/*
 * Notes a mistake about a node; a broken node's is known already, and so is what a mapping with a
 * misspelled key lacks.  A value of the matrix is shown where it stands.
 */
void read_mistake(struct loader *loader, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text from the file in quotes, for a mistake. */
const char *read_quote(struct loader *loader, const char *text);

/* The node that is meant: `${name}` of a variable is the variable's value. */
const struct yaml_node *read_resolve(struct loader *loader, const struct yaml_node *node);

/* The value of a variable, or NULL. */
const struct yaml_node *read_variable(struct loader *loader, const char *name);

/* The text of a scalar with every `${name}` replaced; NULL after noting a mistake. */
const char *read_text(struct loader *loader, const struct yaml_node *node, const char *what);

/* True if the node is this very word. */
bool read_is_word(struct loader *loader, const struct yaml_node *node, const char *word);

/* A name that the file gives to something: a word; in the plan's arena. */
const char *read_name(struct loader *loader, const struct yaml_node *node, const char *what);

/* Any text on one line, for people; in the plan's arena. */
const char *read_line(struct loader *loader, const struct yaml_node *node, const char *what);

/* `true`, after a key that needs no more. */
bool read_flag(struct loader *loader, const struct yaml_node *node);

/* Resolves; false after noting that it is not a mapping (a sequence). */
bool read_mapping(struct loader *loader, const struct yaml_node **node, const char *what);
bool read_sequence(struct loader *loader, const struct yaml_node **node, const char *what);

/*
 * The only entry of a mapping such as a step, or NULL after noting a mistake
 * that begins with the right shape: "a step is one {key: value}".
 */
const struct yaml_node *read_single(struct loader *loader, const struct yaml_node *node,
                                    const char *shape);

/* "no `what` is called "x"; did you mean "y"?" */
void read_unknown_name(struct loader *loader, const struct yaml_node *node, const char *what,
                       const char *name, const struct nearest *nearest);

/* ---- Mappings by table: sim/scenario/field.h ---- */

/*
 * Reads a mapping into a record, in the table's order; notes unknown and
 * missing keys.  `what` names the mapping in messages: "job".
 */
void read_fields(struct loader *loader, const struct yaml_node *node, const char *what,
                 const struct field *fields, void *record);

/* The value of one row's key. */
void read_field(struct loader *loader, const struct yaml_node *node, const struct field *field,
                void *record);

/* False after noting that the row's key (`what`: "key", "step") is of another generation. */
bool read_is_in(struct loader *loader, const struct yaml_node *node, const struct field *field,
                const char *what);

/* How many keys of a group the mapping has. */
uint32_t read_count_group(const struct yaml_node *node, const struct field *fields, uint8_t group);

/* "start, complete, ...", a piece of the next mistake. */
const char *read_list_keys(struct loader *loader, const struct field *fields);

/* ---- Lists that grow: the next element of `*list`, zeroed ---- */

void *read_append(struct loader *loader, void *list, uint32_t *count, size_t bytes);

/* ---- Disks, their ranges, and the job: disk.c, range.c, job.c ---- */

void disk_read_names(struct loader *loader);
bool disk_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *disk);
field_reader disk_read_all;
field_writer disk_write_all;

/* A list of open flags, into a uint32_t. */
field_reader disk_read_flags;
field_writer disk_write_flags;

/* Where a disk ends; a commit grows its base to the length of the top. */
uint64_t disk_end(const struct plan *plan, uint32_t disk);

/* A disk's latencies by operation: latency.c. */
void latency_set_defaults(struct latency_spec *latency);

/* {at:, len:} or the name of such a variable; multiples of the type's. */
bool range_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                struct range_spec *range);
void range_write(FILE *file, uint64_t offset, uint64_t bytes);

/* Notes a range that goes beyond a disk. */
void range_check(struct loader *loader, const struct yaml_node *node,
                 const struct range_spec *range, uint32_t disk);

field_reader job_read;
field_writer job_write;
extern const struct shape shape_job;

/* The open flags of a disk for which the file gives none. */
uint32_t disk_default_flags(const struct plan_job *job, uint32_t disk);

/* ---- Matches: match.c, event.c ---- */

/* What `match` and `request` say. */
struct match_spec {
    struct request_match request;
    uint64_t nth;
};

void match_read(struct loader *loader, const struct yaml_node *node, struct match_spec *match);
void match_write(struct emit *emit, const struct plan *plan, const char *key,
                 const struct match_spec *match);

/* The rows of a `struct request_match`; `overlaps` needs the disks. */
field_reader match_read_disks;
field_writer match_write_disks;
field_reader match_read_ops;
field_writer match_write_ops;
field_reader match_read_overlaps;
field_writer match_write_overlaps;
extern const struct shape shape_match_disks;
extern const struct shape shape_match_ops;

#define REQUEST_FIELDS(record, member)                                                          \
    FIELD("disk", "A disk, or a list of disks.", .shape = &shape_match_disks,                   \
          MEMBER(record, member.disks), .read = match_read_disks, .write = match_write_disks),  \
        FIELD("op", "An operation, a list of operations, or any.", .shape = &shape_match_ops,   \
              MEMBER(record, member.ops), .read = match_read_ops, .write = match_write_ops),    \
        FIELD("by", "Who makes the request: job, guest, or active: the job for a guest write.", \
              .type = &type_by, MEMBER(record, member.by), .otherwise = BY_NONE),               \
        FIELD("overlaps", "A range that the request touches.", .shape = &shape_range,           \
              MEMBER(record, member), .read = match_read_overlaps, .write = match_write_overlaps)

/* What can be said about an event, and how often, where that is asked. */
struct event_spec {
    struct event_match match;
    struct match_spec request;
    uint64_t nth;
    uint64_t times;
    uint64_t time_ns;
    uint64_t within_ns;
    bool has_times;
    bool has_time;
    bool since_start;
    bool waits_concluded;
    bool waits_guest;
    const char *waits_tag; /* ... for a request of it by name; NULL: until it is idle */
    bool waits_progress;
    uint64_t progress_ppm; /* 0: bytes */
    uint64_t progress_bytes;
};

/* Of any event; and of any that is such a match. */
struct event_spec event_any(void);
struct event_spec event_matching(const struct event_match *match);

/* The shape, of shape_event and its like, says what may stand beside the event. */
bool event_read(struct loader *loader, const struct yaml_node *node, const struct shape *place,
                struct event_spec *spec);

/* All of it, {...}; or its name alone if that says all. */
void event_write(FILE *file, const struct plan *plan, const struct shape *place,
                 const struct event_spec *spec);
void event_write_short(FILE *file, const struct plan *plan, const struct event_match *match);

/* Does its name say all? */
bool event_is_bare(const struct event_match *match);

/* `when`, into a struct event_spec. */
field_reader event_read_when;
field_writer event_write_when;

/* ---- Actions: action.c, guest.c, wait.c, query.c; story.c ---- */

/* Finds the names that actions give: holds, marks, tags. */
void story_read_names(struct loader *loader);
field_reader story_read_steps;
field_writer story_write_steps;
field_reader story_read_guest;
field_writer story_write_guest;
field_reader story_read_reactions;
field_writer story_write_reactions;
extern const struct shape shape_steps;
extern const struct shape shape_repeat;
extern const struct shape shape_guest;
extern const struct shape shape_reactions;

/* The section's list or mapping, if it is there and not too long. */
const struct yaml_node *story_find_section(struct loader *loader, const char *key,
                                           enum yaml_kind kind);

/* Refuses steps that can never happen. */
void story_check(struct loader *loader);

void action_read(struct loader *loader, const struct yaml_node *node, bool is_step,
                 struct action *action);

/* A step after the "- " of its list; a reaction as a value. */
void action_write(FILE *file, const struct plan *plan, const struct action *action, bool is_step);
extern const struct shape shape_step;
extern const struct shape shape_action;

field_reader wait_read;
field_writer wait_write;
extern const struct shape shape_wait;

/* `query`, of a list of checks. */
struct query_list {
    struct query_check *checks;
    uint32_t count;
};

void query_read(struct loader *loader, const struct yaml_node *node, struct query_list *list);
void query_write(struct emit *emit, const struct plan *plan, const char *key,
                 struct query_check *checks, uint32_t count);

/* A guest request's rows, for tables of records that contain one: guest.c. */
field_reader guest_read_request;
field_writer guest_write_request;
field_reader guest_read_op;
field_reader guest_read_range;
field_reader guest_read_tag;
field_writer guest_write_tag;
field_reader guest_read_latency;
field_writer guest_write_latency;

#define GUEST_OPERATION(word, op_, doc_, record, member, ...)            \
    FIELD(word, doc_, MEMBER(record, member), .kind = (op_), .group = 1, \
          .read = guest_read_request, .write = guest_write_request, .turn = 1, __VA_ARGS__)

/* When, which an entry of `guest` says, comes first in what is written; the tag comes last. */
#define GUEST_FIELDS(record, member)                                                            \
    GUEST_OPERATION("write", OP_WRITE, "The guest writes this range.", record, member,          \
                    .shape = &shape_range),                                                     \
        GUEST_OPERATION("write-zeroes", OP_WRITE_ZEROES, "The guest writes zeroes.", record,    \
                        member, .shape = &shape_range),                                         \
        GUEST_OPERATION("discard", OP_DISCARD, "The guest discards.", record, member,           \
                        .shape = &shape_range),                                                 \
        GUEST_OPERATION("read", OP_READ, "The guest reads.", record, member,                    \
                        .shape = &shape_range),                                                 \
        GUEST_OPERATION("flush", OP_FLUSH, "The guest flushes.", record, member,                \
                        .shape = &shape_flag),                                                  \
        FIELD("op", "What it does, instead of a key for it: where a matrix says which.",        \
              .type = &type_op, MEMBER(record, member), .group = 1, .read = guest_read_op,      \
              .write = write_nothing),                                                          \
        FIELD("range", "Where; a flush ignores it.", .shape = &shape_range,                     \
              MEMBER(record, member), .needs = "op", .read = guest_read_range,                  \
              .write = write_nothing),                                                          \
        FIELD("tag", "The name by which expectations know what it has written.",                \
              .shape = &shape_name, MEMBER(record, member), .read = guest_read_tag,             \
              .write = guest_write_tag, .turn = 3),                                             \
        FIELD("latency", "How long it takes, whatever the disk says.", .type = &type_time,      \
              MEMBER(record, member), .read = guest_read_latency, .write = guest_write_latency, \
              .turn = 2)

/* The tag of that name; NULL after noting that no guest request has it. */
const char *guest_find_tag(struct loader *loader, const struct yaml_node *node, const char *name);

/* Notes a request that says nothing to do; `node` is its mapping. */
void guest_check(struct loader *loader, const struct yaml_node *node,
                 const struct guest_request *request);

/* A request with one of that op's rows; false after noting that it has one already. */
void guest_set_op(struct loader *loader, const struct yaml_node *node,
                  struct guest_request *request, int op);

field_reader guest_read_step;
extern const struct shape shape_guest_step;

/* ---- Generators: generator.c, draw.c ---- */

/* True if the entry of `guest` is a generator, and not one request. */
bool generator_is_meant(const struct yaml_node *node);

/* Reads it into a new generator of the plan. */
void generator_read(struct loader *loader, const struct yaml_node *node);
void generator_write(struct emit *guest, const struct plan *plan,
                     const struct generator_spec *spec);
extern const struct shape shape_generator;

/* A drawn request, into a struct mix_spec. */
field_reader draw_read;
field_writer draw_write;
extern const struct shape shape_drawn;

/* ---- Faults, expectations, the rest ---- */

void fault_read_names(struct loader *loader);
field_reader fault_read_all;
field_writer fault_write_all;
extern const struct shape shape_faults;

/* A new fault of that name; NULL, after noting it, if the name is taken. */
struct fault_spec *fault_add(struct loader *loader, const struct yaml_node *node, const char *name);

/* Notes operations that the fault's match names and that it can do nothing to. */
void fault_check_ops(struct loader *loader, const struct yaml_node *node,
                     const struct fault_spec *fault);

/* Rows of a fault that hold steps have, too. */
field_reader fault_read_match;
field_writer fault_write_match;

/* The fault of a hold step, first by name, then as it is: hold.c. */
void fault_add_hold(struct loader *loader, const struct yaml_node *node);
field_reader fault_read_hold;
field_writer fault_write_hold;
extern const struct shape shape_hold;

/* The index of that name, or PLAN_NONE: match.c. */
uint32_t fault_find(const struct plan *plan, const char *name);
bool fault_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *fault);
bool fault_read_mark(struct loader *loader, const struct yaml_node *node, uint32_t *mark);

/* Cases of the matrix, into a bool: is the present one none of them? */
field_reader case_read;
field_reader xfail_read;
field_writer xfail_write_all;
extern const struct shape shape_xfails;

field_reader expect_read_all;
field_writer expect_write_all;
extern const struct shape shape_expect;

extern const struct shape shape_disks;

/* Reads everything into loader->plan: plan.c. */
void scenario_read_plan(struct loader *loader);

#endif
