/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mbuf -> pkt_key. Ethernet, 802.1Q and QinQ, IPv4 with options, IPv6 with a bounded walk over extension headers,
 * fragments, TCP, UDP, ICMP, ICMPv6. Works on multi-segment mbufs. Never reads past the packet's data.
 * No allocation, no log; any thread.
 */
#ifndef PACKET_PARSE_H
#define PACKET_PARSE_H

#include "packet/key.h"

struct rte_mbuf;

/* Why a packet is malformed. */
enum pkt_malformed {
    PKT_SOUND = 0,
    PKT_BAD_ETHERNET,   /* shorter than an Ethernet (and VLAN) header */
    PKT_BAD_IP_VERSION, /* version field and EtherType disagree */
    PKT_BAD_IP_HEADER,  /* header cut short, or IHL below 5 */
    PKT_BAD_IP_LENGTH,  /* total length below the header or beyond the frame */
    PKT_BAD_EXTENSION,  /* IPv6 extension header cut short, or more of them than the walk allows */
    PKT_BAD_FRAGMENT,   /* fragment ends beyond 65535 octets, or is empty or not a multiple of 8 with more to come */
    PKT_BAD_L4_HEADER,  /* TCP, UDP or ICMP header cut short or its own length field lies */
    PKT_MALFORMED_COUNT,
};

/* A stable word for each, for counters and `explain`. */
const char *pkt_malformed_word(unsigned reason);

/* Most IPv6 extension headers that are walked; one more is malformed. */
#define PKT_EXTENSIONS_MAX 8

/* Fills `key` from one packet (the parsed frame starts at the mbuf's data). key->malformed says whether it is sound. */
void pkt_parse(const struct rte_mbuf *mbuf, struct pkt_key *key);

/* The same for a burst, with the headers prefetched. */
void pkt_parse_burst(struct rte_mbuf *const *mbufs, struct pkt_key *keys, unsigned count);

#endif
