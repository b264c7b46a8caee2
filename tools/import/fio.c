/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fio's iolog, version 3, as `fio --write_iolog=FILE` writes it.
 *
 *   fio version 3 iolog
 *   TIME FILE add|open|close
 *   TIME FILE read|write|trim|sync|datasync OFFSET LENGTH
 *
 * fio's manual gives no unit for TIME; in fact it writes and replays
 * microseconds since the start of the job.  Version 2 has no times.
 *
 * Declared in tools/import/import.h: one of the formats that can be read.
 */
#include <string.h>

#include "engine/range.h"
#include "engine/units.h"
#include "sim/yaml/nearest.h"
#include "tools/import/import.h"

#define NS_PER_US UINT64_C(1000)

/* The words of a line. */
enum {
    TIME_WORD,
    FILE_WORD,
    ACTION_WORD,
    OFFSET_WORD,
    LENGTH_WORD,
    WORDS,
};

static const struct fio_action {
    const char *name;
    bool is_request;
    enum op op;
} actions[] = {
    {"read", true, OP_READ},      {"write", true, OP_WRITE},
    {"trim", true, OP_DISCARD},   {"sync", true, OP_FLUSH},
    {"datasync", true, OP_FLUSH}, {"add", false, OP_FLUSH},
    {"open", false, OP_FLUSH},    {"close", false, OP_FLUSH},
    {"wait", false, OP_FLUSH}, /* only in version 2: version 3 has times instead */
};

#define ACTION_COUNT COUNT_OF(actions)

bool import_looks_like_fio(const struct import_line *line)
{
    return line->number == 1 && line->word_count >= 2 && strcmp(line->words[0].text, "fio") == 0 &&
           strcmp(line->words[1].text, "version") == 0;
}

static void read_header(struct recording *recording, const struct import_line *line)
{
    if (!import_looks_like_fio(line) || line->word_count != 4 ||
        strcmp(line->words[3].text, "iolog") != 0) {
        mistake_add(&recording->list, import_where(line, 0),
                    "an iolog begins with the line \"fio version 3 iolog\"");
        recording->is_over = true;
    } else if (strcmp(line->words[2].text, "3") != 0) {
        mistake_add(&recording->list, import_where(line, 2),
                    "only version 3 has times: record with `--write_iolog` of fio 3.31 or newer");
        recording->is_over = true;
    }
}

static const struct fio_action *find_action(struct recording *recording,
                                            const struct import_line *line)
{
    const char *word = line->word_count > ACTION_WORD ? line->words[ACTION_WORD].text : "";
    struct nearest nearest = nearest_to(word);

    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(actions[i].name, word) == 0) {
            return &actions[i];
        }
        nearest_offer(&nearest, actions[i].name);
    }
    if (line->word_count <= ACTION_WORD) {
        mistake_add(&recording->list, import_where(line, ACTION_WORD),
                    "the line ends too soon: TIME FILE ACTION [OFFSET LENGTH] is expected");
    } else if (nearest.best != NULL) {
        mistake_add(&recording->list, import_where(line, ACTION_WORD),
                    "there is no action %s; did you mean %s?",
                    mistake_quote(&recording->list, word), nearest.best);
    } else {
        mistake_add(&recording->list, import_where(line, ACTION_WORD),
                    "there is no action %s; it is one of read, write, trim, sync, datasync, add, "
                    "open, close",
                    mistake_quote(&recording->list, word));
    }
    return NULL;
}

/* Offsets and lengths are in bytes and must be whole sectors. */
static bool read_bytes(struct recording *recording, const struct import_line *line, uint32_t word,
                       const char *what, uint64_t *bytes)
{
    if (!import_number(recording, line, word, what, bytes)) {
        return false;
    }
    if (*bytes % SECTOR_BYTES != 0) {
        mistake_add(&recording->list, import_where(line, word),
                    "the %s must be a multiple of 512, not %s: record with a block size that is",
                    what, mistake_quote(&recording->list, line->words[word].text));
        return false;
    }
    return true;
}

static bool read_range(struct recording *recording, const struct import_line *line,
                       struct import_request *request)
{
    return request->op == OP_FLUSH ||
           (read_bytes(recording, line, OFFSET_WORD, "offset", &request->offset) &&
            read_bytes(recording, line, LENGTH_WORD, "length", &request->bytes));
}

void import_fio_line(struct recording *recording, const struct import_line *line)
{
    const struct fio_action *action;
    struct import_request request = {0};

    if (line->number == 1) {
        read_header(recording, line);
        return;
    }
    action = find_action(recording, line);
    if (!import_number(recording, line, TIME_WORD, "time in microseconds", &request.time_ns) ||
        action == NULL) {
        return;
    }
    if (__builtin_mul_overflow(request.time_ns, NS_PER_US, &request.time_ns)) {
        request.time_ns = UINT64_MAX;
    }
    request.op = action->op;
    if (line->word_count > WORDS) {
        mistake_add(&recording->list, import_where(line, WORDS),
                    "%s is one word too many: TIME FILE ACTION OFFSET LENGTH is expected",
                    mistake_quote(&recording->list, line->words[WORDS].text));
    } else if (!action->is_request) {
        recording->left_out.by_action++;
    } else if (read_range(recording, line, &request)) {
        import_add(recording, line, OFFSET_WORD, line->words[FILE_WORD].text, &request);
    }
}
