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
#include "sim/scenario/mistakes.h"
#include "sim/scenario/nearest.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/value.h"
#include "sim/scenario/yaml.h"

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
};

static inline bool loader_is_checking(const struct loader *loader)
{
    return loader->choice_spec == NULL;
}

/* ---- The matrix: scenario_matrix.c ---- */

/* Reads `matrix`, and checks that `vars` use nothing but its names. */
void matrix_read(struct matrix *matrix, const struct yaml_node *root,
                 struct mistake_list *mistakes);

/* Sets the values of a case; the last name varies fastest. */
void matrix_select(struct matrix *matrix, uint32_t number);

/* "policy=stop lanes=4" */
const char *matrix_name_case(const struct matrix *matrix, struct arena *arena);

/* ---- Nodes: scenario_read.c ---- */

/* Notes a mistake about a node; a broken node's is known already. */
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

/* ---- Mappings by table ---- */

typedef void part_reader(struct loader *loader, const struct yaml_node *node, void *record);

struct field {
    const char *key; /* NULL ends a table */
    bool required;
    part_reader *read;             /* gets the address of the record's member, or ... */
    const struct value_type *type; /* ... a value that is stored in it */
    size_t offset;
    size_t width;
};

#define FIELD_WIDTH(record, member) sizeof(((record *)0)->member)
#define FIELD_VALUE(key, type, record, member)                                           \
    {                                                                                    \
        key, false, NULL, &(type), offsetof(record, member), FIELD_WIDTH(record, member) \
    }
#define FIELD_PART(key, reader, record, member)                                         \
    {                                                                                   \
        key, false, reader, NULL, offsetof(record, member), FIELD_WIDTH(record, member) \
    }
#define FIELD_NEEDED_VALUE(key, type, record, member)                                   \
    {                                                                                   \
        key, true, NULL, &(type), offsetof(record, member), FIELD_WIDTH(record, member) \
    }
#define FIELD_NEEDED_PART(key, reader, record, member)                                 \
    {                                                                                  \
        key, true, reader, NULL, offsetof(record, member), FIELD_WIDTH(record, member) \
    }
/* A part whose reader gets the record itself. */
#define FIELD_WHOLE(key, reader)       \
    {                                  \
        key, false, reader, NULL, 0, 0 \
    }
#define FIELD_END                     \
    {                                 \
        NULL, false, NULL, NULL, 0, 0 \
    }

/*
 * Reads a mapping into a record, in the table's order; notes unknown and
 * missing keys.  `what` names the mapping in messages: "job".
 */
void read_fields(struct loader *loader, const struct yaml_node *node, const char *what,
                 const struct field *fields, void *record);

/* ---- Lists that grow: the next element of `*list`, zeroed ---- */

void *read_append(struct loader *loader, void *list, uint32_t *count, size_t bytes);

/* ---- Disks and the job: scenario_disk.c, scenario_job.c ---- */

void disk_read_names(struct loader *loader);
void disk_read_all(struct loader *loader);
bool disk_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *disk);
part_reader disk_read_index; /* a disk's name, into a uint32_t */
part_reader disk_read_flags; /* a list of open flags, into a uint32_t */

/* Where a disk ends; a commit grows its base to the length of the top. */
uint64_t disk_end(const struct plan *plan, uint32_t disk);

/* A disk's latencies by operation: scenario_latency.c. */
void latency_set_defaults(struct latency_spec *latency);
part_reader latency_read;

/* {at:, len:} or the name of such a variable; multiples of the type's. */
bool range_read(struct loader *loader, const struct yaml_node *node, const struct value_type *type,
                struct range_spec *range);

/* Notes a range that goes beyond a disk. */
void range_check(struct loader *loader, const struct yaml_node *node,
                 const struct range_spec *range, uint32_t disk);

void job_read(struct loader *loader);

/* The open flags of a disk for which the file gives none. */
uint32_t disk_default_flags(const struct plan_job *job, uint32_t disk);

/* ---- Matches: scenario_match.c ---- */

/* What `match` and `request` say. */
struct match_spec {
    struct request_match request;
    uint64_t nth;
};

part_reader match_read_request; /* into a struct match_spec */

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
};

/* What an event may say beside itself, by where it stands. */
enum event_place {
    PLACE_ALONE,    /* in a list of events */
    PLACE_AWAITED,  /* wait: nth, within, since */
    PLACE_ANSWERED, /* when: nth */
    PLACE_COUNTED,  /* times */
    PLACE_TIMED,    /* time */
};

bool event_read(struct loader *loader, const struct yaml_node *node, enum event_place place,
                struct event_spec *spec);

/* ---- Actions: scenario_action.c, scenario_query.c, scenario_story.c ---- */

/* Finds the names that actions give: holds, marks, tags. */
void story_read_names(struct loader *loader);
void story_read_steps(struct loader *loader);
void story_read_guest(struct loader *loader);
void story_read_reactions(struct loader *loader);

/* Refuses steps that can never happen. */
void story_check(struct loader *loader);

void action_read(struct loader *loader, const struct yaml_node *node, bool is_step,
                 struct action *action);
part_reader action_read_query; /* into a struct query_list */

struct query_list {
    struct query_check *checks;
    uint32_t count;
};

/* A guest request's keys, for tables of records that contain one. */
part_reader guest_read_write;
part_reader guest_read_write_zeroes;
part_reader guest_read_discard;
part_reader guest_read_read;
part_reader guest_read_flush;
part_reader guest_read_tag;
part_reader guest_read_latency;

#define GUEST_FIELDS(record, member)                                         \
    FIELD_PART("write", guest_read_write, record, member),                   \
        FIELD_PART("write-zeroes", guest_read_write_zeroes, record, member), \
        FIELD_PART("discard", guest_read_discard, record, member),           \
        FIELD_PART("read", guest_read_read, record, member),                 \
        FIELD_PART("flush", guest_read_flush, record, member),               \
        FIELD_PART("tag", guest_read_tag, record, member),                   \
        FIELD_PART("latency", guest_read_latency, record, member)

/* Notes a request that says nothing to do; `node` is its mapping. */
void guest_check(struct loader *loader, const struct yaml_node *node,
                 const struct guest_request *request);

/* ---- Generators: scenario_generator.c, scenario_draw.c ---- */

/* True if the entry of `guest` is a generator, and not one request. */
bool generator_is_meant(const struct yaml_node *node);

/* Reads it into a new generator of the plan. */
void generator_read(struct loader *loader, const struct yaml_node *node);

/* A drawn request, into a struct mix_spec. */
part_reader draw_read_write;
part_reader draw_read_write_zeroes;
part_reader draw_read_discard;
part_reader draw_read_read;

/* ---- Faults, expectations, the rest ---- */

void fault_read_names(struct loader *loader);
void fault_read_all(struct loader *loader);

/* The fault of a hold step, first by name, then as it is. */
void fault_add_hold(struct loader *loader, const struct yaml_node *node);
void fault_read_hold(struct loader *loader, const struct yaml_node *node, uint32_t *fault);
bool fault_read_reference(struct loader *loader, const struct yaml_node *node, uint32_t *fault);
bool fault_read_mark(struct loader *loader, const struct yaml_node *node, uint32_t *mark);

void expect_read_all(struct loader *loader);

/* Reads everything into loader->plan: scenario_plan.c. */
void scenario_read_plan(struct loader *loader);

#endif
