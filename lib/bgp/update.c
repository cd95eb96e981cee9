/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One UPDATE: RFC 4271 4.3 and 6.3 as revised by RFC 7606, MP_REACH and MP_UNREACH of RFC 4760, flowspec NLRI of RFC
 * 8955 4, End-of-RIB of RFC 4724 2.
 */
#include "bgp/update.h"

#include <string.h>

#include "base/cursor.h"
#include "bgp/attrs.h"
#include "bgp/nlri_routes.h"
#include "bgp/notification.h"

/* The parts of a body. */
struct update_parts {
    struct byte_reader withdrawn, attributes, nlri;
};

static struct bgp_update_result reset_with(const char *what, uint8_t subcode, const uint8_t *data, size_t len)
{
    return (struct bgp_update_result){
        .reset = true, .code = BGP_ERR_UPDATE, .subcode = subcode, .data = data, .data_len = len, .what = what};
}

/* RFC 7606 3 b: lengths that point past the message leave nothing to stand on. */
static bool split(const uint8_t *body, size_t len, struct update_parts *parts)
{
    struct byte_reader r = br_init(body, len);

    parts->withdrawn = br_sub(&r, br_u16(&r));
    parts->attributes = br_sub(&r, br_u16(&r));
    parts->nlri = r;
    return !r.failed;
}

/* One after the other; false when framing is lost. */
static bool read_rules(struct bgp_attr_reader *reader, uint32_t family, struct byte_reader r, bool withdraw)
{
    struct fs_nlri_format format = {.family = bgp_family_afi(family) == BGP_AFI_IPV6 ? IP_V6 : IP_V4,
                                    .vpn = bgp_family_safi(family) == BGP_SAFI_FLOWSPEC_VPN,
                                    .legacy_ipv6_offset = reader->conf->legacy_ipv6_offset};

    while (br_left(&r) > 0) {
        uint32_t path_id = (reader->conf->add_path & family) != 0 ? br_u32(&r) : 0;
        const uint8_t *start = r.at;
        struct fs_rule *rule = NULL;
        if (r.failed)
            return false;
        enum fs_error error = fs_nlri_decode(&r, &format, &rule);
        if (error == FS_ERR_LENGTH)
            return false;
        if (error != FS_OK)
            reader->ops->bad_nlri(reader->ctx, family, error, start, (size_t)(r.at - start));
        else if (withdraw)
            reader->ops->unreach_flowspec(reader->ctx, family, path_id, rule);
        else
            reader->ops->reach_flowspec(reader->ctx, family, path_id, rule, &reader->attrs);
    }
    return true;
}

static bool read_nlri(struct bgp_attr_reader *reader, uint32_t family, struct byte_reader r, bool withdraw)
{
    if ((family & BGP_UNICAST_FAMILIES) == 0)
        return read_rules(reader, family, r, withdraw);
    if (!bgp_routes_sound(reader->conf, family, r))
        return false;
    bgp_routes_read(reader, family, r, withdraw, &reader->attrs);
    return true;
}

/* The first address in a next hop of any of the lengths in use, a route distinguisher before it skipped. */
static struct ip_addr next_hop_address(const uint8_t *octets, size_t len)
{
    struct ip_addr addr = {.family = IP_NONE};
    size_t skip = len == 12 || len == 24 || len == 48 ? 8 : 0;

    if (len == 4 || len == 12)
        addr.family = IP_V4;
    else if (len == 16 || len == 24 || len == 32 || len == 48)
        addr.family = IP_V6;
    if (addr.family != IP_NONE)
        memcpy(addr.octets, octets + skip, addr.family == IP_V4 ? 4 : 16);
    return addr;
}

/*
 * RFC 7606 7.11: a length that is not the family's leaves the NLRI nowhere to be found. IPv4 routes over IPv6 (RFC
 * 8950) are never agreed on here; the next hop of flowspec may have any length (RFC 8955 4).
 */
static bool next_hop_fits(uint32_t family, size_t len)
{
    switch (family) {
    case BGP_IPV4_UNICAST:
        return len == 4;
    case BGP_IPV6_UNICAST:
        return len == 16 || len == 32;
    case BGP_IPV4_VPN:
        return len == 12;
    case BGP_IPV6_VPN:
        return len == 24 || len == 48;
    default:
        return true;
    }
}

/* MP_REACH_NLRI and MP_UNREACH_NLRI, opened. */
struct mp_attr {
    uint32_t family; /* 0: not one that was agreed on */
    struct byte_reader nlri;
    bool sound;
};

static struct mp_attr open_mp(struct bgp_attr_reader *reader, const struct bgp_raw_attr *raw, bool reach)
{
    struct byte_reader r = br_init(raw->value, raw->len);
    struct mp_attr mp = {0};
    uint16_t afi = br_u16(&r);

    mp.family = bgp_family_of(afi, br_u8(&r)) & reader->conf->families;
    if (reach) {
        size_t len = br_u8(&r);
        const uint8_t *next_hop = br_bytes(&r, len);
        br_u8(&r); /* reserved: RFC 4760 3 ignores it */
        if (!r.failed)
            reader->attrs.next_hop = next_hop_address(next_hop, len);
        r.failed |= !next_hop_fits(mp.family, len);
    }
    mp.sound = !r.failed;
    mp.nlri = r;
    if (mp.sound && mp.family == 0)
        reader->ops->bad_attribute(reader->ctx, reach ? "MP_REACH_NLRI: family was not agreed on; ignored"
                                                      : "MP_UNREACH_NLRI: family was not agreed on; ignored");
    return mp;
}

/* RFC 7606 3 d and 5.2: what must be there, and whether a fault can be contained at all. */
static void judge(struct bgp_attr_reader *reader, const struct update_parts *parts, bool reachable)
{
    if (reachable) {
        if (reader->raw[BGP_ATTR_ORIGIN].whole == NULL && !reader->faulty)
            bgp_attr_missing(reader, BGP_ATTR_ORIGIN);
        if (reader->raw[BGP_ATTR_AS_PATH].whole == NULL && !reader->faulty)
            bgp_attr_missing(reader, BGP_ATTR_AS_PATH);
        if (br_left(&parts->nlri) > 0 && reader->raw[BGP_ATTR_NEXT_HOP].whole == NULL && !reader->faulty)
            bgp_attr_missing(reader, BGP_ATTR_NEXT_HOP);
    } else if (reader->faulty && reader->others) {
        reader->fault.reset = true; /* the NLRI that should be withdrawn may be what was not understood */
        reader->fault.what = "no rule or route to withdraw for that fault was found";
    }
}

static void tell_end_of_rib(struct bgp_attr_reader *reader, const struct update_parts *parts,
                            const struct mp_attr *unreach)
{
    bool classic = br_left(&parts->withdrawn) == 0 && br_left(&parts->nlri) == 0;
    uint32_t family = 0;

    if (classic && br_left(&parts->attributes) == 0)
        family = BGP_IPV4_UNICAST & reader->conf->families;
    else if (classic && !reader->others && unreach != NULL && br_left(&unreach->nlri) == 0)
        family = unreach->family;
    if (family != 0)
        reader->ops->end_of_rib(reader->ctx, family);
}

/* The routes outside of any attribute (RFC 4271 4.3), whose next hop is in an attribute of its own. */
static void read_classic(struct bgp_attr_reader *reader, struct byte_reader nlri)
{
    const struct bgp_raw_attr *next_hop = &reader->raw[BGP_ATTR_NEXT_HOP];
    struct bgp_attrs attrs = reader->attrs;

    attrs.next_hop = (struct ip_addr){.family = next_hop->whole != NULL ? IP_V4 : IP_NONE};
    if (next_hop->whole != NULL)
        memcpy(attrs.next_hop.octets, next_hop->value, 4);
    bgp_routes_read(reader, BGP_IPV4_UNICAST, nlri, reader->withdraw, &attrs);
}

static struct bgp_update_result run(struct bgp_attr_reader *reader, const struct update_parts *parts)
{
    const struct bgp_raw_attr *reach_raw = &reader->raw[BGP_ATTR_MP_REACH];
    const struct bgp_raw_attr *unreach_raw = &reader->raw[BGP_ATTR_MP_UNREACH];
    struct mp_attr reach = {0}, unreach = {0};

    bgp_attr_reader_run(reader, parts->attributes.at, br_left(&parts->attributes));
    if (reader->fault.reset)
        return reader->fault;
    if (unreach_raw->whole != NULL)
        unreach = open_mp(reader, unreach_raw, false);
    if (reach_raw->whole != NULL) {
        reach = open_mp(reader, reach_raw, true);
        if (!reach.sound)
            return reset_with("MP_REACH_NLRI: its next hop does not fit", BGP_UPDATE_OPTIONAL_ATTRIBUTE,
                              reach_raw->whole, reach_raw->whole_len);
    }
    judge(reader, parts, br_left(&reach.nlri) > 0 || br_left(&parts->nlri) > 0);
    if (reader->fault.reset)
        return reader->fault;
    bool classic = (reader->conf->families & BGP_IPV4_UNICAST) != 0;
    if (!bgp_routes_sound(reader->conf, BGP_IPV4_UNICAST, parts->withdrawn) ||
        !bgp_routes_sound(reader->conf, BGP_IPV4_UNICAST, parts->nlri))
        return reset_with("a prefix of the IPv4 routes is malformed", BGP_UPDATE_NETWORK_FIELD, NULL, 0);
    if (classic)
        bgp_routes_read(reader, BGP_IPV4_UNICAST, parts->withdrawn, true, NULL);
    /* RFC 4760 7: an incorrect MP attribute ends the session with Optional Attribute Error */
    if (unreach.family != 0 && !read_nlri(reader, unreach.family, unreach.nlri, true))
        return reset_with("MP_UNREACH_NLRI: an NLRI runs past its end", BGP_UPDATE_OPTIONAL_ATTRIBUTE,
                          unreach_raw->whole, unreach_raw->whole_len);
    if (reach.family != 0 && !read_nlri(reader, reach.family, reach.nlri, reader->withdraw))
        return reset_with("MP_REACH_NLRI: an NLRI runs past its end", BGP_UPDATE_OPTIONAL_ATTRIBUTE, reach_raw->whole,
                          reach_raw->whole_len);
    if (classic && br_left(&parts->nlri) > 0)
        read_classic(reader, parts->nlri);
    tell_end_of_rib(reader, parts, unreach_raw->whole != NULL ? &unreach : NULL);
    return (struct bgp_update_result){0};
}

struct bgp_update_result bgp_update_parse(const uint8_t *body, size_t len, const struct bgp_update_conf *conf,
                                          const struct bgp_update_ops *ops, void *ctx)
{
    struct bgp_attr_reader reader = {.conf = conf, .ops = ops, .ctx = ctx};
    struct update_parts parts;

    if (!split(body, len, &parts))
        return reset_with("a length points past the end of the message", BGP_UPDATE_ATTRIBUTE_LIST, NULL, 0);
    struct bgp_update_result result = run(&reader, &parts);
    bgp_attr_reader_end(&reader);
    return result;
}
