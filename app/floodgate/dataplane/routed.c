/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stages of routed ports: what is for the router leaves before Flowspec is asked; the rest is routed after it.
 */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_ether.h>

#include "dataplane/burst.h"
#include "dataplane/punt.h"
#include "dataplane/route_judge.h"
#include "dataplane/route_plane.h"
#include "packet/parse.h"
#include "packet/rewrite.h"

/* Before Flowspec: no rule can cut the router off. */
void stage_local(struct burst *burst)
{
    const struct route_plane *route = burst->worker->route;
    const struct route_port *port = &route->ports[burst->queue->in->index];
    uint16_t kept = 0;
    bool foreign;

    for (uint16_t i = 0; i < burst->count; i++) {
        struct rte_mbuf *packet = burst->packets[i];
        if (unlikely(!pkt_checksum_right(packet, &burst->keys[i]))) {
            burst_drop(burst, packet, CNT_DROP_MALFORMED);
            continue;
        }
        enum up_kind kind = route_judge(route, port, rte_pktmbuf_mtod(packet, const uint8_t *),
                                        rte_pktmbuf_data_len(packet), &burst->keys[i], &foreign);
        if (unlikely(kind != ROUTE_NOT_TAKEN)) {
            punt_local(burst, packet, &burst->keys[i], kind);
        } else if (unlikely(foreign)) {
            burst_drop(burst, packet, CNT_DROP_NOT_FOR_ROUTER);
        } else {
            burst->egress[i].vrf = port->vrf;
            burst->egress[i].via = 0;
            burst_keep(burst, i, kept++);
        }
    }
    burst->count = kept;
}

/* Each packet's number of a next hop: of a redirect, or what the FIB says; all of a port's VRF in one go. */
void stage_lookup(struct burst *burst)
{
    uint32_t *numbers = burst->hops;
    const struct route_plane *route = burst->worker->route;
    uint16_t vrf = route->ports[burst->queue->in->index].vrf;
    static const unsigned FAMILIES[2] = {IP_V4, IP_V6};

    for (unsigned f = 0; f < 2; f++) {
        const uint8_t *addresses[PORTS_BURST];
        uint32_t found[PORTS_BURST];
        uint16_t which[PORTS_BURST];
        unsigned count = 0;
        for (uint16_t i = 0; i < burst->count; i++) {
            if (burst->keys[i].family != FAMILIES[f])
                continue;
            if (unlikely(burst->egress[i].via != 0)) {
                numbers[i] = burst->egress[i].via;
            } else if (unlikely(burst->egress[i].vrf != vrf)) {
                numbers[i] =
                    fwd_fib_lookup(fwd_fib_of(route->fwd, burst->egress[i].vrf, FAMILIES[f]), burst->keys[i].dst);
            } else {
                addresses[count] = burst->keys[i].dst;
                which[count++] = i;
            }
        }
        if (count == 0)
            continue;
        fwd_fib_lookup_burst(fwd_fib_of(route->fwd, vrf, FAMILIES[f]), addresses, found, count);
        for (unsigned k = 0; k < count; k++)
            numbers[which[k]] = found[k];
    }
}

/* Loose reverse path: the source must have a route that is no blackhole (RFC 3704 2.4, RFC 5635 section 4). */
static bool source_passes(struct burst *burst, struct rte_mbuf *packet, const struct pkt_key *key, uint16_t vrf)
{
    const struct route_plane *route = burst->worker->route;
    uint32_t number = fwd_fib_lookup(fwd_fib_of(route->fwd, vrf, key->family), key->src);
    const struct fwd_hop *hop = fwd_hop_choose(route->hops, number, 0);

    if (likely(hop->kind != FWD_UNREACHABLE && hop->kind != FWD_BLACKHOLE))
        return true;
    burst_drop(burst, packet, hop->kind == FWD_BLACKHOLE ? CNT_DROP_BLACKHOLE : CNT_DROP_URPF);
    return false;
}

/* Link layer of the way out: the tag comes or goes with the port, octets behind the IP packet (padding) go. */
static bool frame_rewrite(struct rte_mbuf *packet, const struct pkt_key *key, const struct route_port *out,
                          const uint8_t *mac)
{
    uint16_t l2 = (uint16_t)(RTE_ETHER_HDR_LEN + (out->vlan ? ROUTE_VLAN_TAG : 0));
    uint32_t padding = rte_pktmbuf_pkt_len(packet) - key->l3_offset - key->length;
    uint8_t *frame;

    if (unlikely(padding > 0))
        rte_pktmbuf_trim(packet, (uint16_t)padding); /* what lies in several buffers may keep it */
    if (l2 < key->l3_offset)
        frame = (uint8_t *)rte_pktmbuf_adj(packet, (uint16_t)(key->l3_offset - l2));
    else
        frame = (uint8_t *)rte_pktmbuf_prepend(packet, (uint16_t)(l2 - key->l3_offset));
    if (unlikely(frame == NULL))
        return false;
    memcpy(frame, mac, 6);
    memcpy(frame + 6, out->mac, 6);
    if (out->vlan) {
        frame[12] = 0x81;
        frame[13] = 0x00;
        frame[14] = (uint8_t)(out->vlan >> 8);
        frame[15] = (uint8_t)out->vlan;
    }
    frame[l2 - 2] = key->family == IP_V4 ? 0x08 : 0x86;
    frame[l2 - 1] = key->family == IP_V4 ? 0x00 : 0xdd;
    return true;
}

/* A packet that has a way out: TTL, MTU, headers. True when it is ready to be sent by `egress.port`. */
static bool forward_to(struct burst *burst, uint16_t i, const struct fwd_hop *hop)
{
    static const uint8_t UNKNOWN[6];
    const struct route_port *out = &burst->worker->route->ports[hop->port];
    struct pkt_key *key = &burst->keys[i];
    struct rte_mbuf *packet = burst->packets[i];

    if (unlikely(pkt_ttl(packet, key) <= 1)) {
        punt_error(burst, packet, key, CNT_DROP_TTL_EXPIRED, UP_TTL_EXPIRED, 0);
        return false;
    }
    if (unlikely(key->length > out->mtu)) {
        if (!route_may_cut(key)) {
            punt_error(burst, packet, key, CNT_DROP_MTU_EXCEEDED, UP_TOO_BIG, out->mtu);
            return false;
        }
        burst->oversized = true;
    }
    pkt_ttl_decrement(packet, key);
    if (unlikely(!frame_rewrite(packet, key, out, hop->kind == FWD_SEND ? hop->mac : UNKNOWN))) {
        burst_drop(burst, packet, CNT_DROP_MALFORMED);
        return false;
    }
    burst->egress[i].port = hop->port;
    if (likely(hop->kind == FWD_SEND))
        return true;
    struct ip_addr neighbor = hop->address;
    if (hop->kind == FWD_GLEAN) {
        neighbor = (struct ip_addr){.family = key->family};
        memcpy(neighbor.octets, key->dst, sizeof neighbor.octets);
    }
    punt_hold(burst, packet, hop->port, &neighbor);
    return false;
}

/* One packet and what its destination leads to. */
static bool forward_one(struct burst *burst, uint16_t i, uint32_t number)
{
    const struct route_plane *route = burst->worker->route;
    struct rte_mbuf *packet = burst->packets[i];
    const struct pkt_key *key = &burst->keys[i];
    const struct fwd_hop *hop = fwd_hop_of(route->hops, number);

    if (unlikely(hop->kind == FWD_SPREAD))
        hop = fwd_hop_choose(route->hops, number, route_flow_hash(key));
    switch ((enum fwd_kind)hop->kind) {
    case FWD_SEND:
    case FWD_RESOLVE:
    case FWD_GLEAN:
        return forward_to(burst, i, hop);
    case FWD_BLACKHOLE:
        burst_drop(burst, packet, CNT_DROP_BLACKHOLE);
        return false;
    case FWD_SELF: /* reached by a redirect */
        punt_local(burst, packet, key, route_local_kind(route, key));
        return false;
    case FWD_UNREACHABLE:
    case FWD_SPREAD:
        break;
    }
    punt_error(burst, packet, key, CNT_DROP_NO_ROUTE, UP_NO_ROUTE, 0);
    return false;
}

void stage_forward(struct burst *burst)
{
    const struct route_port *in = &burst->worker->route->ports[burst->queue->in->index];
    uint16_t kept = 0;

    for (uint16_t i = 0; i < burst->count; i++) {
        struct rte_mbuf *packet = burst->packets[i];
        if (unlikely(route_is_martian(&burst->keys[i]))) {
            burst_drop(burst, packet, CNT_DROP_NO_ROUTE);
            continue;
        }
        if (in->urpf && !source_passes(burst, packet, &burst->keys[i], in->vrf))
            continue;
        if (likely(forward_one(burst, i, burst->hops[i])))
            burst_keep(burst, i, kept++);
    }
    burst->count = kept;
}

/* A burst in which some are cut, in its order. */
static void send_one_by_one(struct burst *burst)
{
    for (uint16_t i = 0; i < burst->count; i++)
        if (!routed_send_cut(burst->worker, burst->egress[i].port, burst->packets[i], burst->in))
            burst_drop(burst, burst->packets[i], CNT_DROP_TX_FULL);
}

/* Out by each packet's own port: one call of the driver for each port that the burst leaves by. */
void stage_tx_routed(struct burst *burst)
{
    struct rte_mbuf *left[PORTS_BURST];
    uint16_t by[PORTS_BURST], count = burst->count;

    if (unlikely(burst->oversized)) {
        send_one_by_one(burst);
        return;
    }
    memcpy(left, burst->packets, count * sizeof left[0]);
    for (uint16_t i = 0; i < count; i++)
        by[i] = burst->egress[i].port;
    while (count > 0) {
        struct rte_mbuf *now[PORTS_BURST];
        uint16_t port = by[0], n = 0, rest = 0;
        for (uint16_t i = 0; i < count; i++) {
            if (by[i] == port) {
                now[n++] = left[i];
            } else {
                left[rest] = left[i];
                by[rest++] = by[i];
            }
        }
        uint16_t sent = routed_send(burst->worker, port, now, n);
        for (uint16_t i = sent; i < n; i++)
            burst_drop(burst, now[i], CNT_DROP_TX_FULL);
        count = rest;
    }
}

uint16_t routed_send(struct worker *worker, uint16_t port, struct rte_mbuf **packets, uint16_t count)
{
    const struct port *device = worker->device[port];
    struct cnt_port *out = &worker->ports[port];
    uint64_t bytes = 0, unsent_bytes = 0;

    /* a packet that is sent is no longer ours to look at */
    for (uint16_t i = 0; i < count; i++)
        bytes += rte_pktmbuf_pkt_len(packets[i]);
    uint16_t sent = rte_eth_tx_burst(device->dpdk_id, worker->tx_queue, packets, count);
    for (uint16_t i = sent; i < count; i++)
        unsent_bytes += rte_pktmbuf_pkt_len(packets[i]);
    cnt_add(&out->tx_packets, sent);
    cnt_add(&out->tx_bytes, bytes - unsent_bytes);
    return sent;
}

void routed_send_down(struct worker *worker)
{
    struct rte_mbuf *packets[PORTS_BURST];
    unsigned count = rte_ring_sc_dequeue_burst(worker->route->down, (void **)packets, PORTS_BURST, NULL);

    for (unsigned i = 0; i < count; i++) {
        const struct packet_note note = *packet_note(packets[i]);
        struct cnt_port *from = &worker->ports[note.originated ? note.out : note.in];
        if (note.originated)
            cnt_add(&from->originated_packets, 1);
        if (routed_send_cut(worker, note.out, packets[i], from))
            continue;
        cnt_add(&from->drops[CNT_DROP_TX_FULL], 1);
        rte_pktmbuf_free(packets[i]);
    }
}
