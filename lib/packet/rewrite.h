/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Header rewrites: what the router changes in a packet that it passes on. The packet must be sound and `key` its own;
 * the key itself stays as the packet came in. The mbuf must not share its data with another.
 */
#ifndef PACKET_REWRITE_H
#define PACKET_REWRITE_H

#include "packet/key.h"

struct rte_mbuf;

/*
 * Sets the DSCP (RFC 2474) of an IPv4 or IPv6 packet to `dscp` (0..63); the ECN bits (RFC 3168) stay. The checksum of
 * an IPv4 header is updated by the difference (RFC 1624), so one that was wrong stays wrong. No upper-layer checksum
 * covers this field.
 */
void pkt_set_dscp(struct rte_mbuf *mbuf, const struct pkt_key *key, uint8_t dscp);

/* The TTL of an IPv4 packet, the hop limit of an IPv6 one. */
uint8_t pkt_ttl(struct rte_mbuf *mbuf, const struct pkt_key *key);

/* One less of it, which must not be 0; the checksum as above. */
void pkt_ttl_decrement(struct rte_mbuf *mbuf, const struct pkt_key *key);

#endif
