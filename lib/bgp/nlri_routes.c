/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/nlri_routes.h"

#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"

#define LABEL_BITS      24 /* RFC 8277 2.2: one label, unless both sides said otherwise, which we do not */
#define RD_BITS         64
#define BOTTOM          0x01      /* of the label stack */
#define WITHDRAWN_LABEL 0x800000u /* RFC 8277 2.4 */

/* Bits of an NLRI before the prefix proper. */
static unsigned bits_before(uint32_t family)
{
    return (family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0 ? LABEL_BITS + RD_BITS : 0;
}

static unsigned prefix_family(uint32_t family)
{
    return bgp_family_afi(family) == BGP_AFI_IPV6 ? IP_V6 : IP_V4;
}

bool bgp_routes_sound(const struct bgp_update_conf *conf, uint32_t family, struct byte_reader r)
{
    bool add_path = (conf->add_path & family) != 0;

    unsigned before = bits_before(family), most = before + ip_family_bits(prefix_family(family));

    while (br_left(&r) > 0) {
        if (add_path)
            br_u32(&r);
        unsigned bits = br_u8(&r);
        if (bits < before || bits > most)
            return false;
        br_bytes(&r, (bits + 7) / 8);
    }
    return !r.failed;
}

/* RFC 4271 6.3: a prefix of multicast or reserved addresses is no unicast route. */
static bool is_unicast(const struct ip_prefix *prefix)
{
    return prefix->family == IP_V4 ? prefix->length < 3 || prefix->octets[0] < 224
                                   : prefix->length < 8 || prefix->octets[0] != 0xff;
}

static void tell_ignored(const struct bgp_attr_reader *reader, const struct ip_prefix *prefix)
{
    char text[IP_TEXT_SIZE + 64], address[IP_TEXT_SIZE];
    struct strbuf sb = sb_init(text, sizeof text);

    sb_printf(&sb, "route %s: no unicast prefix; ignored", ip_prefix_format(prefix, address));
    reader->ops->bad_attribute(reader->ctx, text);
}

void bgp_routes_read(const struct bgp_attr_reader *reader, uint32_t family, struct byte_reader r, bool withdraw,
                     const struct bgp_attrs *attrs)
{
    struct bgp_route route = {.family = family, .prefix.family = (uint8_t)prefix_family(family)};
    unsigned before = bits_before(family);
    bool add_path = (reader->conf->add_path & family) != 0;

    if (reader->ops->reach_route == NULL || reader->ops->unreach_route == NULL)
        return;
    while (br_left(&r) > 0) {
        if (add_path)
            route.path_id = br_u32(&r);
        unsigned bits = br_u8(&r) - before;
        if (before > 0) {
            const uint8_t *label = br_bytes(&r, LABEL_BITS / 8);
            route.label = (uint32_t)label[0] << 12 | (uint32_t)label[1] << 4 | label[2] >> 4;
            memcpy(route.rd, br_bytes(&r, RD_BITS / 8), sizeof route.rd);
        }
        unsigned octets = (bits + 7) / 8;
        memset(route.prefix.octets, 0, sizeof route.prefix.octets);
        route.prefix.length = (uint8_t)bits;
        if (octets > 0) {
            memcpy(route.prefix.octets, br_bytes(&r, octets), octets);
            if (bits % 8 != 0) /* RFC 4271 4.3: what is beyond the length is irrelevant */
                route.prefix.octets[octets - 1] &= (uint8_t)(0xff << (8 - bits % 8));
        }
        if (withdraw)
            reader->ops->unreach_route(reader->ctx, &route);
        else if (!is_unicast(&route.prefix))
            tell_ignored(reader, &route.prefix);
        else
            reader->ops->reach_route(reader->ctx, &route, attrs);
    }
}

size_t bgp_route_encode(const struct bgp_route *route, bool add_path, bool withdraw, uint8_t *out)
{
    struct byte_writer w = bw_init(out, BGP_ROUTE_NLRI_MAX);
    unsigned before = bits_before(route->family), length = route->prefix.length;

    if (add_path)
        bw_u32(&w, route->path_id);
    bw_u8(&w, (uint8_t)(before + length));
    if (before > 0) {
        uint32_t label = withdraw ? WITHDRAWN_LABEL : route->label << 4 | BOTTOM;
        bw_u8(&w, (uint8_t)(label >> 16));
        bw_u16(&w, (uint16_t)label);
        bw_bytes(&w, route->rd, sizeof route->rd);
    }
    bw_bytes(&w, route->prefix.octets, (length + 7) / 8);
    return bw_len(&w);
}
