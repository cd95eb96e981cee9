/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way to an address as routes give it, for who decides among routes: RFC 4271 9.1.2.1. Control thread.
 */
#ifndef FORWARD_WAY_H
#define FORWARD_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "forward/forward.h"

/* How an address is reached, or why not. */
enum fwd_way_end {
    FWD_WAY_PORT,     /* over a neighbour on `port`, known or not */
    FWD_WAY_NO_ROUTE, /* to it, or to a gateway on the way */
    FWD_WAY_BLACKHOLE,
    FWD_WAY_SELF, /* it is an address of the router, or a gateway on the way is */
    FWD_WAY_LOOP, /* routes on the way lead over one another */
};

struct fwd_way {
    enum fwd_way_end end;
    uint16_t port;
    bool over_bgp; /* a route of BGP is on the way */
    /* The first route on the way that is not of BGP: what its source says is the cost. FWD_SOURCE_COUNT: there is none
     */
    enum fwd_source source;
    struct ip_prefix prefix;
    /*
     * Bits of the first route on the way: a longer one that covers the address and leads over it says nothing of the
     * way there, and drops what it carries. On the network of a port, which forwarding falls back to, there is no
     * bound: 255.
     */
    uint8_t own_max;
};

/*
 * Routes that lead over the very address are passed over: with or without them the answer is the same.
 * Over several gateways the first that leads to a port; where none does, as the last of them.
 */
void fwd_way_find(const struct fwd *fwd, uint16_t vrf, const struct ip_addr *address, struct fwd_way *out);

/* Grows with each change of addresses and routes. */
uint64_t fwd_route_changes(const struct fwd *fwd);

#endif
