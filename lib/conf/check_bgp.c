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
    if (peer->passive && peer->address.family != IP_NONE && !listens_for(cfg, peer->address.family))
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->passive, peer->line),
                        "passive: this peer is waited for, but bgp.listen has no %s address that it could reach",
                        peer->address.family == IP_V4 ? "IPv4" : "IPv6");
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

void cfg_check_bgp(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique names = {cfg->peers, cfg->peer_count,   sizeof cfg->peers[0],
                               peer_named, peer_name_compare, peer_name_again};
    struct cfg_unique addresses = {cfg->peers,     cfg->peer_count,      sizeof cfg->peers[0],
                                   peer_addressed, peer_address_compare, peer_address_again};

    cfg_check_unique(reader, &names);
    cfg_check_unique(reader, &addresses);
    check_listens(reader);
    for (size_t i = 0; i < cfg->peer_count; i++)
        check_peer(reader, &cfg->peers[i]);
}
