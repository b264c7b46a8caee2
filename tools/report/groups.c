/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of groups, each with the list of its stories.
 */
#include "tools/report/groups.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/verdict/finding.h"
#include "tools/base/support.h"

/* A case of a file, and its seeds that failed. */
struct story {
    const char *file;
    char *title; /* without the seed */
    uint32_t case_number;
    uint64_t first_seed;
    uint64_t runs;
};

struct group {
    struct run_finding
        finding; /* the first run's first; FINDING_NONE: it passed, in spite of an xfail */
    char *title; /* the first run's */
    struct story *stories;
    size_t story_count;
    uint64_t runs;
};

struct groups {
    struct group *list;
    size_t count;
};

struct groups *groups_create(void)
{
    return must_alloc(sizeof(struct groups));
}

void groups_free(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        for (size_t j = 0; j < groups->list[i].story_count; j++) {
            free(groups->list[i].stories[j].title);
        }
        free(groups->list[i].stories);
        free(groups->list[i].title);
    }
    free(groups->list);
    free(groups);
}

/* ---- Alike ---- */

static bool begins_amount(const char *before, const char *at)
{
    bool begins_word = at == before || strchr(" (\"#", at[-1]) != NULL;

    return begins_word && *at >= '0' && *at <= '9';
}

/* True if both are equal except for words that begin with a digit. */
static bool says_same(const char *a, const char *b)
{
    const char *starts[] = {a, b};

    while (*a != '\0' && *b != '\0') {
        bool amount = begins_amount(starts[0], a);

        if (amount != begins_amount(starts[1], b) || (!amount && *a != *b)) {
            return false;
        }
        a += amount ? strcspn(a, " ,;:)\"") : 1;
        b += amount ? strcspn(b, " ,;:)\"") : 1;
    }
    return *a == *b;
}

static bool needs_sentence(const struct run_finding *finding)
{
    return finding->about == ABOUT_BOTH ||
           (finding->id != FINDING_NONE &&
            finding_is(finding->id, FINDING_COMMON | FINDING_OF_SCENARIO));
}

static bool is_alike(const struct run_finding *a, const struct run_finding *b)
{
    return a->id == b->id && a->about == b->about &&
           (!needs_sentence(a) || says_same(a->text, b->text));
}

/* ---- Adding ---- */

static struct group *group_of(struct groups *groups, const struct run_finding *finding)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (is_alike(&groups->list[i].finding, finding)) {
            return &groups->list[i];
        }
    }
    groups->list = must_grow(groups->list, groups->count, sizeof(*groups->list));
    groups->list[groups->count] = (struct group){.finding = *finding};
    return &groups->list[groups->count++];
}

static bool is_story_of(const struct story *story, const struct report_run *run, const char *title)
{
    return story->file == run->file && story->case_number == run->case_number &&
           strcmp(story->title, title) == 0;
}

/* The seeds of a story come one after the other. */
static void add_story(struct group *group, const struct report_run *run)
{
    struct report_run story = *run;
    struct story *last = group->story_count > 0 ? &group->stories[group->story_count - 1] : NULL;
    char *title;

    story.seed = 0;
    title = report_title(&story);
    if (last != NULL && is_story_of(last, run, title)) {
        last->runs++;
        free(title);
        return;
    }
    group->stories = must_grow(group->stories, group->story_count, sizeof(*group->stories));
    group->stories[group->story_count++] = (struct story){.file = run->file,
                                                          .title = title,
                                                          .case_number = run->case_number,
                                                          .first_seed = run->seed,
                                                          .runs = 1};
}

const char *groups_add(struct groups *groups, const struct report_run *run)
{
    static const struct run_finding none;
    const struct run_finding *finding =
        run->result->finding_count > 0 ? &run->result->findings[0] : &none;
    struct group *group = group_of(groups, finding);

    add_story(group, run);
    if (group->runs++ == 0) {
        group->title = report_title(run);
        return NULL;
    }
    return group->title;
}

/* ---- Showing ---- */

static void write_kind(const struct run_finding *finding, FILE *out)
{
    if (finding->id == FINDING_NONE) {
        fputs("passed in spite of its xfail", out);
    } else {
        fprintf(out, "%s (%s)", finding_by(finding->id), finding_kind_name(finding->id));
    }
}

static bool is_told(const struct run_result *result, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++) {
        if (result->findings[i].id == result->findings[number].id) {
            return true;
        }
    }
    return false;
}

void groups_write_kinds(const struct report_run *run, FILE *out)
{
    static const struct run_finding none;
    const struct run_result *result = run->result;

    if (result->finding_count == 0) {
        write_kind(&none, out);
    }
    for (uint32_t i = 0; i < result->finding_count; i++) {
        if (!is_told(result, i)) {
            fputs(i > 0 ? ", " : "", out);
            write_kind(&result->findings[i], out);
        }
    }
}

static char *name_story(const struct story *story)
{
    char *name;
    size_t size;
    FILE *out = must_memstream(&name, &size);

    fputs(story->title, out);
    if (story->first_seed != 0 || story->runs > 1) {
        fprintf(out, " (seed %" PRIu64, story->first_seed);
        if (story->runs > 1) {
            fprintf(out, " and %" PRIu64 " more", story->runs - 1);
        }
        fputc(')', out);
    }
    fclose(out);
    return name;
}

/* A name is not broken, so that it can be looked for. */
static void list_stories(const struct group *group, FILE *out, size_t columns)
{
    size_t used = 0;

    for (size_t i = 0; i < group->story_count; i++) {
        char *name = name_story(&group->stories[i]);
        size_t length = strlen(name);

        if (used > 0 && used + 2 + length + 1 > columns) {
            fputs(",\n", out);
            used = 0;
        }
        used += (size_t)fprintf(out, "%s%s", used > 0 ? ", " : "    ", name);
        free(name);
    }
    fputc('\n', out);
}

void groups_show(const struct groups *groups, FILE *out, unsigned columns)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct group *group = &groups->list[i];

        fprintf(out, "failed, %" PRIu64 " run%s: ", group->runs, group->runs == 1 ? "" : "s");
        write_kind(&group->finding, out);
        fputc('\n', out);
        list_stories(group, out, columns);
    }
}
