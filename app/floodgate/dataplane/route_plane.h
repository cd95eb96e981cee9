/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What workers need to route, set up by the control thread before they start, and the rings between them: `up_first`
 * and `up` take packets to the control thread (for the router itself; that wait for a neighbour; that deserve an ICMP
 * error), `down` brings packets that it sends. What keeps sessions and neighbours alive goes by `up_first`, which is
 * emptied first and which nothing else can fill.
 */
#ifndef FLOODGATE_ROUTE_PLANE_H
#define FLOODGATE_ROUTE_PLANE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "counters/counters.h"
#include "dataplane/punt_limit.h"
#include "forward/forward.h"
#include "ports/ports.h"

/* Why a packet is in the ring `up`. */
enum up_kind {
    UP_ARP,
    UP_ND,          /* ICMPv6 133..137 (RFC 4861) */
    UP_BGP,         /* for the router's own addresses: BGP of configured peers, */
    UP_BGP_OTHER,   /* of anybody else, */
    UP_ICMP,        /* ICMP and ICMPv6, */
    UP_TCP,         /* TCP of other ports, such as ssh, */
    UP_LOCAL,       /* and the rest */
    UP_HOLD,        /* on its way, counted nowhere yet: waits for a neighbour */
    UP_TTL_EXPIRED, /* from here on: dropped and counted; may be answered by an ICMP error */
    UP_NO_ROUTE,
    UP_TOO_BIG,
    UP_KIND_COUNT,
};

/* In the private area of each mbuf of a port of mode route. */
struct packet_note {
    uint8_t kind;    /* enum up_kind */
    bool originated; /* `down`: made here; else one that was held */
    uint16_t in;     /* port it came in by */
    uint16_t out;    /* UP_HOLD and `down`: port it leaves by */
    uint16_t l3_offset;
    uint16_t mtu;           /* UP_TOO_BIG: of the port that it is too big for */
    struct ip_addr address; /* UP_HOLD: the neighbour */
};

_Static_assert(sizeof(struct packet_note) <= PORTS_NOTE_SIZE, "the note fits into the private area");

static inline struct packet_note *packet_note(struct rte_mbuf *packet)
{
    return rte_mbuf_to_priv(packet);
}

/* A port of mode route; a sub-port is one, too. By index of struct ports. */
struct route_port {
    bool routed; /* mode route, with addresses: a parent without any takes no untagged packets */
    bool urpf;   /* loose, RFC 3704 2.4: a packet whose source has no route, or a blackhole, is dropped */
    uint16_t vrf;
    uint16_t vlan;   /* 0: untagged */
    uint16_t mtu;    /* octets of an IP packet */
    uint16_t device; /* the port that sends for it: itself, or the parent */
    uint8_t mac[6];
    char interface[16]; /* the kernel's that stands for it, or "". Control thread alone */
};

/* Packets that the control thread gives to the kernel and takes from it. Writer: the control thread. */
struct kernel_counts {
    cnt_t delivered, lost; /* of what was punted: taken by the kernel, or not */
    cnt_t taken, refused;  /* of what the kernel sends: handed down to be sent, or not to be sent at all */
};

#define LOCAL_MARKS 4096u
#define TCP_PORTS   65536u
#define VLAN_IDS    4096u

struct cfg;
struct cfg_dataplane;
struct worker;
struct worker_queue;

struct route_plane {
    struct fwd *fwd; /* control thread */
    const struct fwd_hops *hops;
    struct route_port ports[PORTS_MAX];
    uint8_t local_marks[LOCAL_MARKS]; /* by hash of an address: 0 says that it is no address of the router */
    struct fwd_nodes *peer_nodes;
    struct fwd_fib *bgp_peers[2];               /* IPv4, IPv6: where configured peers speak from; any value */
    _Atomic uint64_t bgp_ports[TCP_PORTS / 64]; /* bits: TCP ports of BGP. [control] writes, workers read */
    struct rte_ring *up_first, *up, *down;
    struct punt_limit limits[UP_KIND_COUNT];
    struct kernel_counts kernel;
    struct worker_queue *sub_queues;             /* by port: what a sub-port's packets run through the pipeline as */
    const struct worker_queue **subs[PORTS_MAX]; /* by parent, then by VLAN id */
    unsigned sender;                             /* the worker that empties `down` */
    uint64_t tsc_hz;
};

/* *route stays NULL where no port routes. Addresses, static routes and neighbours are set later. 0 or -ENOMEM. */
int route_plane_create(struct route_plane **route, const struct cfg *cfg, const struct ports *ports, struct rcu *rcu,
                       uint64_t tsc_hz);
void route_plane_free(struct route_plane *route);

/* Tells a worker what it needs to route; its queues are dealt out. */
void route_plane_join(struct route_plane *route, struct worker *worker, const struct ports *ports);

/* Sub-ports of port `parent` by VLAN id, or NULL. */
const struct worker_queue *const *route_subs(const struct route_plane *route, uint16_t parent);

/* The VRF of a port; where no port routes there is the default one only. */
uint16_t route_vrf(const struct route_plane *route, uint16_t port);

/* "arp", "bgp", ...: names of the API. Kinds from UP_TTL_EXPIRED on, and UP_HOLD, are no punts and have none. */
#define UP_PUNT_KINDS UP_HOLD
const char *up_kind_name(enum up_kind kind);

/* Control thread: the limits of the configuration, from now on. */
void route_plane_limits(struct route_plane *route, const struct cfg_dataplane *conf);

/* Control thread: a TCP port of BGP from now on, or no longer. */
void route_plane_bgp_port(struct route_plane *route, uint16_t port, bool is);

static inline bool route_is_bgp_port(const struct route_plane *route, uint16_t port)
{
    return atomic_load_explicit(&route->bgp_ports[port / 64], memory_order_relaxed) >> (port % 64) & 1;
}

static inline unsigned local_mark_of(const uint8_t *octets, unsigned family)
{
    uint32_t low;

    __builtin_memcpy(&low, octets + (family == IP_V6 ? 12 : 0), 4);
    return (low * 0x9e3779b1u) >> 20;
}

#endif
