/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets in more buffers than one, and IPv4 packets in more packets than one (RFC 791 3.2, RFC 1812 5.2.6). Worker. */
#ifndef PACKET_FRAGMENT_H
#define PACKET_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

#define PKT_FRAGMENTS_MAX 64 /* of one packet: 65535 octets over an MTU of 1280 are 53 */

/* Adds octets to the end of a packet, in further buffers of `pool` where one does not hold them. False: none is left.
 */
bool pkt_append(struct rte_mbuf *packet, struct rte_mempool *pool, const uint8_t *octets, size_t len);

/* Whether the frame, with `l2_len` octets before its IP header, is IPv4, longer than `mtu` and may be cut. */
bool pkt_may_fragment(const struct rte_mbuf *packet, uint16_t l2_len, uint16_t mtu);

/*
 * Cuts such a packet into copies of its own pool, each with the same link layer and at most `mtu` octets of IP, 68 at
 * least, in order. Options go with the first; those that say so with each (RFC 791 3.1). The packet stays as it is.
 * Returns how many of `out`; 0: no buffer is left, they are more than `max`, or a fragment reaches beyond 65535 octets.
 */
unsigned pkt_fragment(const struct rte_mbuf *packet, uint16_t l2_len, uint16_t mtu, struct rte_mbuf **out,
                      unsigned max);

#endif
