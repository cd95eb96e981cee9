/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Longest-prefix match of one family in one VRF: a trie of 256-way nodes below a 65536-way root, shared pool of nodes.
 *
 * One writer (control thread), any number of readers (workers). Each entry of a node is one 32-bit atomic that holds
 * the whole answer, so a reader sees a route before its change or after it, never in between; nodes that are taken out
 * go through lib/rcu. rte_fib is not used: one table of it takes 64 MiB for each family of each VRF whatever it holds,
 * and in the DPDK release we build with it gives nodes away while a reader may be in them.
 */
#ifndef FORWARD_FIB_H
#define FORWARD_FIB_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "rcu/rcu.h"

#define FWD_NO_ROUTE  0u
#define FWD_VALUE_MAX 0x7fffffu

/* Who says so, the most trusted first: of one prefix's routes the first of these counts. */
enum fwd_source {
    FWD_FROM_SELF,
    FWD_FROM_CONNECTED,
    FWD_FROM_STATIC,
    FWD_FROM_BGP,
    FWD_FROM_NEIGHBOR, /* last: who blackholes a host means it, whether or not the host is a neighbour */
    FWD_SOURCE_COUNT
};

/* "local", "connected", "static", "bgp", "neighbor". */
const char *fwd_source_name(enum fwd_source source);

struct fwd_nodes;
struct fwd_fib;

/* The pool that FIBs share; it grows as it is used, to `max_nodes` of 1 KiB. NULL when memory is short. */
struct fwd_nodes *fwd_nodes_create(uint32_t max_nodes, struct rcu *rcu);
void fwd_nodes_free(struct fwd_nodes *nodes); /* after its FIBs, with no reader online */

/* `family`: IP_V4 or IP_V6. NULL when memory is short. */
struct fwd_fib *fwd_fib_create(struct fwd_nodes *nodes, unsigned family);
void fwd_fib_free(struct fwd_fib *fib);

/*
 * Control thread. Sets what `source` says of `prefix` (bits beyond its length zero) to `value`, 1..FWD_VALUE_MAX, or
 * takes it away with FWD_NO_ROUTE. 0; -ENOMEM: nothing has changed.
 */
int fwd_fib_set(struct fwd_fib *fib, const struct ip_prefix *prefix, enum fwd_source source, uint32_t value);

/* What `source` says of exactly this prefix. Control thread. */
uint32_t fwd_fib_get(const struct fwd_fib *fib, const struct ip_prefix *prefix, enum fwd_source source);

/* Any thread: the value of the longest prefix that covers the address (4 or 16 octets), or FWD_NO_ROUTE. */
uint32_t fwd_fib_lookup(const struct fwd_fib *fib, const uint8_t *address);

/* The same for a burst of up to 64 addresses, whose memory accesses overlap. */
void fwd_fib_lookup_burst(const struct fwd_fib *fib, const uint8_t *const *addresses, uint32_t *values, unsigned count);

/* One prefix and who counts for it. */
struct fwd_route {
    struct ip_prefix prefix;
    enum fwd_source source;
    uint32_t value;
};

/* Control thread: the longest route that covers the address; false when there is none. */
bool fwd_fib_find(const struct fwd_fib *fib, const struct ip_addr *address, struct fwd_route *out);
/* The same of routes with at most `max_length` bits, which may be -1. */
bool fwd_fib_find_within(const struct fwd_fib *fib, const struct ip_addr *address, int max_length,
                         struct fwd_route *out);

/* Control thread: calls `visit` for each prefix, in no order; it must not change the FIB. */
void fwd_fib_walk(const struct fwd_fib *fib, void (*visit)(void *ctx, const struct fwd_route *route), void *ctx);

size_t fwd_fib_count(const struct fwd_fib *fib);        /* prefixes */
size_t fwd_fib_memory_bytes(const struct fwd_fib *fib); /* without its nodes */
size_t fwd_nodes_memory_bytes(const struct fwd_nodes *nodes);

#endif
