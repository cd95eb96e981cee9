/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward/way.h"

#include "forward/internal.h"

#define STEPS_MAX 8 /* routes on the way to one neighbour, as forwarding has it (gateway.c) */

static void go_to(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, unsigned step,
                  struct fwd_way *out);

static void arrive(uint16_t port, struct fwd_way *out)
{
    out->end = FWD_WAY_PORT;
    out->port = port;
}

static void go_over(const struct fwd *fwd, const struct gateway *gateway, unsigned step, struct fwd_way *out)
{
    if (gateway->port != FWD_PORT_ANY)
        arrive(gateway->port, out);
    else
        go_to(fwd, gateway->vrf, &gateway->address, step + 1, out);
}

static void go_over_group(const struct fwd *fwd, const struct group *group, unsigned step, struct fwd_way *out)
{
    const struct fwd_way before = *out;

    for (unsigned i = 0; i < group->width; i++) {
        *out = before;
        go_over(fwd, fwd->owners[group->members[i]].of, step, out);
        if (out->end == FWD_WAY_PORT)
            return;
    }
}

/* A route whose only gateway is the address itself. */
static bool leads_over(const struct fwd *fwd, uint16_t vrf, const struct fwd_route *route,
                       const struct ip_addr *address)
{
    const struct gateway *gateway = fwd->owners[route->value].of;

    return fwd->owners[route->value].owner == OWNER_GATEWAY && gateway->vrf == vrf && gateway->port == FWD_PORT_ANY &&
           ip_addr_equal(&gateway->address, address);
}

static bool way_route(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, struct fwd_route *route)
{
    const struct fwd_fib *fib = fib_of(fwd, vrf, address->family);
    bool found = fwd_fib_find(fib, address, route);

    while (found && leads_over(fwd, vrf, route, address))
        found = fwd_fib_find_within(fib, address, route->prefix.length - 1, route);
    return found;
}

static void go_to(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, unsigned step,
                  struct fwd_way *out)
{
    struct fwd_route route;

    if (step == STEPS_MAX) {
        out->end = FWD_WAY_LOOP;
        return;
    }
    out->end = FWD_WAY_NO_ROUTE;
    if (!way_route(fwd, vrf, address, &route))
        return;
    if (step == 0)
        out->own_max =
            route.source == FWD_FROM_CONNECTED || route.source == FWD_FROM_NEIGHBOR ? UINT8_MAX : route.prefix.length;
    if (route.source == FWD_FROM_BGP) {
        out->over_bgp = true;
    } else if (out->source == FWD_SOURCE_COUNT) {
        out->source = route.source;
        out->prefix = route.prefix;
    }
    const struct fwd_hop *hop = fwd_hop_of(fwd->hops, route.value);
    switch (fwd->owners[route.value].owner) {
    case OWNER_GATEWAY:
        go_over(fwd, fwd->owners[route.value].of, step, out);
        break;
    case OWNER_GROUP:
        go_over_group(fwd, fwd->owners[route.value].of, step, out);
        break;
    case OWNER_PORT:
    case OWNER_NEIGHBOR:
        arrive(hop->port, out);
        break;
    default:
        out->end = hop->kind == FWD_BLACKHOLE ? FWD_WAY_BLACKHOLE : FWD_WAY_SELF;
    }
}

void fwd_way_find(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, struct fwd_way *out)
{
    *out = (struct fwd_way){.source = FWD_SOURCE_COUNT};
    go_to(fwd, vrf, address, 0, out);
}

uint64_t fwd_route_changes(const struct fwd *fwd)
{
    return fwd->route_changes;
}
