/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order in which strands are woken, as a table of cases (modern-interface 2.2).
 *
 * A strand is a letter with a script.  Each resumption takes the script's next part, up to a dot:
 * a small letter wakes that strand, a capital enters it, `w` waits on the list of waiters, `*`
 * wakes that list, `!` ends the strand and frees it.  What happens is written down as
 * "a(b())c()": a ran, b ran inside of it, then c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/life/strand.h"

#define STRANDS 5 /* a to e */
#define WAITING 'w'

struct actor {
    struct strand strand; /* first */
    struct stage *stage;
    char name;
};

struct stage {
    struct strands strands;
    struct strand_list waiters;
    struct actor *actors[STRANDS];
    const char *scripts[STRANDS]; /* what is left of them */
    char log[80];
};

static void log_char(struct stage *stage, char character)
{
    size_t length = strlen(stage->log);

    assert_true(length + 1 < sizeof(stage->log));
    stage->log[length] = character;
}

/* Returns whether the actor is still there. */
static bool act(struct actor *actor, char action)
{
    struct stage *stage = actor->stage;

    if (action == '!') {
        strand_end(&stage->strands, &actor->strand);
        stage->actors[actor->name - 'a'] = NULL;
        memset(actor, 0xdd, sizeof(*actor));
        free(actor);
        return false;
    }
    if (action == '*') {
        strand_wake_all(&stage->strands, &stage->waiters);
    } else if (action == WAITING) {
        strand_wait_on(&stage->waiters, &actor->strand);
    } else if (action >= 'a') {
        strand_wake(&stage->strands, &stage->actors[action - 'a']->strand);
    } else {
        strand_enter(&stage->strands, &stage->actors[action - 'A']->strand);
    }
    return true;
}

static void resume(struct strand *strand)
{
    struct actor *actor = (struct actor *)strand;
    struct stage *stage = actor->stage;
    const char **script = &stage->scripts[actor->name - 'a'];
    bool lives = true;

    log_char(stage, actor->name);
    log_char(stage, '(');
    while (lives && **script != '\0' && **script != '.') {
        lives = act(actor, *(*script)++);
    }
    if (**script == '.') {
        (*script)++;
    }
    log_char(stage, ')');
}

static const struct {
    const char *what;
    const char *scripts[STRANDS];
    const char *log; /* after a has been woken from outside */
} cases[] = {
    {"one that nobody runs with is run at once", {""}, "a()"},
    {"those woken run when the waker waits, first in first out", {"bcd"}, "a()b()c()d()"},
    {"what a woken one wakes comes before the rest", {"bc", "d"}, "a()b()d()c()"},
    {"that holds at any depth", {"be", "c", "d"}, "a()b()c()d()e()"},
    {"one that is entered runs inside", {"B"}, "a(b())"},
    {"and so does what it wakes", {"B", "cd"}, "a(b()c()d())"},
    {"but what the enterer has woken waits for the enterer", {"dBe", "c"}, "a(b()c())d()e()"},
    {"entering nests", {"BE", "C", "d"}, "a(b(c()d())e())"},
    {"the waker can be woken by whom it has woken", {"b.", "a"}, "a()b()a()"},
    {"one that ends may be freed, and wakes others first", {"bc!", "!"}, "a()b()c()"},
    {"one that is entered and ends leaves the enterer running", {"Bd", "c!"}, "a(b()c())d()"},
    {"waiters are woken in the order they came",
     {"CBD*e", "w", "w", "w"},
     "a(c()b()d())c()b()d()e()"},
    {"waiters of one that ends", {"BC", "w", "*!"}, "a(b()c()b())"},
};

static void run_case(uint32_t number)
{
    struct stage stage = {.log = ""};

    STAILQ_INIT(&stage.waiters);
    for (uint32_t i = 0; i < STRANDS; i++) {
        struct actor *actor = calloc(1, sizeof(*actor));

        assert_non_null(actor);
        strand_init(&actor->strand, resume);
        actor->stage = &stage;
        actor->name = (char)('a' + i);
        stage.actors[i] = actor;
        stage.scripts[i] = cases[number].scripts[i] != NULL ? cases[number].scripts[i] : "";
    }
    strand_wake(&stage.strands, &stage.actors[0]->strand);
    strands_check(&stage.strands);
    if (strcmp(stage.log, cases[number].log) != 0) {
        fail_msg("%s: %s instead of %s", cases[number].what, stage.log, cases[number].log);
    }
    for (uint32_t i = 0; i < STRANDS; i++) {
        free(stage.actors[i]);
    }
}

static void test_strands_run_in_the_order_of_their_waking_when_they_wake_each_other(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_case(i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strands_run_in_the_order_of_their_waking_when_they_wake_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
