/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signals read from a signalfd.
 */
#include "tools/run/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/base/support.h"

void signals_open(struct signals *signals)
{
    sigset_t early;

    sigemptyset(&early);
    sigaddset(&early, SIGINT);
    sigaddset(&early, SIGTERM);
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
