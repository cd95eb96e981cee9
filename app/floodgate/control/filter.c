/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/filter.h"

#include "bgp/communities.h"
#include "control/internal.h"

static bool within(const struct ip_prefix *prefix, const struct fs_rule *rule, const struct fs_component *destination)
{
    /* an IPv6 pattern that leaves its first bits open (RFC 8956 3.1) lies within everything or nothing */
    if (rule->family != prefix->family || destination->length < prefix->length ||
        (destination->offset > 0 && prefix->length > 0))
        return false;
    for (unsigned bit = 0; bit < prefix->length; bit++)
        if (((prefix->octets[bit / 8] ^ destination->octets[bit / 8]) & 0x80 >> bit % 8) != 0)
            return false;
    return true;
}

static bool destination_passes(const struct cfg_filter *filter, const struct fs_rule *rule)
{
    const struct fs_component *destination = fs_rule_component(rule, FS_DESTINATION);

    for (size_t i = 0; destination != NULL && i < filter->prefix_count; i++)
        if (within(&filter->prefixes[i], rule, destination))
            return true;
    return false;
}

static bool has_one(const struct cfg_community *communities, size_t count, const struct bgp_attrs *attrs)
{
    for (size_t i = 0; i < count; i++) {
        const struct cfg_community *at = &communities[i];
        if (at->large ? bgp_large_communities_have(attrs, at->parts) : bgp_communities_have(attrs, at->parts[0]))
            return true;
    }
    return false;
}

static bool attributes_pass(const struct cfg_filter *filter, uint32_t family, const struct bgp_attrs *attrs)
{
    if (filter->families != 0 && (filter->families & peer_cfg_family(family)) == 0)
        return false;
    if (filter->community_count > 0 && !has_one(filter->communities, filter->community_count, attrs))
        return false;
    return !has_one(filter->not_communities, filter->not_community_count, attrs);
}

bool filter_passes(const struct cfg_filter *filter, uint32_t family, const struct fs_rule *rule,
                   const struct bgp_attrs *attrs)
{
    return attributes_pass(filter, family, attrs) && (filter->prefix_count == 0 || destination_passes(filter, rule));
}

static bool prefix_passes(const struct cfg_filter *filter, const struct ip_prefix *prefix)
{
    for (size_t i = 0; i < filter->prefix_count; i++) {
        const struct ip_prefix *at = &filter->prefixes[i];
        if (at->family == prefix->family && at->length <= prefix->length &&
            ip_bits_equal(at->octets, prefix->octets, at->length))
            return true;
    }
    return false;
}

bool filter_route_passes(const struct cfg_filter *filter, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    return attributes_pass(filter, route->family, attrs) &&
           (filter->prefix_count == 0 || prefix_passes(filter, &route->prefix));
}
