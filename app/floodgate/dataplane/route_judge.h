/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a routed port makes of a packet before any table is asked: for the router, for somebody else, for nobody here.
 * Workers decide by it, and `fgctl explain` says what they would decide. `frame` and `len`: the octets in the first
 * buffer of the packet.
 */
#ifndef FLOODGATE_ROUTE_JUDGE_H
#define FLOODGATE_ROUTE_JUDGE_H

#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_ether.h>

#include "dataplane/route_plane.h"
#include "packet/key.h"

#define ROUTE_PROTO_ICMP  1
#define ROUTE_PROTO_TCP   6
#define ROUTE_PROTO_ICMP6 58
#define ROUTE_ND_TYPE_MIN 133 /* RFC 4861: router solicitation ... */
#define ROUTE_ND_TYPE_MAX 137 /* ... redirect */
#define ROUTE_VLAN_TAG    4u
#define ROUTE_NOT_TAKEN   UP_KIND_COUNT

/* The frame is for this station, and carries the tag of this port. */
static inline bool route_is_for_us(const struct route_port *port, const uint8_t *frame, uint16_t len,
                                   const struct pkt_key *key)
{
    uint16_t l2 = (uint16_t)(RTE_ETHER_HDR_LEN + (port->vlan ? ROUTE_VLAN_TAG : 0));

    return port->routed && key->l3_offset == l2 && key->vlan == port->vlan && len >= l2 &&
           memcmp(frame, port->mac, sizeof port->mac) == 0;
}

static inline bool route_is_arp(const uint8_t *frame, uint16_t len, const struct pkt_key *key)
{
    uint16_t at = (uint16_t)(key->l3_offset - 2);

    return key->family == IP_NONE && len >= key->l3_offset && frame[at] == 0x08 && frame[at + 1] == 0x06;
}

static inline bool route_is_nd(const struct pkt_key *key)
{
    return key->family == IP_V6 && (key->has & PKT_HAS_ICMP) && key->protocol == ROUTE_PROTO_ICMP6 &&
           key->icmp_type >= ROUTE_ND_TYPE_MIN && key->icmp_type <= ROUTE_ND_TYPE_MAX;
}

static inline bool route_is_own_address(const struct route_plane *route, uint16_t vrf, const struct pkt_key *key)
{
    if (route->local_marks[local_mark_of(key->dst, key->family)] == 0)
        return false;
    uint32_t number = fwd_fib_lookup(fwd_fib_of(route->fwd, vrf, key->family), key->dst);
    return fwd_hop_of(route->hops, number)->kind == FWD_SELF;
}

/* What a packet for the router itself is: each kind has a limit of its own. */
static inline enum up_kind route_local_kind(const struct route_plane *route, const struct pkt_key *key)
{
    if (key->protocol == ROUTE_PROTO_ICMP || key->protocol == ROUTE_PROTO_ICMP6)
        return UP_ICMP;
    if (key->protocol != ROUTE_PROTO_TCP)
        return UP_LOCAL;
    if ((key->has & PKT_HAS_PORTS) == 0 ||
        !(route_is_bgp_port(route, key->dst_port) || route_is_bgp_port(route, key->src_port)))
        return UP_TCP;
    const struct fwd_fib *peers = route->bgp_peers[key->family == IP_V6];
    return fwd_fib_lookup(peers, key->src) != FWD_NO_ROUTE ? UP_BGP : UP_BGP_OTHER;
}

/* For whom a packet is. ROUTE_NOT_TAKEN: for somebody else, to be routed; `*foreign`: not for this station at all. */
static inline enum up_kind route_judge(const struct route_plane *route, const struct route_port *port,
                                       const uint8_t *frame, uint16_t len, const struct pkt_key *key, bool *foreign)
{
    bool us = route_is_for_us(port, frame, len, key);
    bool group = port->routed && len > 0 && (frame[0] & 1) && key->vlan == port->vlan;

    *foreign = false;
    if (likely(us && key->family != IP_NONE)) {
        if (unlikely(route_is_nd(key)) && key->dst[0] == 0xff) /* a group's packet in a frame to us: RFC 6085 */
            return UP_ND;
        if (likely(!route_is_own_address(route, port->vrf, key)))
            return ROUTE_NOT_TAKEN;
        return route_is_nd(key) ? UP_ND : route_local_kind(route, key);
    }
    if ((us || group) && route_is_arp(frame, len, key))
        return UP_ARP;
    if (group && route_is_nd(key))
        return UP_ND;
    *foreign = true;
    return ROUTE_NOT_TAKEN;
}

/* Addresses that no router passes on: RFC 1812 5.3.7, RFC 4291 2.5.2, 2.5.3, 2.5.6, 2.7. */
static inline bool route_is_martian(const struct pkt_key *key)
{
    static const uint8_t ZERO[16];

    if (key->family == IP_V4)
        return key->src[0] == 127 || key->dst[0] == 127 || key->src[0] >= 224 || key->dst[0] >= 224 ||
               key->src[0] == 0 || key->dst[0] == 0;
    return key->src[0] == 0xff || key->dst[0] == 0xff || (key->src[0] == 0xfe && (key->src[1] & 0xc0) == 0x80) ||
           (key->dst[0] == 0xfe && (key->dst[1] & 0xc0) == 0x80) ||
           ((key->src[0] | key->dst[0]) == 0 && (memcmp(key->src, ZERO, 15) == 0 || memcmp(key->dst, ZERO, 15) == 0));
}

/* Whether a packet longer than the MTU of its way out may be sent in fragments: RFC 791 2.3, and RFC 8200 5 for not. */
static inline bool route_may_cut(const struct pkt_key *key)
{
    return key->family == IP_V4 && (key->fragment & PKT_FRAGMENT_DF) == 0;
}

/* The same for all packets of a flow, so that they keep their order; addresses, protocol and ports. */
static inline uint32_t route_flow_hash(const struct pkt_key *key)
{
    uint64_t hash = (uint64_t)key->protocol << 32 | (uint32_t)key->src_port << 16 | key->dst_port, word;

    if (key->fragment & (PKT_FRAGMENT_IS | PKT_FRAGMENT_FIRST)) /* only the first has ports */
        hash = (uint64_t)key->protocol << 32;
    for (unsigned i = 0; i < 32; i += 8) {
        memcpy(&word, key->src + i, 8); /* src, then dst behind it */
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 32);
}

#endif
