/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/rewrite.h"

#include <rte_mbuf.h>

/* offsets in the header */
#define IPV4_TTL       8u
#define IPV4_CHECKSUM  10u
#define IPV6_HOP_LIMIT 7u

/* The octet at `offset`, in whichever segment it lies: a header may be split over several. */
static inline uint8_t *octet_at(struct rte_mbuf *mbuf, uint32_t offset)
{
    while (unlikely(offset >= rte_pktmbuf_data_len(mbuf))) {
        offset -= rte_pktmbuf_data_len(mbuf);
        mbuf = mbuf->next;
    }
    return rte_pktmbuf_mtod_offset(mbuf, uint8_t *, offset);
}

static void set_ipv4_dscp(struct rte_mbuf *mbuf, uint32_t l3, uint8_t dscp)
{
    uint8_t *tos = octet_at(mbuf, l3 + 1);
    uint8_t *high = octet_at(mbuf, l3 + IPV4_CHECKSUM), *low = octet_at(mbuf, l3 + IPV4_CHECKSUM + 1);
    uint8_t fresh = (uint8_t)(dscp << 2 | (*tos & 3));

    /* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'); the other octet of the word is the same in m and m' */
    uint32_t sum = (uint16_t) ~(*high << 8 | *low) + (uint16_t) ~*tos + (uint32_t)fresh;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    *high = (uint8_t)(~sum >> 8);
    *low = (uint8_t)~sum;
    *tos = fresh;
}

/* The traffic class lies across two octets: 4 bits after the version, 4 bits before the flow label. */
static void set_ipv6_dscp(struct rte_mbuf *mbuf, uint32_t l3, uint8_t dscp)
{
    uint8_t *first = octet_at(mbuf, l3), *second = octet_at(mbuf, l3 + 1);

    *first = (uint8_t)((*first & 0xf0) | dscp >> 2);
    *second = (uint8_t)((*second & 0x3f) | dscp << 6);
}

void pkt_set_dscp(struct rte_mbuf *mbuf, const struct pkt_key *key, uint8_t dscp)
{
    if (key->dscp == dscp)
        return;
    if (key->family == IP_V4)
        set_ipv4_dscp(mbuf, key->l3_offset, dscp);
    else if (key->family == IP_V6)
        set_ipv6_dscp(mbuf, key->l3_offset, dscp);
}

static uint8_t *ttl_at(struct rte_mbuf *mbuf, const struct pkt_key *key)
{
    return octet_at(mbuf, key->l3_offset + (key->family == IP_V4 ? IPV4_TTL : IPV6_HOP_LIMIT));
}

uint8_t pkt_ttl(struct rte_mbuf *mbuf, const struct pkt_key *key)
{
    return *ttl_at(mbuf, key);
}

void pkt_ttl_decrement(struct rte_mbuf *mbuf, const struct pkt_key *key)
{
    --*ttl_at(mbuf, key);
    if (key->family != IP_V4)
        return;
    /* RFC 1624 equation 3, as RFC 1141 has it for this case: the word that holds the TTL is 0x100 less */
    uint8_t *high = octet_at(mbuf, key->l3_offset + IPV4_CHECKSUM);
    uint8_t *low = octet_at(mbuf, key->l3_offset + IPV4_CHECKSUM + 1);
    uint32_t sum = (uint32_t)(*high << 8 | *low) + 0x100;
    sum += sum >> 16;
    *high = (uint8_t)(sum >> 8);
    *low = (uint8_t)sum;
}
