/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UPDATE messages of a peer -> RIB. What is wrong with one rule or one attribute is that rule's loss alone (RFC 7606):
 * it is counted, the latest is kept in words, and only lost framing ends the session.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "control/deferral.h"
#include "control/filter.h"
#include "control/graceful.h"
#include "control/internal.h"

#define BAD_OCTETS_SHOWN     16
#define UPDATE_OCTETS_A_LINE 400

static void log_bad(struct peer *peer)
{
    const struct log_hook *log = peer->control->log;
    uint64_t held_back;

    if (!log_limit_pass(&peer_lines_of(peer)->bad, control_now(), &held_back)) {
        log_line(log, LOG_LEVEL_DEBUG, "peer %s: %s", peer->name, peer->last_bad);
        return;
    }
    log_line(log, LOG_LEVEL_WARNING, "peer %s: %s", peer->name, peer->last_bad);
    peer->update_told = true;
    peer_lines_held_back(peer, held_back);
}

static void on_unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    struct peer *peer = ctx;

    if (bgp_rib_withdraw_path(peer->control->rib, &peer->source.rib, family, path_id, rule))
        peer->withdrawals++;
    fs_rule_free(rule);
}

static void on_unreach_route(void *ctx, const struct bgp_route *route)
{
    struct peer *peer = ctx;

    if (bgp_unicast_withdraw(peer->control->routes, &peer->source.rib, route))
        peer->withdrawals++;
}

/* RFC 4271 5.1.3, 6.3: a route that leads to ourselves is said to the log, once an UPDATE, and ignored. */
static bool next_hop_is_own(struct peer *peer, const struct bgp_attrs *attrs)
{
    char text[IP_TEXT_SIZE];

    if (attrs->next_hop.family == IP_NONE || !ip_addr_equal(&attrs->next_hop, &peer->local))
        return false;
    if (peer->own_next_hop == attrs)
        return true;
    peer->own_next_hop = attrs;
    snprintf(peer->last_bad, sizeof peer->last_bad, "routes with our own address %s as the next hop: ignored",
             ip_addr_format(&attrs->next_hop, text));
    peer->bad_attributes++;
    log_bad(peer);
    return true;
}

static void tell_not_taken(struct peer *peer, const char *what, int error)
{
    if (error == -ENOSPC)
        snprintf(peer->last_bad, sizeof peer->last_bad, "a path was not taken: %d others of its %s are here",
                 BGP_PATHS_MAX, what);
    else
        snprintf(peer->last_bad, sizeof peer->last_bad, "a %s was not taken: memory is short", what);
    log_bad(peer);
}

static void on_reach_route(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    struct peer *peer = ctx;

    if (next_hop_is_own(peer, attrs) || !filter_route_passes(&peer->conf.import_filter, route, attrs)) {
        peer->filtered++;
        peer->routes_rejected[__builtin_ctz(route->family)]++;
        on_unreach_route(peer, route);
        return;
    }
    int error = route_reach(peer, route, attrs);
    if (error == 0) {
        peer->limit.touched |= route->family;
        return;
    }
    peer->routes_rejected[__builtin_ctz(route->family)]++;
    tell_not_taken(peer, "route", error);
}

static void on_reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    struct peer *peer = ctx;

    if (peer->limit.breached) { /* what is left of the UPDATE that went beyond */
        fs_rule_free(rule);
        return;
    }
    if (!filter_passes(&peer->conf.import_filter, family, rule, attrs)) {
        peer->filtered++;
        on_unreach(peer, family, path_id, rule);
        return;
    }
    struct bgp_attrs without;
    if (peer->conf.remove_med && attrs->has_med) { /* RFC 4271 5.1.4 */
        without = *attrs;
        without.has_med = false;
        attrs = &without;
    }
    int error = bgp_rib_announce_path(peer->control->rib, &peer->source.rib, family, path_id, rule, attrs);
    if (error == 0)
        limit_check(peer, family);
    else
        tell_not_taken(peer, "rule", error);
}

static void on_bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    struct peer *peer = ctx;
    struct strbuf text = sb_init(peer->last_bad, sizeof peer->last_bad);
    size_t shown = len < BAD_OCTETS_SHOWN ? len : BAD_OCTETS_SHOWN;

    peer->bad_nlri++;
    /* octets before the sentence: where the text is cut, the fact that can be looked up stays */
    sb_printf(&text, "%s rule refused (NLRI ", bgp_family_name(family));
    sb_hex(&text, nlri, shown);
    sb_printf(&text, "%s): %s", shown < len ? "..." : "", fs_error_text(error));
    log_bad(peer);
}

static void on_bad_attribute(void *ctx, const char *what)
{
    struct peer *peer = ctx;

    peer->bad_attributes++;
    snprintf(peer->last_bad, sizeof peer->last_bad, "%s", what);
    log_bad(peer);
}

static void on_end_of_rib(void *ctx, uint32_t family)
{
    struct peer *peer = ctx;
    const uint64_t *states = peer->source.states[bgp_family_afi(family) == BGP_AFI_IPV6];

    if ((peer->end_of_rib & family) != 0) {
        log_line(peer->control->log, LOG_LEVEL_DEBUG, "peer %s: another End-of-RIB for %s", peer->name,
                 bgp_family_name(family));
        return;
    }
    peer->end_of_rib |= family;
    deferral_check(peer->control->deferral);
    graceful_complete(peer->graceful, family);
    if ((family & BGP_UNICAST_FAMILIES) != 0) {
        log_line(peer->control->log, LOG_LEVEL_NOTICE, "peer %s: %s complete, %zu routes", peer->name,
                 bgp_family_name(family), bgp_unicast_source_count(peer->control->routes, &peer->source.rib, family));
        return;
    }
    size_t count = bgp_rib_source_count(peer->control->rib, &peer->source.rib, family);
    log_line(peer->control->log, LOG_LEVEL_NOTICE,
             "peer %s: %s complete, %zu rule%s (%" PRIu64 " active, %" PRIu64 " rejected)", peer->name,
             bgp_family_name(family), count, count == 1 ? "" : "s", states[RULE_ACTIVE], states[RULE_REJECTED]);
}

static const struct bgp_update_ops UPDATE_OPS = {
    .reach_flowspec = on_reach,
    .unreach_flowspec = on_unreach,
    .reach_route = on_reach_route,
    .unreach_route = on_unreach_route,
    .bad_nlri = on_bad_nlri,
    .bad_attribute = on_bad_attribute,
    .end_of_rib = on_end_of_rib,
};

/* RFC 7606 6: the whole message, so that what is wrong with it can be found out. As rarely as its fault was told. */
static void log_update(const struct peer *peer, const uint8_t *body, size_t len)
{
    for (size_t at = 0; at < len; at += UPDATE_OCTETS_A_LINE) {
        char hex[2 * UPDATE_OCTETS_A_LINE + 1];
        struct strbuf text = sb_init(hex, sizeof hex);

        sb_hex(&text, body + at, len - at < UPDATE_OCTETS_A_LINE ? len - at : UPDATE_OCTETS_A_LINE);
        log_line(peer->control->log, LOG_LEVEL_INFO, "peer %s: that UPDATE from octet %zu of %zu: %s", peer->name, at,
                 len, hex);
    }
}

void update_feed(struct peer *peer, const uint8_t *body, size_t len)
{
    peer->update_told = false;
    peer->own_next_hop = NULL;
    struct bgp_update_result result = bgp_update_parse(body, len, &peer->update_conf, &UPDATE_OPS, peer);

    route_feed_end(peer);
    limit_check_routes(peer);
    if (result.reset && result.what != NULL)
        on_bad_attribute(peer, result.what);
    if (peer->update_told)
        log_update(peer, body, len);
    if (peer->limit.breached) {
        limit_end_session(peer);
        return;
    }
    if (!result.reset)
        return;
    bgp_session_error(peer->session, result.code, result.subcode, result.data, result.data_len);
}

void update_feed_start(struct peer *peer)
{
    struct bgp_session_info info;

    bgp_session_info_get(peer->session, &info);
    peer->end_of_rib = 0;
    peer->local = peer_local_address(peer);
    peer->filtered = 0;
    memset(peer->routes_rejected, 0, sizeof peer->routes_rejected);
    peer->limit = (struct peer_limit){0};
    peer->source.rib.ebgp = info.peer_as != peer->control->cfg->router.asn;
    peer->source.rib.router_id = info.peer_router_id;
    peer->update_conf = (struct bgp_update_conf){
        .families = info.families,
        .add_path = info.add_path.receive,
        .four_octet_as = info.four_octet_as,
        .ebgp = peer->source.rib.ebgp,
        .legacy_ipv6_offset = peer->conf.legacy_ipv6_offset,
        .local_as = peer->control->cfg->router.asn,
        .router_id = peer->control->cfg->router.id,
        .cluster_id = control_cluster_id(peer->control),
    };
}
