/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/deferral.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/strbuf.h"
#include "control/distribute.h"
#include "control/internal.h"
#include "control/rejudge.h"

#define SETTLE_MS 20 /* to look again whether rules that wait to be judged by their routes have been */

struct deferral {
    struct control *control;
    struct event *timer;  /* of `restart-deferral` */
    struct event *settle; /* everything is here, and not judged yet */
    uint32_t waiting;     /* families that some peer is still to complete, one that has not come yet included */
    uint32_t telling;     /* of them, those that a peer that is here is telling */
};

/* Families that a peer is still to complete: one that is here, one that is still to come. */
struct awaited {
    uint32_t telling, coming;
};

static struct awaited awaited_from(const struct peer *peer)
{
    if (peer == NULL || peer->admin_down || peer->conf.restart_time_s == 0)
        return (struct awaited){0};
    const struct bgp_session_info *info = bgp_session_info_see(peer->session);
    const struct bgp_capabilities *caps = &info->received;
    if (info->state != BGP_ESTABLISHED) {
        /* one that came and went has its own time, and who of a range is to come nobody knows */
        bool comes = info->established_count == 0 && peer->range == NULL;
        return (struct awaited){.coming = comes ? peer_families(peer) : 0};
    }
    if (!caps->graceful_restart || caps->restart.restarting)
        return (struct awaited){0};
    return (struct awaited){.telling = info->families & ~peer->end_of_rib};
}

/* Who has not told everything yet, by name, as far as there is room. */
static void tell_missing(const struct deferral *deferral)
{
    const struct control *control = deferral->control;
    char names[256] = "";
    struct strbuf text = sb_init(names, sizeof names);

    for (size_t i = 0; i < control->peer_count; i++) {
        const struct awaited awaited = awaited_from(control->peers[i]);
        if (((awaited.telling | awaited.coming) & deferral->waiting) != 0)
            sb_printf(&text, "%s%s", text.length > 0 ? ", " : "", control->peers[i]->name);
    }
    log_line(control->log, LOG_LEVEL_NOTICE,
             "not every peer has announced everything since the start, and `restart-deferral` has passed: what waited "
             "is handed on (missing: %s)",
             names);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct deferral *deferral = arg;

    (void)fd;
    (void)what;
    if (deferral->waiting == 0)
        return;
    tell_missing(deferral);
    deferral->waiting = deferral->telling = 0;
    evtimer_del(deferral->settle);
    distribute_deferred(deferral->control);
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    deferral_check(arg);
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
    deferral->settle = evtimer_new(control->base, on_settle, deferral);
    if (deferral->timer == NULL || deferral->settle == NULL) {
        deferral_free(deferral);
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
    if (deferral->timer != NULL)
        event_free(deferral->timer);
    if (deferral->settle != NULL)
        event_free(deferral->settle);
    free(deferral);
}

uint32_t deferral_families(const struct deferral *deferral, const struct peer *peer)
{
    const struct bgp_session_info *info = bgp_session_info_see(peer->session);

    if (deferral->waiting == 0)
        return 0;
    uint32_t kept = info->received.graceful_restart ? info->received.restart.families : 0;
    return info->families & ((deferral->waiting & kept) | deferral->telling);
}

void deferral_check(struct deferral *deferral)
{
    struct awaited all = {0};
    uint32_t waiting = deferral->waiting, telling = deferral->telling;

    if (waiting == 0)
        return;
    /* one that is telling everything that is waited for decides it: thousands may come at once */
    for (size_t i = 0; i < deferral->control->peer_count && (waiting & ~all.telling) != 0; i++) {
        const struct awaited one = awaited_from(deferral->control->peers[i]);
        all.telling |= one.telling;
        all.coming |= one.coming;
    }
    const uint32_t still = waiting & (all.telling | all.coming);
    /* rules that came with their routes are judged by them a moment later: an End-of-RIB now would be ahead of them */
    if ((still != waiting || (telling & ~all.telling) != 0) && rejudge_waiting(deferral->control->rejudge) > 0) {
        const struct timeval moment = {.tv_usec = SETTLE_MS * 1000};
        evtimer_add(deferral->settle, &moment);
        return;
    }
    deferral->waiting = still;
    deferral->telling = all.telling & still;
    if (deferral->waiting == 0) {
        evtimer_del(deferral->timer);
        log_line(deferral->control->log, LOG_LEVEL_NOTICE, "every peer has announced everything since the start");
    }
    if (deferral->waiting != waiting || deferral->telling != telling)
        distribute_deferred(deferral->control);
}
