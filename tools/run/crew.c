/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting the workers of a crew, and waiting for what they say.
 */
#include "tools/run/crew.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/support.h"

void crew_open(struct crew *crew, uint32_t size, size_t record_bytes, isolate_body *body,
               void *opaque)
{
    *crew = (struct crew){.size = size,
                          .workers = must_alloc(size * sizeof(*crew->workers)),
                          .polls = must_alloc((size + 1) * sizeof(*crew->polls)),
                          .body = body,
                          .opaque = opaque};
    signals_open(&crew->signals);
    crew->polls[size] = (struct pollfd){.fd = crew->signals.fd, .events = POLLIN};
    for (uint32_t i = 0; i < size; i++) {
        isolate_open(&crew->workers[i], record_bytes);
        crew_start(crew, i);
    }
}

void crew_start(struct crew *crew, uint32_t number)
{
    struct isolate *worker = &crew->workers[number];

    isolate_start(worker, crew->body, crew->opaque);
    crew->polls[number] = (struct pollfd){.fd = worker->results, .events = POLLIN};
    crew->alive++;
}

void crew_leave(struct crew *crew, uint32_t number)
{
    crew->polls[number].fd = -1;
    crew->alive--;
}

int crew_wait(struct crew *crew, int timeout_ms, bool (*attend)(void *opaque, uint32_t number))
{
    if (poll(crew->polls, crew->size + 1, timeout_ms) < 0) {
        if (errno != EINTR) {
            die("poll: %s", strerror(errno));
        }
        return 0;
    }
    if (crew->polls[crew->size].revents != 0) {
        return signals_take(&crew->signals);
    }
    for (uint32_t i = 0; i < crew->size; i++) {
        if (crew->polls[i].revents != 0 && !attend(crew->opaque, i)) {
            break;
        }
    }
    return 0;
}

void crew_close(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->size; i++) {
        isolate_close(&crew->workers[i]);
    }
    signals_close(&crew->signals);
    free(crew->workers);
    free(crew->polls);
}
