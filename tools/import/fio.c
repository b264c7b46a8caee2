/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fio's iolog, versions 2 and 3, as `fio --write_iolog=FILE` writes it.
 *
 *   fio version 2 iolog
 *   FILE add|open|close
 *   FILE wait MICROSECONDS
 *   FILE read|write|trim|sync|datasync... OFFSET LENGTH
 *
 *   fio version 3 iolog
 *   TIME FILE add|open|close
 *   TIME FILE read|write|trim|sync|datasync... OFFSET LENGTH
 *
 * fio's manual gives no unit for TIME; in fact it writes and replays
 * microseconds since the start of the job.  In version 2 time passes only in `wait`.
 *
 * sync_file_range() begins to write data back; it promises nothing and flushes no cache, so that a
 * disk sees nothing of it.
 *
 * The name of a file may have blanks in it: the action is looked for from the end of the line.
 *
 * Declared in tools/import/import.h: one of the formats that can be read.
 */
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/yaml/nearest.h"
#include "tools/import/import.h"

static const struct fio_action {
    const char *name;
    enum { ABOUT_FILE, WAIT, RANGE, SYNC } kind;
    enum op op;
} actions[] = {
    {"read", RANGE, OP_READ},
    {"write", RANGE, OP_WRITE},
    {"trim", RANGE, OP_DISCARD},
    {"sync", SYNC, OP_FLUSH},
    {"datasync", SYNC, OP_FLUSH},
    {"add", ABOUT_FILE, OP_FLUSH},
    {"open", ABOUT_FILE, OP_FLUSH},
    {"close", ABOUT_FILE, OP_FLUSH},
    {"wait", WAIT, OP_FLUSH},
    {"syncfs", SYNC, OP_FLUSH},
    {"sync_file_range", ABOUT_FILE, OP_FLUSH},
};

#define ACTION_COUNT COUNT_OF(actions)

bool import_is_fio(const struct import_line *line)
{
    return line->number == 1 && line->word_count >= 2 && strcmp(line->words[0].text, "fio") == 0 &&
           strcmp(line->words[1].text, "version") == 0;
}

static void read_header(struct recording *recording, const struct import_line *line)
{
    const char *version = line->word_count > 2 ? line->words[2].text : "";

    if (!import_is_fio(line) || line->word_count != 4 ||
        strcmp(line->words[3].text, "iolog") != 0) {
        mistake_add(&recording->list, import_where(line, 0),
                    "an iolog begins with the line \"fio version 3 iolog\"");
        recording->is_over = true;
    } else if (strcmp(version, "2") != 0 && strcmp(version, "3") != 0) {
        mistake_add(&recording->list, import_where(line, 2), "only versions 2 and 3 are known");
        recording->is_over = true;
    }
    recording->version = *version == '2' ? 2 : 3;
}

/* ---- The words of a line ---- */

/* Where they are. */
struct layout {
    uint32_t file;
    uint32_t action;
};

static const struct fio_action *action_at(const struct import_line *line, uint32_t word)
{
    for (size_t i = 0; word < line->word_count && i < ACTION_COUNT; i++) {
        if (strcmp(actions[i].name, line->words[word].text) == 0) {
            return &actions[i];
        }
    }
    return NULL;
}

/* OFFSET LENGTH, nothing, or one number may follow the action. */
static struct layout find_words(const struct recording *recording, const struct import_line *line)
{
    static const uint32_t from_end[] = {3, 1, 2};
    uint32_t file = recording->version == 2 ? 0 : 1;

    for (size_t i = 0; i < COUNT_OF(from_end); i++) {
        uint32_t at = line->word_count - from_end[i];

        if (line->word_count > file + from_end[i] && action_at(line, at) != NULL) {
            return (struct layout){file, at};
        }
    }
    return (struct layout){file, file + 1};
}

/* From its first word to the blank before the action. */
static void read_file_name(const struct import_line *line, struct layout words,
                           char name[IMPORT_MAX_LINE_BYTES + 1])
{
    const struct import_word *first = &line->words[words.file];
    const struct import_word *last = &line->words[words.action - 1];
    size_t length = last->offset + strlen(last->text) - first->offset;

    memcpy(name, line->text + first->offset, length);
    name[length] = '\0';
}

static void refuse_action(struct recording *recording, const struct import_line *line,
                          struct layout words)
{
    const char *word = line->word_count > words.action ? line->words[words.action].text : "";
    const char *time = recording->version == 2 ? "" : "TIME ";
    struct nearest nearest = nearest_to(word);

    for (size_t i = 0; i < ACTION_COUNT; i++) {
        nearest_offer(&nearest, actions[i].name);
    }
    if (line->word_count <= words.action) {
        mistake_add(&recording->list, import_where(line, words.action),
                    "the line ends too soon: %sFILE ACTION [OFFSET LENGTH] is expected", time);
    } else if (nearest.best != NULL) {
        mistake_add(&recording->list, import_where(line, words.action),
                    "there is no action %s; did you mean %s?",
                    mistake_quote(&recording->list, word), nearest.best);
    } else {
        mistake_add(&recording->list, import_where(line, words.action),
                    "there is no action %s; it is one of read, write, trim, sync, datasync, add, "
                    "open, close",
                    mistake_quote(&recording->list, word));
    }
}

/* ---- Lines ---- */

static void let_time_pass(struct recording *recording, const struct import_line *line,
                          struct layout words)
{
    int64_t time_ns;

    if (import_time(recording, line, words.action + 1, "time in microseconds", NS_PER_US,
                    &time_ns) &&
        __builtin_add_overflow(recording->clock_ns, time_ns, &recording->clock_ns)) {
        recording->clock_ns = INT64_MAX;
    }
    recording->left_out.by_action++;
}

static void add(struct recording *recording, const struct import_line *line, struct layout words,
                const struct fio_action *action, int64_t time_ns)
{
    struct import_request request = {
        .time_ns = time_ns, .latency_ns = IMPORT_NO_LATENCY, .op = action->op};
    uint32_t last = words.action + 2;
    char name[IMPORT_MAX_LINE_BYTES + 1];

    if (line->word_count > last + 1) {
        mistake_add(&recording->list, import_where(line, last + 1),
                    "%s is one word too many: %sFILE ACTION OFFSET LENGTH is expected",
                    mistake_quote(&recording->list, line->words[last + 1].text),
                    recording->version == 2 ? "" : "TIME ");
    } else if (action->kind == SYNC ||
               (import_number(recording, line, words.action + 1, "offset", &request.offset) &&
                import_number(recording, line, last, "length", &request.bytes))) {
        read_file_name(line, words, name);
        import_add(recording, line, words.action + 1, name, &request);
    }
}

/* The time in the line, or of the last wait. */
static bool read_time(struct recording *recording, const struct import_line *line, int64_t *time_ns)
{
    uint64_t us;

    *time_ns = recording->clock_ns;
    if (recording->version == 2) {
        return true;
    }
    if (!import_number(recording, line, 0, "time in microseconds", &us)) {
        return false;
    }
    *time_ns = import_ns(us, NS_PER_US);
    return true;
}

void import_fio_line(struct recording *recording, const struct import_line *line)
{
    struct layout words = find_words(recording, line);
    const struct fio_action *action = action_at(line, words.action);
    int64_t time_ns;

    if (line->number == 1) {
        read_header(recording, line);
        return;
    }
    if (action == NULL) {
        refuse_action(recording, line, words);
    }
    if (!read_time(recording, line, &time_ns) || action == NULL) {
        return;
    }
    if (action->kind == WAIT && recording->version == 2) {
        let_time_pass(recording, line, words);
    } else if (action->kind == RANGE || action->kind == SYNC) {
        add(recording, line, words, action, time_ns);
    } else {
        recording->left_out.by_action++;
    }
}
