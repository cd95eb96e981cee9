/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward/message.h"

#include <string.h>

#include "forward/checksum.h"

#define IPV4_SIZE   20u
#define IPV6_SIZE   40u
#define ICMP_SIZE   8u
#define ND_SIZE     24u /* up to the options */
#define PROTO_ICMP  1
#define PROTO_ICMP6 58
#define OWN_TTL     64

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60, MOBILITY = 135 };

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* What may be answered or learned from: one host that is not on the loopback. */
static bool is_host4(const uint8_t *address)
{
    return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

static bool is_host6(const uint8_t *address)
{
    static const uint8_t ZERO[15]; /* of :: and ::1 */

    return address[0] != 0xff && memcmp(address, ZERO, sizeof ZERO) != 0;
}

bool fwd_arp_parse(const uint8_t *message, size_t len, struct fwd_arp *out)
{
    static const uint8_t HEAD[6] = {0, 1, 0x08, 0x00, 6, 4}; /* Ethernet, IPv4 */

    if (len < FWD_ARP_SIZE || memcmp(message, HEAD, sizeof HEAD) != 0)
        return false;
    out->operation = (uint16_t)get16(message + 6);
    memcpy(out->sender_mac, message + 8, 6);
    memcpy(out->sender, message + 14, 4);
    memcpy(out->target_mac, message + 18, 6);
    memcpy(out->target, message + 24, 4);
    static const uint8_t ZERO[4]; /* RFC 5227 2.1.1: somebody tries an address out */
    return !(out->sender_mac[0] & 1) && (is_host4(out->sender) || memcmp(out->sender, ZERO, 4) == 0);
}

size_t fwd_arp_build(const struct fwd_arp *arp, uint8_t *out)
{
    static const uint8_t HEAD[6] = {0, 1, 0x08, 0x00, 6, 4};

    memcpy(out, HEAD, sizeof HEAD);
    put16(out + 6, arp->operation);
    memcpy(out + 8, arp->sender_mac, 6);
    memcpy(out + 14, arp->sender, 4);
    memcpy(out + 18, arp->target_mac, 6);
    memcpy(out + 24, arp->target, 4);
    return FWD_ARP_SIZE;
}

/* The checksum of an upper-layer message over IPv6, pseudo-header included (RFC 8200 8.1). */
static uint16_t checksum6(const uint8_t *packet, size_t offset, size_t len)
{
    uint32_t sum = (uint32_t)(len - offset) + PROTO_ICMP6;

    sum = fwd_sum_add(sum, packet + 8, 32);
    return fwd_sum_finish(fwd_sum_add(sum, packet + offset, len - offset));
}

static void ipv6_header(uint8_t *out, const uint8_t *src, const uint8_t *dst, size_t payload, uint8_t hop_limit)
{
    memset(out, 0, IPV6_SIZE);
    out[0] = 0x60;
    put16(out + 4, (uint32_t)payload);
    out[6] = PROTO_ICMP6;
    out[7] = hop_limit;
    memcpy(out + 8, src, 16);
    memcpy(out + 24, dst, 16);
}

/* Each option has a length that is not 0 (RFC 4861 4.6); the link-layer address that goes with the type is kept. */
static bool nd_options(const uint8_t *options, size_t len, struct fwd_nd *out)
{
    uint8_t wanted = out->type == FWD_ND_SOLICIT ? 1 : 2;

    while (len > 0) {
        if (len < 8 || options[1] == 0 || options[1] * 8u > len)
            return false;
        if (options[0] == wanted && !out->has_mac) {
            memcpy(out->mac, options + 2, 6);
            out->has_mac = true;
        }
        len -= options[1] * 8u;
        options += options[1] * 8u;
    }
    return true;
}

/* RFC 4861 7.1: who may send what to whom. */
static bool nd_addresses_fit(const struct fwd_nd *nd)
{
    static const uint8_t ZERO[16];
    uint8_t group[16];

    if (nd->has_mac && (nd->mac[0] & 1))
        return false;
    if (nd->type == FWD_ND_SOLICIT && memcmp(nd->src, ZERO, 16) == 0) { /* RFC 4862 5.4.2: tries an address out */
        fwd_nd_group(nd->target, group);
        return !nd->has_mac && memcmp(nd->dst, group, 16) == 0;
    }
    return is_host6(nd->src) && !(nd->type == FWD_ND_ADVERTISE && nd->dst[0] == 0xff && (nd->flags & FWD_ND_SOLICITED));
}

bool fwd_nd_parse(const uint8_t *packet, size_t len, struct fwd_nd *out)
{
    memset(out, 0, sizeof *out);
    if (len < IPV6_SIZE + ND_SIZE || packet[0] >> 4 != 6 || packet[6] != PROTO_ICMP6 || packet[7] != 255)
        return false;
    size_t payload = get16(packet + 4);
    if (payload < ND_SIZE || payload > len - IPV6_SIZE)
        return false;
    const uint8_t *icmp = packet + IPV6_SIZE;
    if ((icmp[0] != FWD_ND_SOLICIT && icmp[0] != FWD_ND_ADVERTISE) || icmp[1] != 0 ||
        checksum6(packet, IPV6_SIZE, IPV6_SIZE + payload) != 0 || icmp[8] == 0xff)
        return false;
    out->type = icmp[0];
    out->flags = icmp[4];
    memcpy(out->src, packet + 8, 16);
    memcpy(out->dst, packet + 24, 16);
    memcpy(out->target, icmp + 8, 16);
    if (!nd_options(icmp + ND_SIZE, payload - ND_SIZE, out))
        return false;
    return nd_addresses_fit(out);
}

size_t fwd_nd_build(const struct fwd_nd *nd, uint8_t *out)
{
    uint8_t *icmp = out + IPV6_SIZE;
    size_t len = IPV6_SIZE + ND_SIZE + 8;

    ipv6_header(out, nd->src, nd->dst, ND_SIZE + 8, 255);
    memset(icmp, 0, ND_SIZE + 8);
    icmp[0] = nd->type;
    icmp[4] = nd->flags;
    memcpy(icmp + 8, nd->target, 16);
    icmp[ND_SIZE] = nd->type == FWD_ND_SOLICIT ? 1 : 2;
    icmp[ND_SIZE + 1] = 1;
    memcpy(icmp + ND_SIZE + 2, nd->mac, 6);
    put16(icmp + 2, checksum6(out, IPV6_SIZE, len));
    return len;
}

void fwd_nd_group(const uint8_t *target, uint8_t *group)
{
    static const uint8_t BASE[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

    memcpy(group, BASE, 16);
    memcpy(group + 13, target + 13, 3);
}

void fwd_nd_group_mac(const uint8_t *group, uint8_t *mac)
{
    mac[0] = mac[1] = 0x33;
    memcpy(mac + 2, group + 12, 4);
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    uint8_t kept[16];

    memcpy(kept, a, len);
    memcpy(a, b, len);
    memcpy(b, kept, len);
}

static bool echo_reply4(uint8_t *packet, size_t len)
{
    size_t header = (packet[0] & 15u) * 4u, total = get16(packet + 2);

    if (header < IPV4_SIZE || total > len || total < header + ICMP_SIZE || packet[9] != PROTO_ICMP ||
        (get16(packet + 6) & 0x3fff) != 0 || packet[header] != 8 || packet[header + 1] != 0)
        return false;
    if (!is_host4(packet + 12) || !is_host4(packet + 16) ||
        fwd_sum_finish(fwd_sum_add(0, packet + header, total - header)) != 0)
        return false;
    swap(packet + 12, packet + 16, 4);
    packet[8] = OWN_TTL;
    put16(packet + 10, 0);
    put16(packet + 10, fwd_sum_finish(fwd_sum_add(0, packet, header)));
    packet[header] = 0;
    put16(packet + header + 2, 0);
    put16(packet + header + 2, fwd_sum_finish(fwd_sum_add(0, packet + header, total - header)));
    return true;
}

static bool echo_reply6(uint8_t *packet, size_t len)
{
    uint8_t *icmp = packet + IPV6_SIZE;
    size_t payload = get16(packet + 4);

    if (payload > len - IPV6_SIZE || payload < ICMP_SIZE || packet[6] != PROTO_ICMP6 || icmp[0] != 128 || icmp[1] != 0)
        return false;
    if (!is_host6(packet + 8) || !is_host6(packet + 24) || checksum6(packet, IPV6_SIZE, IPV6_SIZE + payload) != 0)
        return false;
    swap(packet + 8, packet + 24, 16);
    packet[7] = OWN_TTL;
    icmp[0] = 129;
    put16(icmp + 2, 0);
    put16(icmp + 2, checksum6(packet, IPV6_SIZE, IPV6_SIZE + payload));
    return true;
}

bool fwd_echo_reply(uint8_t *packet, size_t len)
{
    if (len >= IPV4_SIZE && packet[0] >> 4 == 4)
        return echo_reply4(packet, len);
    return len >= IPV6_SIZE && packet[0] >> 4 == 6 && echo_reply6(packet, len);
}

/* Whether an error may answer this IPv4 packet: RFC 1812 4.3.2.7. */
static bool may_answer4(const uint8_t *packet, size_t len)
{
    size_t header = (packet[0] & 15u) * 4u;

    if (header < IPV4_SIZE || len < header || get16(packet + 2) < header || (get16(packet + 6) & 0x1fff) != 0)
        return false;
    if (!is_host4(packet + 12) || packet[16] >= 224)
        return false;
    if (packet[9] != PROTO_ICMP)
        return true;
    /* echo, timestamp, information, mask: queries and their replies; all else is taken for an error */
    uint8_t type = len > header ? packet[header] : 3;
    return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

/* How much of a packet is quoted: nothing of what the link layer padded it with. */
static size_t quote_size(size_t len, size_t packet_size, size_t room)
{
    size_t size = len < packet_size ? len : packet_size;

    return size < room ? size : room;
}

static size_t error_build4(enum fwd_error error, uint16_t mtu, const struct ip_addr *from, const uint8_t *packet,
                           size_t len, uint8_t *out)
{
    static const uint8_t TYPES[] = {11, 3, 3}, CODES[] = {0, 0, 4};
    size_t quoted = quote_size(len, get16(packet + 2), 576 - IPV4_SIZE - ICMP_SIZE); /* RFC 1812 4.3.2.3 */
    uint8_t *icmp = out + IPV4_SIZE;

    if (!may_answer4(packet, len))
        return 0;
    memset(out, 0, IPV4_SIZE + ICMP_SIZE);
    out[0] = 0x45;
    out[1] = 0xc0; /* RFC 1812 4.3.2.5: internetwork control */
    put16(out + 2, (uint32_t)(IPV4_SIZE + ICMP_SIZE + quoted));
    out[8] = OWN_TTL;
    out[9] = PROTO_ICMP;
    memcpy(out + 12, from->octets, 4);
    memcpy(out + 16, packet + 12, 4);
    put16(out + 10, fwd_sum_finish(fwd_sum_add(0, out, IPV4_SIZE)));
    icmp[0] = TYPES[error];
    icmp[1] = CODES[error];
    if (error == FWD_ERROR_TOO_BIG)
        put16(icmp + 6, mtu); /* RFC 1191 section 4 */
    memcpy(icmp + ICMP_SIZE, packet, quoted);
    put16(icmp + 2, fwd_sum_finish(fwd_sum_add(0, icmp, ICMP_SIZE + quoted)));
    return IPV4_SIZE + ICMP_SIZE + quoted;
}

/*
 * Where the upper-layer header is and of which protocol, behind the extension headers of RFC 8200 section 4, AH and
 * mobility. 0 when the chain leaves the packet or this is a later fragment: nobody knows then what it carries.
 */
static size_t upper_layer6(const uint8_t *packet, size_t len, uint8_t *protocol)
{
    size_t at = IPV6_SIZE;

    *protocol = packet[6];
    while (*protocol == HOP_BY_HOP || *protocol == ROUTING || *protocol == FRAGMENT || *protocol == AUTHENTICATION ||
           *protocol == DESTINATION || *protocol == MOBILITY) {
        if (len < at + 8 || (*protocol == FRAGMENT && (get16(packet + at + 2) & 0xfff8) != 0))
            return 0;
        const uint8_t *header = packet + at;
        if (*protocol == AUTHENTICATION)
            at += (header[1] + 2u) * 4u;
        else
            at += *protocol == FRAGMENT ? 8u : (header[1] + 1u) * 8u;
        *protocol = header[0];
    }
    return at;
}

/* RFC 4443 2.4(e). */
static bool may_answer6(enum fwd_error error, const uint8_t *packet, size_t len)
{
    uint8_t protocol;
    size_t at = upper_layer6(packet, len, &protocol);

    if (at == 0 || !is_host6(packet + 8) || (packet[24] == 0xff && error != FWD_ERROR_TOO_BIG))
        return false;
    return protocol != PROTO_ICMP6 || (len > at && packet[at] >= 128 && packet[at] != 137);
}

static size_t error_build6(enum fwd_error error, uint16_t mtu, const struct ip_addr *from, const uint8_t *packet,
                           size_t len, uint8_t *out)
{
    static const uint8_t TYPES[] = {3, 1, 2};
    size_t quoted = quote_size(len, IPV6_SIZE + get16(packet + 4), FWD_MESSAGE_MAX - IPV6_SIZE - ICMP_SIZE);
    uint8_t *icmp = out + IPV6_SIZE;

    if (!may_answer6(error, packet, len))
        return 0;
    ipv6_header(out, from->octets, packet + 8, ICMP_SIZE + quoted, OWN_TTL);
    memset(icmp, 0, ICMP_SIZE);
    icmp[0] = TYPES[error];
    if (error == FWD_ERROR_TOO_BIG)
        put16(icmp + 6, mtu);
    memcpy(icmp + ICMP_SIZE, packet, quoted);
    put16(icmp + 2, checksum6(out, IPV6_SIZE, IPV6_SIZE + ICMP_SIZE + quoted));
    return IPV6_SIZE + ICMP_SIZE + quoted;
}

size_t fwd_error_build(enum fwd_error error, uint16_t mtu, const struct ip_addr *from, const uint8_t *packet,
                       size_t len, uint8_t *out)
{
    if (from->family == IP_V4 && len >= IPV4_SIZE && packet[0] >> 4 == 4)
        return error_build4(error, mtu, from, packet, len, out);
    if (from->family == IP_V6 && len >= IPV6_SIZE && packet[0] >> 4 == 6)
        return error_build6(error, mtu, from, packet, len, out);
    return 0;
}
