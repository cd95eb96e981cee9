/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/hash.h"

#include <string.h>

static struct hash_segment *segment_create(const struct hash_table *table, struct mem *mem, unsigned depth)
{
    size_t size = sizeof(struct hash_segment) + (table->bucket_mask + 1) * sizeof(struct hash_bucket);
    struct hash_segment *segment = mem_alloc_line(mem, size);

    if (segment == NULL)
        return NULL;
    memset(segment, 0, size);
    segment->depth = (uint8_t)depth;
    return segment;
}

static struct hash_directory *directory_alloc(struct mem *mem, size_t places, size_t summaries)
{
    struct hash_directory *directory = NULL;
    size_t size = sizeof *directory + places * sizeof directory->segments[0];

    directory = mem_alloc(mem, size + summaries * sizeof(hash_summary));
    if (directory != NULL)
        directory->summaries = summaries > 0 ? (_Atomic(hash_summary) *)&directory->segments[places] : NULL;
    return directory;
}

/* Summaries only save time: where there is no room for them no rule is refused, and no removal takes more memory. */
static struct hash_directory *directory_create(const struct hash_table *table, struct mem *mem, unsigned depth)
{
    size_t places = (size_t)1 << depth, summaries = places << table->bucket_bits;
    struct hash_directory *directory = NULL;
    bool exempt = mem->exempt;

    mem->exempt = false;
    if (table->summarized && summaries <= HASH_SUMMARIES_MAX)
        directory = directory_alloc(mem, places, summaries);
    mem->exempt = exempt;
    if (directory == NULL)
        directory = directory_alloc(mem, places, 0);
    if (directory == NULL)
        return NULL;
    directory->depth = depth;
    directory->shift = 64 - depth;
    return directory;
}

/* The place in a directory of that depth, or of a segment among those of its depth. */
static size_t index_of(uint64_t hash, unsigned depth)
{
    return depth > 0 ? (size_t)(hash >> (64 - depth)) : 0;
}

static uint64_t entry_of(const struct hash_item *item)
{
    return (uint64_t)hash_tag(item->hash) << HASH_ITEM_BITS | (uint64_t)(uintptr_t)item;
}

bool hash_init(struct hash_table *table, struct mem *mem, unsigned buckets, bool summarized)
{
    table->bucket_mask = buckets - 1;
    table->bucket_bits = (unsigned)__builtin_ctz(buckets);
    table->summarized = summarized;
    table->count = table->deepest = 0;
    struct hash_directory *directory = directory_create(table, mem, 1);
    struct hash_segment *segment = segment_create(table, mem, 0);
    if (directory == NULL || segment == NULL) {
        mem_free(mem, directory);
        mem_free(mem, segment);
        return false;
    }
    atomic_init(&directory->segments[0], segment);
    atomic_init(&directory->segments[1], segment);
    for (size_t i = 0; directory->summaries != NULL && i < (size_t)2 * buckets; i++)
        atomic_init(&directory->summaries[i], 0);
    rcu_publish(&table->directory, directory);
    return true;
}

/* Gives back every segment once, though several places of the directory may lead to it. */
static void table_give(struct hash_table *table, struct mem *mem, void (*give)(struct mem *mem, void *block))
{
    struct hash_directory *directory = rcu_load(&table->directory);

    for (size_t i = 0; i < (size_t)1 << directory->depth;) {
        struct hash_segment *segment = rcu_load(&directory->segments[i]);
        i += (size_t)1 << (directory->depth - segment->depth);
        give(mem, segment);
    }
    give(mem, directory);
}

void hash_fini(struct hash_table *table, struct mem *mem)
{
    table_give(table, mem, mem_free);
}

void hash_retire(struct hash_table *table, struct mem *mem)
{
    table_give(table, mem, mem_retire);
}

static void summary_store(_Atomic(hash_summary) *summary, hash_summary now)
{
    atomic_store_explicit(summary, now, memory_order_release);
}

static hash_summary summary_load(const _Atomic(hash_summary) *summary)
{
    return atomic_load_explicit(summary, memory_order_relaxed);
}

/* Before the item is in its bucket. */
static void summary_add(const struct hash_table *table, const struct hash_item *item)
{
    const struct hash_directory *directory = rcu_load(&table->directory);

    if (directory->summaries == NULL)
        return;
    _Atomic(hash_summary) *summary = hash_summary_at(table, directory, item->hash);
    summary_store(summary, summary_load(summary) | hash_summary_of(hash_tag(item->hash)));
}

/* Takes what the bucket no longer has out of a summary of it. What other places have in the bucket was not in it. */
static void summary_narrow(_Atomic(hash_summary) *summary, const struct hash_bucket *bucket)
{
    hash_summary has = 0;

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        uint64_t entry = hash_entry(bucket, i);
        if (entry != 0)
            has |= hash_summary_of((unsigned)(entry >> HASH_ITEM_BITS));
    }
    summary_store(summary, summary_load(summary) & has);
}

/* The same for each bucket of one place of the directory, which leads to this segment. */
static void place_narrow(const struct hash_table *table, const struct hash_directory *directory, size_t place,
                         const struct hash_segment *segment)
{
    for (unsigned b = 0; directory->summaries != NULL && b <= table->bucket_mask; b++)
        summary_narrow(&directory->summaries[place << table->bucket_bits | b], &segment->buckets[b]);
}

/* The same for one bucket in each place that leads to this segment. */
static void bucket_narrow(const struct hash_table *table, const struct hash_directory *directory, uint64_t hash,
                          const struct hash_segment *segment)
{
    size_t places = (size_t)1 << (directory->depth - segment->depth), first = index_of(hash, segment->depth) * places;
    size_t bucket = hash_bucket_number(table, hash);

    for (size_t p = first; directory->summaries != NULL && p < first + places; p++)
        summary_narrow(&directory->summaries[p << table->bucket_bits | bucket], &segment->buckets[bucket]);
}

static bool segment_put(const struct hash_table *table, struct hash_segment *segment, const struct hash_item *item)
{
    struct hash_bucket *bucket = &segment->buckets[hash_bucket_number(table, item->hash)];

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        if (hash_entry(bucket, i) == 0) {
            atomic_store_explicit(&bucket->entries[i], entry_of(item), memory_order_release);
            segment->count++;
            return true;
        }
    }
    return false;
}

/* Copies the items of `from` into `to`, or those of them whose hash has `bit` set or clear. False: no room. */
static bool segment_copy(const struct hash_table *table, struct hash_segment *const to[2],
                         const struct hash_segment *from, uint64_t bit)
{
    for (unsigned b = 0; b <= table->bucket_mask; b++) {
        for (unsigned i = 0; i < HASH_BUCKET; i++) {
            uint64_t entry = hash_entry(&from->buckets[b], i);
            if (entry == 0)
                continue;
            const struct hash_item *item = hash_entry_item(entry);
            if (!segment_put(table, to[(item->hash & bit) != 0], item))
                return false;
        }
    }
    return true;
}

/* Lets every place of the directory whose first `depth` bits are those of `hash` lead to the segment. */
static void directory_set(const struct hash_table *table, struct hash_directory *directory, uint64_t hash,
                          unsigned depth, struct hash_segment *segment)
{
    size_t places = (size_t)1 << (directory->depth - depth);
    size_t first = index_of(hash, depth) * places;

    for (size_t i = first; i < first + places; i++) {
        rcu_publish(&directory->segments[i], segment);
        place_narrow(table, directory, i, segment);
    }
}

/* What the places of another directory have that are in this place of a fresh one, or hold it. */
static hash_summary summary_of_place(const struct hash_table *table, const struct hash_directory *old, unsigned depth,
                                     size_t place, size_t bucket)
{
    size_t first = depth > old->depth ? place >> (depth - old->depth) : place << (old->depth - depth);
    size_t count = depth > old->depth ? 1 : (size_t)1 << (old->depth - depth);
    hash_summary summary = 0;

    if (old->summaries == NULL) /* not known; every change will make it narrower */
        return UINT32_MAX;
    for (size_t p = first; p < first + count; p++)
        summary |= summary_load(&old->summaries[p << table->bucket_bits | bucket]);
    return summary;
}

static void summaries_copy(const struct hash_table *table, struct hash_directory *fresh,
                           const struct hash_directory *old)
{
    if (fresh->summaries == NULL)
        return;
    for (size_t i = 0; i < (size_t)1 << (fresh->depth + table->bucket_bits); i++) {
        size_t place = i >> table->bucket_bits, bucket = i & table->bucket_mask;
        atomic_init(&fresh->summaries[i], summary_of_place(table, old, fresh->depth, place, bucket));
    }
}

static bool directory_resize(struct hash_table *table, struct mem *mem, unsigned depth)
{
    struct hash_directory *old = rcu_load(&table->directory);
    struct hash_directory *fresh = directory_create(table, mem, depth);

    if (fresh == NULL)
        return false;
    for (size_t i = 0; i < (size_t)1 << depth; i++) {
        size_t from = depth > old->depth ? i >> (depth - old->depth) : i << (old->depth - depth);
        atomic_init(&fresh->segments[i], rcu_load(&old->segments[from]));
    }
    summaries_copy(table, fresh, old);
    rcu_publish(&table->directory, fresh);
    mem_retire(mem, old);
    table->deepest = 0;
    return true;
}

/* Replaces the segment of `hash` by two that are one bit deeper. */
static bool segment_split(struct hash_table *table, struct mem *mem, uint64_t hash)
{
    struct hash_directory *directory = rcu_load(&table->directory);
    struct hash_segment *old = rcu_load(&directory->segments[index_of(hash, directory->depth)]);
    unsigned depth = old->depth + 1u;
    uint64_t bit = (uint64_t)1 << (64 - depth);

    /* far more segments than items only come from hashes that are all alike: splitting does not help there */
    if (depth > HASH_DEPTH_MAX || (uint64_t)1 << depth > 64 * ((uint64_t)table->count + HASH_BUCKET))
        return false;
    if (depth > directory->depth && !directory_resize(table, mem, depth))
        return false;
    struct hash_segment *halves[2] = {segment_create(table, mem, depth), segment_create(table, mem, depth)};
    if (halves[0] == NULL || halves[1] == NULL) {
        mem_free(mem, halves[0]);
        mem_free(mem, halves[1]);
        return false;
    }
    segment_copy(table, halves, old, bit); /* each bucket's items were in one bucket: they fit */
    directory = rcu_load(&table->directory);
    directory_set(table, directory, hash & ~bit, depth, halves[0]);
    directory_set(table, directory, hash | bit, depth, halves[1]);
    table->deepest += depth == directory->depth ? 2 : 0;
    mem_retire(mem, old);
    return true;
}

bool hash_insert(struct hash_table *table, struct mem *mem, struct hash_item *item)
{
    for (;;) {
        struct hash_directory *directory = rcu_load(&table->directory);
        summary_add(table, item); /* before the item is there; in vain if it will not be */
        if (segment_put(table, rcu_load(&directory->segments[index_of(item->hash, directory->depth)]), item))
            break;
        if (!segment_split(table, mem, item->hash))
            return false;
    }
    table->count++;
    return true;
}

/* Halves the directory while no segment needs its last bit. */
static void directory_shrink(struct hash_table *table, struct mem *mem)
{
    const struct hash_directory *directory = rcu_load(&table->directory);
    uint32_t segments[HASH_DEPTH_MAX + 1] = {0};
    unsigned deepest = 1;

    for (size_t i = 0; i < (size_t)1 << directory->depth;) {
        const struct hash_segment *segment = rcu_load(&directory->segments[i]);
        segments[segment->depth]++;
        deepest = segment->depth > deepest ? segment->depth : deepest;
        i += (size_t)1 << (directory->depth - segment->depth);
    }
    /* without memory for it the larger one stays */
    if (deepest < directory->depth && directory_resize(table, mem, deepest))
        table->deepest = segments[deepest];
}

/* Replaces the segment of `hash` and its sibling by one when both are nearly empty. */
static bool segment_merge(struct hash_table *table, struct mem *mem, uint64_t hash)
{
    struct hash_directory *directory = rcu_load(&table->directory);
    struct hash_segment *one = rcu_load(&directory->segments[index_of(hash, directory->depth)]);

    if (one->depth == 0)
        return false;
    uint64_t bit = (uint64_t)1 << (64 - one->depth);
    struct hash_segment *other = rcu_load(&directory->segments[index_of(hash ^ bit, directory->depth)]);
    if (other->depth != one->depth || one->count + other->count > (table->bucket_mask + 1) * HASH_BUCKET / 4)
        return false;
    struct hash_segment *fresh = segment_create(table, mem, one->depth - 1u);
    if (fresh == NULL)
        return false;
    struct hash_segment *const both[2] = {fresh, fresh};
    if (!segment_copy(table, both, one, bit) || !segment_copy(table, both, other, bit)) {
        mem_free(mem, fresh);
        return false;
    }
    directory_set(table, directory, hash, fresh->depth, fresh);
    mem_retire(mem, one);
    mem_retire(mem, other);
    if (fresh->depth + 1u == directory->depth && (table->deepest -= 2) == 0)
        directory_shrink(table, mem);
    return true;
}

void hash_remove(struct hash_table *table, struct mem *mem, struct hash_item *item)
{
    struct hash_directory *directory = rcu_load(&table->directory);
    struct hash_segment *segment = rcu_load(&directory->segments[index_of(item->hash, directory->depth)]);
    struct hash_bucket *bucket = &segment->buckets[hash_bucket_number(table, item->hash)];

    for (unsigned i = 0; i < HASH_BUCKET; i++) {
        if (hash_entry(bucket, i) == entry_of(item)) {
            atomic_store_explicit(&bucket->entries[i], 0, memory_order_release);
            bucket_narrow(table, directory, item->hash, segment);
            segment->count--;
            table->count--;
            break;
        }
    }
    while (segment_merge(table, mem, item->hash))
        ;
}

void hash_each(const struct hash_table *table, void (*visit)(void *ctx, struct hash_item *item), void *ctx)
{
    const struct hash_directory *directory = rcu_load(&table->directory);

    for (size_t i = 0; i < (size_t)1 << directory->depth;) {
        const struct hash_segment *segment = rcu_load(&directory->segments[i]);
        i += (size_t)1 << (directory->depth - segment->depth);
        for (unsigned b = 0; b <= table->bucket_mask; b++) {
            for (unsigned e = 0; e < HASH_BUCKET; e++) {
                uint64_t entry = hash_entry(&segment->buckets[b], e);
                if (entry != 0)
                    visit(ctx, hash_entry_item(entry));
            }
        }
    }
}
