/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops: what a route leads to. Routes hold a hop's number; what stands behind the number is one immutable struct
 * that the control thread replaces as a whole, so that a neighbour's new address or a changed way to a gateway reaches
 * every route at once, however many there are.
 */
#ifndef FORWARD_HOP_H
#define FORWARD_HOP_H

#include <stdint.h>

#include "base/ip.h"
#include "rcu/rcu.h"

#define FWD_SPREAD_MAX 8 /* ways of one route */

enum fwd_kind {
    FWD_UNREACHABLE, /* also the number 0, FWD_NO_ROUTE */
    FWD_BLACKHOLE,
    FWD_SELF,    /* an address of the router */
    FWD_GLEAN,   /* on the network of port `port`: the destination itself is the neighbour to ask for */
    FWD_RESOLVE, /* neighbour `address` on `port`, whose MAC address is not known yet */
    FWD_SEND,    /* out of `port` to `mac` */
    FWD_SPREAD,  /* one of `members`, by flow */
};

struct fwd_hop {
    uint8_t kind;  /* enum fwd_kind */
    uint8_t width; /* FWD_SPREAD: members, 1 .. FWD_SPREAD_MAX */
    uint16_t port;
    uint8_t mac[6];
    struct ip_addr address; /* FWD_RESOLVE, FWD_SEND: the neighbour's */
    uint32_t members[FWD_SPREAD_MAX];
};

/* Written by the control thread through lib/forward, read by workers. */
struct fwd_hops {
    struct rcu *rcu;
    uint32_t room;
    RCU_POINTER(const struct fwd_hop) slots[];
};

/* "unreachable", "blackhole", ... */
const char *fwd_kind_name(enum fwd_kind kind);

/* NULL when memory is short. Number 0 is FWD_UNREACHABLE; every other one, too, until it is set. */
struct fwd_hops *fwd_hops_create(uint32_t room, struct rcu *rcu);
void fwd_hops_free(struct fwd_hops *hops); /* no reader online */

/* Control thread: what `number` stands for from now on. 0 or -ENOMEM (nothing changed). */
int fwd_hops_set(struct fwd_hops *hops, uint32_t number, const struct fwd_hop *hop);

/*
 * Control thread: the number is nobody's any more. Needs no memory. Workers may still come by what it stood for, by a
 * gateway that is found anew a moment later.
 */
void fwd_hops_clear(struct fwd_hops *hops, uint32_t number);

/* Any thread; never NULL. Workers keep it to the end of their burst. */
static inline const struct fwd_hop *fwd_hop_of(const struct fwd_hops *hops, uint32_t number)
{
    return rcu_load(&hops->slots[number]);
}

/* The hop in the end, for a flow of that hash: a way is chosen where there are several. */
static inline const struct fwd_hop *fwd_hop_choose(const struct fwd_hops *hops, uint32_t number, uint32_t hash)
{
    const struct fwd_hop *hop = fwd_hop_of(hops, number);

    /* a way may itself be several ways; a bound, because the control thread replaces them one by one */
    for (unsigned depth = 0; __builtin_expect(hop->kind == FWD_SPREAD, 0) && depth < 4; depth++) {
        hop = fwd_hop_of(hops, hop->members[(uint64_t)hash * hop->width >> 32]);
        hash = hash * 0x9e3779b1u + 1; /* not the same digits again */
    }
    return hop;
}

#endif
