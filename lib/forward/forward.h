/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding state: a FIB per VRF and family, next hops, neighbours. The control thread (the only caller, unless a
 * function says otherwise) sets addresses, routes and what it learns of neighbours; workers look up.
 *
 * A route leads to gateways (addresses), which lead over other routes to a neighbour in the end: RFC 4271 5.1.3. Each
 * gateway is one next hop, however many routes use it, found anew when what it depends on changes.
 *
 * Time is passed in. Frames are not built here: `struct fwd_ops` asks for them.
 */
#ifndef FORWARD_FORWARD_H
#define FORWARD_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ip.h"
#include "forward/fib.h"
#include "forward/hop.h"

#define FWD_VRF_DEFAULT 0u
#define FWD_HELD_MAX    8          /* packets that wait for one neighbour */
#define FWD_PORT_ANY    UINT16_MAX /* of a gateway: wherever the routes say that it is */

struct fwd;

struct fwd_conf {
    uint16_t vrf_count; /* 1 at least: number 0 is the default one */
    uint16_t port_count;
    const uint16_t *port_vrfs; /* by port; copied */
    uint32_t hop_room;         /* gateways, neighbours and groups at the same time; 0: 65536 */
    uint32_t node_room;        /* nodes of the FIBs; 0: 1048576, which is 1 GiB when all are used */
    uint32_t neighbor_room;    /* neighbours that are learned; 0: 49152 */
    uint32_t asked_room;       /* of one port, at the same time, that have not answered yet (RFC 6583); 0: 1024 */
    uint32_t held_room;        /* packets that wait, of all ports; 0: 2048 */
    struct rcu *rcu;
};

/* What the owner does for the neighbour table. `packet` is what fwd_neighbor_hold was given. */
struct fwd_ops {
    /* Ask who has `address`: all of the network of `port`, or `mac` alone where it is not NULL. */
    void (*solicit)(void *ctx, uint16_t port, const struct ip_addr *address, const uint8_t *mac);
    void (*release)(void *ctx, void *packet, uint16_t port, const uint8_t *mac); /* send it there now */
    void (*drop)(void *ctx, void *packet);                                       /* nobody answered, or too many wait */
};

/* NULL when memory is short. */
struct fwd *fwd_create(const struct fwd_conf *conf, const struct fwd_ops *ops, void *ctx);

/* Another owner from now on. */
void fwd_set_ops(struct fwd *fwd, const struct fwd_ops *ops, void *ctx);
void fwd_free(struct fwd *fwd); /* drops what is held; no reader online */

/* For workers: constant while `fwd` lives. */
const struct fwd_fib *fwd_fib_of(const struct fwd *fwd, uint16_t vrf, unsigned family);
const struct fwd_hops *fwd_hops_of(const struct fwd *fwd);

/* An address of the router on a port, with the length of its network. 0 or -ENOMEM. */
int fwd_address_add(struct fwd *fwd, uint16_t port, const struct ip_prefix *address);

/*
 * What `source` (FWD_FROM_STATIC, FWD_FROM_BGP) says of a prefix: 1 .. FWD_SPREAD_MAX gateways, or none: a blackhole.
 * Replaces what it said before. 0 or -ENOMEM (nothing changed). In force at once; what other routes lead over this one
 * is found by fwd_settle.
 */
int fwd_route_set(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source,
                  const struct ip_addr *gateways, unsigned gateway_count);
/* The same with the port that each gateway is on, for link-local ones: NULL, or FWD_PORT_ANY for some. */
int fwd_route_set_on(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source,
                     const struct ip_addr *gateways, const uint16_t *ports, unsigned gateway_count);
void fwd_route_clear(struct fwd *fwd, uint16_t vrf, const struct ip_prefix *prefix, enum fwd_source source);

/*
 * A next hop for an address in a VRF, for actions that send packets there whatever their destination: its number, or 0
 * when memory is short. Given back with fwd_gateway_put; each get counts.
 */
uint32_t fwd_gateway_get(struct fwd *fwd, uint16_t vrf, const struct ip_addr *address);
void fwd_gateway_put(struct fwd *fwd, uint32_t number);

/* For people: the gateways of what a route leads to, and the hop number of each; 0 where it leads to none. */
struct fwd_gateway {
    struct ip_addr address;
    uint32_t number;
};
unsigned fwd_gateways_of(const struct fwd *fwd, uint32_t number, struct fwd_gateway out[FWD_SPREAD_MAX]);

/* Finds all gateways anew if anything has changed since. Call it after a batch of changes and every few milliseconds.
 */
void fwd_settle(struct fwd *fwd);

/* A neighbour that is configured: never asked for, never forgotten. 0 or -ENOMEM. */
int fwd_neighbor_set(struct fwd *fwd, uint16_t port, const struct ip_addr *address, const uint8_t *mac);
void fwd_neighbor_unset(struct fwd *fwd, uint16_t port, const struct ip_addr *address);

/*
 * What the network says of a neighbour that is known or asked for; of others nothing is learned. What is held is
 * released. `how`: bits; without FWD_LEARN_ANSWER it is a hint (a request that carries its sender's address).
 * `mac` NULL: an answer without an address confirms the known one (RFC 4861 7.2.4).
 */
#define FWD_LEARN_ANSWER 1u /* to what we asked */
#define FWD_LEARN_KEEP   2u /* another address is not taken over, but makes the known one doubtful (RFC 4861 7.2.5) */
void fwd_neighbor_learn(struct fwd *fwd, uint16_t port, const struct ip_addr *address, const uint8_t *mac, unsigned how,
                        mono_ms_t now);

/*
 * Holds a packet until its neighbour is known, and asks. Ends in `release` or `drop`, maybe before it returns. Where a
 * port waits for too many, the one that has not answered for longest makes room, or the packet goes.
 */
void fwd_neighbor_hold(struct fwd *fwd, uint16_t port, const struct ip_addr *address, void *packet, mono_ms_t now);

/* Drops all that is held. */
void fwd_neighbors_drop_held(struct fwd *fwd);

/* Asks again, ages, gives up; every 100 ms or so. */
void fwd_neighbors_tick(struct fwd *fwd, mono_ms_t now);

enum fwd_neighbor_state { FWD_NEIGHBOR_ASKED, FWD_NEIGHBOR_REACHABLE, FWD_NEIGHBOR_PROBED, FWD_NEIGHBOR_STATIC };
const char *fwd_neighbor_state_name(enum fwd_neighbor_state state);

struct fwd_neighbor_info {
    struct ip_addr address;
    uint16_t port;
    uint8_t mac[6]; /* not while ASKED */
    enum fwd_neighbor_state state;
    mono_ms_t since; /* when it was last confirmed or asked first */
    unsigned held;
};
void fwd_neighbors_walk(const struct fwd *fwd, void (*visit)(void *ctx, const struct fwd_neighbor_info *info),
                        void *ctx);

/* What is known of one neighbour; false: nothing. */
bool fwd_neighbor_get(const struct fwd *fwd, uint16_t port, const struct ip_addr *address,
                      struct fwd_neighbor_info *out);

size_t fwd_memory_bytes(const struct fwd *fwd);

#endif
