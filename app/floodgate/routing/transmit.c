/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control thread sends, and what becomes of packets that waited: both go to a worker by the ring `down`. */
#include <string.h>

#include <rte_ether.h>

#include "dataplane/buffers.h"
#include "forward/message.h"
#include "packet/fragment.h"
#include "packet/key.h"
#include "routing/exception.h"
#include "routing/internal.h"

/* A buffer with an Ethernet header for `port`, its destination zero until it is known; NULL when buffers are short. */
static struct rte_mbuf *frame_make(struct routing *routing, uint16_t port, const uint8_t *mac, uint16_t ethertype,
                                   const uint8_t *payload, size_t len)
{
    const struct route_port *out = &routing->route->ports[port];
    size_t l2 = RTE_ETHER_HDR_LEN + (out->vlan ? RTE_VLAN_HLEN : 0);
    struct rte_mempool *pool = routing->ports[out->device].pool;
    struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
    uint8_t *frame = packet != NULL ? (uint8_t *)rte_pktmbuf_append(packet, (uint16_t)l2) : NULL;

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
    if (!pkt_append(packet, pool, payload, len)) {
        rte_pktmbuf_free(packet);
        return NULL;
    }
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

/* While polling is stopped nothing waits for its start: it would leave late, and be believed. */
static void hand_down(struct routing *routing, struct rte_mbuf *packet)
{
    if (!dataplane_running(routing->dp) || rte_ring_sp_enqueue(routing->route->down, packet) != 0)
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

/* What no router sends on behalf of its own kernel: to a group, to everybody, or to itself. */
static bool is_for_one_host(const struct ip_addr *to)
{
    return to->family == IP_V4 ? to->octets[0] != 0 && to->octets[0] != 127 && to->octets[0] < 224
                               : to->octets[0] != 0xff;
}

/*
 * An error for the kernel itself, as if the destination had sent it: from an address of our own, which is the kernel's,
 * too, the kernel takes nothing.
 */
static void tell_kernel(struct routing *routing, uint16_t port, enum fwd_error error, uint16_t mtu,
                        const struct ip_addr *from, const uint8_t *packet, size_t len)
{
    uint8_t message[FWD_MESSAGE_MAX];
    size_t size = fwd_error_build(error, mtu, from, packet, len, message);

    if (size > 0)
        exception_deliver_by(routing->exception, port, message, size);
}

/* The next hop of what the kernel sends: by the FIB of the port's VRF; a link-local address is on the port's link. */
static struct fwd_hop way_of(const struct routing *routing, uint16_t port, const struct ip_addr *to)
{
    bool link_local = to->family == IP_V6 && to->octets[0] == 0xfe && (to->octets[1] & 0xc0) == 0x80;
    const struct fwd_fib *fib = fwd_fib_of(routing->fwd, routing->route->ports[port].vrf, to->family);

    if (link_local)
        return (struct fwd_hop){.kind = FWD_GLEAN, .port = port};
    return *fwd_hop_choose(routing->route->hops, fwd_fib_lookup(fib, to->octets), 0);
}

bool transmit_from_kernel(struct routing *routing, uint16_t port, const uint8_t *packet, size_t len)
{
    unsigned family = packet[0] >> 4 == 4 ? IP_V4 : IP_V6;
    struct ip_addr to = {.family = (uint8_t)family};

    if (!dataplane_running(routing->dp) || len < (family == IP_V4 ? 20u : 40u))
        return false;
    memcpy(to.octets, packet + (family == IP_V4 ? 16 : 24), family == IP_V4 ? 4 : 16);
    if (!is_for_one_host(&to))
        return false;
    struct fwd_hop hop = way_of(routing, port, &to);
    if (hop.kind != FWD_SEND && hop.kind != FWD_GLEAN && hop.kind != FWD_RESOLVE) {
        tell_kernel(routing, port, FWD_ERROR_NO_ROUTE, 0, &to, packet, len);
        return false;
    }
    if (!buffers_may_wait(routing->ports[routing->route->ports[hop.port].device].pool, BUFFERS_LEFT_BY_BGP))
        return false;
    bool may_cut = family == IP_V4 && (packet[6] & 0x40) == 0;
    if (len > routing->route->ports[hop.port].mtu && !may_cut) { /* out by another port, with a smaller MTU */
        tell_kernel(routing, port, FWD_ERROR_TOO_BIG, routing->route->ports[hop.port].mtu, &to, packet, len);
        return false;
    }
    struct rte_mbuf *mbuf = frame_make(routing, hop.port, hop.kind == FWD_SEND ? hop.mac : NULL,
                                       family == IP_V4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6, packet, len);
    if (mbuf == NULL)
        return false;
    if (hop.kind == FWD_SEND)
        hand_down(routing, mbuf);
    else
        fwd_neighbor_hold(routing->fwd, hop.port, hop.kind == FWD_GLEAN ? &to : &hop.address, mbuf, routing->now);
    return true;
}

void transmit_end(struct routing *routing)
{
    void *packet;

    fwd_neighbors_drop_held(routing->fwd);
    while (rte_ring_dequeue(routing->route->up_first, &packet) == 0)
        rte_pktmbuf_free(packet); /* punted, and counted so */
    while (rte_ring_dequeue(routing->route->up, &packet) == 0) {
        /* only what was held is counted nowhere yet */
        packet_note(packet)->originated = packet_note(packet)->kind != UP_HOLD;
        count_drop(routing, packet, CNT_DROP_NEIGHBOR_UNRESOLVED);
    }
    while (rte_ring_dequeue(routing->route->down, &packet) == 0)
        count_drop(routing, packet, CNT_DROP_TX_FULL);
}
