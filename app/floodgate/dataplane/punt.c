/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/punt.h"

static bool hand_up(struct burst *burst, struct rte_mbuf *packet, enum up_kind kind)
{
    struct packet_note *note = packet_note(packet);

    if (!punt_limit_admit(&burst->worker->route->limits[kind], burst->tsc))
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
