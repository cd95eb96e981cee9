/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/punt.h"

/*
 * Packets per second and worker of each kind, and how many may come at once. A flood of one kind takes nothing from
 * another: BGP goes on while the router's address is flooded. RFC 1812 4.3.2.8 and RFC 4443 2.4(f): errors are limited.
 */
static const struct {
    uint32_t per_s, burst;
} LIMITS[UP_KIND_COUNT] = {
    [UP_ARP] = {2000, 256},       [UP_ND] = {2000, 256},     [UP_BGP] = {50000, 1024}, [UP_BGP_OTHER] = {500, 64},
    [UP_ICMP] = {10000, 512},     [UP_TCP] = {20000, 512},   [UP_LOCAL] = {5000, 256}, [UP_HOLD] = {20000, 256},
    [UP_TTL_EXPIRED] = {500, 64}, [UP_NO_ROUTE] = {500, 64}, [UP_TOO_BIG] = {500, 64},
};

/* A bucket that fills with time; all of it is the worker's own. */
static bool within_limit(struct burst *burst, enum up_kind kind)
{
    struct punt_bucket *bucket = &burst->worker->punt_buckets[kind];
    uint64_t each = burst->worker->route->tsc_hz / LIMITS[kind].per_s;
    uint64_t room = each * LIMITS[kind].burst;

    if (burst->tsc - bucket->spent_until_tsc > room && burst->tsc > bucket->spent_until_tsc)
        bucket->spent_until_tsc = burst->tsc - room;
    if (bucket->spent_until_tsc + each > burst->tsc)
        return false;
    bucket->spent_until_tsc += each;
    return true;
}

static bool hand_up(struct burst *burst, struct rte_mbuf *packet, enum up_kind kind)
{
    struct packet_note *note = packet_note(packet);

    if (!within_limit(burst, kind))
        return false;
    note->kind = (uint8_t)kind;
    note->in = burst->queue->in->index;
    bool first = kind == UP_BGP || kind == UP_ARP || kind == UP_ND;
    return rte_ring_mp_enqueue(first ? burst->worker->route->up_first : burst->worker->route->up, packet) == 0;
}

void punt_local(struct burst *burst, struct rte_mbuf *packet, const struct pkt_key *key, enum up_kind kind)
{
    packet_note(packet)->l3_offset = key->l3_offset;
    if (hand_up(burst, packet, kind)) {
        cnt_add(&burst->in->punted_packets, 1);
        cnt_add(&burst->worker->punts[kind], 1);
    } else {
        cnt_add(&burst->worker->punt_drops[kind], 1);
        burst_drop(burst, packet, CNT_DROP_PUNT_LIMIT);
    }
}

void punt_hold(struct burst *burst, struct rte_mbuf *packet, uint16_t out, const struct ip_addr *address)
{
    packet_note(packet)->out = out;
    packet_note(packet)->address = *address;
    if (!hand_up(burst, packet, UP_HOLD))
        burst_drop(burst, packet, CNT_DROP_NEIGHBOR_UNRESOLVED);
}

void punt_error(struct burst *burst, struct rte_mbuf *packet, const struct pkt_key *key, enum cnt_drop reason,
                enum up_kind kind, uint16_t mtu)
{
    cnt_add(&burst->in->drops[reason], 1);
    packet_note(packet)->l3_offset = key->l3_offset;
    packet_note(packet)->mtu = mtu;
    if (burst->of_copies || !hand_up(burst, packet, kind))
        rte_pktmbuf_free(packet);
}
