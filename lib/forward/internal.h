/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the forwarding state share. Control thread. */
#ifndef FORWARD_INTERNAL_H
#define FORWARD_INTERNAL_H

#include "base/idpool.h"
#include "forward/forward.h"

#define BUCKETS 4096u

/* An address that routes lead to. */
struct gateway {
    struct gateway *next; /* of the bucket */
    uint32_t number;      /* its hop */
    uint32_t references;
    uint16_t vrf;
    uint16_t port; /* that it is on, or FWD_PORT_ANY */
    struct ip_addr address;
};

/* Several gateways of one route. */
struct group {
    struct group *next;
    uint32_t number;
    uint32_t references;
    unsigned width;
    uint32_t members[FWD_SPREAD_MAX]; /* numbers of gateways, rising; each holds a reference */
};

struct neighbor {
    struct neighbor *next;
    struct fwd_neighbor_info info;
    uint32_t number; /* its hop, or 0 */
    unsigned asked;  /* times since it was last heard of */
    mono_ms_t next_at;
    struct neighbor *asked_before, *asked_after; /* while ASKED, in the list of the port, the longest first */
    void *held[FWD_HELD_MAX];
};

/* Neighbours of a port that have not answered yet. */
struct asked_list {
    struct neighbor *first, *last;
    uint32_t count;
};

/* Whose a hop is. */
enum owner { OWNER_NOBODY, OWNER_GATEWAY, OWNER_GROUP, OWNER_NEIGHBOR, OWNER_PORT };

struct fwd {
    struct rcu *rcu;
    struct fwd_ops ops;
    void *ctx;
    struct fwd_nodes *nodes;
    struct fwd_fib *(*fibs)[2]; /* by VRF: IPv4, IPv6 */
    uint16_t vrf_count, port_count;
    uint16_t *port_vrfs;
    uint32_t *port_hops; /* by port: of its networks */
    struct fwd_hops *hops;
    struct idpool *numbers;
    struct {
        void *of;
        enum owner owner;
        uint32_t next; /* of a number that is leaving */
    } * owners;        /* by number */
    uint32_t blackhole, self;
    struct gateway *gateways[BUCKETS];
    struct neighbor *neighbors[BUCKETS];
    struct group *groups;
    uint32_t neighbor_count, neighbor_room;
    struct asked_list *asked; /* by port */
    uint32_t asked_room;
    uint32_t held_count, held_room;
    uint32_t leaving; /* the first of the numbers that wait for fwd_settle, or 0; each says the next (owners[].next) */
    bool changed;     /* gateways are to be found anew */
    uint64_t route_changes; /* so far */
};

static inline uint32_t bucket_of(uint16_t where, const struct ip_addr *address)
{
    uint32_t hash = where + 0x811c9dc5u;

    for (unsigned i = 0; i < 16; i++)
        hash = (hash ^ address->octets[i]) * 0x01000193u;
    return (hash ^ hash >> 15) % BUCKETS;
}

static inline struct fwd_fib *fib_of(const struct fwd *fwd, uint16_t vrf, unsigned family)
{
    return fwd->fibs[vrf][family == IP_V6];
}

/*
 * A number for a hop of `owner`, or 0. Given back it stays as it is until the gateways have been found anew, for one
 * that is reached by several ways has the numbers of these; and then until no worker can hold it.
 */
uint32_t hop_take(struct fwd *fwd, enum owner owner, void *of);
void hop_give(struct fwd *fwd, uint32_t number);
void hops_leave(struct fwd *fwd); /* gateways have been found anew: what was given back before may go */

/* neighbor.c */
struct neighbor *neighbor_find(const struct fwd *fwd, uint16_t port, const struct ip_addr *address);
void neighbors_free(struct fwd *fwd);

/* gateway.c */
void route_hop_put(struct fwd *fwd, uint32_t number); /* a route lets go of its hop */
uint32_t route_hop_get(struct fwd *fwd, uint16_t vrf, const struct ip_addr *gateways, const uint16_t *ports,
                       unsigned count);
void gateways_free(struct fwd *fwd);

#endif
