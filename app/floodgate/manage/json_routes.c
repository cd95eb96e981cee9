/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_routes.h"

#include <string.h>

#include "base/cursor.h"
#include "base/strbuf.h"
#include "bgp/as_path.h"
#include "control/rules.h"
#include "manage/json_util.h"

/* "65001 65002 {65003 65004} (64512)": sets in braces, confederation segments in round brackets. */
static void as_path_text(const struct bgp_attrs *attrs, struct strbuf *text)
{
    struct byte_reader r = br_init(attrs->as_path, attrs->as_path_len);

    while (br_left(&r) > 0) {
        unsigned type = br_u8(&r), count = br_u8(&r);
        const char *open = type == BGP_AS_SET          ? "{"
                           : type == BGP_AS_SEQUENCE   ? ""
                           : type == BGP_AS_CONFED_SET ? "({"
                                                       : "(";
        const char *close = type == BGP_AS_SET          ? "}"
                            : type == BGP_AS_SEQUENCE   ? ""
                            : type == BGP_AS_CONFED_SET ? "})"
                                                        : ")";
        sb_printf(text, "%s%s", text->length > 0 ? " " : "", open);
        for (unsigned i = 0; i < count; i++)
            sb_printf(text, "%s%u", i > 0 ? " " : "", br_u32(&r));
        sb_printf(text, "%s", close);
    }
}

static void communities_text(const struct bgp_attrs *attrs, json_t *o)
{
    struct byte_reader r = br_init(attrs->communities, attrs->communities_len);
    json_t *array = json_array();

    while (br_left(&r) > 0) {
        unsigned high = br_u16(&r), low = br_u16(&r);
        json_array_append_new(array, json_sprintf("%u:%u", high, low));
    }
    json_object_set_new(o, "communities", array);
}

/* Of a next hop that is reached, a route may still be the way to itself (RFC 4271 9.1.2.1). */
static const char *unreachable_why(const struct bgp_unicast_path *path)
{
    if (!path->unreachable)
        return "";
    return path->reach->unreachable ? path->reach->why : "the route would lead over itself";
}

static json_t *json_path(const struct bgp_unicast_path *path, const char *lost_by, bool best)
{
    static const char *const ORIGINS[] = {"igp", "egp", "incomplete"};
    const struct rule_source *source = (const struct rule_source *)path->source; /* the first member of its source */
    const struct bgp_attrs *attrs = path->attrs;
    char text[2048] = "", address[IP_TEXT_SIZE];
    struct strbuf as_path = sb_init(text, sizeof text);
    bool known = path->reach != NULL && path->reach->metric != BGP_METRIC_UNKNOWN;
    json_t *o = json_object(), *metric = known ? json_integer(path->reach->metric) : json_null();

    as_path_text(attrs, &as_path);
    json_object_set_new(o, "best", json_boolean(best));
    json_set_text(o, "lost_by", path->unreachable ? "next-hop" : lost_by != NULL ? lost_by : "");
    json_set_text(o, "peer", source->name != NULL ? source->name : "");
    json_set_text(o, "next_hop", attrs->next_hop.family != IP_NONE ? ip_addr_format(&attrs->next_hop, address) : "");
    json_set_text(o, "unreachable", unreachable_why(path));
    json_object_set_new(o, "metric", metric);
    json_set_text(o, "as_path", text);
    json_set_text(o, "origin", attrs->has_origin && attrs->origin < 3 ? ORIGINS[attrs->origin] : "incomplete");
    json_object_set_new(o, "local_pref", attrs->has_local_pref ? json_integer(attrs->local_pref) : json_null());
    json_object_set_new(o, "med", attrs->has_med ? json_integer(attrs->med) : json_null());
    communities_text(attrs, o);
    json_object_set_new(o, "external", json_boolean(path->source->ebgp));
    json_object_set_new(o, "stale", json_boolean(path->stale));
    if (path->path_id != 0)
        json_set_uint(o, "path_id", path->path_id);
    return o;
}

static bool append_path(void *ctx, const struct bgp_unicast_path *path, const char *why)
{
    json_array_append_new(ctx, json_path(path, why, json_array_size(ctx) == 0 && !path->unreachable));
    return true;
}

/* RFC 4364 4.2 */
static json_t *json_rd(const uint8_t rd[8])
{
    struct byte_reader r = br_init(rd, 8);
    unsigned type = br_u16(&r);

    if (type == 0) {
        unsigned as = br_u16(&r);
        return json_sprintf("%u:%u", as, br_u32(&r));
    }
    if (type == 1) {
        const uint8_t *address = br_bytes(&r, 4);
        return json_sprintf("%u.%u.%u.%u:%u", address[0], address[1], address[2], address[3], br_u16(&r));
    }
    uint32_t as = br_u32(&r);
    return json_sprintf("%uL:%u", as, br_u16(&r));
}

json_t *json_route(const struct bgp_unicast *routes, const struct bgp_route *route)
{
    char prefix[IP_TEXT_SIZE];
    json_t *o = json_object(), *paths = json_array();

    json_set_text(o, "family", bgp_family_name(route->family));
    json_set_text(o, "prefix", ip_prefix_format(&route->prefix, prefix));
    if ((route->family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0)
        json_object_set_new(o, "rd", json_rd(route->rd));
    bgp_unicast_paths(routes, route, true, append_path, paths);
    json_object_set_new(o, "paths", paths);
    return o;
}

/* The routes that cover the prefix, shown from the shortest; those without a path that counts, too. */
static void append_covering(const struct bgp_unicast *routes, const struct ip_prefix *prefix, uint32_t family,
                            json_t *array, uint64_t limit)
{
    for (unsigned length = 0; length <= prefix->length && json_array_size(array) < limit; length++) {
        struct bgp_route route = {.family = family, .prefix = *prefix};
        route.prefix.length = (uint8_t)length;
        ip_bits_keep(route.prefix.octets, sizeof route.prefix.octets, 0, length);
        if (bgp_unicast_has(routes, &route))
            json_array_append_new(array, json_route(routes, &route));
    }
}

json_t *json_routes(const struct bgp_unicast *routes, const struct ip_prefix *prefix, uint64_t limit)
{
    uint32_t families = BGP_UNICAST_FAMILIES;
    json_t *array = json_array();
    struct bgp_unicast_path best;
    struct bgp_route route, after;
    bool have;

    if (prefix == NULL) {
        have = bgp_unicast_next(routes, families, NULL, &route, &best);
    } else {
        families = prefix->family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
        append_covering(routes, prefix, families, array, limit);
        after = (struct bgp_route){.family = families, .prefix = *prefix};
        have = bgp_unicast_next(routes, families, &after, &route, &best);
    }
    while (have && json_array_size(array) < limit) {
        if (prefix != NULL && !(route.prefix.length >= prefix->length &&
                                ip_bits_equal(route.prefix.octets, prefix->octets, prefix->length)))
            break;
        json_array_append_new(array, json_route(routes, &route));
        after = route;
        have = bgp_unicast_next(routes, families, &after, &route, &best);
    }
    return array;
}
