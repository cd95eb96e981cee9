/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the router knows of a packet after parsing it: everything Flowspec can match on, and where the headers are.
 * One cache line. Host byte order, except addresses, which are octets in network order.
 */
#ifndef PACKET_KEY_H
#define PACKET_KEY_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/* Bits of pkt_key.has: which of the fields below mean something. */
#define PKT_HAS_PORTS     0x01 /* TCP or UDP header seen (RFC 8955 4.2.2.4 to 4.2.2.6) */
#define PKT_HAS_ICMP      0x02 /* ICMP or ICMPv6 type and code seen */
#define PKT_HAS_TCP_FLAGS 0x04

/* Bits of pkt_key.fragment: the fragment bitmask of RFC 8955 4.2.2.12 that this packet has. */
#define PKT_FRAGMENT_DF    0x01 /* IPv4 only */
#define PKT_FRAGMENT_IS    0x02 /* a fragment other than the first */
#define PKT_FRAGMENT_FIRST 0x04 /* the first fragment of several */
#define PKT_FRAGMENT_LAST  0x08 /* the last fragment of several */

struct pkt_key {
    alignas(64) uint8_t src[16];
    uint8_t dst[16];
    uint32_t flow_label; /* IPv6 */
    uint32_t length;     /* octets of the IP packet, its header included, link layer not */
    uint16_t src_port;
    uint16_t dst_port;
    uint16_t tcp_flags; /* 12 bits: reserved, NS or AE, CWR .. FIN */
    uint16_t vlan;      /* outer VLAN id, 0 when untagged */
    uint16_t l3_offset; /* octets from the start of the frame to the IP header */
    uint16_t l4_offset; /* to the upper-layer header or, in a later fragment, to its payload */
    uint8_t family;     /* enum ip_family; IP_NONE: not IP, nothing else but `malformed` and `vlan` means anything */
    uint8_t has;        /* PKT_HAS_* */
    uint8_t protocol;   /* upper-layer protocol; IPv6: after the extension headers (RFC 8956 3.3) */
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint8_t dscp;      /* 6 bits */
    uint8_t fragment;  /* PKT_FRAGMENT_* */
    uint8_t malformed; /* enum pkt_malformed; 0 when the packet is sound */
};

_Static_assert(sizeof(struct pkt_key) == 64, "a packet key is one cache line");

#endif
