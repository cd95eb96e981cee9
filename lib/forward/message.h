/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages that a router reads and writes itself: ARP (RFC 826), neighbour discovery (RFC 4861), echo and errors of
 * ICMP (RFC 792, RFC 1812 4.3) and ICMPv6 (RFC 4443). Plain octets, without the link layer; input is hostile, and
 * nothing is read beyond `len`. Addresses are 4 or 16 octets in network order.
 */
#ifndef FORWARD_MESSAGE_H
#define FORWARD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FWD_ARP_SIZE    28u
#define FWD_MESSAGE_MAX 1280u /* longest that is built: RFC 4443 2.4(c) */

enum { FWD_ARP_REQUEST = 1, FWD_ARP_REPLY = 2 };

struct fwd_arp {
    uint16_t operation;
    uint8_t sender_mac[6];
    uint8_t sender[4];
    uint8_t target_mac[6];
    uint8_t target[4];
};

/* False when it is no ARP of IPv4 over Ethernet, or its sender is no single host; 0.0.0.0 may ask (RFC 5227). */
bool fwd_arp_parse(const uint8_t *message, size_t len, struct fwd_arp *out);
size_t fwd_arp_build(const struct fwd_arp *arp, uint8_t *out);

enum { FWD_ND_SOLICIT = 135, FWD_ND_ADVERTISE = 136 };

struct fwd_nd {
    uint8_t type;  /* FWD_ND_* */
    uint8_t flags; /* of an advertisement: FWD_ND_ROUTER, ... */
    bool has_mac;  /* the link-layer address option was there */
    uint8_t mac[6];
    uint8_t src[16], dst[16];
    uint8_t target[16];
};

#define FWD_ND_ROUTER    0x80
#define FWD_ND_SOLICITED 0x40
#define FWD_ND_OVERRIDE  0x20

/* From a whole IPv6 packet; false when it is none of the two, or fails the tests of RFC 4861 7.1. */
bool fwd_nd_parse(const uint8_t *packet, size_t len, struct fwd_nd *out);
/* A whole IPv6 packet with the link-layer address option; its length. */
size_t fwd_nd_build(const struct fwd_nd *nd, uint8_t *out);
/* ff02::1:ffXX:XXXX (RFC 4291 2.7.1) and the Ethernet address of an IPv6 group (RFC 2464 section 7). */
void fwd_nd_group(const uint8_t *target, uint8_t *group);
void fwd_nd_group_mac(const uint8_t *group, uint8_t *mac);

/*
 * Turns a whole packet that is an echo request into its reply, in place. False, and nothing changed, when it is none, a
 * fragment, or from or to what is no single host.
 */
bool fwd_echo_reply(uint8_t *packet, size_t len);

enum fwd_error { FWD_ERROR_TTL, FWD_ERROR_NO_ROUTE, FWD_ERROR_TOO_BIG };

/*
 * The error that tells the source of `packet` (a whole IP packet) what became of it, from address `from`. `mtu` for
 * FWD_ERROR_TOO_BIG. Its length, or 0 where none may be sent (RFC 1812 4.3.2.7, RFC 4443 2.4(e)): an error for an
 * error, for a fragment that is not the first, to or from what is no single host.
 */
size_t fwd_error_build(enum fwd_error error, uint16_t mtu, const struct ip_addr *from, const uint8_t *packet,
                       size_t len, uint8_t *out);

#endif
