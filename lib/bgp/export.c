/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/export.h"

#include <string.h>

#include "bgp/as_path.h"
#include "bgp/attrs.h"
#include "bgp/communities.h"

#define LOCAL_PREF_DEFAULT 100

/* Of an extended community's first octet: it does not cross the border of an AS (RFC 4360 2). */
#define EXT_NON_TRANSITIVE 0x40

bool bgp_export_allowed(const struct bgp_attrs *attrs, const struct bgp_export *how)
{
    if (bgp_communities_have(attrs, BGP_NO_ADVERTISE))
        return false;
    if (!how->to_long_lived && (how->long_lived || bgp_communities_have(attrs, BGP_LLGR_STALE)))
        return false;
    if (how->to_ebgp)
        return !bgp_communities_have(attrs, BGP_NO_EXPORT) && !bgp_communities_have(attrs, BGP_NO_EXPORT_SUBCONFED);
    if (how->from_here || how->from_ebgp)
        return true;
    /* RFC 4456 6: from a client to everybody, from others to clients; 8: its originator would ignore it */
    uint32_t originator = attrs->has_originator_id ? attrs->originator_id : how->from_router_id;
    return (how->from_client || how->to_client) && originator != how->to_router_id;
}

/* Copies communities of `size` octets each that may cross the border. */
static size_t transitive_only(const uint8_t *from, size_t len, size_t size, uint8_t *out)
{
    size_t kept = 0;

    for (size_t at = 0; at + size <= len; at += size) {
        if ((from[at] & EXT_NON_TRANSITIVE) != 0)
            continue;
        memcpy(out + kept, from + at, size);
        kept += size;
    }
    return kept;
}

/* The older form of redirect-to-IP (0x08 0x00) has its address in the next hop: there it must stay. */
static bool next_hop_counts(const struct bgp_attrs *attrs)
{
    for (size_t at = 0; at + 8 <= attrs->ext_comms_len; at += 8)
        if (attrs->ext_comms[at] == 0x08 && attrs->ext_comms[at + 1] == 0x00)
            return true;
    return false;
}

static void to_external(const struct bgp_attrs *attrs, const struct bgp_export *how, struct bgp_attrs *out,
                        uint8_t *room)
{
    uint8_t *comms = room, *comms6 = room + BGP_EXTENDED_MESSAGE_MAX, *path = room + 2 * BGP_EXTENDED_MESSAGE_MAX;

    out->has_local_pref = out->has_originator_id = false;
    /* RFC 4271 5.1.4: one that came from another AS goes no further */
    out->has_med = attrs->has_med && how->from_here;
    out->cluster_list = NULL;
    out->cluster_list_len = 0;
    out->as_path_len = bgp_as_path_prepend(attrs->as_path, attrs->as_path_len, how->local_as, path);
    out->as_path = path;
    out->ext_comms_len = transitive_only(attrs->ext_comms, attrs->ext_comms_len, 8, comms);
    out->ext_comms = comms;
    out->ext_comms6_len = transitive_only(attrs->ext_comms6, attrs->ext_comms6_len, 20, comms6);
    out->ext_comms6 = comms6;
}

static void to_internal(const struct bgp_attrs *attrs, const struct bgp_export *how, struct bgp_attrs *out,
                        uint8_t *room)
{
    struct byte_writer w = bw_init(room, BGP_EXPORT_ROOM);

    /* RFC 4271 5.1.5: always there */
    out->has_local_pref = true;
    out->local_pref = attrs->has_local_pref ? attrs->local_pref : LOCAL_PREF_DEFAULT;
    if (how->from_here || how->from_ebgp)
        return;
    /* RFC 4456 8: the originator once, our cluster in front each time */
    out->has_originator_id = true;
    out->originator_id = attrs->has_originator_id ? attrs->originator_id : how->from_router_id;
    bw_u32(&w, how->cluster_id);
    bw_bytes(&w, attrs->cluster_list, attrs->cluster_list_len);
    out->cluster_list = room;
    out->cluster_list_len = bw_len(&w);
}

/* RFC 9494 4.3. There is room: no attribute is as long as the longest message. */
static void add_llgr_stale(const struct bgp_attrs *attrs, struct bgp_attrs *out, uint8_t *room)
{
    struct byte_writer w = bw_init(room, BGP_EXTENDED_MESSAGE_MAX);

    if (bgp_communities_have(attrs, BGP_LLGR_STALE))
        return;
    bw_bytes(&w, attrs->communities, attrs->communities_len);
    bw_u32(&w, BGP_LLGR_STALE);
    out->communities = room;
    out->communities_len = bw_len(&w);
}

void bgp_attrs_export(const struct bgp_attrs *attrs, const struct bgp_export *how, struct bgp_attrs *out, uint8_t *room)
{
    *out = *attrs;
    out->memory = NULL;
    if (!out->has_origin) { /* what originates here */
        out->has_origin = true;
        out->origin = 0;
    }
    if (!next_hop_counts(attrs))
        out->next_hop = (struct ip_addr){.family = IP_NONE};
    if (how->long_lived)
        add_llgr_stale(attrs, out, room + 3 * BGP_EXTENDED_MESSAGE_MAX);
    if (how->to_ebgp)
        to_external(attrs, how, out, room);
    else
        to_internal(attrs, how, out, room);
}

void bgp_attrs_export_route(const struct bgp_attrs *attrs, const struct bgp_export *how, const struct ip_addr *next_hop,
                            struct bgp_attrs *out, uint8_t *room)
{
    bgp_attrs_export(attrs, how, out, room);
    out->next_hop = next_hop->family != IP_NONE ? *next_hop : attrs->next_hop;
}

void bgp_attr_write(struct byte_writer *w, uint8_t flags, uint8_t code, const void *value, size_t len)
{
    if (len > UINT8_MAX)
        flags |= BGP_ATTR_EXTENDED;
    bw_u8(w, flags);
    bw_u8(w, code);
    if (len > UINT8_MAX)
        bw_u16(w, (uint16_t)len);
    else
        bw_u8(w, (uint8_t)len);
    bw_bytes(w, value, len);
}

static void write_u32(struct byte_writer *w, uint8_t flags, uint8_t code, uint32_t value)
{
    bgp_attr_write(w, flags, code,
                   (uint8_t[]){(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value},
                   4);
}

static void write_blob(struct byte_writer *w, uint8_t flags, uint8_t code, const uint8_t *value, size_t len)
{
    if (len > 0)
        bgp_attr_write(w, flags, code, value, len);
}

static void write_aggregator(struct byte_writer *w, uint8_t flags, uint8_t code, uint32_t as, unsigned width,
                             uint32_t id)
{
    uint8_t value[8];
    struct byte_writer v = bw_init(value, sizeof value);

    if (width == 4)
        bw_u32(&v, as);
    else
        bw_u16(&v, (uint16_t)(as > UINT16_MAX ? BGP_AS_TRANS : as));
    bw_u32(&v, id);
    bgp_attr_write(w, flags, code, value, bw_len(&v));
}

/* The path in the peer's width. Returns whether AS4_PATH must follow. */
static bool write_as_path(struct byte_writer *w, const struct bgp_attrs *attrs, bool four_octet_as)
{
    uint8_t narrow[BGP_EXTENDED_MESSAGE_MAX];
    bool needs_as4 = false;

    if (four_octet_as)
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, attrs->as_path, attrs->as_path_len);
    else
        bgp_attr_write(w, BGP_ATTR_TRANSITIVE, BGP_ATTR_AS_PATH, narrow,
                       bgp_as_path_narrow(attrs->as_path, attrs->as_path_len, narrow, &needs_as4));
    return needs_as4;
}

static void write_as4_path(struct byte_writer *w, const struct bgp_attrs *attrs)
{
    uint8_t path[BGP_EXTENDED_MESSAGE_MAX];

    if (attrs->as_path_len > sizeof path) {
        bw_bytes(w, attrs->as_path, attrs->as_path_len); /* no message has room for it: the writer fails */
        return;
    }
    bgp_attr_write(w, BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE, BGP_ATTR_AS4_PATH, path,
                   bgp_as4_path(attrs->as_path, attrs->as_path_len, path));
}

/* RFC 4271 5: a Partial bit that somebody set is not set back to 0. */
static uint8_t transitive(const struct bgp_attrs *attrs, uint8_t code)
{
    uint8_t partial = attrs->partial >> code & 1 ? BGP_ATTR_PARTIAL : 0;

    return BGP_ATTR_OPTIONAL | BGP_ATTR_TRANSITIVE | partial;
}

static void write_all(const struct bgp_attrs *attrs, bool four_octet_as, bool next_hop, struct byte_writer *w)
{
    const uint8_t known = BGP_ATTR_TRANSITIVE, here = BGP_ATTR_OPTIONAL;

    bgp_attr_write(w, known, BGP_ATTR_ORIGIN, &attrs->origin, 1);
    bool as4_path = write_as_path(w, attrs, four_octet_as);
    if (next_hop)
        bgp_attr_write(w, known, BGP_ATTR_NEXT_HOP, attrs->next_hop.octets, 4);
    if (attrs->has_med)
        write_u32(w, here, BGP_ATTR_MED, attrs->med);
    if (attrs->has_local_pref)
        write_u32(w, known, BGP_ATTR_LOCAL_PREF, attrs->local_pref);
    if (attrs->atomic_aggregate)
        bgp_attr_write(w, known, BGP_ATTR_ATOMIC_AGGREGATE, NULL, 0);
    if (attrs->has_aggregator)
        write_aggregator(w, transitive(attrs, BGP_ATTR_AGGREGATOR), BGP_ATTR_AGGREGATOR, attrs->aggregator_as,
                         four_octet_as ? 4 : 2, attrs->aggregator_id);
    write_blob(w, transitive(attrs, BGP_ATTR_COMMUNITIES), BGP_ATTR_COMMUNITIES, attrs->communities,
               attrs->communities_len);
    if (attrs->has_originator_id)
        write_u32(w, here, BGP_ATTR_ORIGINATOR_ID, attrs->originator_id);
    write_blob(w, here, BGP_ATTR_CLUSTER_LIST, attrs->cluster_list, attrs->cluster_list_len);
    write_blob(w, transitive(attrs, BGP_ATTR_EXT_COMMUNITIES), BGP_ATTR_EXT_COMMUNITIES, attrs->ext_comms,
               attrs->ext_comms_len);
    if (as4_path)
        write_as4_path(w, attrs);
    if (attrs->has_aggregator && !four_octet_as && attrs->aggregator_as > UINT16_MAX)
        write_aggregator(w, transitive(attrs, BGP_ATTR_AS4_AGGREGATOR), BGP_ATTR_AS4_AGGREGATOR, attrs->aggregator_as,
                         4, attrs->aggregator_id);
    write_blob(w, transitive(attrs, BGP_ATTR_EXT_COMMUNITIES_V6), BGP_ATTR_EXT_COMMUNITIES_V6, attrs->ext_comms6,
               attrs->ext_comms6_len);
    write_blob(w, transitive(attrs, BGP_ATTR_LARGE_COMMUNITIES), BGP_ATTR_LARGE_COMMUNITIES, attrs->large_comms,
               attrs->large_comms_len);
    bw_bytes(w, attrs->unknown, attrs->unknown_len);
}

void bgp_attrs_write(const struct bgp_attrs *attrs, bool four_octet_as, struct byte_writer *w)
{
    write_all(attrs, four_octet_as, false, w);
}

void bgp_attrs_write_next_hop(const struct bgp_attrs *attrs, bool four_octet_as, struct byte_writer *w)
{
    write_all(attrs, four_octet_as, true, w);
}
