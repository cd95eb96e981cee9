/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forward/internal.h"

#define HOP_ROOM      65536u
#define NODE_ROOM     1048576u
#define NEIGHBOR_ROOM 49152u
#define ASKED_ROOM    1024u
#define HELD_ROOM     2048u

uint32_t hop_take(struct fwd *fwd, enum owner owner, void *of)
{
    uint32_t number = idpool_take(fwd->numbers);

    if (number != ID_NONE) {
        fwd->owners[number].of = of;
        fwd->owners[number].owner = owner;
    }
    return number;
}

/* Workers that had the number when it was given back have sent by it to the end of their burst. */
static void number_release(void *ctx, void *number)
{
    struct fwd *fwd = ctx;

    fwd_hops_clear(fwd->hops, (uint32_t)(uintptr_t)number);
    idpool_give(fwd->numbers, (uint32_t)(uintptr_t)number);
}

void hop_give(struct fwd *fwd, uint32_t number)
{
    fwd->owners[number].owner = OWNER_NOBODY;
    fwd->owners[number].of = NULL;
    fwd->owners[number].next = fwd->leaving;
    fwd->leaving = number;
    fwd->changed = true;
}

void hops_leave(struct fwd *fwd)
{
    while (fwd->leaving != 0) {
        uint32_t number = fwd->leaving;
        fwd->leaving = fwd->owners[number].next;
        rcu_retire_ctx(fwd->rcu, number_release, fwd, (void *)(uintptr_t)number);
    }
}

static uint32_t hop_fixed(struct fwd *fwd, const struct fwd_hop *hop, enum owner owner)
{
    uint32_t number = hop_take(fwd, owner, NULL);

    return number != 0 && fwd_hops_set(fwd->hops, number, hop) == 0 ? number : 0;
}

/* The hops that are always there. */
static bool hops_make(struct fwd *fwd)
{
    fwd->blackhole = hop_fixed(fwd, &(struct fwd_hop){.kind = FWD_BLACKHOLE}, OWNER_NOBODY);
    fwd->self = hop_fixed(fwd, &(struct fwd_hop){.kind = FWD_SELF}, OWNER_NOBODY);
    if (fwd->blackhole == 0 || fwd->self == 0)
        return false;
    for (uint16_t port = 0; port < fwd->port_count; port++) {
        fwd->port_hops[port] = hop_fixed(fwd, &(struct fwd_hop){.kind = FWD_GLEAN, .port = port}, OWNER_PORT);
        if (fwd->port_hops[port] == 0)
            return false;
    }
    return true;
}

static bool fibs_make(struct fwd *fwd)
{
    for (uint16_t vrf = 0; vrf < fwd->vrf_count; vrf++) {
        fwd->fibs[vrf][0] = fwd_fib_create(fwd->nodes, IP_V4);
        fwd->fibs[vrf][1] = fwd_fib_create(fwd->nodes, IP_V6);
        if (fwd->fibs[vrf][0] == NULL || fwd->fibs[vrf][1] == NULL)
            return false;
    }
    return true;
}

struct fwd *fwd_create(const struct fwd_conf *conf, const struct fwd_ops *ops, void *ctx)
{
    uint32_t hop_room = conf->hop_room ? conf->hop_room : HOP_ROOM;
    struct fwd *fwd = calloc(1, sizeof *fwd);

    if (fwd == NULL)
        return NULL;
    fwd->rcu = conf->rcu;
    fwd->ops = *ops;
    fwd->ctx = ctx;
    fwd->vrf_count = conf->vrf_count;
    fwd->port_count = conf->port_count;
    fwd->neighbor_room = conf->neighbor_room ? conf->neighbor_room : NEIGHBOR_ROOM;
    fwd->asked_room = conf->asked_room ? conf->asked_room : ASKED_ROOM;
    fwd->held_room = conf->held_room ? conf->held_room : HELD_ROOM;
    fwd->nodes = fwd_nodes_create(conf->node_room ? conf->node_room : NODE_ROOM, conf->rcu);
    fwd->hops = fwd_hops_create(hop_room, conf->rcu);
    fwd->numbers = idpool_create(hop_room - 1);
    fwd->owners = calloc(hop_room, sizeof *fwd->owners);
    fwd->fibs = calloc(conf->vrf_count, sizeof *fwd->fibs);
    fwd->port_hops = calloc(conf->port_count + 1u, sizeof *fwd->port_hops);
    fwd->port_vrfs = calloc(conf->port_count + 1u, sizeof *fwd->port_vrfs);
    fwd->asked = calloc(conf->port_count + 1u, sizeof *fwd->asked);
    if (fwd->nodes != NULL && fwd->hops != NULL && fwd->numbers != NULL && fwd->owners != NULL && fwd->fibs != NULL &&
        fwd->port_hops != NULL && fwd->port_vrfs != NULL && fwd->asked != NULL && fibs_make(fwd) && hops_make(fwd)) {
        memcpy(fwd->port_vrfs, conf->port_vrfs, conf->port_count * sizeof *fwd->port_vrfs);
        return fwd;
    }
    fwd_free(fwd);
    return NULL;
}

void fwd_set_ops(struct fwd *fwd, const struct fwd_ops *ops, void *ctx)
{
    fwd->ops = *ops;
    fwd->ctx = ctx;
}

void fwd_free(struct fwd *fwd)
{
    if (fwd == NULL)
        return;
    neighbors_free(fwd);
    gateways_free(fwd);
    rcu_synchronize(fwd->rcu); /* numbers and nodes that wait to come back */
    for (uint16_t vrf = 0; fwd->fibs != NULL && vrf < fwd->vrf_count; vrf++) {
        fwd_fib_free(fwd->fibs[vrf][0]);
        fwd_fib_free(fwd->fibs[vrf][1]);
    }
    fwd_nodes_free(fwd->nodes);
    fwd_hops_free(fwd->hops);
    idpool_free(fwd->numbers);
    free(fwd->owners);
    free(fwd->fibs);
    free(fwd->port_hops);
    free(fwd->port_vrfs);
    free(fwd->asked);
    free(fwd);
}

const struct fwd_fib *fwd_fib_of(const struct fwd *fwd, uint16_t vrf, unsigned family)
{
    return fib_of(fwd, vrf, family);
}

const struct fwd_hops *fwd_hops_of(const struct fwd *fwd)
{
    return fwd->hops;
}

int fwd_address_add(struct fwd *fwd, uint16_t port, const struct ip_prefix *address)
{
    struct fwd_fib *fib = fib_of(fwd, fwd->port_vrfs[port], address->family);
    struct ip_prefix host = *address, network = *address;

    host.length = (uint8_t)ip_family_bits(address->family);
    ip_bits_keep(network.octets, sizeof network.octets, 0, network.length);
    fwd->changed = true;
    fwd->route_changes++;
    int error = fwd_fib_set(fib, &host, FWD_FROM_SELF, fwd->self);
    if (error == 0)
        error = fwd_fib_set(fib, &network, FWD_FROM_CONNECTED, fwd->port_hops[port]);
    return error;
}

int fwd_route_set(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source,
                  const struct ip_addr *gateways, unsigned gateway_count)
{
    return fwd_route_set_on(fwd, vrf, prefix, source, gateways, NULL, gateway_count);
}

int fwd_route_set_on(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source,
                     const struct ip_addr *gateways, const uint16_t *ports, unsigned gateway_count)
{
    struct fwd_fib *fib = fib_of(fwd, vrf, prefix->family);
    uint32_t old = fwd_fib_get(fib, prefix, source);
    uint32_t number = route_hop_get(fwd, vrf, gateways, ports, gateway_count);

    if (number == FWD_NO_ROUTE)
        return -ENOMEM;
    int error = fwd_fib_set(fib, prefix, source, number);
    if (error < 0) {
        route_hop_put(fwd, number);
        return error;
    }
    if (old != FWD_NO_ROUTE)
        route_hop_put(fwd, old);
    fwd->changed = true;
    fwd->route_changes++;
    return 0;
}

void fwd_route_clear(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source)
{
    struct fwd_fib *fib = fib_of(fwd, vrf, prefix->family);
    uint32_t old = fwd_fib_get(fib, prefix, source);

    if (old == FWD_NO_ROUTE)
        return;
    if (fwd_fib_set(fib, prefix, source, FWD_NO_ROUTE) == 0)
        route_hop_put(fwd, old);
    fwd->changed = true;
    fwd->route_changes++;
}

size_t fwd_memory_bytes(const struct fwd *fwd)
{
    size_t bytes = fwd_nodes_memory_bytes(fwd->nodes);

    for (uint16_t vrf = 0; vrf < fwd->vrf_count; vrf++)
        bytes += fwd_fib_memory_bytes(fwd->fibs[vrf][0]) + fwd_fib_memory_bytes(fwd->fibs[vrf][1]);
    return bytes;
}
