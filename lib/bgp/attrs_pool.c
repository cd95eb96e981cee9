/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/attrs_pool.h"

#include <stdlib.h>

#include "bgp/next_hops.h"

#define BUCKETS_FIRST 64

static struct bgp_shared_attrs **bucket_of(const struct bgp_attrs_pool *pool, uint64_t hash)
{
    return &pool->buckets[(hash ^ hash >> 32) & (pool->bucket_count - 1)];
}

/* Keeps about one set per bucket. Not growing for want of memory only makes it slower, but for the first time. */
static bool grow(struct bgp_attrs_pool *pool)
{
    size_t count = pool->bucket_count == 0 ? BUCKETS_FIRST : pool->bucket_count * 2;
    struct bgp_attrs_pool old = *pool;
    struct bgp_shared_attrs **buckets = calloc(count, sizeof *buckets);

    if (buckets == NULL)
        return pool->bucket_count > 0;
    pool->buckets = buckets;
    pool->bucket_count = count;
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct bgp_shared_attrs *at = old.buckets[i], *next; at != NULL; at = next) {
            struct bgp_shared_attrs **bucket = bucket_of(pool, at->hash);
            next = at->next;
            at->next = *bucket;
            *bucket = at;
        }
    }
    free(old.buckets);
    return true;
}

/* A fresh set goes into its bucket, with one reference. */
static void put(struct bgp_attrs_pool *pool, struct bgp_shared_attrs **bucket, struct bgp_shared_attrs *fresh,
                uint64_t hash)
{
    fresh->hash = hash;
    fresh->references = 1;
    fresh->hop = NULL;
    fresh->next = *bucket;
    *bucket = fresh;
    pool->count++;
}

struct bgp_shared_attrs *bgp_attrs_pool_take(struct bgp_attrs_pool *pool, const struct bgp_attrs *attrs)
{
    uint64_t hash = bgp_attrs_hash(attrs);

    if (pool->count >= pool->bucket_count && !grow(pool))
        return NULL;
    struct bgp_shared_attrs **bucket = bucket_of(pool, hash);
    for (struct bgp_shared_attrs *at = *bucket; at != NULL; at = at->next) {
        if (at->hash == hash && at->base == NULL && bgp_attrs_equal(&at->attrs, attrs)) {
            at->references++;
            return at;
        }
    }
    struct bgp_shared_attrs *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return NULL;
    if (!bgp_attrs_dup(attrs, &fresh->attrs)) {
        free(fresh);
        return NULL;
    }
    fresh->base = NULL;
    fresh->octets = sizeof *fresh + bgp_attrs_octets(attrs);
    put(pool, bucket, fresh, hash);
    return fresh;
}

struct bgp_shared_attrs *bgp_attrs_pool_label(struct bgp_attrs_pool *pool, struct bgp_shared_attrs *base,
                                              uint32_t label)
{
    uint64_t hash = (base->hash ^ label) * 0x9e3779b97f4a7c15u;

    if (label == base->attrs.label) {
        base->references++;
        return base;
    }
    if (pool->count >= pool->bucket_count && !grow(pool))
        return NULL;
    struct bgp_shared_attrs **bucket = bucket_of(pool, hash);
    for (struct bgp_shared_attrs *at = *bucket; at != NULL; at = at->next) {
        if (at->base == base && at->attrs.label == label) {
            at->references++;
            return at;
        }
    }
    struct bgp_shared_attrs *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return NULL;
    fresh->attrs = base->attrs;
    fresh->attrs.memory = NULL;
    fresh->attrs.label = label;
    fresh->base = base;
    fresh->octets = base->octets;
    base->references++;
    put(pool, bucket, fresh, hash);
    return fresh;
}

void bgp_attrs_pool_give(struct bgp_attrs_pool *pool, struct bgp_shared_attrs *shared)
{
    if (--shared->references > 0)
        return;
    struct bgp_shared_attrs **link = bucket_of(pool, shared->hash);
    while (*link != shared)
        link = &(*link)->next;
    *link = shared->next;
    pool->count--;
    if (shared->hop != NULL)
        bgp_next_hops_give(pool->hops, shared->hop);
    struct bgp_shared_attrs *base = shared->base;
    bgp_attrs_free(&shared->attrs);
    free(shared);
    if (base != NULL)
        bgp_attrs_pool_give(pool, base);
}

void bgp_attrs_pool_clear(struct bgp_attrs_pool *pool)
{
    free(pool->buckets);
    *pool = (struct bgp_attrs_pool){0};
}
