/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/deferral.h"

#include <stdlib.h>

#include <event2/event.h>

#include "control/distribute.h"
#include "control/internal.h"

struct deferral {
    struct control *control;
    struct event *timer;
    uint32_t waiting; /* families whose End-of-RIB is held back */
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct deferral *deferral = arg;

    (void)fd;
    (void)what;
    if (deferral->waiting != 0)
        log_line(deferral->control->log, LOG_LEVEL_NOTICE,
                 "not every peer has announced everything since the start; `restart-deferral` has passed");
    deferral->waiting = 0;
    distribute_end_of_rib(deferral->control);
}

struct deferral *deferral_create(struct control *control)
{
    const struct timeval wait = {.tv_sec = (time_t)control->cfg->restart_deferral_s};
    struct deferral *deferral = calloc(1, sizeof *deferral);

    if (deferral == NULL)
        return NULL;
    deferral->control = control;
    deferral->waiting = control->cfg->restart_deferral_s > 0 ? (1u << BGP_FAMILY_COUNT) - 1 : 0;
    deferral->timer = evtimer_new(control->base, on_timer, deferral);
    if (deferral->timer == NULL) {
        free(deferral);
        return NULL;
    }
    if (deferral->waiting != 0)
        evtimer_add(deferral->timer, &wait);
    return deferral;
}

void deferral_free(struct deferral *deferral)
{
    if (deferral == NULL)
        return;
    event_free(deferral->timer);
    free(deferral);
}

/* Families that the peer is still to complete. */
static uint32_t awaited_from(const struct peer *peer)
{
    const struct bgp_capabilities *caps;
    struct bgp_session_info info;

    if (peer->admin_down || peer->range != NULL || peer->conf.restart_time_s == 0)
        return 0;
    bgp_session_info_get(peer->session, &info);
    caps = &info.received;
    if (info.state != BGP_ESTABLISHED)
        return info.established_count == 0 ? peer_families(peer) : 0; /* one that came and went has its own time */
    if (!caps->graceful_restart || caps->restart.restarting)
        return 0;
    return info.families & ~peer->end_of_rib;
}

bool deferral_holds(const struct deferral *deferral, const struct peer *peer, uint32_t family)
{
    struct bgp_session_info info;

    if ((deferral->waiting & family) == 0)
        return false;
    bgp_session_info_get(peer->session, &info);
    return info.received.graceful_restart && (info.received.restart.families & family) != 0;
}

void deferral_check(struct deferral *deferral)
{
    uint32_t awaited = 0, before = deferral->waiting;

    if (before == 0)
        return;
    for (size_t i = 0; i < deferral->control->peer_count; i++)
        awaited |= deferral->control->peers[i] != NULL ? awaited_from(deferral->control->peers[i]) : 0;
    deferral->waiting &= awaited;
    if (deferral->waiting == 0)
        evtimer_del(deferral->timer);
    if (deferral->waiting != before)
        distribute_end_of_rib(deferral->control);
}
