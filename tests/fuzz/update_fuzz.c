/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UPDATE bodies: the first octet chooses what was negotiated, the rest is the body. Every rule that comes out must be
 * canonical, every attribute set must survive a copy, and all of it goes through a RIB.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/rib.h"
#include "bgp/route_targets.h"
#include "bgp/unicast_rib.h"
#include "bgp/update.h"

struct target {
    struct bgp_rib *rib;
    struct bgp_unicast *routes;
    struct bgp_source source;
    size_t live; /* paths of rules that the RIB should hold */
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* So that the sanitizer sees octets that are not there. */
static void read_all(const uint8_t *data, size_t len)
{
    uint8_t copy[256];

    for (size_t at = 0; at < len; at += sizeof copy)
        memcpy(copy, data + at, len - at < sizeof copy ? len - at : sizeof copy);
}

static void check_target(void *ctx, const struct fs_route_target *target)
{
    require(target->kind != FS_REDIRECT_NONE && bgp_route_target_has(ctx, target));
}

static void check_attrs(const struct bgp_attrs *attrs)
{
    struct bgp_attrs copy;

    require(bgp_attrs_dup(attrs, &copy));
    require(bgp_attrs_equal(attrs, &copy));
    require(bgp_as_path_length(attrs) == bgp_as_path_length(&copy));
    require(attrs->ext_comms_len % 8 == 0 && attrs->ext_comms6_len % 20 == 0 && attrs->communities_len % 4 == 0);
    bgp_route_targets_each(attrs, check_target, &copy);
    require(attrs->has_origin && attrs->as_path != NULL); /* else it is a withdrawal */
    bgp_attrs_free(&copy);
}

static void reach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule, const struct bgp_attrs *attrs)
{
    struct target *t = ctx;

    check_attrs(attrs);
    require(rule->component_count > 0);
    size_t before = bgp_rib_source_count(t->rib, &t->source, family);
    int error = bgp_rib_announce_path(t->rib, &t->source, family, path_id, rule, attrs);
    require(error == 0 || error == -ENOSPC);
    t->live += bgp_rib_source_count(t->rib, &t->source, family) - before;
}

static void unreach(void *ctx, uint32_t family, uint32_t path_id, struct fs_rule *rule)
{
    struct target *t = ctx;

    t->live -= bgp_rib_withdraw_path(t->rib, &t->source, family, path_id, rule);
    fs_rule_free(rule);
}

static void reach_route(void *ctx, const struct bgp_route *route, const struct bgp_attrs *attrs)
{
    struct target *t = ctx;
    struct bgp_shared_attrs *shared = bgp_unicast_intern(t->routes, attrs);

    require((route->family & BGP_UNICAST_FAMILIES) != 0);
    require(route->prefix.length <= ip_family_bits(route->prefix.family) && route->label < 1u << 20);
    uint8_t nlri[BGP_ROUTE_NLRI_MAX];
    size_t len = bgp_route_encode(route, true, false, nlri);
    require(len == 5u + (nlri[4] + 7u) / 8);
    require(shared != NULL);
    struct bgp_shared_attrs *labelled = bgp_unicast_label(t->routes, shared, route->label);
    bgp_unicast_release(t->routes, shared);
    int error = bgp_unicast_announce(t->routes, &t->source, route, labelled);
    require(error == 0 || error == -ENOSPC);
    bgp_unicast_release(t->routes, labelled);
}

static void unreach_route(void *ctx, const struct bgp_route *route)
{
    struct target *t = ctx;

    require(route->prefix.length <= ip_family_bits(route->prefix.family));
    bgp_unicast_withdraw(t->routes, &t->source, route);
}

static void bad_nlri(void *ctx, uint32_t family, enum fs_error error, const uint8_t *nlri, size_t len)
{
    (void)ctx;
    (void)family;
    require(error != FS_OK && error != FS_ERR_LENGTH && len > 0);
    read_all(nlri, len);
}

static void bad_attribute(void *ctx, const char *what)
{
    (void)ctx;
    require(strlen(what) > 0);
}

static void end_of_rib(void *ctx, uint32_t family)
{
    (void)ctx;
    require(family != 0);
}

static void changed(void *ctx, struct bgp_rib_entry *entry, bool withdrawn)
{
    (void)ctx;
    require((entry->best == NULL) == withdrawn);
}

/* Who hears of a change may ask, also while the prefix has just lost its last path. */
static void route_changed(void *ctx, const struct bgp_route *route, const struct bgp_unicast_path *best)
{
    const struct target *t = ctx;
    const struct bgp_unicast_scope scope = {.family = route->family};
    struct bgp_unicast_path found;
    struct bgp_route match;

    require(route->family != 0 && (best == NULL || best->source != NULL));
    bool covered = bgp_unicast_match(t->routes, &scope, &route->prefix, &match, &found);
    require(best == NULL || (covered && match.prefix.length == route->prefix.length));
    bgp_unicast_other_neighbour(t->routes, &scope, &route->prefix, 0, &match, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bgp_update_ops ops = {.reach_flowspec = reach,
                                              .unreach_flowspec = unreach,
                                              .reach_route = reach_route,
                                              .unreach_route = unreach_route,
                                              .bad_nlri = bad_nlri,
                                              .bad_attribute = bad_attribute,
                                              .end_of_rib = end_of_rib};
    static const struct bgp_rib_ops rib_ops = {.changed = changed};
    static const struct bgp_unicast_ops route_ops = {.changed = route_changed};
    struct target t = {.source = {.number = 1, .kind = BGP_SOURCE_PEER}};

    if (size < 1)
        return 0;
    struct bgp_update_conf conf = {.families = (1u << BGP_FAMILY_COUNT) - 1,
                                   .add_path = data[0] & 16 ? (1u << BGP_FAMILY_COUNT) - 1 : 0,
                                   .four_octet_as = data[0] & 1,
                                   .ebgp = data[0] & 2,
                                   .legacy_ipv6_offset = data[0] & 4,
                                   .local_as = data[0] & 8 ? 65000 : 0,
                                   .router_id = data[0] & 8 ? 0x01020304 : 0};
    t.rib = bgp_rib_create(&rib_ops, NULL);
    t.routes = bgp_unicast_create(&route_ops, &t);
    require(t.rib != NULL && t.routes != NULL);
    struct bgp_update_result result = bgp_update_parse(data + 1, size - 1, &conf, &ops, &t);
    if (result.reset) {
        require(result.code == 3 && result.subcode > 0);
        read_all(result.data, result.data_len);
    }
    require(conf.add_path != 0 ? bgp_rib_count(t.rib) <= t.live : bgp_rib_count(t.rib) == t.live);
    require(bgp_rib_source_down(t.rib, &t.source) == t.live);
    bgp_rib_free(t.rib);
    bgp_unicast_source_down(t.routes, &t.source);
    require(bgp_unicast_attribute_sets(t.routes) == 0);
    bgp_unicast_free(t.routes);
    return 0;
}
