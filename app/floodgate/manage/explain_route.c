/* SPDX-License-Identifier: BSD-3-Clause */
/* By the functions that workers decide with, in the same order (dataplane/routed.c). */
#include "manage/explain_route.h"

#include <string.h>

#include "counters/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/route_judge.h"
#include "manage/json_forward.h"
#include "manage/json_util.h"

#define TTL_ASSUMED 64
#define TTL_AT_V4   8 /* octets into the IP header */
#define TTL_AT_V6   7

const struct port *explain_port_of(const struct dataplane *dp, const struct port *named, const struct frame_head *head)
{
    const struct route_plane *route = dataplane_route_of(dp);
    const struct port *device = &dataplane_ports(dp)->port[named->parent];
    const struct worker_queue *const *subs = route_subs(route, device->index);
    const uint8_t *frame = head->octets;

    if (route == NULL || subs == NULL || head->len < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN || frame[12] != 0x81 ||
        frame[13] != 0x00)
        return device;
    uint16_t vlan = (uint16_t)((frame[14] & 0x0f) << 8 | frame[15]);
    for (uint16_t i = 0; i < dataplane_ports(dp)->count; i++) {
        const struct port *port = &dataplane_ports(dp)->port[i];
        if (port->sub && port->parent == device->index && port->vlan == vlan)
            return port;
    }
    return device;
}

void explain_head_make(const struct dataplane *dp, const struct port *in, struct pkt_key *key, struct frame_head *head)
{
    const struct route_plane *route = dataplane_route_of(dp);
    uint16_t vlan = route != NULL ? route->ports[in->index].vlan : 0;
    uint16_t l2 = (uint16_t)(RTE_ETHER_HDR_LEN + (vlan ? ROUTE_VLAN_TAG : 0));

    key->vlan = vlan;
    key->l3_offset = l2;
    *head = (struct frame_head){.len = l2 + key->length};
    memcpy(head->octets, in->mac, sizeof in->mac);
    head->octets[l2 + (key->family == IP_V4 ? TTL_AT_V4 : TTL_AT_V6)] = TTL_ASSUMED;
}

static uint8_t ttl_of(const struct explain_way *way)
{
    return way->head->octets[way->key->l3_offset + (way->key->family == IP_V4 ? TTL_AT_V4 : TTL_AT_V6)];
}

const char *explain_local(const struct explain_way *way)
{
    const struct route_plane *route = dataplane_route_of(way->dp);
    uint16_t len = way->head->len < sizeof way->head->octets ? (uint16_t)way->head->len : sizeof way->head->octets;
    bool foreign;
    enum up_kind kind = route_judge(route, &route->ports[way->in->index], way->head->octets, len, way->key, &foreign);

    if (foreign)
        return "foreign";
    return kind == ROUTE_NOT_TAKEN ? "transit" : up_kind_name(kind);
}

static json_t *drop(enum cnt_drop reason, const char *detail)
{
    json_t *o = json_object();

    json_set_text(o, "verdict", "drop");
    json_set_text(o, "reason", cnt_drop_name(reason));
    json_set_text(o, "detail", detail);
    return o;
}

/* A packet that has a way out by `hop`: TTL, MTU, and whether its neighbour is known. */
static json_t *send(const struct explain_way *way, const struct fwd_hop *hop)
{
    const struct route_port *out = &dataplane_route_of(way->dp)->ports[hop->port];

    if (ttl_of(way) <= 1)
        return drop(CNT_DROP_TTL_EXPIRED, "its time to live ends here, and its source is told");
    bool too_long = way->key->length > out->mtu;
    if (too_long && !route_may_cut(way->key))
        return drop(CNT_DROP_MTU_EXCEEDED, "it is longer than the port's MTU, and its source is told");
    json_t *o = json_object();
    json_set_text(o, "verdict", hop->kind == FWD_SEND ? "forward" : "hold");
    json_set_text(o, "egress", dataplane_ports(way->dp)->port[hop->port].name);
    if (too_long)
        json_object_set_new(o, "fragmented", json_true());
    if (hop->kind != FWD_SEND) {
        json_set_text(o, "reason", cnt_drop_name(CNT_DROP_NEIGHBOR_UNRESOLVED));
        json_set_text(o, "detail", "it waits while its neighbour is asked for, and is dropped when nobody answers");
    }
    return o;
}

static struct ip_addr destination(const struct explain_way *way)
{
    struct ip_addr to = {.family = way->key->family};

    memcpy(to.octets, way->key->dst, way->key->family == IP_V4 ? 4 : 16);
    return to;
}

/* What a next hop does to the packet. `answer` (may be NULL) is told the hop. */
static json_t *by_hop(const struct explain_way *way, uint32_t number, json_t *answer)
{
    const struct fwd_hop *hop = fwd_hop_choose(dataplane_route_of(way->dp)->hops, number, route_flow_hash(way->key));
    const struct ip_addr to = destination(way);
    json_t *o;

    switch ((enum fwd_kind)hop->kind) {
    case FWD_SEND:
    case FWD_RESOLVE:
    case FWD_GLEAN:
        o = send(way, hop);
        break;
    case FWD_BLACKHOLE:
        o = drop(CNT_DROP_BLACKHOLE, "its route is a black hole");
        break;
    case FWD_SELF:
        o = json_object();
        json_set_text(o, "verdict", "punt");
        json_set_text(o, "reason", up_kind_name(route_local_kind(dataplane_route_of(way->dp), way->key)));
        break;
    default:
        o = drop(CNT_DROP_NO_ROUTE, number == FWD_NO_ROUTE ? "no route covers its destination, and its source is told"
                                                           : "the next hop of its route cannot be reached, and its "
                                                             "source is told");
    }
    json_object_set_new(answer, "next_hop", json_hop(way->dp, hop, &to));
    return o;
}

static bool leads_somewhere(const struct route_plane *route, uint32_t via)
{
    return via != 0 && fwd_hop_of(route->hops, via)->kind != FWD_UNREACHABLE;
}

/* Loose reverse path, as workers have it. NULL: it passes, or is not asked. */
static json_t *reverse_path(const struct explain_way *way)
{
    const struct route_plane *route = dataplane_route_of(way->dp);
    const struct route_port *in = &route->ports[way->in->index];

    if (!in->urpf)
        return NULL;
    uint32_t number = fwd_fib_lookup(fwd_fib_of(route->fwd, in->vrf, way->key->family), way->key->src);
    const struct fwd_hop *hop = fwd_hop_choose(route->hops, number, 0);
    if (hop->kind == FWD_BLACKHOLE)
        return drop(CNT_DROP_BLACKHOLE, "the route to its source is a black hole, and this port has urpf");
    return hop->kind == FWD_UNREACHABLE ? drop(CNT_DROP_URPF, "no route covers its source, and this port has urpf")
                                        : NULL;
}

/* By a redirect to an address, or by the FIB of that VRF. */
static json_t *forward_by(const struct explain_way *way, uint16_t vrf, uint32_t via, json_t *answer)
{
    const struct route_plane *route = dataplane_route_of(way->dp);
    const struct fwd_fib *fib = fwd_fib_of(route->fwd, vrf, way->key->family);
    struct fwd_route found;

    if (route_is_martian(way->key))
        return drop(CNT_DROP_NO_ROUTE, "one of its addresses is none that a router passes on");
    json_t *refused = reverse_path(way);
    if (refused != NULL)
        return refused;
    if (via != 0)
        return by_hop(way, via, answer);
    const struct ip_addr to = destination(way);
    json_object_set_new(answer, "route",
                        fwd_fib_find(fib, &to, &found) ? json_fib_route(way->dp, vrf, &found) : json_null());
    return by_hop(way, fwd_fib_lookup(fib, way->key->dst), answer);
}

/* What the rules ask for, and what comes of it. */
static void tell_redirect(const struct explain_way *way, const struct act_packet *collected, json_t *answer)
{
    const struct route_plane *route = dataplane_route_of(way->dp);
    struct fwd_gateway gateways[FWD_SPREAD_MAX];
    char text[IP_TEXT_SIZE];
    json_t *o;

    if (collected->vrf == 0 && collected->via == 0)
        return;
    o = json_object();
    if (collected->vrf != 0)
        json_set_text(o, "vrf", dataplane_vrf_name(way->dp, collected->vrf));
    if (collected->via != 0) {
        if (fwd_gateways_of(route->fwd, collected->via, gateways) == 1)
            json_set_text(o, "address", ip_addr_format(&gateways[0].address, text));
        json_object_set_new(o, "taken", json_boolean(leads_somewhere(route, collected->via)));
    }
    json_object_set_new(answer, "redirect", o);
}

json_t *explain_forward(const struct explain_way *way, const struct act_packet *collected, json_t *answer)
{
    const struct route_plane *route = dataplane_route_of(way->dp);
    uint16_t vrf = collected->vrf != 0 ? collected->vrf : route->ports[way->in->index].vrf;
    uint32_t via = leads_somewhere(route, collected->via) ? collected->via : 0;

    tell_redirect(way, collected, answer);
    if (leads_somewhere(route, collected->copy_via)) {
        json_t *copy = json_object();
        json_object_set_new(copy, "verdict", forward_by(way, vrf, collected->copy_via, copy));
        json_object_set_new(answer, "copy", copy);
    }
    return forward_by(way, vrf, via, answer);
}
