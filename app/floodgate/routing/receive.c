/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers hand to the control thread: for the router itself, to be held, or to be answered with an ICMP error. */
#include <string.h>

#include <rte_ether.h>

#include "forward/message.h"
#include "routing/exception.h"
#include "routing/internal.h"

#define PACKETS_AT_ONCE 512u  /* before other events get their turn */
#define PACKET_MAX      9216u /* octets of what is answered */

static const uint8_t EVERYBODY[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct ip_addr addr_of(unsigned family, const uint8_t *octets)
{
    struct ip_addr address = {.family = (uint8_t)family};

    memcpy(address.octets, octets, family == IP_V4 ? 4 : 16);
    return address;
}

void receive_solicit(void *ctx, uint16_t port, const struct ip_addr *address, const uint8_t *mac)
{
    struct routing *routing = ctx;
    const struct ip_prefix *own = routing_address(routing, port, address->family, NULL);
    uint8_t message[FWD_MESSAGE_MAX], to[6];

    if (own == NULL && address->family == IP_V6) /* its link-local address, which it always has */
        own = &routing->addresses[port][routing->address_count[port] - 1];
    if (own == NULL)
        return;
    if (address->family == IP_V4) {
        struct fwd_arp arp = {.operation = FWD_ARP_REQUEST};
        memcpy(arp.sender_mac, routing->route->ports[port].mac, 6);
        memcpy(arp.sender, own->octets, 4);
        memcpy(arp.target, address->octets, 4);
        transmit_frame(routing, port, mac != NULL ? mac : EVERYBODY, RTE_ETHER_TYPE_ARP, message,
                       fwd_arp_build(&arp, message));
        return;
    }
    struct fwd_nd nd = {.type = FWD_ND_SOLICIT};
    memcpy(nd.mac, routing->route->ports[port].mac, 6);
    memcpy(nd.src, own->octets, 16);
    memcpy(nd.target, address->octets, 16);
    memcpy(nd.dst, address->octets, 16);
    if (mac == NULL) {
        fwd_nd_group(address->octets, nd.dst);
        fwd_nd_group_mac(nd.dst, to);
        mac = to;
    }
    transmit_frame(routing, port, mac, RTE_ETHER_TYPE_IPV6, message, fwd_nd_build(&nd, message));
}

/* RFC 826: the sender's address is taken over, and a request for one of ours answered. */
static void on_arp(struct routing *routing, uint16_t port, const uint8_t *message, size_t len)
{
    struct fwd_arp arp;
    uint8_t reply[FWD_ARP_SIZE];

    if (!fwd_arp_parse(message, len, &arp))
        return;
    struct ip_addr sender = addr_of(IP_V4, arp.sender);
    if (routing_address(routing, port, IP_V4, arp.sender) == NULL)
        fwd_neighbor_learn(routing->fwd, port, &sender, arp.sender_mac,
                           arp.operation == FWD_ARP_REPLY ? FWD_LEARN_ANSWER : 0, routing->now);
    if (arp.operation != FWD_ARP_REQUEST || routing_address(routing, port, IP_V4, arp.target) == NULL)
        return;
    struct fwd_arp answer = {.operation = FWD_ARP_REPLY};
    memcpy(answer.sender_mac, routing->route->ports[port].mac, 6);
    memcpy(answer.sender, arp.target, 4);
    memcpy(answer.target_mac, arp.sender_mac, 6);
    memcpy(answer.target, arp.sender, 4);
    transmit_frame(routing, port, arp.sender_mac, RTE_ETHER_TYPE_ARP, reply, fwd_arp_build(&answer, reply));
}

/* RFC 4861 7.2.4: the answer goes to the asker, or to all nodes where it has no address yet. */
static void nd_answer(struct routing *routing, uint16_t port, const struct fwd_nd *nd, const uint8_t *frame_src)
{
    static const uint8_t ALL_NODES[16] = {0xff, 2, [15] = 1}, ZERO[16];
    struct fwd_nd answer = {.type = FWD_ND_ADVERTISE, .flags = FWD_ND_ROUTER | FWD_ND_OVERRIDE};
    bool unspecified = memcmp(nd->src, ZERO, 16) == 0;
    uint8_t message[FWD_MESSAGE_MAX], group_mac[6];
    const uint8_t *mac = nd->has_mac ? nd->mac : frame_src;

    memcpy(answer.mac, routing->route->ports[port].mac, 6);
    memcpy(answer.src, nd->target, 16);
    memcpy(answer.target, nd->target, 16);
    memcpy(answer.dst, unspecified ? ALL_NODES : nd->src, 16);
    if (unspecified) {
        fwd_nd_group_mac(ALL_NODES, group_mac);
        mac = group_mac;
    } else {
        answer.flags |= FWD_ND_SOLICITED;
    }
    transmit_frame(routing, port, mac, RTE_ETHER_TYPE_IPV6, message, fwd_nd_build(&answer, message));
}

static void on_nd(struct routing *routing, uint16_t port, const uint8_t *packet, size_t len, const uint8_t *frame_src)
{
    struct fwd_nd nd;

    if (!fwd_nd_parse(packet, len, &nd))
        return;
    if (nd.type == FWD_ND_ADVERTISE) {
        struct ip_addr target = addr_of(IP_V6, nd.target);
        unsigned how =
            (nd.flags & FWD_ND_SOLICITED ? FWD_LEARN_ANSWER : 0) | (nd.flags & FWD_ND_OVERRIDE ? 0 : FWD_LEARN_KEEP);
        if (nd.has_mac || (nd.flags & FWD_ND_SOLICITED))
            fwd_neighbor_learn(routing->fwd, port, &target, nd.has_mac ? nd.mac : NULL, how, routing->now);
        return;
    }
    struct ip_addr src = addr_of(IP_V6, nd.src);
    if (nd.has_mac && routing_address(routing, port, IP_V6, nd.src) == NULL)
        fwd_neighbor_learn(routing->fwd, port, &src, nd.mac, 0, routing->now);
    if (routing_address(routing, port, IP_V6, nd.target) != NULL)
        nd_answer(routing, port, &nd, frame_src);
}

static void on_local(struct routing *routing, uint16_t port, uint8_t *packet, size_t len, const uint8_t *frame_src)
{
    uint16_t ethertype = len > 0 && packet[0] >> 4 == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6;

    if (fwd_echo_reply(packet, len))
        transmit_frame(routing, port, frame_src, ethertype, packet, len);
    else
        exception_deliver(routing->exception, port, packet, len);
}

static void on_error(struct routing *routing, const struct packet_note *note, enum fwd_error error,
                     const uint8_t *packet, size_t len)
{
    const struct ip_prefix *own =
        routing_address(routing, note->in, len > 0 && packet[0] >> 4 == 4 ? IP_V4 : IP_V6, NULL);
    uint8_t message[FWD_MESSAGE_MAX];

    if (own == NULL)
        return;
    struct ip_addr from = addr_of(own->family, own->octets);
    size_t size = fwd_error_build(error, note->mtu, &from, packet, len, message);
    if (size > 0) /* back to where it came from, whatever a rule had in mind for it */
        transmit_ip(routing, routing->route->ports[note->in].vrf, message, size);
}

/* One packet; it is freed or kept here. */
static void receive_one(struct routing *routing, struct rte_mbuf *mbuf)
{
    struct packet_note *note = packet_note(mbuf);
    uint8_t copy[PACKET_MAX];
    uint32_t len = rte_pktmbuf_pkt_len(mbuf);

    if (note->kind == UP_HOLD) {
        note->originated = false;
        fwd_neighbor_hold(routing->fwd, note->out, &note->address, mbuf, routing->now);
        return;
    }
    len = len < sizeof copy ? len : sizeof copy;
    const uint8_t *read = rte_pktmbuf_read(mbuf, 0, len, copy);
    /* a frame from a group is from nobody: its answer would go to all of them */
    if (read != NULL && len > note->l3_offset && note->l3_offset >= RTE_ETHER_HDR_LEN && !(read[6] & 1)) {
        if (read != copy)
            memcpy(copy, read, len);
        uint8_t *packet = copy + note->l3_offset;
        size_t size = len - note->l3_offset;
        switch ((enum up_kind)note->kind) {
        case UP_ARP:
            on_arp(routing, note->in, packet, size);
            break;
        case UP_ND:
            on_nd(routing, note->in, packet, size, copy + 6);
            break;
        case UP_BGP:
        case UP_BGP_OTHER:
        case UP_ICMP:
        case UP_TCP:
        case UP_LOCAL:
            on_local(routing, note->in, packet, size, copy + 6);
            break;
        case UP_TTL_EXPIRED:
            on_error(routing, note, FWD_ERROR_TTL, packet, size);
            break;
        case UP_NO_ROUTE:
            on_error(routing, note, FWD_ERROR_NO_ROUTE, packet, size);
            break;
        case UP_TOO_BIG:
            on_error(routing, note, FWD_ERROR_TOO_BIG, packet, size);
            break;
        case UP_HOLD:
        case UP_KIND_COUNT:
            break;
        }
    }
    rte_pktmbuf_free(mbuf);
}

static void receive_from(struct routing *routing, struct rte_ring *ring)
{
    struct rte_mbuf *packets[PORTS_BURST];
    unsigned count, done = 0;

    do {
        count = rte_ring_sc_dequeue_burst(ring, (void **)packets, PORTS_BURST, NULL);
        for (unsigned i = 0; i < count; i++)
            receive_one(routing, packets[i]);
        done += count;
    } while (count > 0 && done < PACKETS_AT_ONCE);
}

void receive_all(struct routing *routing)
{
    receive_from(routing, routing->route->up_first);
    receive_from(routing, routing->route->up);
}
