/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/graceful.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include <event2/event.h>

#include "control/chores.h"
#include "control/internal.h"

#define RESYNC_S     360 /* for a peer that is back to send its End-of-RIB (RFC 4724 4.2: an upper bound is wanted) */
#define REFRESH_S    360 /* for a peer that has begun a refresh to end it (RFC 7313 4) */
#define ALL_FAMILIES ((1u << BGP_FAMILY_COUNT) - 1)

enum phase { FRESH, RESTARTING, LONG_LIVED, RESYNCING };

struct family_state {
    enum phase phase;
    mono_ms_t until;         /* of the phase */
    mono_ms_t refresh_until; /* 0: no refresh is under way */
};

struct graceful {
    struct peer *peer;
    struct family_state families[BGP_FAMILY_COUNT]; /* by number of the family's bit */
    uint32_t long_lived_s[BGP_FAMILY_COUNT];        /* of the lost session, as agreed */
    struct chore sweep;                             /* does what the marks of its paths ask for */
    bool sweep_told;                                /* a session was lost: its end is told, whatever it finds */
    size_t rules_swept, routes_swept;
    struct event *timer;
};

static struct family_state *state_of(struct graceful *graceful, uint32_t family)
{
    return &graceful->families[__builtin_ctz(family)];
}

static size_t mark(struct graceful *graceful, uint32_t families, enum bgp_path_mark how)
{
    const struct peer *peer = graceful->peer;

    return bgp_rib_source_mark(peer->control->rib, &peer->source.rib, families, how) +
           bgp_unicast_source_mark(peer->control->routes, &peer->source.rib, families, how);
}

/* What bears the mark goes. */
static void end(struct graceful *graceful, uint32_t families, enum bgp_path_mark how)
{
    const struct peer *peer = graceful->peer;

    bgp_rib_source_end(peer->control->rib, &peer->source.rib, families, how);
    bgp_unicast_source_end(peer->control->routes, &peer->source.rib, families, how);
}

static void arm(struct graceful *graceful)
{
    mono_ms_t at = UINT64_MAX, now = control_now();

    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        const struct family_state *state = &graceful->families[i];
        if (state->phase != FRESH && state->until < at)
            at = state->until;
        if (state->refresh_until != 0 && state->refresh_until < at)
            at = state->refresh_until;
    }
    if (at == UINT64_MAX) {
        evtimer_del(graceful->timer);
        return;
    }
    mono_ms_t wait_ms = at > now ? at - now : 0;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / MONO_MS_PER_S),
                                 .tv_usec = (suseconds_t)(wait_ms % MONO_MS_PER_S * 1000)};
    evtimer_add(graceful->timer, &wait);
}

static void sweep_tell(const struct graceful *graceful)
{
    const struct peer *peer = graceful->peer;
    const struct log_hook *log = peer->control->log;
    size_t rules = graceful->rules_swept, routes = graceful->routes_swept;

    if (!graceful->sweep_told) {
        if (rules + routes > 0)
            log_line(log, LOG_LEVEL_NOTICE,
                     "peer %s: gone with its session or not announced again: %zu rules and routes", peer->name,
                     rules + routes);
        return;
    }
    log_line(log, LOG_LEVEL_NOTICE, "peer %s: %zu rule%s gone with the session", peer->name, rules,
             rules == 1 ? "" : "s");
    if (routes > 0)
        log_line(log, LOG_LEVEL_NOTICE, "peer %s: %zu route%s gone with the session", peer->name, routes,
                 routes == 1 ? "" : "s");
}

/* Marks take no time; what follows from them, path by path, is done in pieces, whatever the session does meanwhile. */
static size_t sweep(struct chore *chore, size_t max)
{
    struct graceful *graceful = (struct graceful *)((char *)chore - offsetof(struct graceful, sweep));
    struct peer *peer = graceful->peer;
    size_t seen = bgp_rib_source_walk(peer->control->rib, &peer->source.rib, max, &graceful->rules_swept);

    if (seen < max)
        seen += bgp_unicast_source_walk(peer->control->routes, &peer->source.rib, max - seen, &graceful->routes_swept);
    if (seen == max)
        return seen;
    sweep_tell(graceful);
    graceful->sweep_told = false;
    graceful->rules_swept = graceful->routes_swept = 0;
    if (peer->departs)
        peer_free(peer);
    return seen;
}

static void sweep_start(struct graceful *graceful)
{
    chore_start(graceful->peer->control->chores, &graceful->sweep);
}

static void stale_end(struct graceful *graceful, uint32_t family)
{
    state_of(graceful, family)->phase = FRESH;
    end(graceful, family, BGP_PATH_STALE);
}

static void refresh_end(struct graceful *graceful, uint32_t family)
{
    state_of(graceful, family)->refresh_until = 0;
    end(graceful, family, BGP_PATH_UNREFRESHED);
}

/* RFC 9494 4.2: the restart time has passed; where that was agreed the rules stay on, for whoever has no better. */
static void restart_time_over(struct graceful *graceful, uint32_t family, mono_ms_t now)
{
    struct peer *peer = graceful->peer;
    uint32_t time_s = graceful->long_lived_s[__builtin_ctz(family)];

    if (time_s == 0) {
        stale_end(graceful, family);
        return;
    }
    size_t count = mark(graceful, family, BGP_PATH_LONG_LIVED);
    *state_of(graceful, family) =
        (struct family_state){.phase = LONG_LIVED, .until = now + (mono_ms_t)time_s * MONO_MS_PER_S};
    log_line(peer->control->log, LOG_LEVEL_NOTICE,
             "peer %s: not back; %s stays for %u s more, least preferred: %zu stale", peer->name,
             bgp_family_name(family), time_s, count);
}

static void phase_over(struct graceful *graceful, uint32_t family, mono_ms_t now)
{
    struct family_state *state = state_of(graceful, family);
    const struct peer *peer = graceful->peer;

    if (state->refresh_until != 0 && state->refresh_until <= now)
        refresh_end(graceful, family);
    if (state->phase == FRESH || state->until > now)
        return;
    if (state->phase == RESTARTING) {
        restart_time_over(graceful, family, now);
        if (state->phase != FRESH)
            return;
    }
    log_line(peer->control->log, LOG_LEVEL_NOTICE, "peer %s: %s: %s, what is stale of it goes", peer->name,
             bgp_family_name(family),
             state->phase == RESYNCING ? "no End-of-RIB in time" : "the time for it to come back has passed");
    stale_end(graceful, family);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct graceful *graceful = arg;

    (void)fd;
    (void)what;
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        phase_over(graceful, family, control_now());
    sweep_start(graceful);
    arm(graceful);
}

struct graceful *graceful_create(struct peer *peer)
{
    struct graceful *graceful = calloc(1, sizeof *graceful);

    if (graceful == NULL)
        return NULL;
    graceful->peer = peer;
    graceful->timer = evtimer_new(peer->control->base, on_timer, graceful);
    graceful->sweep.work = sweep;
    if (graceful->timer != NULL)
        return graceful;
    graceful_free(graceful);
    return NULL;
}

void graceful_free(struct graceful *graceful)
{
    if (graceful == NULL)
        return;
    if (graceful->timer != NULL)
        event_free(graceful->timer);
    chore_cancel(graceful->peer->control->chores, &graceful->sweep);
    free(graceful);
}

/* What both sides are willing to: the peer's time, at most what is configured here. */
static void note_long_lived(struct graceful *graceful, const struct bgp_session_info *info)
{
    const struct bgp_capabilities *caps = &info->received;
    uint32_t most_s = graceful->peer->conf.long_lived_s;

    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        uint32_t time_s = caps->long_lived_restart ? caps->long_lived.time_s[i] : 0;
        graceful->long_lived_s[i] = time_s < most_s ? time_s : most_s;
    }
}

void graceful_down(struct graceful *graceful, const struct bgp_session_info *info)
{
    struct peer *peer = graceful->peer;
    uint32_t time_s = info->received.restart.time_s, kept = info->retained, before = 0;
    mono_ms_t until = control_now() + (mono_ms_t)time_s * MONO_MS_PER_S;

    note_long_lived(graceful, info);
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        bool long_lived = graceful->long_lived_s[i] > 0;
        before |= graceful->families[i].phase != FRESH && !long_lived ? 1u << i : 0;
        graceful->families[i] =
            (struct family_state){.phase = (kept & 1u << i) != 0 ? RESTARTING : FRESH, .until = until};
    }
    /* RFC 4724 4.2: what was stale already goes, lest a peer that restarts again and again keep it for ever */
    end(graceful, before & kept, BGP_PATH_STALE); /* before others get the same mark */
    mark(graceful, ALL_FAMILIES & ~kept, BGP_PATH_GONE);
    size_t stale = mark(graceful, kept, BGP_PATH_STALE);
    log_line(peer->control->log, LOG_LEVEL_NOTICE,
             "peer %s: may restart: in force for up to %u s as stale: %zu rules and routes", peer->name, time_s, stale);
    sweep_start(graceful);
    arm(graceful);
}

void graceful_up(struct graceful *graceful, const struct bgp_session_info *info)
{
    const struct bgp_capabilities *caps = &info->received;
    uint32_t preserved =
        caps->graceful_restart ? caps->restart.families & caps->restart.forwarding & info->families : 0;

    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1) {
        struct family_state *state = state_of(graceful, family);
        uint32_t kept = preserved;
        state->refresh_until = 0;
        if (state->phase == FRESH)
            continue;
        if (state->phase == LONG_LIVED && caps->long_lived_restart) /* RFC 9494 4.2: its own F bit counts */
            kept |= caps->long_lived.forwarding & info->families;
        if ((kept & family) == 0) {
            stale_end(graceful, family);
            continue;
        }
        state->phase = RESYNCING;
        state->until = control_now() + RESYNC_S * MONO_MS_PER_S;
    }
    sweep_start(graceful); /* by their marks: what is announced from now on has none */
    arm(graceful);
}

void graceful_complete(struct graceful *graceful, uint32_t family)
{
    if (state_of(graceful, family)->phase == FRESH)
        return;
    stale_end(graceful, family);
    sweep_start(graceful);
    arm(graceful);
}

void graceful_drop(struct graceful *graceful)
{
    mark(graceful, ALL_FAMILIES, BGP_PATH_GONE);
    graceful_forget(graceful);
}

void graceful_lost(struct graceful *graceful)
{
    graceful->sweep_told = true;
    graceful_drop(graceful);
}

void graceful_forget(struct graceful *graceful)
{
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1) {
        if (state_of(graceful, family)->phase != FRESH)
            stale_end(graceful, family);
        state_of(graceful, family)->refresh_until = 0;
    }
    sweep_start(graceful);
    arm(graceful);
}

void graceful_refresh(struct graceful *graceful, uint32_t family, bool end)
{
    struct family_state *state = state_of(graceful, family);

    if (end && state->refresh_until == 0)
        return; /* RFC 7313 4: an end without a beginning is ignored */
    if (end) {
        refresh_end(graceful, family);
        sweep_start(graceful);
    } else {
        mark(graceful, family, BGP_PATH_UNREFRESHED);
        state->refresh_until = control_now() + REFRESH_S * MONO_MS_PER_S;
    }
    arm(graceful);
}

bool graceful_quiet(const struct graceful *graceful)
{
    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++)
        if (graceful->families[i].phase != FRESH)
            return false;
    return !graceful->sweep.queued;
}

uint32_t graceful_families(const struct graceful *graceful, uint32_t *left_s)
{
    mono_ms_t now = control_now(), until = 0;
    uint32_t families = 0;

    for (unsigned i = 0; i < BGP_FAMILY_COUNT; i++) {
        if (graceful->families[i].phase == FRESH)
            continue;
        families |= 1u << i;
        if (graceful->families[i].until > until)
            until = graceful->families[i].until;
    }
    *left_s = until > now ? (uint32_t)((until - now) / MONO_MS_PER_S) : 0;
    return families;
}
