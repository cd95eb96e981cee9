/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry is a leaf (a value, with the length of the prefix it comes from) or leads to a node. Prefixes are pushed
 * down to the leaves they cover. Because a leaf knows its prefix's length, a prefix that comes replaces exactly the
 * leaves of shorter ones below it, and a prefix that goes gives exactly its own leaves to the longest one above.
 */
#include "forward/fib.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "forward/prefixes.h"

#define CHILD        0x80000000u /* the rest is a node's number; else LENGTH(8) VALUE(23), 0 for no route */
#define LENGTH_SHIFT 23u
#define ROOT_BITS    16u
#define ROOT_ENTRIES 65536u
#define NODE_ENTRIES 256u
#define CHUNK_BITS   11u
#define CHUNK_NODES  (1u << CHUNK_BITS)
#define CHUNK_SIZE   (CHUNK_NODES * NODE_ENTRIES * sizeof(fib_entry_t))
#define BURST_MAX    64u

typedef _Atomic uint32_t fib_entry_t;

struct fwd_nodes {
    struct rcu *rcu;
    uint32_t max_nodes;
    uint32_t made;                  /* nodes given out once: numbers below it exist */
    uint32_t free_at;               /* head of the list of free ones, linked by their first entry; 0: none */
    _Atomic(fib_entry_t *) *chunks; /* written by the control thread before a node of it is linked */
};

struct fwd_fib {
    fib_entry_t *root;
    struct fwd_nodes *nodes;
    unsigned family;
    struct fwd_prefixes prefixes;
};

const char *fwd_source_name(enum fwd_source source)
{
    static const char *const NAMES[FWD_SOURCE_COUNT] = {"local", "connected", "static", "bgp", "neighbor"};

    return NAMES[source];
}

static inline fib_entry_t *node_entries(const struct fwd_nodes *nodes, uint32_t node)
{
    fib_entry_t *chunk = atomic_load_explicit(&nodes->chunks[node >> CHUNK_BITS], memory_order_acquire);

    return chunk + (size_t)(node & (CHUNK_NODES - 1)) * NODE_ENTRIES;
}

static inline uint32_t entry_get(const fib_entry_t *entry)
{
    return atomic_load_explicit(entry, memory_order_acquire);
}

static inline uint32_t leaf_length(uint32_t entry)
{
    return entry >> LENGTH_SHIFT;
}

static inline uint32_t leaf_value(uint32_t entry)
{
    return entry & FWD_VALUE_MAX;
}

static uint32_t leaf_of(uint32_t value, uint32_t length)
{
    return value == FWD_NO_ROUTE ? 0 : length << LENGTH_SHIFT | value;
}

struct fwd_nodes *fwd_nodes_create(uint32_t max_nodes, struct rcu *rcu)
{
    struct fwd_nodes *nodes = calloc(1, sizeof *nodes);

    if (nodes == NULL)
        return NULL;
    nodes->rcu = rcu;
    nodes->max_nodes = max_nodes;
    nodes->made = 1; /* 0 is the end of the free list */
    nodes->chunks = calloc((max_nodes >> CHUNK_BITS) + 1, sizeof *nodes->chunks);
    if (nodes->chunks != NULL)
        return nodes;
    free(nodes);
    return NULL;
}

void fwd_nodes_free(struct fwd_nodes *nodes)
{
    if (nodes == NULL)
        return;
    rcu_synchronize(nodes->rcu); /* nodes that wait to come back */
    for (uint32_t i = 0; i <= nodes->max_nodes >> CHUNK_BITS; i++)
        free(atomic_load_explicit(&nodes->chunks[i], memory_order_relaxed));
    free(nodes->chunks);
    free(nodes);
}

/* A node whose entries nobody reads yet, or 0 when memory is short. */
static uint32_t node_take(struct fwd_nodes *nodes)
{
    uint32_t node = nodes->free_at;

    if (node != 0) {
        nodes->free_at = entry_get(node_entries(nodes, node));
        return node;
    }
    if (nodes->made >= nodes->max_nodes)
        return 0;
    _Atomic(fib_entry_t *) *chunk = &nodes->chunks[nodes->made >> CHUNK_BITS];
    if (atomic_load_explicit(chunk, memory_order_relaxed) == NULL) {
        fib_entry_t *fresh = aligned_alloc(4096, CHUNK_SIZE);
        if (fresh == NULL)
            return 0;
        atomic_store_explicit(chunk, fresh, memory_order_release);
    }
    return nodes->made++;
}

static void node_give_back(void *ctx, void *number)
{
    struct fwd_nodes *nodes = ctx;
    uint32_t node = (uint32_t)(uintptr_t)number;

    atomic_store_explicit(node_entries(nodes, node), nodes->free_at, memory_order_relaxed);
    nodes->free_at = node;
}

struct fwd_fib *fwd_fib_create(struct fwd_nodes *nodes, unsigned family)
{
    struct fwd_fib *fib = calloc(1, sizeof *fib);

    if (fib == NULL)
        return NULL;
    fib->nodes = nodes;
    fib->family = family;
    fib->root = calloc(ROOT_ENTRIES, sizeof *fib->root);
    if (fib->root != NULL)
        return fib;
    free(fib);
    return NULL;
}

static void node_free_below(struct fwd_nodes *nodes, fib_entry_t *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = entry_get(&entries[i]);
        if ((entry & CHILD) == 0)
            continue;
        node_free_below(nodes, node_entries(nodes, entry & ~CHILD), NODE_ENTRIES);
        node_give_back(nodes, (void *)(uintptr_t)(entry & ~CHILD));
    }
}

void fwd_fib_free(struct fwd_fib *fib)
{
    if (fib == NULL)
        return;
    node_free_below(fib->nodes, fib->root, ROOT_ENTRIES);
    free(fib->root);
    free(fib->prefixes.slots);
    free(fib);
}

static inline uint32_t root_index(const uint8_t *address)
{
    return (uint32_t)address[0] << 8 | address[1];
}

uint32_t fwd_fib_lookup(const struct fwd_fib *fib, const uint8_t *address)
{
    uint32_t entry = entry_get(&fib->root[root_index(address)]);

    for (const uint8_t *octet = address + 2; entry & CHILD; octet++)
        entry = entry_get(&node_entries(fib->nodes, entry & ~CHILD)[*octet]);
    return leaf_value(entry);
}

/* Level by level: while one packet's entry comes from memory, the others' are asked for. */
void fwd_fib_lookup_burst(const struct fwd_fib *fib, const uint8_t *const *addresses, uint32_t *values, unsigned count)
{
    const fib_entry_t *at[BURST_MAX];
    uint8_t open[BURST_MAX];
    unsigned left = count;

    for (unsigned i = 0; i < count; i++) {
        at[i] = &fib->root[root_index(addresses[i])];
        __builtin_prefetch((const void *)at[i]);
        open[i] = (uint8_t)i;
    }
    for (unsigned depth = 2; left > 0; depth++) {
        unsigned still = 0;
        for (unsigned k = 0; k < left; k++) {
            unsigned i = open[k];
            uint32_t entry = entry_get(at[i]);
            if ((entry & CHILD) == 0) {
                values[i] = leaf_value(entry);
                continue;
            }
            at[i] = &node_entries(fib->nodes, entry & ~CHILD)[addresses[i][depth]];
            __builtin_prefetch((const void *)at[i]);
            open[still++] = (uint8_t)i;
        }
        left = still;
    }
}

/* A route's way into the trie: leaves of prefixes with lengths in [from, to] below `prefix` become `leaf`. */
struct change {
    struct fwd_nodes *nodes;
    const struct ip_prefix *prefix;
    uint32_t from, to;
    uint32_t leaf;
};

static void entry_change(const struct change *change, fib_entry_t *entry);

static void entries_change(const struct change *change, fib_entry_t *entries, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        entry_change(change, &entries[i]);
}

/* A node whose entries are all one leaf says no more than that leaf does. */
static void entry_fold(const struct change *change, fib_entry_t *entry)
{
    uint32_t node = entry_get(entry) & ~CHILD;
    fib_entry_t *entries = node_entries(change->nodes, node);
    uint32_t leaf = entry_get(&entries[0]);

    if (leaf & CHILD)
        return;
    for (uint32_t i = 1; i < NODE_ENTRIES; i++)
        if (entry_get(&entries[i]) != leaf)
            return;
    atomic_store_explicit(entry, leaf, memory_order_release);
    rcu_retire_ctx(change->nodes->rcu, node_give_back, change->nodes, (void *)(uintptr_t)node);
}

static void entry_change(const struct change *change, fib_entry_t *entry)
{
    uint32_t old = entry_get(entry);

    if (old & CHILD) {
        entries_change(change, node_entries(change->nodes, old & ~CHILD), 0, NODE_ENTRIES);
        entry_fold(change, entry);
    } else if (leaf_length(old) >= change->from && leaf_length(old) <= change->to) {
        atomic_store_explicit(entry, change->leaf, memory_order_release);
    }
}

/* Gives a leaf a node of its own that says the same. False when memory is short. */
static bool entry_split(struct fwd_nodes *nodes, fib_entry_t *entry)
{
    uint32_t leaf = entry_get(entry), node = node_take(nodes);

    if (node == 0)
        return false;
    fib_entry_t *entries = node_entries(nodes, node);
    for (uint32_t i = 0; i < NODE_ENTRIES; i++)
        atomic_store_explicit(&entries[i], leaf, memory_order_relaxed);
    atomic_store_explicit(entry, CHILD | node, memory_order_release);
    return true;
}

/*
 * Walks down to the level where the prefix ends and changes its entries there; on the way back folds what became
 * uniform. `end` is the number of bits that are decided after this level's index. False when memory is short.
 */
static bool change_at(const struct change *change, fib_entry_t *entries, uint32_t index, uint32_t end)
{
    uint32_t length = change->prefix->length;

    if (length <= end) {
        entries_change(change, entries, index & ~((1u << (end - length)) - 1), 1u << (end - length));
        return true;
    }
    if ((entry_get(&entries[index]) & CHILD) == 0 && !entry_split(change->nodes, &entries[index]))
        return false;
    fib_entry_t *below = node_entries(change->nodes, entry_get(&entries[index]) & ~CHILD);
    bool done = change_at(change, below, change->prefix->octets[end / 8], end + 8);

    entry_fold(change, &entries[index]);
    return done;
}

static int trie_change(struct fwd_fib *fib, const struct ip_prefix *prefix, uint32_t from, uint32_t to, uint32_t leaf)
{
    const struct change change = {.nodes = fib->nodes, .prefix = prefix, .from = from, .to = to, .leaf = leaf};

    return change_at(&change, fib->root, root_index(prefix->octets), ROOT_BITS) ? 0 : -ENOMEM;
}

/* What the trie shall say of an entry's prefix, now that its values are as they are. */
static int entry_apply(struct fwd_fib *fib, const struct fwd_prefix *entry, uint32_t old_best)
{
    struct ip_prefix prefix = {.family = (uint8_t)fib->family, .length = entry->length};
    enum fwd_source source;
    uint32_t best = fwd_prefix_best(entry, &source);

    memcpy(prefix.octets, entry->octets, sizeof prefix.octets);
    if (best == old_best)
        return 0;
    if (best != FWD_NO_ROUTE) /* also over leaves that say "no route": their length is 0 */
        return trie_change(fib, &prefix, 0, entry->length, leaf_of(best, entry->length));
    const struct fwd_prefix *above = fwd_prefixes_cover(&fib->prefixes, entry->octets, entry->length - 1);
    uint32_t leaf = above != NULL ? leaf_of(fwd_prefix_best(above, &source), above->length) : 0;
    return trie_change(fib, &prefix, entry->length, entry->length, leaf);
}

int fwd_fib_set(struct fwd_fib *fib, const struct ip_prefix *prefix, enum fwd_source source, uint32_t value)
{
    struct fwd_prefix *entry = fwd_prefixes_find(&fib->prefixes, prefix->octets, prefix->length);
    enum fwd_source best;

    if (entry == NULL && value == FWD_NO_ROUTE)
        return 0;
    if (entry == NULL && (entry = fwd_prefixes_add(&fib->prefixes, prefix)) == NULL)
        return -ENOMEM;
    uint32_t old_best = fwd_prefix_best(entry, &best), old = entry->values[source];
    entry->values[source] = value;
    int error = entry_apply(fib, entry, old_best);
    if (error < 0)
        entry->values[source] = old;
    if (fwd_prefix_best(entry, &best) == FWD_NO_ROUTE)
        fwd_prefixes_remove(&fib->prefixes, entry);
    return error;
}

uint32_t fwd_fib_get(const struct fwd_fib *fib, const struct ip_prefix *prefix, enum fwd_source source)
{
    const struct fwd_prefix *entry = fwd_prefixes_find(&fib->prefixes, prefix->octets, prefix->length);

    return entry != NULL ? entry->values[source] : FWD_NO_ROUTE;
}

static void route_fill(const struct fwd_fib *fib, const struct fwd_prefix *entry, struct fwd_route *out)
{
    out->prefix = (struct ip_prefix){.family = (uint8_t)fib->family, .length = entry->length};
    memcpy(out->prefix.octets, entry->octets, sizeof out->prefix.octets);
    out->value = fwd_prefix_best(entry, &out->source);
}

bool fwd_fib_find(const struct fwd_fib *fib, const struct ip_addr *address, struct fwd_route *out)
{
    return fwd_fib_find_within(fib, address, (int)ip_family_bits(fib->family), out);
}

bool fwd_fib_find_within(const struct fwd_fib *fib, const struct ip_addr *address, int max_length,
                         struct fwd_route *out)
{
    const struct fwd_prefix *entry = fwd_prefixes_cover(&fib->prefixes, address->octets, max_length);

    if (entry != NULL)
        route_fill(fib, entry, out);
    return entry != NULL;
}

void fwd_fib_walk(const struct fwd_fib *fib, void (*visit)(void *ctx, const struct fwd_route *route), void *ctx)
{
    struct fwd_route route;

    for (size_t i = 0; i < fib->prefixes.room; i++) {
        if (!fib->prefixes.slots[i].used)
            continue;
        route_fill(fib, &fib->prefixes.slots[i], &route);
        visit(ctx, &route);
    }
}

size_t fwd_fib_count(const struct fwd_fib *fib)
{
    return fib->prefixes.count;
}

size_t fwd_fib_memory_bytes(const struct fwd_fib *fib)
{
    return ROOT_ENTRIES * sizeof *fib->root + fib->prefixes.room * sizeof *fib->prefixes.slots;
}

size_t fwd_nodes_memory_bytes(const struct fwd_nodes *nodes)
{
    return (((size_t)nodes->made + CHUNK_NODES - 1) >> CHUNK_BITS) * CHUNK_SIZE;
}
