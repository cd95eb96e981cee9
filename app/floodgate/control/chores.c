/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/chores.h"

#include <stdlib.h>

#include <event2/event.h>

#include "control/internal.h"

#define TURN_MS 5

struct chores {
    TAILQ_HEAD(, chore) queue;
    struct event *timer;
};

static void arm(struct chores *chores)
{
    const struct timeval now = {0};

    if (!evtimer_pending(chores->timer, NULL))
        evtimer_add(chores->timer, &now);
}

/* The chore is not in the queue while it works: once it is done it is not touched any more. */
static size_t piece(struct chores *chores, struct chore *chore)
{
    chore_cancel(chores, chore);
    size_t seen = chore->work(chore, CHORE_PIECE);
    if (seen < CHORE_PIECE)
        return seen;
    chore->queued = true;
    TAILQ_INSERT_TAIL(&chores->queue, chore, link);
    return seen;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct chores *chores = arg;
    const mono_ms_t until = control_now() + TURN_MS;

    (void)fd;
    (void)what;
    for (size_t seen = 0; seen < CHORE_TURN && !TAILQ_EMPTY(&chores->queue) && control_now() < until;)
        seen += piece(chores, TAILQ_FIRST(&chores->queue));
    if (!TAILQ_EMPTY(&chores->queue))
        arm(chores);
}

struct chores *chores_create(struct event_base *base)
{
    struct chores *chores = calloc(1, sizeof *chores);

    if (chores == NULL)
        return NULL;
    TAILQ_INIT(&chores->queue);
    chores->timer = evtimer_new(base, on_timer, chores);
    if (chores->timer != NULL)
        return chores;
    free(chores);
    return NULL;
}

void chores_free(struct chores *chores)
{
    if (chores == NULL)
        return;
    event_free(chores->timer);
    free(chores);
}

void chore_start(struct chores *chores, struct chore *chore)
{
    piece(chores, chore);
    if (!TAILQ_EMPTY(&chores->queue))
        arm(chores);
}

void chore_cancel(struct chores *chores, struct chore *chore)
{
    if (chore->queued)
        TAILQ_REMOVE(&chores->queue, chore, link);
    chore->queued = false;
}
