/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops of unicast routes, each held once however many attribute sets and paths lead over it, with the answer of
 * whoever knows the way there (RFC 4271 9.1.2, 9.1.2.1) and a list of the paths that rest on it. Private to lib/bgp,
 * but for struct bgp_reach. Control thread only.
 */
#ifndef BGP_NEXT_HOPS_H
#define BGP_NEXT_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/ip.h"
#include "bgp/reach.h"

struct bgp_next_hop {
    struct bgp_next_hop *next; /* of the bucket */
    TAILQ_ENTRY(bgp_next_hop) all, due;
    struct ip_addr address;
    struct bgp_reach reach;
    uint32_t references; /* attribute sets */
    uint32_t first_path; /* of the RIB, that rests on it; SLAB_NONE: none */
    uint32_t cursor;     /* the path to be decided anew next; those before it have been, or came later */
    uint32_t changes;    /* of its reach over BGP, in `epoch` */
    uint32_t epoch;
    bool is_due;
};

TAILQ_HEAD(bgp_next_hop_list, bgp_next_hop);

struct bgp_next_hops {
    const struct bgp_reach_ops *ops; /* NULL: nobody is asked, and there are none */
    void *ctx;
    struct bgp_next_hop **buckets;
    size_t bucket_count; /* a power of two; 0 at first */
    size_t count;
    struct bgp_next_hop_list all, due;
    struct bgp_next_hop *round; /* the next one to be asked about in the round under way; NULL: there is none */
    bool again;                 /* another round follows */
    uint32_t epoch;
};

void bgp_next_hops_init(struct bgp_next_hops *hops);
void bgp_next_hops_clear(struct bgp_next_hops *hops); /* every one has been given back */

/* The next hop of that address with one more reference, asked about where it is new; NULL when memory is short. */
struct bgp_next_hop *bgp_next_hops_take(struct bgp_next_hops *hops, const struct ip_addr *address);
void bgp_next_hops_give(struct bgp_next_hops *hops, struct bgp_next_hop *hop);

/* Asks about one again; what rests on it is due where the answer is another. */
void bgp_next_hops_ask(struct bgp_next_hops *hops, struct bgp_next_hop *hop);

#endif
