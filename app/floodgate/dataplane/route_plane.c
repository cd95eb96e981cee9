/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/route_plane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "conf/conf.h"
#include "dataplane/vrf_rules.h"
#include "dataplane/worker.h"

#define RING_SLOTS 4096u
#define PEER_NODES 65536u /* of the tries of peers' addresses; made as they are used */

static void port_fill(struct route_plane *route, const struct cfg *cfg, const struct ports *ports, uint16_t index)
{
    const struct cfg_port *want = &cfg->ports[index];
    const struct port *port = &ports->port[index];
    struct route_port *out = &route->ports[index];

    out->routed = port->routed && want->address_count > 0;
    out->urpf = want->urpf;
    out->vrf = vrf_number_of(cfg, want->vrf);
    out->vlan = port->vlan;
    out->mtu = want->mtu;
    out->device = port->parent;
    memcpy(out->mac, port->mac, sizeof out->mac);
}

/* For a sub-port: its place among the tags of its parent. */
static int sub_fill(struct route_plane *route, const struct ports *ports, uint16_t index)
{
    const struct port *port = &ports->port[index];
    const struct worker_queue ***subs = &route->subs[port->parent];

    if (!port->sub)
        return 0;
    if (*subs == NULL && (*subs = calloc(VLAN_IDS, sizeof **subs)) == NULL)
        return -ENOMEM;
    route->sub_queues[index] =
        (struct worker_queue){.in = port, .out = port, .routed = true, .vrf = route->ports[index].vrf};
    (*subs)[port->vlan] = &route->sub_queues[index];
    return 0;
}

static bool rings_make(struct route_plane *route)
{
    route->up_first = rte_ring_create("up_first", RING_SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
    route->up = rte_ring_create("up", RING_SLOTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
    route->down = rte_ring_create("down", RING_SLOTS, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    return route->up_first != NULL && route->up != NULL && route->down != NULL;
}

static bool peers_make(struct route_plane *route, struct rcu *rcu)
{
    route->peer_nodes = fwd_nodes_create(PEER_NODES, rcu);
    if (route->peer_nodes == NULL)
        return false;
    route->bgp_peers[0] = fwd_fib_create(route->peer_nodes, IP_V4);
    route->bgp_peers[1] = fwd_fib_create(route->peer_nodes, IP_V6);
    return route->bgp_peers[0] != NULL && route->bgp_peers[1] != NULL;
}

const char *up_kind_name(enum up_kind kind)
{
    static const char *const NAMES[UP_PUNT_KINDS] = {
        [UP_ARP] = "arp",   [UP_ND] = "nd",   [UP_BGP] = "bgp",     [UP_BGP_OTHER] = "bgp_other",
        [UP_ICMP] = "icmp", [UP_TCP] = "tcp", [UP_LOCAL] = "other",
    };

    return NAMES[kind];
}

/* RFC 1812 4.3.2.8 and RFC 4443 2.4(f): errors are limited; each kind on its own, so that none keeps another away. */
void route_plane_limits(struct route_plane *route, const struct cfg_dataplane *conf)
{
    static const enum cfg_punt LIMITS[UP_KIND_COUNT] = {
        [UP_ARP] = CFG_PUNT_ARP,
        [UP_ND] = CFG_PUNT_ND,
        [UP_BGP] = CFG_PUNT_BGP,
        [UP_BGP_OTHER] = CFG_PUNT_BGP_OTHER,
        [UP_ICMP] = CFG_PUNT_ICMP,
        [UP_TCP] = CFG_PUNT_TCP,
        [UP_LOCAL] = CFG_PUNT_OTHER,
        [UP_HOLD] = CFG_PUNT_UNRESOLVED,
        [UP_TTL_EXPIRED] = CFG_PUNT_ERRORS,
        [UP_NO_ROUTE] = CFG_PUNT_ERRORS,
        [UP_TOO_BIG] = CFG_PUNT_ERRORS,
    };

    for (unsigned kind = 0; kind < UP_KIND_COUNT; kind++)
        punt_limit_set(&route->limits[kind], conf->punt_packets_per_s[LIMITS[kind]], route->tsc_hz);
}

void route_plane_bgp_port(struct route_plane *route, uint16_t port, bool is)
{
    uint64_t bits = atomic_load_explicit(&route->bgp_ports[port / 64], memory_order_relaxed);
    uint64_t bit = UINT64_C(1) << (port % 64);

    atomic_store_explicit(&route->bgp_ports[port / 64], is ? bits | bit : bits & ~bit, memory_order_relaxed);
}

static int fill(struct route_plane *route, const struct cfg *cfg, const struct ports *ports, struct rcu *rcu)
{
    static const struct fwd_ops NO_OPS; /* set by who owns the neighbours: fwd_set_ops */
    uint16_t vrfs[PORTS_MAX] = {0};

    route->sub_queues = calloc(ports->count, sizeof *route->sub_queues);
    if (route->sub_queues == NULL || !rings_make(route) || !peers_make(route, rcu))
        return -ENOMEM;
    for (uint16_t i = 0; i < ports->count; i++) {
        port_fill(route, cfg, ports, i);
        vrfs[i] = route->ports[i].vrf;
        if (sub_fill(route, ports, i) < 0)
            return -ENOMEM;
    }
    const struct fwd_conf conf = {
        .vrf_count = (uint16_t)(cfg->vrf_count + 1), .port_count = ports->count, .port_vrfs = vrfs, .rcu = rcu};
    route->fwd = fwd_create(&conf, &NO_OPS, NULL);
    if (route->fwd == NULL)
        return -ENOMEM;
    route->hops = fwd_hops_of(route->fwd);
    return 0;
}

int route_plane_create(struct route_plane **route, const struct cfg *cfg, const struct ports *ports, struct rcu *rcu,
                       uint64_t tsc_hz)
{
    bool any = false;

    for (uint16_t i = 0; i < ports->count; i++)
        any = any || ports->port[i].routed;
    if (!any)
        return 0;
    *route = calloc(1, sizeof **route);
    if (*route == NULL)
        return -ENOMEM;
    (*route)->tsc_hz = tsc_hz;
    route_plane_limits(*route, &cfg->dataplane);
    return fill(*route, cfg, ports, rcu);
}

static void ring_free(struct rte_ring *ring)
{
    void *packet;

    while (ring != NULL && rte_ring_dequeue(ring, &packet) == 0)
        rte_pktmbuf_free(packet);
    rte_ring_free(ring);
}

void route_plane_free(struct route_plane *route)
{
    if (route == NULL)
        return;
    fwd_free(route->fwd);
    fwd_fib_free(route->bgp_peers[0]);
    fwd_fib_free(route->bgp_peers[1]);
    fwd_nodes_free(route->peer_nodes);
    ring_free(route->up_first);
    ring_free(route->up);
    ring_free(route->down);
    for (unsigned i = 0; i < PORTS_MAX; i++)
        free(route->subs[i]);
    free(route->sub_queues);
    free(route);
}

void route_plane_join(struct route_plane *route, struct worker *worker, const struct ports *ports)
{
    worker->route = route;
    worker->tx_queue = (uint16_t)(ports->route_alone ? 0 : worker->index);
    worker->sends_down = worker->index == route->sender;
    for (uint16_t i = 0; i < ports->count; i++)
        worker->device[i] = &ports->port[ports->port[i].parent];
}

const struct worker_queue *const *route_subs(const struct route_plane *route, uint16_t parent)
{
    return route != NULL ? route->subs[parent] : NULL;
}

uint16_t route_vrf(const struct route_plane *route, uint16_t port)
{
    return route != NULL ? route->ports[port].vrf : FWD_VRF_DEFAULT;
}
