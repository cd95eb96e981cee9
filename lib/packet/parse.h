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

/*
 * Why a packet is malformed. Octets of the frame after the IP packet (Ethernet padding) are fine and are not read.
 * Checksums are not looked at here: a wire passes on what it gets, a router asks pkt_checksum_right.
 *
 * Fragments: a first fragment must show what Flowspec matches on, or attackers would cut it there. IPv4 (RFC 1858):
 * with TCP it holds 16 octets of the TCP header at least, and no TCP fragment starts at offset 8. IPv6 (RFC 8200 4.5,
 * RFC 7112): it holds the header chain up to the whole upper-layer header. A later fragment has no upper-layer header;
 * its protocol is what its IP header or Fragment header names. An atomic IPv6 fragment (RFC 6946) is no fragment.
 *
 * Jumbograms (RFC 2675) do not fit into the frames of any port: a payload length of 0 means that nothing follows the
 * IPv6 header, so a Hop-by-Hop header that claims to is cut short. A UDP length of 0 is malformed likewise.
 */
enum pkt_malformed {
    PKT_SOUND = 0,
    PKT_BAD_ETHERNET,   /* shorter than an Ethernet (and VLAN) header */
    PKT_BAD_IP_VERSION, /* version field and EtherType disagree */
    PKT_BAD_IP_HEADER,  /* header cut short by the frame's end, or IHL below 5 */
    PKT_BAD_IP_LENGTH,  /* total length below the header or beyond the frame */
    PKT_BAD_EXTENSION,  /* IPv6 extension header cut short, or more of them than the walk allows */
    PKT_BAD_FRAGMENT,   /* reassembles beyond 65535 octets; is empty; is no multiple of 8 with more to come; is a
                           fragment of a fragment; would overwrite the TCP flags of the first */
    PKT_BAD_L4_HEADER,  /* TCP, UDP or ICMP header cut short or its own length field lies */
    PKT_BAD_CHECKSUM,   /* IPv4 header: only where packets are routed */
    PKT_MALFORMED_COUNT,
};

/* A stable word for each, for counters and `explain`. */
const char *pkt_malformed_word(unsigned reason);

/* Most VLAN tags (0x8100, 0x88a8, 0x9100) that are walked; a frame with more is not taken for IP. */
#define PKT_VLAN_TAGS_MAX 2

/*
 * Most IPv6 extension headers that are walked; one more is malformed. Extension headers are Hop-by-Hop Options,
 * Routing, Fragment, Destination Options and AH, in any order. ESP, No Next Header and whatever is unknown are
 * upper-layer protocols. In IPv4 the protocol is what the IP header says, AH included.
 */
#define PKT_EXTENSIONS_MAX 8

/* Fills `key` from one packet (the parsed frame starts at the mbuf's data). key->malformed says whether it is sound. */
void pkt_parse(const struct rte_mbuf *mbuf, struct pkt_key *key);

/* The same for a burst, with the headers prefetched. */
void pkt_parse_burst(struct rte_mbuf *const *mbufs, struct pkt_key *keys, unsigned count);

/*
 * Whether the checksum of the IPv4 header is right, options included; always so for IPv6, which has none. A router must
 * ask before it passes a packet on or takes it for itself (RFC 1812 5.2.2, RFC 1122 3.2.1.2). The key must be sound.
 */
bool pkt_checksum_right(const struct rte_mbuf *mbuf, const struct pkt_key *key);

#endif
