/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control thread sends, and what becomes of packets that waited: both go to a worker by the ring `down`. */
#include <string.h>

#include <rte_ether.h>

#include "packet/key.h"
#include "routing/internal.h"

/* A buffer with an Ethernet header for `port`, its destination zero until it is known; NULL when buffers are short. */
static struct rte_mbuf *frame_make(struct routing *routing, uint16_t port, const uint8_t *mac, uint16_t ethertype,
                                   const uint8_t *payload, size_t len)
{
    const struct route_port *out = &routing->route->ports[port];
    size_t l2 = RTE_ETHER_HDR_LEN + (out->vlan ? RTE_VLAN_HLEN : 0);
    struct rte_mbuf *packet = rte_pktmbuf_alloc(routing->ports[out->device].pool);
    uint8_t *frame = packet != NULL ? (uint8_t *)rte_pktmbuf_append(packet, (uint16_t)(l2 + len)) : NULL;

    if (frame == NULL) {
        rte_pktmbuf_free(packet);
        return NULL;
    }
    memset(frame, 0, 6);
    if (mac != NULL)
        memcpy(frame, mac, 6);
    memcpy(frame + 6, out->mac, 6);
    if (out->vlan) {
        frame[12] = 0x81;
        frame[13] = 0x00;
        frame[14] = (uint8_t)(out->vlan >> 8);
        frame[15] = (uint8_t)out->vlan;
    }
    frame[l2 - 2] = (uint8_t)(ethertype >> 8);
    frame[l2 - 1] = (uint8_t)ethertype;
    memcpy(frame + l2, payload, len);
    *packet_note(packet) = (struct packet_note){.originated = true, .out = port};
    return packet;
}

/* One that was not made here has been received, and must end somewhere. */
static void count_drop(struct routing *routing, struct rte_mbuf *packet, enum cnt_drop reason)
{
    const struct packet_note *note = packet_note(packet);

    if (!note->originated)
        cnt_add(&dataplane_control_counters(routing->dp, note->in)->drops[reason], 1);
    rte_pktmbuf_free(packet);
}

static void hand_down(struct routing *routing, struct rte_mbuf *packet)
{
    if (rte_ring_sp_enqueue(routing->route->down, packet) != 0)
        count_drop(routing, packet, CNT_DROP_TX_FULL);
}

void transmit_frame(struct routing *routing, uint16_t port, const uint8_t *mac, uint16_t ethertype,
                    const uint8_t *payload, size_t len)
{
    struct rte_mbuf *packet = frame_make(routing, port, mac, ethertype, payload, len);

    if (packet != NULL)
        hand_down(routing, packet);
}

void transmit_released(void *ctx, void *packet, uint16_t port, const uint8_t *mac)
{
    struct rte_mbuf *mbuf = packet;

    memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), mac, 6);
    packet_note(mbuf)->out = port;
    hand_down(ctx, mbuf);
}

void transmit_dropped(void *ctx, void *packet)
{
    count_drop(ctx, packet, CNT_DROP_NEIGHBOR_UNRESOLVED);
}

void transmit_ip(struct routing *routing, uint16_t vrf, const uint8_t *packet, size_t len)
{
    unsigned family = packet[0] >> 4 == 4 ? IP_V4 : IP_V6;
    uint16_t ethertype = family == IP_V4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6;
    struct ip_addr to = {.family = (uint8_t)family};

    memcpy(to.octets, packet + (family == IP_V4 ? 16 : 24), family == IP_V4 ? 4 : 16);
    uint32_t number = fwd_fib_lookup(fwd_fib_of(routing->fwd, vrf, family), to.octets);
    const struct fwd_hop *hop = fwd_hop_choose(routing->route->hops, number, 0);
    if (hop->kind != FWD_SEND && hop->kind != FWD_GLEAN && hop->kind != FWD_RESOLVE)
        return;
    struct rte_mbuf *mbuf = frame_make(routing, hop->port, hop->mac, ethertype, packet, len);
    if (mbuf == NULL)
        return;
    if (hop->kind == FWD_SEND)
        hand_down(routing, mbuf);
    else
        fwd_neighbor_hold(routing->fwd, hop->port, hop->kind == FWD_GLEAN ? &to : &hop->address, mbuf, routing->now);
}

void transmit_end(struct routing *routing)
{
    void *packet;

    fwd_neighbors_drop_held(routing->fwd);
    while (rte_ring_dequeue(routing->route->up, &packet) == 0) {
        /* only what was held is counted nowhere yet */
        packet_note(packet)->originated = packet_note(packet)->kind != UP_HOLD;
        count_drop(routing, packet, CNT_DROP_NEIGHBOR_UNRESOLVED);
    }
    while (rte_ring_dequeue(routing->route->down, &packet) == 0)
        count_drop(routing, packet, CNT_DROP_TX_FULL);
}
