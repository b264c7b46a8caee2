/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals read from a signalfd.
 */
#include "tools/run/signals.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "engine/units.h"
#include "tools/base/leftovers.h"
#include "tools/base/support.h"

/* ---- Those that end the program ---- */

/* The signal then does what it would have done. */
static void end(int number)
{
    leftovers_remove();
    signal(number, SIG_DFL);
    raise(number);
}

void signals_guard(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    const struct sigaction action = {.sa_handler = end};
    struct sigaction before;

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(numbers[i], &action, NULL);
        }
    }
    signal(SIGXFSZ, SIG_IGN);
}

/* ---- Those that end a piece of work ---- */

/* nohup(1) ignores it: then the program goes on without its terminal. */
static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_open(struct signals *signals)
{
    sigset_t early;

    sigemptyset(&early);
    sigaddset(&early, SIGINT);
    sigaddset(&early, SIGTERM);
    if (!is_ignored(SIGHUP)) {
        sigaddset(&early, SIGHUP);
    }
    sigprocmask(SIG_BLOCK, &early, &signals->before);
    signals->fd = signalfd(-1, &early, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0) {
        die("signalfd: %s", strerror(errno));
    }
}

void signals_close(struct signals *signals)
{
    close(signals->fd);
    sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

int signals_take(const struct signals *signals)
{
    struct signalfd_siginfo info;

    return read(signals->fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}
