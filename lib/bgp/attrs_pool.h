/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attribute sets held once however many paths have them: an attack's thousand rules share one. Control thread only.
 */
#ifndef BGP_ATTRS_POOL_H
#define BGP_ATTRS_POOL_H

#include "bgp/update.h"

struct bgp_next_hop;
struct bgp_next_hops;

/* One set; `attrs` points into memory of its own and never changes. Equal sets of one pool are the same pointer. */
struct bgp_shared_attrs {
    struct bgp_attrs attrs;
    uint64_t hash;
    size_t references;
    size_t octets;                 /* of its memory, what it shares with its base included */
    struct bgp_next_hop *hop;      /* of unicast_reach.c; NULL: none, or nobody asks */
    struct bgp_shared_attrs *base; /* the same without its label, whose memory it uses; NULL: it has its own */
    struct bgp_shared_attrs *next;
};

struct bgp_attrs_pool {
    struct bgp_next_hops *hops; /* where `hop` of a set that goes is given back */
    struct bgp_shared_attrs **buckets;
    size_t bucket_count; /* a power of two; 0 at first */
    size_t count;
};

/* What sets that differ only in their label have in common. */
static inline const struct bgp_shared_attrs *bgp_attrs_base(const struct bgp_shared_attrs *shared)
{
    return shared->base != NULL ? shared->base : shared;
}

uint64_t bgp_attrs_hash(const struct bgp_attrs *attrs);

/* The shared set equal to `attrs`, with one more reference; NULL when memory is short. */
struct bgp_shared_attrs *bgp_attrs_pool_take(struct bgp_attrs_pool *pool, const struct bgp_attrs *attrs);
/*
 * The set `base` with a label: routes may have one each, and what goes with it may fill a message. It keeps `base`.
 */
struct bgp_shared_attrs *bgp_attrs_pool_label(struct bgp_attrs_pool *pool, struct bgp_shared_attrs *base,
                                              uint32_t label);
void bgp_attrs_pool_give(struct bgp_attrs_pool *pool, struct bgp_shared_attrs *shared);

/* Releases the pool; every set must have been given back. */
void bgp_attrs_pool_clear(struct bgp_attrs_pool *pool);

#endif
