/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dynamic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "control/distribute.h"
#include "control/graceful.h"
#include "control/internal.h"
#include "control/socket_guard.h"

#define REAP_S 1 /* between looks at what may go */

struct range {
    char *name;
    struct ip_prefix prefix;
    char *password;          /* NULL: none */
    bool password_unset;     /* a listener could not be told it */
    uint64_t refused;        /* connections, for want of room or of its password */
    struct peer_lines lines; /* of all of its peers: who looks for open ports comes from any address */
};

struct dynamic {
    struct control *control;
    struct range *ranges; /* in the order of the configuration */
    size_t count;
    struct event *reaper;
    mono_ms_t started_ms;
};

static void ranges_free(struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(ranges[i].name);
        if (ranges[i].password != NULL)
            memset(ranges[i].password, 0, strlen(ranges[i].password));
        free(ranges[i].password);
    }
    free(ranges);
}

/* The ranges of a configuration. False: memory is short, and `*out` is empty. */
static bool ranges_read(const struct cfg *cfg, struct range **out, size_t *count)
{
    struct range *ranges = calloc(cfg->peer_count + 1, sizeof *ranges);
    bool whole = ranges != NULL;
    size_t n = 0;

    for (size_t i = 0; whole && i < cfg->peer_count; i++) {
        const struct cfg_peer *conf = &cfg->peers[i];
        if (!cfg_peer_is_range(conf))
            continue;
        struct range *range = &ranges[n++];
        range->prefix = conf->range;
        range->name = strdup(conf->name);
        range->password = conf->password != NULL ? strdup(conf->password) : NULL;
        whole = range->name != NULL && (conf->password == NULL) == (range->password == NULL);
    }
    if (!whole && ranges != NULL)
        ranges_free(ranges, n);
    *out = whole ? ranges : NULL;
    *count = whole ? n : 0;
    return whole;
}

static struct range *range_find(struct range *ranges, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(ranges[i].name, name) == 0)
            return &ranges[i];
    return NULL;
}

static size_t range_peers(const struct control *control, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < control->peer_count; i++) {
        const char *of = control->peers[i]->range;
        count += of != NULL && strcmp(of, name) == 0;
    }
    return count;
}

/* Nothing of the peer is in force, and nothing about it must be remembered. */
static bool forgettable(const struct peer *peer)
{
    return peer->range != NULL && !peer->admin_down && !peer->source.killed &&
           bgp_session_quiet(peer->session, control_now()) && graceful_quiet(peer->graceful);
}

static void peer_forget(struct control *control, size_t index)
{
    struct peer *peer = control->peers[index];
    uint64_t held_back;

    peer_stop(peer, 0, NULL); /* no connection is left to be told */
    memmove(control->peers + index, control->peers + index + 1,
            (--control->peer_count - index) * sizeof control->peers[0]);
    bool told = log_limit_pass(&peer_lines_of(peer)->forgotten, control_now(), &held_back);
    log_line(control->log, told ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG, "peer %s: gone, and forgotten", peer->name);
    if (told)
        peer_lines_held_back(peer, held_back);
    peer_free(peer); /* nothing of it was left */
}

static void reaper_arm(struct dynamic *dynamic)
{
    const struct timeval wait = {.tv_sec = REAP_S};

    if (!evtimer_pending(dynamic->reaper, NULL))
        evtimer_add(dynamic->reaper, &wait);
}

static void on_reaper(evutil_socket_t fd, short what, void *arg)
{
    struct dynamic *dynamic = arg;
    struct control *control = dynamic->control;
    bool some = false;

    (void)fd;
    (void)what;
    if (control->stopping)
        return; /* what the peers announced stays until the workers have stopped */
    for (size_t i = control->peer_count; i-- > 0;) {
        some = some || control->peers[i]->range != NULL;
        if (forgettable(control->peers[i]))
            peer_forget(control, i);
    }
    if (some)
        reaper_arm(dynamic);
}

struct dynamic *dynamic_create(struct control *control)
{
    struct dynamic *dynamic = calloc(1, sizeof *dynamic);

    if (dynamic == NULL)
        return NULL;
    dynamic->control = control;
    dynamic->started_ms = control_now();
    dynamic->reaper = evtimer_new(control->base, on_reaper, dynamic);
    if (dynamic->reaper != NULL && ranges_read(control->cfg, &dynamic->ranges, &dynamic->count))
        return dynamic;
    dynamic_free(dynamic);
    return NULL;
}

void dynamic_free(struct dynamic *dynamic)
{
    if (dynamic == NULL)
        return;
    if (dynamic->reaper != NULL)
        event_free(dynamic->reaper);
    ranges_free(dynamic->ranges, dynamic->count);
    free(dynamic);
}

/* A peer of the range, not started yet and in nobody's list. */
static struct peer *peer_of_range(struct control *control, const struct cfg_peer *entry, const struct ip_addr *address)
{
    char name[128], text[IP_TEXT_SIZE];
    struct cfg_peer conf = *entry;

    snprintf(name, sizeof name, "%s@%s", entry->name, ip_addr_format(address, text));
    conf.name = name;
    conf.address = *address;
    struct peer *peer = peer_create(control, &conf);
    if (peer == NULL)
        return NULL;
    peer->range = strdup(entry->name);
    if (peer->range == NULL) {
        peer_free(peer);
        return NULL;
    }
    return peer;
}

static struct peer *peer_make(struct dynamic *dynamic, const struct cfg_peer *entry, const struct ip_addr *address)
{
    struct control *control = dynamic->control;
    struct peer **peers = realloc(control->peers, (control->peer_count + 2) * sizeof(struct peer *));

    if (peers == NULL)
        return NULL;
    control->peers = peers;
    struct peer *peer = peer_of_range(control, entry, address);
    if (peer == NULL)
        return NULL;
    /* RFC 4724 4.1: who comes while a former run of ours may still be remembered is told that we have restarted */
    if (control_now() - dynamic->started_ms < (mono_ms_t)entry->restart_time_s * MONO_MS_PER_S)
        bgp_session_restarting(peer->session, true, BGP_FLOWSPEC_FAMILIES);
    control->peers[control->peer_count++] = peer;
    peer_start(peer);
    reaper_arm(dynamic);
    return peer;
}

struct peer *dynamic_again(struct control *control, const struct cfg_peer *entry, const struct peer *former)
{
    if (!former->admin_down && !former->source.killed)
        return NULL;
    struct peer *peer = peer_of_range(control, entry, &former->conf.address);
    if (peer == NULL)
        return NULL;
    peer->admin_down = former->admin_down;
    peer->source.killed = former->source.killed;
    if (!peer->admin_down)
        peer_start(peer);
    return peer;
}

struct peer *dynamic_peer(struct dynamic *dynamic, const struct ip_addr *address, char *why, size_t size)
{
    const struct cfg_peer *entry = cfg_peer_of_address(dynamic->control->cfg, address);
    struct range *range = entry != NULL ? range_find(dynamic->ranges, dynamic->count, entry->name) : NULL;
    struct peer *peer = NULL;

    if (dynamic->control->stopping)
        snprintf(why, size, "floodgate stops");
    else if (range == NULL)
        snprintf(why, size, "no peer has this address");
    else if (range->password_unset)
        snprintf(why, size, "the password of range %s could not be set", range->name);
    else if (range_peers(dynamic->control, range->name) >= entry->max_peers)
        snprintf(why, size, "range %s has all of its max-peers of %u", range->name, entry->max_peers);
    else if ((peer = peer_make(dynamic, entry, address)) == NULL)
        snprintf(why, size, "no memory for another peer");
    if (peer == NULL && range != NULL)
        range->refused++;
    return peer;
}

static void range_guard(struct dynamic *dynamic, struct range *range, evutil_socket_t listener, unsigned family,
                        const char *password)
{
    char text[IP_TEXT_SIZE];

    if (range->prefix.family != family || socket_guard_range_password(listener, &range->prefix, password) == 0 ||
        password == NULL)
        return;
    range->password_unset = true; /* better no session than one that anybody may have */
    log_line(dynamic->control->log, LOG_LEVEL_ERROR,
             "range %s: its password cannot be set for %s: %s; connections from it are refused", range->name,
             ip_prefix_format(&range->prefix, text), strerror(errno));
}

void dynamic_guard(struct dynamic *dynamic, evutil_socket_t listener, unsigned family)
{
    for (size_t i = 0; dynamic != NULL && i < dynamic->count; i++)
        if (dynamic->ranges[i].password != NULL)
            range_guard(dynamic, &dynamic->ranges[i], listener, family, dynamic->ranges[i].password);
}

struct unguarded {
    struct dynamic *dynamic;
    struct range *range;
};

static void unguard(void *ctx, evutil_socket_t listener, unsigned family)
{
    const struct unguarded *what = ctx;

    range_guard(what->dynamic, what->range, listener, family, NULL);
}

static void guard_all(void *ctx, evutil_socket_t listener, unsigned family)
{
    dynamic_guard(ctx, listener, family);
}

static bool prefix_guarded(const struct dynamic *dynamic, const struct ip_prefix *prefix)
{
    for (size_t i = 0; i < dynamic->count; i++) {
        const struct range *range = &dynamic->ranges[i];
        if (range->password != NULL && range->prefix.family == prefix->family &&
            range->prefix.length == prefix->length &&
            memcmp(range->prefix.octets, prefix->octets, sizeof prefix->octets) == 0)
            return true;
    }
    return false;
}

void dynamic_reconfigure(struct dynamic *dynamic)
{
    struct range *old = dynamic->ranges;
    size_t old_count = dynamic->count;

    if (!ranges_read(dynamic->control->cfg, &dynamic->ranges, &dynamic->count))
        log_line(dynamic->control->log, LOG_LEVEL_ERROR,
                 "no memory for ranges of peers: connections from them are "
                 "refused until the next reload");
    for (size_t i = 0; i < dynamic->count; i++) {
        const struct range *before = range_find(old, old_count, dynamic->ranges[i].name);
        if (before == NULL)
            continue;
        dynamic->ranges[i].refused = before->refused;
        dynamic->ranges[i].lines = before->lines;
    }
    for (size_t i = 0; i < old_count; i++) {
        struct unguarded what = {dynamic, &old[i]};
        if (old[i].password != NULL && !prefix_guarded(dynamic, &old[i].prefix))
            incoming_each(dynamic->control->incoming, unguard, &what);
    }
    incoming_each(dynamic->control->incoming, guard_all, dynamic);
    ranges_free(old, old_count);
}

const struct cfg_peer *dynamic_conf(const struct cfg *cfg, const struct peer *peer)
{
    if (peer->range != NULL) {
        const struct cfg_peer *entry = cfg_peer_of_address(cfg, &peer->conf.address);
        return entry != NULL && cfg_peer_is_range(entry) && strcmp(entry->name, peer->range) == 0 ? entry : NULL;
    }
    for (size_t i = 0; i < cfg->peer_count; i++)
        if (!cfg_peer_is_range(&cfg->peers[i]) && strcmp(cfg->peers[i].name, peer->name) == 0)
            return &cfg->peers[i];
    return NULL;
}

struct peer_lines *dynamic_lines(struct dynamic *dynamic, const char *range)
{
    struct range *found = range_find(dynamic->ranges, dynamic->count, range);

    return found != NULL ? &found->lines : NULL;
}

size_t dynamic_count(const struct dynamic *dynamic)
{
    return dynamic->count;
}

void dynamic_get(const struct dynamic *dynamic, size_t index, struct control_range *out)
{
    const struct range *range = &dynamic->ranges[index];
    const struct cfg *cfg = dynamic->control->cfg;

    *out = (struct control_range){.name = range->name,
                                  .prefix = range->prefix,
                                  .peers = range_peers(dynamic->control, range->name),
                                  .refused_connections = range->refused};
    for (size_t i = 0; i < cfg->peer_count; i++)
        if (strcmp(cfg->peers[i].name, range->name) == 0)
            out->max_peers = cfg->peers[i].max_peers;
}
