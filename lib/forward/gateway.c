/* SPDX-License-Identifier: BSD-3-Clause */
/* Gateways and groups of them: what routes lead to, found anew when the way there changes (RFC 4271 5.1.3). */
#include <stdlib.h>
#include <string.h>

#include "forward/internal.h"

#define RECURSION_MAX 8 /* routes on the way to one neighbour */

static void way_find(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, unsigned depth,
                     struct fwd_hop *out);

/* The way to a neighbour on a port: there, or to be asked for. */
static void neighbor_way(const struct fwd *fwd, uint16_t port, const struct ip_addr *address, struct fwd_hop *out)
{
    const struct neighbor *neighbor = neighbor_find(fwd, port, address);

    if (neighbor != NULL && neighbor->number != 0) {
        memcpy(out, fwd_hop_of(fwd->hops, neighbor->number), sizeof *out);
        return;
    }
    out->kind = FWD_RESOLVE;
    out->port = port;
    out->address = *address;
}

static void gateway_way(const struct fwd *fwd, const struct gateway *gateway, unsigned depth, struct fwd_hop *out)
{
    memset(out, 0, sizeof *out);
    if (gateway->port != FWD_PORT_ANY)
        neighbor_way(fwd, gateway->port, &gateway->address, out);
    else
        way_find(fwd, gateway->vrf, &gateway->address, depth, out);
}

/* The longest route to the address; of one that leads over the address itself, the network below it. */
static bool route_find(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, struct fwd_route *route)
{
    const struct fwd_fib *fib = fib_of(fwd, vrf, address->family);

    if (!fwd_fib_find(fib, address, route))
        return false;
    const struct gateway *gateway = fwd->owners[route->value].of;
    if (fwd->owners[route->value].owner != OWNER_GATEWAY || gateway->vrf != vrf ||
        !ip_addr_equal(&gateway->address, address))
        return true;
    return fwd_fib_find_within(fib, address, route->prefix.length - 1, route) && route->source == FWD_FROM_CONNECTED;
}

/* The way to an address: what its longest route leads to, and so on to a neighbour. */
static void way_find(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, unsigned depth,
                     struct fwd_hop *out)
{
    struct fwd_route route;

    memset(out, 0, sizeof *out);
    if (depth == RECURSION_MAX || !route_find(fwd, vrf, address, &route))
        return;
    const struct fwd_hop *hop = fwd_hop_of(fwd->hops, route.value);
    const struct gateway *gateway = fwd->owners[route.value].of;
    switch (fwd->owners[route.value].owner) {
    case OWNER_GATEWAY:
        gateway_way(fwd, gateway, depth + 1, out);
        break;
    case OWNER_PORT:
        neighbor_way(fwd, hop->port, address, out);
        break;
    default:
        if (hop->kind != FWD_SELF) /* the router is not its own gateway */
            memcpy(out, hop, sizeof *out);
    }
}

/* Only ways that lead somewhere; several only where they are. */
static void group_find(const struct fwd *fwd, const struct group *group, struct fwd_hop *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < group->width; i++)
        if (fwd_hop_of(fwd->hops, group->members[i])->kind != FWD_UNREACHABLE)
            out->members[out->width++] = group->members[i];
    if (out->width > 0)
        out->kind = FWD_SPREAD;
}

/* Found at once, so that a route to it never leads nowhere for a moment. */
static struct gateway *gateway_make(struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, uint16_t port)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);
    struct fwd_hop hop;

    if (gateway == NULL)
        return NULL;
    gateway->number = hop_take(fwd, OWNER_GATEWAY, gateway);
    gateway->vrf = vrf;
    gateway->port = port;
    gateway->address = *address;
    gateway_way(fwd, gateway, 0, &hop);
    if (gateway->number != 0 && fwd_hops_set(fwd->hops, gateway->number, &hop) == 0)
        return gateway;
    if (gateway->number != 0)
        hop_give(fwd, gateway->number);
    free(gateway);
    return NULL;
}

static struct gateway *gateway_get(struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, uint16_t port)
{
    struct gateway **bucket = &fwd->gateways[bucket_of(vrf, address)];
    struct gateway *gateway = *bucket;

    while (gateway != NULL &&
           (gateway->vrf != vrf || gateway->port != port || !ip_addr_equal(&gateway->address, address)))
        gateway = gateway->next;
    if (gateway == NULL) {
        gateway = gateway_make(fwd, vrf, address, port);
        if (gateway == NULL)
            return NULL;
        gateway->next = *bucket;
        *bucket = gateway;
    }
    gateway->references++;
    return gateway;
}

static void gateway_put(struct fwd *fwd, struct gateway *gateway)
{
    struct gateway **at = &fwd->gateways[bucket_of(gateway->vrf, &gateway->address)];

    if (--gateway->references > 0)
        return;
    while (*at != gateway)
        at = &(*at)->next;
    *at = gateway->next;
    hop_give(fwd, gateway->number);
    free(gateway);
}

static int number_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static struct group *group_make(struct fwd *fwd, const uint32_t *members, unsigned width)
{
    struct group *group = calloc(1, sizeof *group);
    struct fwd_hop hop;

    if (group == NULL)
        return NULL;
    group->number = hop_take(fwd, OWNER_GROUP, group);
    group->references = 1;
    group->width = width;
    memcpy(group->members, members, width * sizeof members[0]);
    group_find(fwd, group, &hop);
    if (group->number != 0 && fwd_hops_set(fwd->hops, group->number, &hop) == 0)
        return group;
    if (group->number != 0)
        hop_give(fwd, group->number);
    free(group);
    return NULL;
}

/* The group of these gateways, whose references it takes over; NULL when memory is short. */
static struct group *group_get(struct fwd *fwd, const uint32_t *members, unsigned width)
{
    struct group *group = fwd->groups;

    while (group != NULL && (group->width != width || memcmp(group->members, members, width * sizeof members[0]) != 0))
        group = group->next;
    if (group != NULL) {
        for (unsigned i = 0; i < width; i++) /* the group holds its own */
            gateway_put(fwd, fwd->owners[members[i]].of);
        group->references++;
        return group;
    }
    group = group_make(fwd, members, width);
    if (group == NULL)
        return NULL;
    group->next = fwd->groups;
    fwd->groups = group;
    return group;
}

static void group_put(struct fwd *fwd, struct group *group)
{
    struct group **at = &fwd->groups;

    if (--group->references > 0)
        return;
    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    for (unsigned i = 0; i < group->width; i++)
        gateway_put(fwd, fwd->owners[group->members[i]].of);
    hop_give(fwd, group->number);
    free(group);
}

void route_hop_put(struct fwd *fwd, uint32_t number)
{
    if (fwd->owners[number].owner == OWNER_GATEWAY)
        gateway_put(fwd, fwd->owners[number].of);
    else if (fwd->owners[number].owner == OWNER_GROUP)
        group_put(fwd, fwd->owners[number].of);
}

uint32_t route_hop_get(struct fwd *fwd, uint16_t vrf, const struct ip_addr *gateways, const uint16_t *ports,
                       unsigned count)
{
    uint32_t members[FWD_SPREAD_MAX];
    unsigned width = 0;

    if (count == 0)
        return fwd->blackhole;
    for (; width < count && width < FWD_SPREAD_MAX; width++) {
        struct gateway *gateway = gateway_get(fwd, vrf, &gateways[width], ports != NULL ? ports[width] : FWD_PORT_ANY);
        if (gateway == NULL)
            break;
        members[width] = gateway->number;
    }
    if (width == 1 && count == 1)
        return members[0];
    if (width == count) {
        qsort(members, width, sizeof members[0], number_compare);
        struct group *group = group_get(fwd, members, width);
        if (group != NULL)
            return group->number;
    }
    while (width > 0)
        gateway_put(fwd, fwd->owners[members[--width]].of);
    return FWD_NO_ROUTE;
}

static int ways_find(struct fwd *fwd)
{
    struct fwd_hop hop;
    int error = 0;

    for (unsigned b = 0; b < BUCKETS; b++) {
        for (const struct gateway *gateway = fwd->gateways[b]; gateway != NULL; gateway = gateway->next) {
            gateway_way(fwd, gateway, 0, &hop);
            error |= fwd_hops_set(fwd->hops, gateway->number, &hop);
        }
    }
    for (const struct group *group = fwd->groups; group != NULL; group = group->next) {
        group_find(fwd, group, &hop);
        error |= fwd_hops_set(fwd->hops, group->number, &hop);
    }
    return error;
}

void fwd_settle(struct fwd *fwd)
{
    /* a gateway may be reached by a group, which is what its own gateways are: found in rounds */
    unsigned rounds = fwd->groups != NULL ? 3 : 1;
    int error = 0;

    if (!fwd->changed)
        return;
    for (unsigned round = 0; round < rounds; round++)
        error = ways_find(fwd);
    fwd->changed = error != 0; /* once more when there is memory */
    if (error == 0)
        hops_leave(fwd);
}

uint32_t fwd_gateway_get(struct fwd *fwd, uint16_t vrf, const struct ip_addr *address)
{
    const struct gateway *gateway = gateway_get(fwd, vrf, address, FWD_PORT_ANY);

    fwd_settle(fwd);
    return gateway != NULL ? gateway->number : 0;
}

void fwd_gateway_put(struct fwd *fwd, uint32_t number)
{
    route_hop_put(fwd, number);
}

unsigned fwd_gateways_of(const struct fwd *fwd, uint32_t number, struct fwd_gateway out[FWD_SPREAD_MAX])
{
    const struct group *group = fwd->owners[number].of;
    const uint32_t *members = &number;
    unsigned count = fwd->owners[number].owner == OWNER_GATEWAY ? 1 : 0;

    if (fwd->owners[number].owner == OWNER_GROUP) {
        members = group->members;
        count = group->width;
    }
    for (unsigned i = 0; i < count; i++) {
        const struct gateway *gateway = fwd->owners[members[i]].of;
        out[i] = (struct fwd_gateway){.address = gateway->address, .number = members[i]};
    }
    return count;
}

void gateways_free(struct fwd *fwd)
{
    while (fwd->groups != NULL) {
        struct group *group = fwd->groups;
        fwd->groups = group->next;
        free(group);
    }
    for (unsigned b = 0; b < BUCKETS; b++) {
        while (fwd->gateways[b] != NULL) {
            struct gateway *gateway = fwd->gateways[b];
            fwd->gateways[b] = gateway->next;
            free(gateway);
        }
    }
}
