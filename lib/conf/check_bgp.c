/* SPDX-License-Identifier: BSD-3-Clause */
/* BGP: who listens, who connects, and which policies the peers name. */
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"

static bool peer_named(const void *item)
{
    return ((const struct cfg_peer *)item)->name != NULL;
}

static int peer_name_compare(const void *a, const void *b)
{
    return strcmp(((const struct cfg_peer *)a)->name, ((const struct cfg_peer *)b)->name);
}

static void peer_name_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_peer *peer = again;

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->name, peer->line),
                    "name: the peer on line %u is called '%s' already", ((const struct cfg_peer *)first)->line,
                    peer->name);
}

static bool peer_addressed(const void *item)
{
    return ((const struct cfg_peer *)item)->address.family != IP_NONE;
}

static int peer_address_compare(const void *a, const void *b)
{
    return cfg_addr_compare(&((const struct cfg_peer *)a)->address, &((const struct cfg_peer *)b)->address);
}

/* An incoming connection is its source address's: two peers cannot share one. */
static void peer_address_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_peer *peer = again;
    char text[IP_TEXT_SIZE];

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->address, peer->line),
                    "address: %s is the peer's on line %u already; connections are told apart by address",
                    ip_addr_format(&peer->address, text), ((const struct cfg_peer *)first)->line);
}

bool cfg_peer_is_range(const struct cfg_peer *peer)
{
    return peer->range.family != IP_NONE;
}

const struct cfg_peer *cfg_peer_of_address(const struct cfg *cfg, const struct ip_addr *address)
{
    const struct cfg_peer *best = NULL;

    for (size_t i = 0; i < cfg->peer_count; i++) {
        const struct cfg_peer *peer = &cfg->peers[i];
        if (ip_addr_equal(&peer->address, address))
            return peer;
        if (cfg_peer_is_range(peer) && (best == NULL || peer->range.length > best->range.length) &&
            ip_prefix_covers(&peer->range, address))
            best = peer;
    }
    return best;
}

static bool peer_ranged(const void *item)
{
    return cfg_peer_is_range(item);
}

static int peer_range_compare(const void *a, const void *b)
{
    const struct ip_prefix *x = &((const struct cfg_peer *)a)->range, *y = &((const struct cfg_peer *)b)->range;

    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return memcmp(x->octets, y->octets, sizeof x->octets);
}

static void peer_range_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_peer *peer = again;
    char text[IP_TEXT_SIZE];

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->range, peer->line),
                    "range: %s is that of the peer on line %u already", ip_prefix_format(&peer->range, text),
                    ((const struct cfg_peer *)first)->line);
}

/* The kernel asks for the password of the longest prefix that has one, and there is none that means "no password". */
static void check_range_password(struct cfg_reader *reader, const struct cfg_peer *range, const struct cfg_peer *peer)
{
    struct ip_addr first = peer->address;
    char text[IP_TEXT_SIZE];

    if (peer == range || peer->password != NULL)
        return;
    if (cfg_peer_is_range(peer)) {
        first.family = peer->range.length >= range->range.length ? peer->range.family : IP_NONE;
        memcpy(first.octets, peer->range.octets, sizeof first.octets);
    }
    if (first.family != IP_NONE && ip_prefix_covers(&range->range, &first))
        cfg_problem_add(&reader->problems, peer->line,
                        "password: none here, but this peer lies within %s on line %u, which has one; the system "
                        "tells them apart only by passwords of their own",
                        ip_prefix_format(&range->range, text), range->line);
}

static bool addr_is_any(const struct ip_addr *addr)
{
    static const uint8_t ZERO[16];

    return memcmp(addr->octets, ZERO, sizeof addr->octets) == 0;
}

/* Two sockets cannot listen on one port where one's address is the other's, or is the wildcard. */
static void check_listens(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    char text[IP_TEXT_SIZE];

    for (size_t i = 0; i < cfg->listen_count; i++) {
        const struct cfg_listen *mine = &cfg->listens[i];
        for (size_t j = 0; j < i && mine->address.family != IP_NONE; j++) {
            const struct cfg_listen *other = &cfg->listens[j];
            bool equal = ip_addr_equal(&mine->address, &other->address);
            if (mine->port != other->port || mine->address.family != other->address.family)
                continue;
            if (!equal && !addr_is_any(&mine->address) && !addr_is_any(&other->address))
                continue;
            cfg_problem_add(&reader->problems, mine->line, "listen: %s port %u %s line %u",
                            ip_addr_format(&mine->address, text), mine->port,
                            equal ? "is given already on" : "overlaps with the address on", other->line);
            break;
        }
    }
}

static bool policy_exists(const struct cfg *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->policy_count; i++) {
        if (cfg->policies[i].name && strcmp(cfg->policies[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool listens_for(const struct cfg *cfg, uint8_t family)
{
    for (size_t i = 0; i < cfg->listen_count; i++) {
        if (cfg->listens[i].address.family == family)
            return true;
    }
    return false;
}

static void check_peer(struct cfg_reader *reader, const struct cfg_peer *peer)
{
    const struct cfg *cfg = reader->cfg;

    if (peer->policy && !policy_exists(cfg, peer->policy))
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->policy, peer->line),
                        "policy: there is no '%s' in policies", peer->policy);
    bool range = cfg_peer_is_range(peer);
    uint8_t family = range ? peer->range.family : peer->address.family;
    if (peer->passive && family != IP_NONE && !listens_for(cfg, family))
        cfg_problem_add(&reader->problems,
                        range ? cfg_line_of(reader, &peer->range, peer->line)
                              : cfg_line_of(reader, &peer->passive, peer->line),
                        "%s: this peer is waited for, but bgp.listen has no %s address that it could reach",
                        range ? "range" : "passive", family == IP_V4 ? "IPv4" : "IPv6");
    for (size_t i = 0; range && peer->password != NULL && i < cfg->peer_count; i++)
        check_range_password(reader, peer, &cfg->peers[i]);
    if (peer->send_hold_s > 0 && peer->send_hold_s <= peer->hold_time_s && peer->hold_time_s < UINT16_MAX)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->send_hold_s, peer->line),
                        "send-hold-time: 0, or more seconds than hold-time, which is %u here, not %u",
                        peer->hold_time_s, peer->send_hold_s);
    if (peer->long_lived_s > 0 && peer->restart_time_s == 0)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->long_lived_s, peer->line),
                        "long-lived-stale-time: only with a restart-time above 0 (RFC 9494 section 4.1)");
    /* RFC 4456 section 4: clients are internal peers */
    if (peer->route_reflector_client && peer->asn != 0 && cfg->router.asn != 0 && peer->asn != cfg->router.asn)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->route_reflector_client, peer->line),
                        "route-reflector-client: only for peers of our own AS %u; this one is in AS %u",
                        cfg->router.asn, peer->asn);
}

/* Without a port that routes there is nothing to reach a next hop by: every route would be left out. */
static void check_resolution(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    bool routed = false;

    for (size_t i = 0; i < cfg->port_count; i++)
        routed = routed || cfg->ports[i].mode == CFG_PORT_ROUTE;
    if (cfg->next_hop_resolution == CFG_RESOLUTION_ON && !routed)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &cfg->next_hop_resolution, 0),
                        "next-hop-resolution: on needs a port of mode route, by which next hops are reached; take "
                        "auto");
}

void cfg_check_bgp(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique names = {cfg->peers, cfg->peer_count,   sizeof cfg->peers[0],
                               peer_named, peer_name_compare, peer_name_again};
    struct cfg_unique addresses = {cfg->peers,     cfg->peer_count,      sizeof cfg->peers[0],
                                   peer_addressed, peer_address_compare, peer_address_again};
    struct cfg_unique ranges = {cfg->peers,  cfg->peer_count,    sizeof cfg->peers[0],
                                peer_ranged, peer_range_compare, peer_range_again};

    cfg_check_unique(reader, &names);
    cfg_check_unique(reader, &addresses);
    cfg_check_unique(reader, &ranges);
    check_resolution(reader);
    check_listens(reader);
    for (size_t i = 0; i < cfg->peer_count; i++)
        check_peer(reader, &cfg->peers[i]);
}
