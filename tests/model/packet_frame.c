/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet_frame.h"

#include <string.h>

#include <rte_mbuf.h>

#include "packet/parse.h"

#define ETHERNET  14u
#define FRAME_MAX 65535u

static uint8_t frame[FRAME_MAX + 1];

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The upper-layer header, where the key has one, in the `payload` octets behind the headers. */
static void put_upper(const struct pkt_key *key, uint8_t *at, uint32_t payload)
{
    if (key->has & PKT_HAS_PORTS) {
        put16(at, key->src_port);
        put16(at + 2, key->dst_port);
        put16(at + (key->protocol == 6 ? 12 : 4), key->protocol == 6 ? 0x5000u | key->tcp_flags : payload);
    }
    if (key->has & PKT_HAS_ICMP) {
        at[0] = key->icmp_type;
        at[1] = key->icmp_code;
    }
}

/* Offset and flags of the fragment, in octets. TCP's second fragment starts at 16. */
static unsigned fragment_field(const struct pkt_key *key, unsigned more_bit)
{
    unsigned offset = key->fragment & PKT_FRAGMENT_IS ? (key->family == IP_V4 && key->protocol == 6 ? 16 : 8) : 0;
    bool more = (key->fragment & PKT_FRAGMENT_FIRST) ||
                ((key->fragment & PKT_FRAGMENT_IS) && !(key->fragment & PKT_FRAGMENT_LAST));

    return (key->family == IP_V4 ? offset / 8 : offset) | (more ? more_bit : 0);
}

/* Where more fragments follow, the payload is a multiple of 8: a header longer by 4 (an option) sees to that. */
static void put_ipv4(const struct pkt_key *key, uint8_t *ip)
{
    bool more = fragment_field(key, 0x2000) & 0x2000;
    unsigned header = more && (key->length - 20) % 8 != 0 ? 24 : 20;

    ip[0] = (uint8_t)(0x40 | header / 4);
    ip[1] = (uint8_t)(key->dscp << 2);
    put16(ip + 2, key->length);
    put16(ip + 6, fragment_field(key, 0x2000) | (key->fragment & PKT_FRAGMENT_DF ? 0x4000 : 0));
    ip[9] = key->protocol;
    memcpy(ip + 12, key->src, 4);
    memcpy(ip + 16, key->dst, 4);
    if (key->length > header)
        put_upper(key, ip + header, key->length - header);
}

static void put_ipv6(const struct pkt_key *key, uint8_t *ip)
{
    bool fragment = key->fragment & (PKT_FRAGMENT_IS | PKT_FRAGMENT_FIRST), more = fragment_field(key, 1) & 1;
    uint8_t *next = ip + 6, *at = ip + 40;

    put16(ip, 0x6000u | (unsigned)key->dscp << 6 | key->flow_label >> 16);
    put16(ip + 2, key->flow_label & 0xffff);
    put16(ip + 4, key->length - 40);
    memcpy(ip + 8, key->src, 16);
    memcpy(ip + 24, key->dst, 16);
    if (more && key->length % 8 != 0) { /* AH of 12 octets makes up for it */
        *next = 51;
        next = at;
        at[1] = 1;
        at += 12;
    }
    if (fragment) {
        *next = 44;
        next = at;
        put16(at + 2, fragment_field(key, 1));
        at += 8;
    }
    *next = key->protocol;
    put_upper(key, at, key->length - (uint32_t)(at - ip));
}

void frame_round_trip(const struct pkt_key *key, struct pkt_key *parsed)
{
    struct rte_mbuf mbuf = {.buf_addr = frame, .nb_segs = 1};

    *parsed = *key;
    if (key->length + ETHERNET > FRAME_MAX)
        return;
    memset(frame, 0, ETHERNET + (key->length > 128 ? 128 : key->length));
    put16(frame + 12, key->family == IP_V4 ? 0x0800 : 0x86dd);
    if (key->family == IP_V4)
        put_ipv4(key, frame + ETHERNET);
    else
        put_ipv6(key, frame + ETHERNET);
    mbuf.data_len = (uint16_t)(key->length + ETHERNET);
    mbuf.pkt_len = mbuf.data_len;
    pkt_parse(&mbuf, parsed);
    /* where the headers lie is the frame's matter */
    parsed->l3_offset = key->l3_offset;
    parsed->l4_offset = key->l4_offset;
}
