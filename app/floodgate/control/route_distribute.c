/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/route_distribute.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bgp/export.h"
#include "bgp/route_out.h"
#include "control/deferral.h"
#include "control/distribute.h"
#include "control/filter.h"
#include "control/internal.h"

struct peer_routes {
    struct bgp_route_out *out; /* NULL: nothing of routes is to be told */
    struct event *pump;
    struct bgp_session_info session; /* as negotiated */
    struct ip_addr self[2];          /* our address as a next hop: IPv4, IPv6; IP_NONE: we have none */
    uint32_t owed;                   /* families whose End-of-RIB is still to be sent, once everything has been said */
    uint32_t refreshing;             /* families whose EoRR comes then */
    uint32_t asked;                  /* to be sent again, then */
    bool judge_again;                /* everything is to be judged by other words first */
    bool short_told;
};

static bool told_routes(const struct peer *peer)
{
    return peer->conf.announce == CFG_ANNOUNCE_ALL;
}

static bool is_vpn(uint32_t family)
{
    return (family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0;
}

static bool next_hop_self(const struct peer *peer)
{
    return peer->conf.next_hop == CFG_NEXT_HOP_SELF ||
           (peer->conf.next_hop == CFG_NEXT_HOP_DEFAULT && peer->source.rib.ebgp);
}

/* Our address as a next hop of the family, or IP_NONE for the one that the route has. */
static const struct ip_addr *next_hop_of(const struct peer *peer, uint32_t family)
{
    static const struct ip_addr UNCHANGED = {.family = IP_NONE};

    return next_hop_self(peer) ? &peer->told->self[bgp_family_afi(family) == BGP_AFI_IPV6] : &UNCHANGED;
}

/*
 * Whether there is a next hop to tell. Labels are not given out or swapped here, so a VPN route keeps its next hop,
 * whose label it is: inside the AS, and towards another one where `next-hop: unchanged` says that the way there is
 * labelled (RFC 4364 10 c). RFC 4364 10 b, ourselves as the next hop, needs a label switching router. A peer is not
 * told that it is itself the next hop.
 */
static bool next_hop_fits(const struct peer *peer, uint32_t family, const struct bgp_attrs *attrs)
{
    if (is_vpn(family) && next_hop_self(peer))
        return false;
    if (next_hop_self(peer))
        return next_hop_of(peer, family)->family != IP_NONE;
    return attrs->next_hop.family != IP_NONE && !ip_addr_equal(&attrs->next_hop, &peer->conf.address);
}

static bool on_allowed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *path)
{
    const struct peer *peer = ctx;

    if (!told_routes(peer) || (peer->deferred & route->family) != 0 || path->unreachable ||
        path->source == &peer->source.rib || !next_hop_fits(peer, route->family, path->attrs))
        return false;
    const struct bgp_export how =
        distribute_export_of(peer, (const struct rule_source *)path->source, path->long_lived, &peer->told->session);
    return bgp_export_allowed(path->attrs, &how) && filter_route_passes(&peer->conf.export_filter, route, path->attrs);
}

static void on_attributes(void *ctx, uint32_t family, const struct bgp_unicast_path *path, struct bgp_attrs *out)
{
    const struct peer *peer = ctx;
    const struct bgp_export how =
        distribute_export_of(peer, (const struct rule_source *)path->source, path->long_lived, &peer->told->session);

    bgp_attrs_export_route(path->attrs, &how, next_hop_of(peer, family), out, peer->control->export_room);
}

static void pump_soon(struct peer *peer)
{
    const struct timeval now = {0};

    if (peer->told->pump != NULL && !evtimer_pending(peer->told->pump, NULL))
        evtimer_add(peer->told->pump, &now);
}

static void send_end_of_rib(struct peer *peer, uint32_t families)
{
    uint8_t marker[16];

    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        if ((families & family) != 0)
            bgp_session_send_update(peer->session, marker, bgp_end_of_rib(family, marker));
}

/* Those that are owed and need not wait (control/deferral.h). */
static void send_owed(struct peer *peer)
{
    uint32_t families = peer->told->owed & ~peer->deferred;

    peer->told->owed &= ~families;
    send_end_of_rib(peer, families);
}

static void send_refresh_marks(struct peer *peer, uint32_t families, bool end)
{
    for (uint32_t family = 1; family < 1u << BGP_FAMILY_COUNT; family <<= 1)
        if ((families & family) != 0)
            bgp_session_send_refresh_mark(peer->session, family, end);
}

/* All is said: the marks behind it, and what was asked for meanwhile. True when that makes more to say. */
static bool said(struct peer *peer)
{
    struct peer_routes *told = peer->told;
    uint32_t asked = told->asked & ~peer->deferred; /* an EoRR makes it forget what it kept and is not told yet */

    if (told->judge_again) {
        told->judge_again = false;
        bgp_route_out_walk(told->out, told->session.families, false);
        return true;
    }
    send_owed(peer);
    send_refresh_marks(peer, told->refreshing, true);
    told->refreshing = asked;
    if (asked == 0)
        return false;
    /* RFC 7313 4: between BoRR and EoRR, one refresh at a time */
    send_refresh_marks(peer, asked, false);
    bgp_route_out_walk(told->out, asked, true);
    told->asked &= ~asked;
    return true;
}

static void tell_short(struct peer *peer)
{
    if (!bgp_route_out_short(peer->told->out) || peer->told->short_told)
        return;
    peer->told->short_told = true;
    log_line(peer->control->log, LOG_LEVEL_ERROR,
             "peer %s: memory is short, not every route is announced to it; `peer %s down` and `up` starts afresh",
             peer->name, peer->name);
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct peer *peer = arg;
    struct bgp_builder *builder = peer->control->route_builder;
    bool more = true;

    (void)fd;
    (void)what;
    while (more && distribute_octets_waiting(peer) < DISTRIBUTE_QUEUE_OCTETS) {
        enum bgp_route_out_kind kind = bgp_route_out_next(peer->told->out, builder);
        if (kind == BGP_ROUTE_OUT_UPDATE) {
            bgp_session_send_update(peer->session, builder->body, builder->len);
        } else if (kind == BGP_ROUTE_OUT_MORE) {
            pump_soon(peer); /* others have their turn between two slices */
            break;
        } else {
            more = said(peer);
        }
    }
    tell_short(peer);
    peer_timer_arm(peer); /* sending moved the keepalive; distribute_writable goes on */
}

static void on_waits(void *ctx)
{
    pump_soon(ctx);
}

static const struct bgp_route_out_ops OUT_OPS = {.allowed = on_allowed, .attributes = on_attributes, .waits = on_waits};

static struct ip_addr listening_address(const struct cfg *cfg, uint8_t family)
{
    static const uint8_t WILDCARD[16];

    for (size_t i = 0; i < cfg->listen_count; i++)
        if (cfg->listens[i].address.family == family &&
            memcmp(cfg->listens[i].address.octets, WILDCARD, sizeof WILDCARD) != 0)
            return cfg->listens[i].address;
    return (struct ip_addr){.family = IP_NONE};
}

static struct ip_addr port_address(const struct cfg *cfg, uint8_t family)
{
    for (size_t i = 0; i < cfg->port_count; i++) {
        for (size_t n = 0; n < cfg->ports[i].address_count; n++) {
            const struct ip_prefix *prefix = &cfg->ports[i].addresses[n];
            struct ip_addr address = {.family = prefix->family};
            memcpy(address.octets, prefix->octets, sizeof address.octets);
            if (prefix->family == family && cfg->ports[i].vrf == NULL)
                return address;
        }
    }
    return (struct ip_addr){.family = IP_NONE};
}

/* The end of the session where it is of the family; else where we listen, else a port that routes. */
static struct ip_addr self_address(const struct peer *peer, uint8_t family)
{
    struct ip_addr address = peer_local_address(peer);

    if (address.family != family)
        address = listening_address(peer->control->cfg, family);
    if (address.family != family)
        address = port_address(peer->control->cfg, family);
    return address;
}

/* What a route would need that we do not have. */
static void warn_without_address(const struct peer *peer)
{
    static const uint32_t FAMILIES[2] = {BGP_IPV4_UNICAST, BGP_IPV6_UNICAST};

    for (unsigned i = 0; i < 2; i++)
        if (next_hop_self(peer) && (peer->told->session.families & FAMILIES[i]) != 0 &&
            peer->told->self[i].family == IP_NONE)
            log_line(peer->control->log, LOG_LEVEL_WARNING,
                     "peer %s: no route of %s is announced to it: we have no address to be their next hop", peer->name,
                     bgp_family_name(FAMILIES[i]));
}

/* Begins to tell routes: all that there are. */
static bool open_out(struct peer *peer)
{
    struct peer_routes *told = peer->told;
    struct bgp_route_out_conf conf = {
        .families = told->session.families & BGP_UNICAST_FAMILIES,
        .add_path = told->session.add_path.send,
        .four_octet_as = told->session.four_octet_as,
        .update_max = bgp_session_update_max(peer->session),
    };

    evutil_secure_rng_get_bytes(&conf.print_key, sizeof conf.print_key);
    if (told->pump == NULL)
        told->pump = evtimer_new(peer->control->base, on_pump, peer);
    told->out = told->pump != NULL ? bgp_route_out_open(peer->control->routes, &conf, &OUT_OPS, peer) : NULL;
    if (told->out == NULL) {
        log_line(peer->control->log, LOG_LEVEL_ERROR, "peer %s: no memory to announce routes to it", peer->name);
        return false;
    }
    told->self[0] = self_address(peer, IP_V4);
    told->self[1] = self_address(peer, IP_V6);
    warn_without_address(peer);
    bgp_route_out_walk(told->out, conf.families, false);
    pump_soon(peer);
    return true;
}

void route_distribute_start(struct peer *peer)
{
    struct bgp_session_info info;

    route_distribute_stop(peer);
    bgp_session_info_get(peer->session, &info);
    if ((info.families & BGP_UNICAST_FAMILIES) == 0)
        return;
    peer->told = calloc(1, sizeof *peer->told);
    if (peer->told == NULL) {
        log_line(peer->control->log, LOG_LEVEL_ERROR, "peer %s: no memory to announce routes to it", peer->name);
        send_end_of_rib(peer, info.families & BGP_UNICAST_FAMILIES);
        return;
    }
    peer->told->session = info;
    peer->told->owed = info.families & BGP_UNICAST_FAMILIES;
    if (!told_routes(peer) || !open_out(peer))
        send_owed(peer); /* RFC 4724 2: also where nothing is announced */
}

void route_distribute_stop(struct peer *peer)
{
    struct peer_routes *told = peer->told;

    if (told == NULL)
        return;
    peer->told = NULL;
    bgp_route_out_close(told->out);
    if (told->pump != NULL)
        event_free(told->pump);
    free(told);
}

void route_distribute_refresh(struct peer *peer, uint32_t family)
{
    struct peer_routes *told = peer->told;

    if (told == NULL || (told->asked & family) != 0)
        return;
    log_line(peer->control->log, LOG_LEVEL_INFO, "peer %s: asks for %s again", peer->name, bgp_family_name(family));
    if (told->out == NULL) { /* nothing is told, and that is said again */
        send_refresh_marks(peer, family, false);
        send_refresh_marks(peer, family, true);
        return;
    }
    told->asked |= family;
    pump_soon(peer);
}

void route_distribute_judge_again(struct peer *peer)
{
    struct peer_routes *told = peer->told;

    if (told == NULL)
        return;
    if (told->out != NULL) {
        told->judge_again = true;
        pump_soon(peer);
    } else if (!told_routes(peer) || !open_out(peer)) {
        send_owed(peer);
        peer_timer_arm(peer);
    }
}

void route_distribute_writable(struct peer *peer)
{
    if (peer->told != NULL && peer->told->out != NULL)
        pump_soon(peer);
}

uint64_t route_distribute_sent(const struct peer *peer, uint32_t family)
{
    return peer->told != NULL && peer->told->out != NULL ? bgp_route_out_count(peer->told->out, family) : 0;
}

uint64_t route_distribute_queued(const struct peer *peer)
{
    return peer->told != NULL && peer->told->out != NULL ? bgp_route_out_queued(peer->told->out) : 0;
}

uint64_t route_distribute_too_large(const struct peer *peer)
{
    return peer->told != NULL && peer->told->out != NULL ? bgp_route_out_too_large(peer->told->out) : 0;
}
