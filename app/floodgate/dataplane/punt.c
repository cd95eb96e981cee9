/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/punt.h"

#include "dataplane/buffers.h"

#define NEIGHBORS_SLOTS 1024u /* of the ring `up_first`, that BGP leaves free */

/* What sessions live on goes first; and of that what neighbours live on has a part of the ring for itself. */
static struct rte_ring *ring_for(struct route_plane *route, const struct rte_mbuf *packet, enum up_kind kind)
{
    enum buffers_left left = BUFFERS_LEFT_BY_OTHERS;
    struct rte_ring *ring = route->up;

    if (kind == UP_ARP || kind == UP_ND || kind == UP_BGP) {
        left = kind == UP_BGP ? BUFFERS_LEFT_BY_BGP : BUFFERS_LEFT_BY_NEIGHBORS;
        ring = route->up_first;
        if (kind == UP_BGP && rte_ring_free_count(ring) < NEIGHBORS_SLOTS)
            return NULL;
    }
    return buffers_may_wait(packet->pool, left) ? ring : NULL;
}

static bool hand_up(struct burst *burst, struct rte_mbuf *packet, enum up_kind kind)
{
    struct packet_note *note = packet_note(packet);
    struct route_plane *route = burst->worker->route;
    struct rte_ring *ring;

    if (!punt_limit_admit(&route->limits[kind], burst->tsc) || (ring = ring_for(route, packet, kind)) == NULL)
        return false;
    note->kind = (uint8_t)kind;
    note->in = burst->queue->in->index;
    return rte_ring_mp_enqueue(ring, packet) == 0;
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
