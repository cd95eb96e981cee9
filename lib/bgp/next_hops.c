/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/next_hops.h"

#include <stdlib.h>
#include <string.h>

#include "base/slab.h"

#define BUCKETS_FIRST 64

void bgp_next_hops_init(struct bgp_next_hops *hops)
{
    *hops = (struct bgp_next_hops){0};
    TAILQ_INIT(&hops->all);
    TAILQ_INIT(&hops->due);
}

void bgp_next_hops_clear(struct bgp_next_hops *hops)
{
    free(hops->buckets);
    bgp_next_hops_init(hops);
}

static struct bgp_next_hop **bucket_of(const struct bgp_next_hops *hops, const struct ip_addr *address)
{
    uint64_t high, low, hash;

    memcpy(&high, address->octets, sizeof high);
    memcpy(&low, address->octets + 8, sizeof low);
    hash = (high ^ (low + address->family) * 0xc2b2ae3d27d4eb4fu) * 0x9e3779b97f4a7c15u;
    return &hops->buckets[(hash ^ hash >> 32) & (hops->bucket_count - 1)];
}

/* Not growing for want of memory only makes it slower, but for the first time. */
static bool grow(struct bgp_next_hops *hops)
{
    size_t count = hops->bucket_count == 0 ? BUCKETS_FIRST : 2 * hops->bucket_count;
    struct bgp_next_hop **buckets = calloc(count, sizeof *buckets), *hop;

    if (buckets == NULL)
        return hops->bucket_count > 0;
    free(hops->buckets);
    hops->buckets = buckets;
    hops->bucket_count = count;
    TAILQ_FOREACH(hop, &hops->all, all)
    {
        struct bgp_next_hop **bucket = bucket_of(hops, &hop->address);
        hop->next = *bucket;
        *bucket = hop;
    }
    return true;
}

struct bgp_next_hop *bgp_next_hops_take(struct bgp_next_hops *hops, const struct ip_addr *address)
{
    if (hops->count >= hops->bucket_count && !grow(hops))
        return NULL;
    struct bgp_next_hop **bucket = bucket_of(hops, address);
    struct bgp_next_hop *hop = *bucket;
    while (hop != NULL && !ip_addr_equal(&hop->address, address))
        hop = hop->next;
    if (hop == NULL) {
        hop = calloc(1, sizeof *hop);
        if (hop == NULL)
            return NULL;
        hop->address = *address;
        hop->first_path = hop->cursor = SLAB_NONE;
        hops->ops->ask(hops->ctx, address, &hop->reach);
        hop->next = *bucket;
        *bucket = hop;
        TAILQ_INSERT_TAIL(&hops->all, hop, all);
        hops->count++;
    }
    hop->references++;
    return hop;
}

void bgp_next_hops_give(struct bgp_next_hops *hops, struct bgp_next_hop *hop)
{
    struct bgp_next_hop **link = bucket_of(hops, &hop->address);

    if (--hop->references > 0)
        return;
    while (*link != hop)
        link = &(*link)->next;
    *link = hop->next;
    if (hops->round == hop)
        hops->round = TAILQ_NEXT(hop, all);
    if (hop->is_due)
        TAILQ_REMOVE(&hops->due, hop, due);
    TAILQ_REMOVE(&hops->all, hop, all);
    hops->count--;
    free(hop);
}

/* One more change over routes of BGP: true when it is one too many (see bgp_unicast_reach_forgive). */
static bool is_unsteady(const struct bgp_next_hops *hops, struct bgp_next_hop *hop, bool over_bgp)
{
    if (hop->epoch != hops->epoch) {
        hop->epoch = hops->epoch;
        hop->changes = 0;
    }
    hop->changes += over_bgp;
    return hop->changes > BGP_REACH_CHANGES_MAX;
}

void bgp_next_hops_ask(struct bgp_next_hops *hops, struct bgp_next_hop *hop)
{
    static const struct bgp_reach UNSTEADY = {
        .unreachable = true, .over_bgp = true, .metric = BGP_METRIC_UNKNOWN, .why = "its way over BGP keeps changing"};
    struct bgp_reach now;

    if (hop->epoch == hops->epoch && hop->changes > BGP_REACH_CHANGES_MAX)
        return;
    hops->ops->ask(hops->ctx, &hop->address, &now);
    if (now.unreachable == hop->reach.unreachable && now.metric == hop->reach.metric &&
        now.own_max == hop->reach.own_max) {
        hop->reach = now;
        return;
    }
    bool unsteady = is_unsteady(hops, hop, now.over_bgp || hop->reach.over_bgp);
    hop->reach = unsteady ? UNSTEADY : now;
    hop->cursor = hop->first_path;
    if (!hop->is_due)
        TAILQ_INSERT_TAIL(&hops->due, hop, due);
    hop->is_due = true;
    hops->ops->told(hops->ctx, &hop->address, &hop->reach, unsteady);
}
