/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash table that readers probe while the writer changes it: extendible hashing (Fagin et al., 1979).
 *
 * A directory, indexed by the hash's highest bits, points to segments of a few buckets; a bucket is one cache line of
 * eight entries. A segment that overflows is replaced by two half-empty ones, so no change ever costs more than one
 * segment (and, rarely, a copy of the directory). An entry is one word, the item's address and 16 bits of its hash, so
 * a reader sees all of it or nothing; items never move within a segment. A tag that fits may still be another item:
 * the reader compares the key in the item.
 */
#ifndef CLASSIFIER_HASH_H
#define CLASSIFIER_HASH_H

#include <stdatomic.h>
#include <stdint.h>

#include "classifier/memory.h"

#define HASH_BUCKET    8 /* entries */
#define HASH_ITEM_BITS 48
#define HASH_DEPTH_MAX 26

/* Of a hash: as many bits from here on as say which of a segment's buckets. The highest say where in the directory. */
#define HASH_BUCKET_SHIFT 6
/* And the tag, bits 24 to 39: apart from both. */
#define HASH_TAG_SHIFT 24

#define HASH_SUMMARY_MASK  31 /* of a bit's number */
#define HASH_SUMMARY_SHIFT 8  /* of the tag, to the number of the second bit */

/* More summaries than this do not stay in the cache and are not kept. Tests build with few. */
#ifndef HASH_SUMMARIES_MAX
#define HASH_SUMMARIES_MAX 131072
#endif

/* Tests build with fewer bits, so that tags fit by chance all the time. */
#ifndef HASH_TAG_MASK
#define HASH_TAG_MASK 0xffff
#endif

/* What every item starts with. */
struct hash_item {
    uint64_t hash;
};

struct hash_bucket {
    _Alignas(MEM_LINE) _Atomic(uint64_t) entries[HASH_BUCKET]; /* 0: free. Written by the writer, read by workers */
};

_Static_assert(sizeof(struct hash_bucket) == 1 << HASH_BUCKET_SHIFT, "those bits are the bucket's offset in octets");

struct hash_segment {
    uint8_t depth;  /* the writer's: how many highest bits all items here share */
    uint32_t count; /* the writer's */
    struct hash_bucket buckets[];
};

/*
 * What a bucket has of the items of one place of the directory: two bits for each, chosen by the tag. These summaries
 * lie side by side and stay in the cache, where the buckets of a large table do not: most probes that find nothing end
 * here. A bit may be set in vain, never missing.
 */
typedef uint32_t hash_summary;

struct hash_directory {
    unsigned depth;                              /* 1 or more: so that a shift by 64 less it is one */
    unsigned shift;                              /* 64 less it */
    _Atomic(hash_summary) *summaries;            /* behind `segments`: by place, then by bucket; NULL: not kept */
    RCU_POINTER(struct hash_segment) segments[]; /* 2^depth */
};

struct hash_table {
    RCU_POINTER(struct hash_directory) directory; /* written by the writer, read by workers */
    unsigned bucket_mask;                         /* buckets of a segment, less one */
    unsigned bucket_bits;                         /* 2^that are its buckets */
    bool summarized;                              /* summaries are kept */
    uint32_t count;                               /* the writer's */
    uint32_t deepest;                             /* the writer's: segments that need the whole depth */
};

/* `buckets` of a segment: a power of two. `summarized`: readers use hash_may_have. False when memory is short. */
bool hash_init(struct hash_table *table, struct mem *mem, unsigned buckets, bool summarized);

/* Frees the table at once, or once no reader can hold it. Not the items. */
void hash_fini(struct hash_table *table, struct mem *mem);
void hash_retire(struct hash_table *table, struct mem *mem);

/* Adds an item whose key is not in the table. False when memory is short: nothing has changed. */
bool hash_insert(struct hash_table *table, struct mem *mem, struct hash_item *item);

/* Takes out an item that is in the table. */
void hash_remove(struct hash_table *table, struct mem *mem, struct hash_item *item);

/* Calls visit(ctx, item) for each item. */
void hash_each(const struct hash_table *table, void (*visit)(void *ctx, struct hash_item *item), void *ctx);

static inline uint16_t hash_tag(uint64_t hash)
{
    return (uint16_t)(hash >> HASH_TAG_SHIFT & HASH_TAG_MASK);
}

/* The number of a bucket in its segment. */
static inline size_t hash_bucket_number(const struct hash_table *table, uint64_t hash)
{
    return hash >> HASH_BUCKET_SHIFT & table->bucket_mask;
}

/* What a reader may keep of a table for some probes, until its next quiescent point. */
struct hash_view {
    const RCU_POINTER(struct hash_segment) * segments; /* of the directory */
    unsigned shift;
    uint64_t offset_mask; /* the bits of a hash that are a bucket's offset */
};

static inline struct hash_view hash_view_of(const struct hash_table *table)
{
    const struct hash_directory *directory = rcu_load(&table->directory);

    return (struct hash_view){directory->segments, directory->shift, (uint64_t)table->bucket_mask << HASH_BUCKET_SHIFT};
}

/* The bucket that items of this hash are in. */
static inline const struct hash_bucket *hash_bucket_in(const struct hash_view *view, uint64_t hash)
{
    const struct hash_segment *segment = rcu_load(&view->segments[hash >> view->shift]);

    return (const struct hash_bucket *)((const char *)segment->buckets + (hash & view->offset_mask));
}

static inline const struct hash_bucket *hash_bucket_of(const struct hash_table *table, uint64_t hash)
{
    const struct hash_view view = hash_view_of(table);

    return hash_bucket_in(&view, hash);
}

/* The summary of a bucket that has the tag, and no other. */
static inline hash_summary hash_summary_of(unsigned tag)
{
    unsigned first = tag & HASH_SUMMARY_MASK, second = tag >> HASH_SUMMARY_SHIFT & HASH_SUMMARY_MASK;

    return (hash_summary)1 << first | (hash_summary)1 << second;
}

static inline _Atomic(hash_summary) *hash_summary_at(const struct hash_table *table,
                                                     const struct hash_directory *directory, uint64_t hash)
{
    return &directory->summaries[(hash >> directory->shift) << table->bucket_bits | hash_bucket_number(table, hash)];
}

/* Whether an item of this hash may be in the table, whose directory keeps summaries. */
static inline bool hash_may_have(const struct hash_table *table, const struct hash_directory *directory, uint64_t hash)
{
    hash_summary summary = atomic_load_explicit(hash_summary_at(table, directory, hash), memory_order_acquire);

    return (~summary & hash_summary_of(hash_tag(hash))) == 0;
}

/* 2^that is the number of segments, about. */
static inline unsigned hash_depth(const struct hash_table *table)
{
    return rcu_load(&table->directory)->depth;
}

/* An entry, or 0; its tag; its item. */
static inline uint64_t hash_entry(const struct hash_bucket *bucket, unsigned i)
{
    return atomic_load_explicit(&bucket->entries[i], memory_order_acquire);
}

static inline bool hash_entry_fits(uint64_t entry, uint64_t hash)
{
    return entry != 0 && (uint16_t)(entry >> HASH_ITEM_BITS) == hash_tag(hash);
}

static inline void *hash_entry_item(uint64_t entry)
{
    return (void *)(uintptr_t)(entry & (((uint64_t)1 << HASH_ITEM_BITS) - 1));
}

static inline void *hash_item_at(const struct hash_bucket *bucket, unsigned i)
{
    return hash_entry_item(hash_entry(bucket, i));
}

/*
 * The item of the first entry whose bit is set in `fits`, or `other`, without a branch that depends on which it is. An
 * entry that is free, or was freed just now, does not hide the next.
 */
static inline const void *hash_pick(const struct hash_bucket *bucket, unsigned fits, const void *other)
{
    const void *item = hash_item_at(bucket, (unsigned)__builtin_ctz(fits | 1u << (HASH_BUCKET - 1)));

    while (__builtin_expect((item == NULL) & ((fits & (fits - 1)) != 0), 0)) {
        fits &= fits - 1;
        item = hash_item_at(bucket, (unsigned)__builtin_ctz(fits));
    }
    /* 0 less one has the highest bit, items and bits have not; a compare would be made a branch */
    uint64_t none = -((((uint64_t)(uintptr_t)item - 1) | ((uint64_t)fits - 1)) >> 63);
    return (const void *)(((uintptr_t)item & ~none) | ((uintptr_t)other & none));
}

/*
 * Both halves of a 128-bit product folded: mixes every bit of `a` and `b` into every bit of the result. They are two
 * products: a pair of registers for one is more than compilers have left where it counts.
 */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 uint128;
    uint64_t upper = (uint64_t)((uint128)a * b >> 64);

    return a * b ^ upper;
}

#endif
