/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/json_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "manage/json_util.h"
#include "ports/ports.h"

static const char *kind_word(unsigned kind)
{
    static const char *const WORDS[] = {
        [FWD_UNREACHABLE] = "unreachable", [FWD_BLACKHOLE] = "blackhole", [FWD_SELF] = "local",
        [FWD_GLEAN] = "connected",         [FWD_RESOLVE] = "resolve",     [FWD_SEND] = "send",
        [FWD_SPREAD] = "spread",
    };

    return WORDS[kind];
}

static void set_neighbor(json_t *o, const struct dataplane *dp, const struct fwd_hop *hop,
                         const struct ip_addr *address)
{
    struct fwd_neighbor_info info;
    char text[IP_TEXT_SIZE];
    bool known = fwd_neighbor_get(dataplane_fwd(dp), hop->port, address, &info);

    json_set_text(o, "address", ip_addr_format(address, text));
    json_set_text(o, "neighbor", known ? fwd_neighbor_state_name(info.state) : "unknown");
}

json_t *json_hop(const struct dataplane *dp, const struct fwd_hop *hop, const struct ip_addr *to)
{
    const struct ip_addr *neighbor = hop->kind == FWD_GLEAN ? to : &hop->address;
    json_t *o = json_object();
    char mac[18];

    json_set_text(o, "kind", kind_word(hop->kind));
    if (hop->kind == FWD_SEND || hop->kind == FWD_RESOLVE || hop->kind == FWD_GLEAN) {
        json_set_text(o, "port", dataplane_ports(dp)->port[hop->port].name);
        if (neighbor != NULL)
            set_neighbor(o, dp, hop, neighbor);
    }
    if (hop->kind == FWD_SEND) {
        const uint8_t *m = hop->mac;
        snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
        json_set_text(o, "mac", mac);
    }
    return o;
}

json_t *json_fib_route(const struct dataplane *dp, uint16_t vrf, const struct fwd_route *route)
{
    const struct fwd *fwd = dataplane_fwd(dp);
    const struct fwd_hops *hops = fwd_hops_of(fwd);
    struct fwd_gateway gateways[FWD_SPREAD_MAX];
    unsigned count = fwd_gateways_of(fwd, route->value, gateways);
    json_t *o = json_object(), *via = json_array();
    char text[IP_TEXT_SIZE];

    json_set_text(o, "vrf", dataplane_vrf_name(dp, vrf));
    json_set_text(o, "prefix", ip_prefix_format(&route->prefix, text));
    json_set_text(o, "source", fwd_source_name(route->source));
    for (unsigned i = 0; i < count; i++) {
        const struct fwd_hop *hop = fwd_hop_of(hops, gateways[i].number);
        json_t *gateway = json_object();
        json_set_text(gateway, "address", ip_addr_format(&gateways[i].address, text));
        json_object_set_new(gateway, "resolved", json_boolean(hop->kind != FWD_UNREACHABLE));
        json_object_set_new(gateway, "next_hop", json_hop(dp, hop, NULL));
        json_array_append_new(via, gateway);
    }
    json_object_set_new(o, "via", via);
    json_object_set_new(o, "next_hop", json_hop(dp, fwd_hop_of(hops, route->value), NULL));
    return o;
}

json_t *json_fib_exact(const struct dataplane *dp, const struct ip_prefix *prefix, bool all_vrfs)
{
    const struct fwd *fwd = dataplane_fwd(dp);
    json_t *array = json_array();

    for (uint16_t vrf = 0; fwd != NULL && vrf < (all_vrfs ? dataplane_vrf_count(dp) : 1); vrf++) {
        const struct fwd_fib *fib = fwd_fib_of(fwd, vrf, prefix->family);
        struct fwd_route route = {.prefix = *prefix, .source = FWD_FROM_SELF};
        while (route.source < FWD_SOURCE_COUNT &&
               (route.value = fwd_fib_get(fib, prefix, route.source)) == FWD_NO_ROUTE)
            route.source++;
        if (route.value != FWD_NO_ROUTE)
            json_array_append_new(array, json_fib_route(dp, vrf, &route));
    }
    return array;
}

struct found {
    const struct ip_prefix *prefix;
    bool (*wanted)(void *ctx, uint16_t vrf, const struct fwd_route *route);
    void *ctx;
    uint16_t vrf;
    struct fwd_route *routes;
    size_t count, room;
};

static bool covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
    return outer->length <= inner->length && ip_bits_equal(outer->octets, inner->octets, outer->length);
}

static void collect(void *ctx, const struct fwd_route *route)
{
    struct found *found = ctx;
    const struct ip_prefix *prefix = found->prefix;

    if ((prefix != NULL && !covers(&route->prefix, prefix) && !covers(prefix, &route->prefix)) ||
        !found->wanted(found->ctx, found->vrf, route))
        return;
    if (found->count == found->room) {
        size_t room = found->room > 0 ? 2 * found->room : 64;
        struct fwd_route *more = realloc(found->routes, room * sizeof *more);
        if (more == NULL)
            return;
        found->routes = more;
        found->room = room;
    }
    found->routes[found->count++] = *route;
}

static int compare(const void *a, const void *b)
{
    const struct ip_prefix *x = &((const struct fwd_route *)a)->prefix, *y = &((const struct fwd_route *)b)->prefix;
    int order = memcmp(x->octets, y->octets, sizeof x->octets);

    return order != 0 ? order : (int)x->length - (int)y->length;
}

/* One FIB; false when `visit` has said so. */
static bool each_of_fib(const struct fwd_fib *fib, struct found *found,
                        bool (*visit)(void *ctx, uint16_t vrf, const struct fwd_route *route))
{
    bool go_on = true;

    found->count = 0;
    fwd_fib_walk(fib, collect, found);
    if (found->count > 0)
        qsort(found->routes, found->count, sizeof found->routes[0], compare);
    for (size_t i = 0; i < found->count && go_on; i++)
        go_on = visit(found->ctx, found->vrf, &found->routes[i]);
    return go_on;
}

void json_fib_each(const struct dataplane *dp, const struct ip_prefix *prefix,
                   bool (*wanted)(void *ctx, uint16_t vrf, const struct fwd_route *route),
                   bool (*visit)(void *ctx, uint16_t vrf, const struct fwd_route *route), void *ctx)
{
    static const unsigned FAMILIES[2] = {IP_V4, IP_V6};
    const struct fwd *fwd = dataplane_fwd(dp);
    struct found found = {.prefix = prefix, .wanted = wanted, .ctx = ctx};
    bool go_on = fwd != NULL;

    for (uint16_t vrf = 0; go_on && vrf < dataplane_vrf_count(dp); vrf++) {
        found.vrf = vrf;
        for (unsigned f = 0; f < 2 && go_on; f++)
            if (prefix == NULL || prefix->family == FAMILIES[f])
                go_on = each_of_fib(fwd_fib_of(fwd, vrf, FAMILIES[f]), &found, visit);
    }
    free(found.routes);
}
