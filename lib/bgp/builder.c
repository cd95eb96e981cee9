/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UPDATE bodies to send: RFC 4271 4.3, RFC 4760 3 and 4, RFC 7606 5.1 (the MP attribute first, nothing else beside it
 * that carries NLRI), RFC 8955 4 (next-hop length 0), RFC 6793 4.2.2 (AS4_PATH towards 2-octet speakers).
 */
#include <string.h>

#include "base/cursor.h"
#include "bgp/as_path.h"
#include "bgp/attrs.h"
#include "bgp/export.h"
#include "bgp/update.h"

#define TAIL_MAX (BGP_EXTENDED_MESSAGE_MAX - 64)

/* One AS_SEQUENCE of our own AS on eBGP; nothing on iBGP (RFC 4271 5.1.2). */
static void put_as_path(struct byte_writer *w, const struct bgp_update_attrs *attrs)
{
    uint32_t as = attrs->local_as;
    const uint8_t wide[6] = {BGP_AS_SEQUENCE,    1,          (uint8_t)(as >> 24), (uint8_t)(as >> 16),
                             (uint8_t)(as >> 8), (uint8_t)as};
    uint16_t short_as = (uint16_t)(as > UINT16_MAX ? BGP_AS_TRANS : as);
    const uint8_t narrow[4] = {BGP_AS_SEQUENCE, 1, (uint8_t)(short_as >> 8), (uint8_t)short_as};

    if (!attrs->ebgp)
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, NULL, 0);
    else if (attrs->four_octet_as)
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, wide, sizeof wide);
    else
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, narrow, sizeof narrow);
}

/* What follows the MP attribute, by ascending code. */
static void put_tail(struct byte_writer *w, const struct bgp_update_attrs *attrs)
{
    const uint8_t transitive = BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE;
    uint32_t as = attrs->local_as, pref = attrs->local_pref;

    bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_ORIGIN, (uint8_t[]){0}, 1);
    put_as_path(w, attrs);
    if (!attrs->ebgp)
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_LOCAL_PREF,
                       (uint8_t[]){(uint8_t)(pref >> 24), (uint8_t)(pref >> 16), (uint8_t)(pref >> 8), (uint8_t)pref},
                       4);
    if (attrs->ext_comms_len > 0)
        bgp_attr_write(w, transitive, BGP_ATTR_EXT_COMMUNITIES, attrs->ext_comms, attrs->ext_comms_len);
    if (attrs->ebgp && !attrs->four_octet_as && as > UINT16_MAX)
        bgp_attr_write(
            w, transitive, BGP_ATTR_AS4_PATH,
            (uint8_t[]){BGP_AS_SEQUENCE, 1, (uint8_t)(as >> 24), (uint8_t)(as >> 16), (uint8_t)(as >> 8), (uint8_t)as},
            6);
    if (attrs->ext_comms6_len > 0)
        bgp_attr_write(w, transitive, BGP_ATTR_EXT_COMMUNITIES_V6, attrs->ext_comms6, attrs->ext_comms6_len);
}

/* The body up to where its NLRI go. */
static void begin(struct bgp_builder *b, uint32_t family, bool withdraw, struct ip_addr next_hop, size_t max)
{
    struct byte_writer w = bw_init(b->body, sizeof b->body);

    b->family = family;
    b->withdraw = withdraw;
    b->classic = false;
    b->add_path = false;
    b->count = 0;
    b->max = max < sizeof b->body ? max : sizeof b->body;
    b->tail_len = 0;
    bw_u16(&w, 0); /* no withdrawn IPv4 routes */
    bw_u16(&w, 0); /* length of the attributes, set at the end */
    bw_u8(&w, BGP_ATTR_OPTIONAL | BGP_ATTR_EXTENDED);
    bw_u8(&w, withdraw ? BGP_ATTR_MP_UNREACH : BGP_ATTR_MP_REACH);
    b->mp_len_at = bw_len(&w);
    bw_u16(&w, 0);
    bw_u16(&w, bgp_family_afi(family));
    bw_u8(&w, bgp_family_safi(family));
    if (!withdraw) {
        static const uint8_t NO_RD[8]; /* RFC 4364 4.3.2: in front of the next hop of VPN routes */
        size_t next_hop_len = ip_family_bits(next_hop.family) / 8;
        size_t rd_len = (family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0 ? sizeof NO_RD : 0;
        bw_u8(&w, (uint8_t)(rd_len + next_hop_len));
        bw_bytes(&w, NO_RD, rd_len);
        bw_bytes(&w, next_hop.octets, next_hop_len);
        bw_u8(&w, 0);
    }
    b->len = bw_len(&w);
}

/* Attributes behind the MP attribute wait at the far end of the buffer: their size is known, the NLRI's is not. */
static void keep_tail(struct bgp_builder *b, const struct byte_writer *tail)
{
    b->tail_len = bw_len(tail);
    if (tail->failed || b->len + b->tail_len > b->max) {
        b->tail_len = 0;
        b->max = 0; /* nothing will fit */
        return;
    }
    memmove(b->body + b->max - b->tail_len, tail->start, b->tail_len);
}

void bgp_builder_begin(struct bgp_builder *b, uint32_t family, bool withdraw, const struct bgp_update_attrs *attrs,
                       bool legacy_ipv6_offset, size_t max)
{
    begin(b, family, withdraw, withdraw ? (struct ip_addr){0} : attrs->next_hop, max);
    b->legacy_ipv6_offset = legacy_ipv6_offset;
    if (withdraw)
        return;
    struct byte_writer tail = bw_init(b->body + 64, TAIL_MAX);
    put_tail(&tail, attrs);
    keep_tail(b, &tail);
}

void bgp_builder_begin_set(struct bgp_builder *b, uint32_t family, const struct bgp_attrs *attrs, bool four_octet_as,
                           bool legacy_ipv6_offset, size_t max)
{
    begin(b, family, attrs == NULL, attrs != NULL ? attrs->next_hop : (struct ip_addr){0}, max);
    b->legacy_ipv6_offset = legacy_ipv6_offset;
    if (attrs == NULL)
        return;
    struct byte_writer tail = bw_init(b->body + 64, TAIL_MAX);
    bgp_attrs_write(attrs, four_octet_as, &tail);
    keep_tail(b, &tail);
}

bool bgp_builder_add(struct bgp_builder *b, const struct fs_rule *rule)
{
    struct fs_nlri_format format = {.family = rule->family,
                                    .vpn = bgp_family_safi(b->family) == BGP_SAFI_FLOWSPEC_VPN,
                                    .legacy_ipv6_offset = b->legacy_ipv6_offset};

    size_t size = fs_nlri_size(rule, &format) + (b->add_path ? 4 : 0);
    if (b->len + b->tail_len + size > b->max)
        return false;
    struct byte_writer w = bw_init(b->body + b->len, b->max - b->tail_len - b->len);
    if (b->add_path)
        bw_u32(&w, BGP_BUILDER_PATH_ID);
    fs_nlri_encode(rule, &format, &w);
    if (w.failed)
        return false;
    b->len += bw_len(&w);
    b->count++;
    return true;
}

/* Withdrawn routes come first in a body, others last: what stands behind the former is an empty list of attributes. */
static void begin_classic(struct bgp_builder *b, const struct bgp_attrs *attrs, bool four_octet_as, size_t max)
{
    struct byte_writer w = bw_init(b->body, sizeof b->body);

    b->family = BGP_IPV4_UNICAST;
    b->withdraw = attrs == NULL;
    b->classic = true;
    b->count = 0;
    b->max = max < sizeof b->body ? max : sizeof b->body;
    b->tail_len = 0;
    bw_u16(&w, 0);
    if (attrs != NULL) {
        bw_u16(&w, 0);
        bgp_attrs_write_next_hop(attrs, four_octet_as, &w);
        bw_patch_u16(&w, 2, (uint16_t)(bw_len(&w) - 4));
    }
    b->len = bw_len(&w);
    if (w.failed || b->len > b->max) {
        b->max = 0; /* nothing will fit */
    } else if (attrs == NULL) {
        b->tail_len = 2;
        memset(b->body + b->max - b->tail_len, 0, b->tail_len);
    }
}

void bgp_builder_begin_routes(struct bgp_builder *b, uint32_t family, const struct bgp_attrs *attrs, bool four_octet_as,
                              size_t max)
{
    if (family == BGP_IPV4_UNICAST)
        begin_classic(b, attrs, four_octet_as, max);
    else
        bgp_builder_begin_set(b, family, attrs, four_octet_as, false, max);
}

uint64_t bgp_builder_print(const struct bgp_builder *b, const struct siphash_key *key)
{
    /* what stands in front of the NLRI tells by itself where it ends; two hashes of one key make one */
    const uint64_t parts[2] = {siphash(key, b->body, b->len),
                               siphash(key, b->body + b->max - b->tail_len, b->tail_len)};

    return siphash(key, parts, sizeof parts);
}

bool bgp_builder_add_nlri(struct bgp_builder *b, const uint8_t *nlri, size_t len)
{
    if (b->len + b->tail_len + len > b->max)
        return false;
    memcpy(b->body + b->len, nlri, len);
    b->len += len;
    b->count++;
    return true;
}

size_t bgp_builder_finish(struct bgp_builder *b)
{
    struct byte_writer w = bw_init(b->body, sizeof b->body);

    if (b->count == 0)
        return 0;
    size_t mp_end = b->len;
    memmove(b->body + b->len, b->body + b->max - b->tail_len, b->tail_len);
    b->len += b->tail_len;
    b->tail_len = 0;
    w.at += b->len;
    if (b->classic) {
        if (b->withdraw)
            bw_patch_u16(&w, 0, (uint16_t)(mp_end - 2));
        return b->len;
    }
    bw_patch_u16(&w, b->mp_len_at, (uint16_t)(mp_end - b->mp_len_at - 2));
    bw_patch_u16(&w, 2, (uint16_t)(b->len - 4));
    return b->len;
}

size_t bgp_end_of_rib(uint32_t family, uint8_t *out)
{
    struct byte_writer w = bw_init(out, 16);

    bw_u16(&w, 0);
    if (family == BGP_IPV4_UNICAST) {
        bw_u16(&w, 0);
        return bw_len(&w);
    }
    bw_u16(&w, 6);
    bw_u8(&w, BGP_ATTR_OPTIONAL);
    bw_u8(&w, BGP_ATTR_MP_UNREACH);
    bw_u8(&w, 3);
    bw_u16(&w, bgp_family_afi(family));
    bw_u8(&w, bgp_family_safi(family));
    return bw_len(&w);
}
