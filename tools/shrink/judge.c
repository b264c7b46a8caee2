/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker that judges candidates, and the protocol for asking it.
 */
#include "tools/shrink/judge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/scenario/scenario.h"
#include "sim/scenario/write.h"
#include "tools/base/support.h"
#include "tools/run/pipe.h"

/* If generators make more requests than this, writing them out is not worth it. */
#define MAX_SCRIPTED 2000

/* ---- In the worker ---- */

struct bench {
    const struct judge *judge;
    struct run_progress *progress;
    struct world *world; /* the last run's world, whose memory the next run uses */
    struct trace trace;
};

/* One run: its question and its parts. */
struct trial {
    struct judge_question question;
    const char *text;
    struct plan *plan;
    struct run_result *result;
    FILE *answer;
};

/* How much of a run has been recorded. */
struct written {
    uint32_t choices;
    uint32_t steps;
};

/*
 * Writes lines "choice NTH PICK SITE", "steps COUNT" (steps that have begun) and "failed
 * STEP". They are written after every event, so the record of a run that dies lacks only
 * its last event.
 */
static void write_record(struct world *world, struct written *written, FILE *answer)
{
    uint32_t steps = world_evidence(world)->steps_run;
    uint32_t count;
    const struct choice_answer *choices = world_choices(world, &count);

    for (uint32_t i = written->choices; i < count; i++) {
        fprintf(answer, "choice %" PRIu32 " %" PRIu32 " %s\n", choices[i].nth, choices[i].pick,
                choices[i].site);
    }
    if (steps > written->steps) {
        fprintf(answer, "steps %" PRIu32 "\n", steps);
    }
    if (count > written->choices || steps > written->steps) {
        fflush(answer);
    }
    *written = (struct written){count, steps};
}

/* A query does not change anything. */
static bool acts(const struct action *action)
{
    return action->kind != DO_QUERY && action->kind != DO_QUERY_DISK;
}

/*
 * A run that ended because of too many findings has not judged its last step,
 * so that step counts as failed.
 */
static void write_failed(const struct trial *trial, const struct verdict *verdict, uint32_t steps)
{
    const struct plan *plan = trial->plan;

    if (verdict->dropped > 0 && steps > 0) {
        fprintf(trial->answer, "failed %" PRIu32 "\n", steps - 1);
    }
    for (uint32_t i = 0; i < verdict->finding_count; i++) {
        const struct where *where = &verdict->findings[i].where;

        for (uint32_t j = 0; j < plan->step_count; j++) {
            const struct action *step = &plan->steps[j];

            if (acts(step) && step->where.line == where->line &&
                step->where.column == where->column) {
                fprintf(trial->answer, "failed %" PRIu32 "\n", j);
            }
        }
    }
}

static void run_plan(struct bench *bench, struct trial *trial)
{
    struct world_options options =
        runner_options(trial->plan, bench->judge->engine, trial->question.seed);
    struct written written = {0};
    const struct verdict *verdict;

    bench->world = runner_world(bench->world, trial->plan, &options, &bench->trace);
    while (world_step(bench->world)) {
        run_progress_step(bench->progress, trial->plan, bench->judge->engine, bench->world);
        if (trial->question.task == JUDGE_RECORD) {
            write_record(bench->world, &written, trial->answer);
        }
        if (world_events(bench->world) > trial->question.max_events) {
            trial->result->outcome = OUTCOME_INVALID;
            return;
        }
    }
    verdict = world_judge(bench->world);
    run_result_fill(trial->result, trial->plan, verdict);
    if (trial->question.task == JUDGE_RECORD) {
        write_failed(trial, verdict, world_evidence(bench->world)->steps_run);
    }
}

/* ---- Requests of generators, written out ---- */

static bool is_first_of_request(const struct event *event, uint32_t last)
{
    return (event->kind == EVENT_REQUEST_QUEUED || event->kind == EVENT_REQUEST_SUBMIT) &&
           event->by == BY_GUEST && event->request > last;
}

/* The generator that made the request, or NULL. */
static const struct generator_spec *generator_of(const struct plan *plan, const struct event *event)
{
    uint32_t first = plan_generator_number(plan, 0) + 1;

    return event->index >= first && event->index < first + plan->generator_count
               ? &plan->generators[event->index - first]
               : NULL;
}

static struct timed_spec scripted(const struct plan *plan, const struct generator_spec *generator,
                                  const struct event *event)
{
    return (struct timed_spec){
        .at_ns = event->now_ns,
        .action = {.kind = DO_GUEST,
                   .guest = {.op = event_op(event),
                             .offset = event->offset,
                             .bytes = event->bytes,
                             .tag = arena_printf(plan->arena, "%.50s-%" PRIu32, generator->name,
                                                 event->request)}}};
}

/* Requests after the first finding cannot have caused it, so they are not written. */
static void write_script(const struct bench *bench, struct trial *trial)
{
    struct plan *plan = trial->plan;
    struct timed_spec *timed =
        arena_alloc(plan->arena, (plan->timed_count + MAX_SCRIPTED) * sizeof(*timed));
    uint32_t count = plan->timed_count;
    uint32_t last = 0;
    uint64_t until_ns = trial->result->finding_count > 0 ? trial->result->findings[0].now_ns : 0;

    if (plan->timed_count > 0) {
        memcpy(timed, plan->timed, plan->timed_count * sizeof(*timed));
    }
    for (uint64_t i = 0; i < bench->trace.count; i++) {
        const struct event *event = &bench->trace.events[i];
        const struct generator_spec *generator = generator_of(plan, event);

        if (!is_first_of_request(event, last) || event->now_ns > until_ns) {
            continue;
        }
        last = event->request;
        if (generator != NULL && count == plan->timed_count + MAX_SCRIPTED) {
            return;
        }
        if (generator != NULL) {
            timed[count++] = scripted(plan, generator, event);
        }
    }
    plan->timed = timed;
    plan->timed_count = count;
    plan->generator_count = 0;
    scenario_write(plan, trial->answer);
}

/* ---- The worker's life ---- */

static void try_it(struct bench *bench, struct trial *trial)
{
    const struct choice_spec quiet = {0};
    struct scenario *scenario = scenario_load_text("candidate", trial->text, strlen(trial->text));

    if (scenario_mistakes(scenario)->count > 0) {
        trial->result->outcome = OUTCOME_INVALID;
    } else {
        trial->plan = scenario_plan(scenario, 0, &quiet);
        run_progress_begin(bench->progress, trial->plan, bench->judge->engine);
        run_plan(bench, trial);
        if (trial->question.task == JUDGE_SCRIPT) {
            write_script(bench, trial);
        }
        plan_destroy(trial->plan);
    }
    scenario_free(scenario);
}

/* Reads a question, then the candidate's text; NULL at the end. */
static char *read_question(const struct judge *judge, struct judge_question *question)
{
    size_t bytes;
    struct judge_question *record = pipe_receive(judge->questions[0], sizeof(*question), &bytes);

    if (record == NULL) {
        return NULL;
    }
    *question = *record;
    free(record);
    return pipe_receive(judge->questions[0], SIZE_MAX - 1, &bytes);
}

static void answer_questions(void *opaque, void *record, int results)
{
    const struct judge *judge = opaque;
    struct run_progress *progress = record;
    struct bench bench = {.judge = judge, .progress = progress};
    struct trial trial = {.result = run_result_create(), .answer = fdopen(judge->answers, "w")};
    char *text;

    if (trial.answer == NULL) {
        die("out of memory");
    }
    close(judge->questions[1]);
    trace_init(&bench.trace, true);
    while ((text = read_question(judge, &trial.question)) != NULL) {
        const struct isolate_limits limits = {.cpu_ms = trial.question.cpu_limit_ms,
                                              .memory_bytes = ISOLATE_MEMORY_BYTES};

        *progress = (struct run_progress){.under_way = true};
        *trial.result = (struct run_result){0};
        trial.text = text;
        isolate_watch(&limits);
        try_it(&bench, &trial);
        isolate_watch(NULL);
        fflush(trial.answer);
        progress->under_way = false;
        if (!run_result_send(results, trial.result)) {
            exit(EXIT_HARNESS);
        }
        free(text);
        if (judge->engine->foreign) {
            break; /* it may have damaged the process: a process per run */
        }
    }
}

/* ---- In the parent ---- */

void judge_open(struct judge *judge, const struct engine *engine, uint64_t cpu_limit_ms)
{
    *judge = (struct judge){.engine = engine, .cpu_limit_ms = cpu_limit_ms};
    isolate_open(&judge->worker, sizeof(struct run_progress));
    judge->answers = memfd_create("answers", MFD_CLOEXEC);
    if (judge->answers < 0) {
        die("cannot set up a worker process: %s", strerror(errno));
    }
}

static void start_worker(struct judge *judge)
{
    if (pipe2(judge->questions, O_CLOEXEC) != 0) {
        die("cannot make a pipe: %s", strerror(errno));
    }
    isolate_start(&judge->worker, answer_questions, judge);
    close(judge->questions[0]);
}

void judge_close(struct judge *judge)
{
    if (judge->worker.pid != 0) {
        close(judge->questions[1]);
    }
    isolate_close(&judge->worker);
    close(judge->answers);
}

/* The worker reads the whole question before it can die of it. */
static void send_record(const struct judge *judge, const void *record, size_t bytes)
{
    if (!pipe_send(judge->questions[1], record, bytes)) {
        die("cannot write to the worker process: %s", strerror(errno));
    }
}

/*
 * The result for a worker's death.  For a hang it names the limit that the user knows, not the
 * smaller one of the question.
 */
static struct run_result *judge_death(struct judge *judge)
{
    const struct run_progress *progress = judge->worker.record;
    struct isolate_death death;
    struct run_result *result;

    close(judge->questions[1]);
    death = isolate_end(&judge->worker);
    if (!progress->under_way) {
        die("a worker process ended without an answer: %s", death.words);
    }
    if (death.cause == CAUSE_CPU) {
        death.limit = judge->cpu_limit_ms;
    }
    result = run_progress_died(progress, &death);
    free(death.words);
    return result;
}

/* It has answered, and ends by itself. */
static void let_worker_go(struct judge *judge)
{
    struct isolate_death death;

    close(judge->questions[1]);
    death = isolate_end(&judge->worker);
    free(death.words);
}

struct run_result *judge_ask(struct judge *judge, const struct judge_question *question,
                             const char *text)
{
    struct run_result *result;

    if (judge->worker.pid == 0) {
        start_worker(judge);
    }
    if (ftruncate(judge->answers, 0) != 0 || lseek(judge->answers, 0, SEEK_SET) != 0) {
        die("cannot empty the worker's answers: %s", strerror(errno));
    }
    send_record(judge, question, sizeof(*question));
    send_record(judge, text, strlen(text));
    judge->runs++;
    result = run_result_receive(judge->worker.results);
    if (result == NULL) {
        return judge_death(judge);
    }
    if (judge->engine->foreign) {
        let_worker_go(judge);
    }
    return result;
}

char *judge_answer(const struct judge *judge)
{
    off_t bytes = lseek(judge->answers, 0, SEEK_END);
    char *text = must_alloc((size_t)bytes + 1);
    ssize_t got = pread(judge->answers, text, (size_t)bytes, 0);

    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void record_choice(struct judge_record *record, char *line)
{
    struct choice_answer answer;

    answer.nth = (uint32_t)strtoul(line, &line, 10);
    answer.pick = (uint32_t)strtoul(line, &line, 10);
    answer.site = line + 1;
    record->choices = must_grow(record->choices, record->choice_count, sizeof(*record->choices));
    record->choices[record->choice_count++] = answer;
}

static void record_line(struct judge_record *record, char *line)
{
    char *space = strchr(line, ' ');

    if (*line == 'c') {
        record_choice(record, space);
    } else if (*line == 's') {
        record->steps = (uint32_t)strtoul(space, NULL, 10);
    } else {
        record->failed = must_grow(record->failed, record->failed_count, sizeof(*record->failed));
        record->failed[record->failed_count++] = (uint32_t)strtoul(space, NULL, 10);
    }
}

void judge_record_read(const struct judge *judge, struct judge_record *record)
{
    char *end;

    *record = (struct judge_record){.text = judge_answer(judge)};
    for (char *line = record->text; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        record_line(record, line);
    }
}

void judge_record_free(struct judge_record *record)
{
    free(record->choices);
    free(record->failed);
    free(record->text);
}
