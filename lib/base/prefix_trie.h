/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prefixes of one family in a path-compressed binary trie (Patricia): exact and longest match, what covers a prefix
 * and what lies within it. Nodes are items of a slab that several tries may share. Of n prefixes at most 2n - 1 nodes.
 * A large trie has a table by the first bits of a prefix that spares the way down to them: a node on the way is a cache
 * line from memory. One owner thread.
 */
#ifndef BASE_PREFIX_TRIE_H
#define BASE_PREFIX_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/slab.h"

/* A prefix as numbers: bits from the top of `high`, then of `low`; those beyond the length are zero. */
struct trie_key {
    uint64_t high, low;
    uint8_t length;
};

struct trie_node {
    uint64_t high, low;
    uint32_t child[2]; /* by the first bit after the node's own */
    uint32_t parent;
    uint32_t value; /* the owner's; 0 at first */
    uint32_t trie;  /* the number of the trie it is in */
    uint8_t length;
    uint8_t family; /* enum ip_family */
    bool used;      /* a prefix was inserted here; else the node only forks */
};

#define TRIE_START_BITS  20
#define TRIE_START_LEAST 8     /* bits of the nodes in the table: what is written for one is 16 KiB at the most */
#define TRIE_START_AT    65536 /* prefixes from which on the table pays */

struct prefix_trie {
    struct slab *nodes; /* of struct trie_node */
    uint32_t root;
    uint32_t number; /* the owner's */
    uint8_t family;  /* enum ip_family */
    size_t count;    /* prefixes */
    size_t start_at; /* TRIE_START_AT; tests set another one */
    /* By the first bits: the longest node of LEAST to BITS bits that covers them all, SLAB_NONE: none. NULL: no table.
     */
    uint32_t *starts;
};

/* `nodes` must be a slab of struct trie_node and outlive the trie; it belongs to the caller. */
void trie_init(struct prefix_trie *trie, struct slab *nodes, uint8_t family, uint32_t number);

/* Gives back what is not the slab's; the trie is empty, or its slab goes next. */
void trie_fini(struct prefix_trie *trie);

struct trie_key trie_key_of(const struct ip_prefix *prefix);
void trie_prefix_of(const struct trie_node *node, struct ip_prefix *out);

/* The node of a prefix, made where there was none; SLAB_NONE when memory is short. */
uint32_t trie_insert(struct prefix_trie *trie, const struct trie_key *key);
/* Forgets the prefix of a used node. Other nodes keep their indices. */
void trie_remove(struct prefix_trie *trie, uint32_t node);

/* Used nodes only; SLAB_NONE: there is none. */
uint32_t trie_find(const struct prefix_trie *trie, const struct trie_key *key);
/* The longest prefix that covers `key` or equals it. */
uint32_t trie_match(const struct prefix_trie *trie, const struct trie_key *key);
/* The next shorter prefix that covers this node. */
uint32_t trie_above(const struct prefix_trie *trie, uint32_t node);
/*
 * Prefixes within `key`, itself included, a shorter one before those in it: SLAB_NONE starts, SLAB_NONE ends. `node`
 * must still be there.
 */
uint32_t trie_within(const struct prefix_trie *trie, const struct trie_key *key, uint32_t node);

/* The first prefix after `key` in the same order, of the whole trie, whether or not `key` is in it. */
uint32_t trie_after(const struct prefix_trie *trie, const struct trie_key *key);
/* The first of all. */
uint32_t trie_first(const struct prefix_trie *trie);

static inline struct trie_node *trie_at(const struct prefix_trie *trie, uint32_t node)
{
    return slab_at(trie->nodes, node);
}

#endif
