/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/prefix_trie.h"

#include <stdlib.h>
#include <string.h>

void trie_init(struct prefix_trie *trie, struct slab *nodes, uint8_t family, uint32_t number)
{
    *trie = (struct prefix_trie){.nodes = nodes, .family = family, .number = number, .start_at = TRIE_START_AT};
}

void trie_fini(struct prefix_trie *trie)
{
    free(trie->starts);
    trie->starts = NULL;
}

static uint64_t load(const uint8_t *octets)
{
    uint64_t value;

    memcpy(&value, octets, sizeof value);
    return __builtin_bswap64(value); /* network order, on machines that are all little-endian */
}

/* The first `length` bits of a word, 64 at the most. */
static uint64_t mask(unsigned length)
{
    return length == 0 ? 0 : UINT64_MAX << (64 - length);
}

static void key_cut(struct trie_key *key, unsigned length)
{
    key->length = (uint8_t)length;
    key->high &= mask(length < 64 ? length : 64);
    key->low &= mask(length < 64 ? 0 : length - 64);
}

struct trie_key trie_key_of(const struct ip_prefix *prefix)
{
    struct trie_key key = {.high = load(prefix->octets), .low = load(prefix->octets + 8)};

    key_cut(&key, prefix->length);
    return key;
}

static void store(uint8_t *octets, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(octets, &value, sizeof value);
}

void trie_prefix_of(const struct trie_node *node, struct ip_prefix *out)
{
    out->family = node->family;
    out->length = node->length;
    store(out->octets, node->high);
    store(out->octets + 8, node->low);
}

static unsigned bit_at(const struct trie_key *key, unsigned at)
{
    return (unsigned)(at < 64 ? key->high >> (63 - at) : key->low >> (127 - at)) & 1;
}

/* How many bits the node and the key have in common from the start, the shorter one's length at the most. */
static unsigned common(const struct trie_node *node, const struct trie_key *key)
{
    unsigned most = node->length < key->length ? node->length : key->length;
    uint64_t high = node->high ^ key->high, low = node->low ^ key->low;
    unsigned same = high != 0 ? (unsigned)__builtin_clzll(high) : low != 0 ? 64 + (unsigned)__builtin_clzll(low) : 128;

    return same < most ? same : most;
}

static bool covers(const struct trie_node *node, const struct trie_key *key)
{
    return node->length <= key->length && common(node, key) == node->length;
}

static struct trie_key key_of(const struct trie_node *node)
{
    return (struct trie_key){.high = node->high, .low = node->low, .length = node->length};
}

static uint32_t node_create(struct prefix_trie *trie, const struct trie_key *key, bool used)
{
    uint32_t index = slab_take(trie->nodes);

    if (index == SLAB_NONE)
        return SLAB_NONE;
    struct trie_node *node = trie_at(trie, index);
    node->high = key->high;
    node->low = key->low;
    node->length = key->length;
    node->family = trie->family;
    node->trie = trie->number;
    node->used = used;
    return index;
}

static void link_child(struct prefix_trie *trie, uint32_t parent, unsigned side, uint32_t child)
{
    if (parent == SLAB_NONE)
        trie->root = child;
    else
        trie_at(trie, parent)->child[side] = child;
    if (child != SLAB_NONE)
        trie_at(trie, child)->parent = parent;
}

/* Of the way to `key`, a node as far down as the table knows; the root where it does not. */
static uint32_t start_of(const struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t at = trie->starts != NULL && key->length >= TRIE_START_BITS
                      ? trie->starts[key->high >> (64 - TRIE_START_BITS)]
                      : SLAB_NONE;

    return at != SLAB_NONE ? at : trie->root;
}

/* Whether the table has the node. A shorter one takes too much of it to be written: that may come many times a second.
 */
static bool in_starts(const struct trie_node *node)
{
    return node->length >= TRIE_START_LEAST && node->length <= TRIE_START_BITS;
}

/*
 * In the table's part that `range` covers `index` takes the place of `before`; that being SLAB_NONE, of whatever is
 * shorter than `range`.
 */
static void starts_set(struct prefix_trie *trie, const struct trie_node *range, uint32_t before, uint32_t index)
{
    if (trie->starts == NULL || !in_starts(range))
        return;
    uint32_t *at = trie->starts + (range->high >> (64 - TRIE_START_BITS));
    const uint32_t *end = at + ((size_t)1 << (TRIE_START_BITS - range->length));
    for (; at < end; at++) {
        bool shorter = before == SLAB_NONE && (*at == SLAB_NONE || trie_at(trie, *at)->length < range->length);
        if (*at == before || shorter)
            *at = index;
    }
}

/* The nodes from the root down to so many bits, shorter ones first; as deep as that. */
static void starts_fill(struct prefix_trie *trie, uint32_t index)
{
    if (index == SLAB_NONE || trie_at(trie, index)->length > TRIE_START_BITS)
        return;
    starts_set(trie, trie_at(trie, index), SLAB_NONE, index);
    starts_fill(trie, trie_at(trie, index)->child[0]);
    starts_fill(trie, trie_at(trie, index)->child[1]);
}

/* Without memory for it the trie is slower, and that is all. */
static void starts_make(struct prefix_trie *trie)
{
    trie->starts = calloc((size_t)1 << TRIE_START_BITS, sizeof trie->starts[0]);
    if (trie->starts != NULL)
        starts_fill(trie, trie->root);
}

/* Puts a prefix between `parent` and `at`, which do not hold it: above `at`, or beside it below a new fork. */
static uint32_t insert_between(struct prefix_trie *trie, const struct trie_key *key, uint32_t parent, unsigned side,
                               uint32_t at)
{
    unsigned same = common(trie_at(trie, at), key);
    uint32_t fresh = node_create(trie, key, true), fork = fresh;
    struct trie_key old = key_of(trie_at(trie, at)), cut = *key;

    if (fresh == SLAB_NONE)
        return SLAB_NONE;
    if (same < key->length) {
        key_cut(&cut, same);
        fork = node_create(trie, &cut, false);
        if (fork == SLAB_NONE) {
            slab_give(trie->nodes, fresh);
            return SLAB_NONE;
        }
        link_child(trie, fork, bit_at(key, same), fresh);
    }
    link_child(trie, fork, bit_at(&old, same), at);
    link_child(trie, parent, side, fork);
    starts_set(trie, trie_at(trie, fork), SLAB_NONE, fork);
    if (fork != fresh)
        starts_set(trie, trie_at(trie, fresh), SLAB_NONE, fresh);
    return fresh;
}

static void count_one(struct prefix_trie *trie)
{
    trie->count++;
    if (trie->starts == NULL && trie->count == trie->start_at)
        starts_make(trie);
}

uint32_t trie_insert(struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t parent = SLAB_NONE, at = start_of(trie, key), fresh;
    unsigned side = 0;

    while (at != SLAB_NONE && covers(trie_at(trie, at), key)) {
        struct trie_node *node = trie_at(trie, at);
        if (node->length == key->length) {
            if (!node->used)
                count_one(trie);
            trie_at(trie, at)->used = true;
            return at;
        }
        parent = at;
        side = bit_at(key, node->length);
        at = node->child[side];
    }
    if (at != SLAB_NONE) {
        fresh = insert_between(trie, key, parent, side, at);
    } else {
        fresh = node_create(trie, key, true);
        if (fresh != SLAB_NONE) {
            link_child(trie, parent, side, fresh);
            starts_set(trie, trie_at(trie, fresh), SLAB_NONE, fresh);
        }
    }
    if (fresh != SLAB_NONE)
        count_one(trie);
    return fresh;
}

static unsigned side_of(const struct prefix_trie *trie, uint32_t parent, uint32_t child)
{
    return parent != SLAB_NONE && trie_at(trie, parent)->child[1] == child;
}

/* Takes out a node that no prefix needs and that forks nothing. */
static void drop_if_idle(struct prefix_trie *trie, uint32_t index)
{
    const struct trie_node *node = trie_at(trie, index);
    uint32_t parent = node->parent, child = node->child[0] != SLAB_NONE ? node->child[0] : node->child[1];

    if (node->used || (node->child[0] != SLAB_NONE && node->child[1] != SLAB_NONE))
        return;
    link_child(trie, parent, side_of(trie, parent, index), child);
    starts_set(trie, node, index, parent != SLAB_NONE && in_starts(trie_at(trie, parent)) ? parent : SLAB_NONE);
    slab_give(trie->nodes, index);
    if (child == SLAB_NONE && parent != SLAB_NONE)
        drop_if_idle(trie, parent); /* a fork of one branch is none: at most once, its other branch is there */
}

void trie_remove(struct prefix_trie *trie, uint32_t node)
{
    trie_at(trie, node)->used = false;
    trie_at(trie, node)->value = 0;
    trie->count--;
    drop_if_idle(trie, node);
    if (trie->count < trie->start_at / 4)
        trie_fini(trie);
}

uint32_t trie_match(const struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t best = SLAB_NONE, start = start_of(trie, key);

    for (uint32_t at = start; at != SLAB_NONE;) {
        const struct trie_node *node = trie_at(trie, at);
        if (!covers(node, key))
            break;
        if (node->used)
            best = at;
        if (node->length == key->length)
            break;
        at = node->child[bit_at(key, node->length)];
    }
    return best != SLAB_NONE || start == trie->root ? best : trie_above(trie, start);
}

uint32_t trie_find(const struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t node = trie_match(trie, key);

    return node != SLAB_NONE && trie_at(trie, node)->length == key->length ? node : SLAB_NONE;
}

uint32_t trie_above(const struct prefix_trie *trie, uint32_t node)
{
    do
        node = trie_at(trie, node)->parent;
    while (node != SLAB_NONE && !trie_at(trie, node)->used);
    return node;
}

/* The highest node that lies within `key`. */
static uint32_t top_within(const struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t at = start_of(trie, key);

    while (at != SLAB_NONE) {
        const struct trie_node *node = trie_at(trie, at);
        if (node->length >= key->length)
            return common(node, key) == key->length ? at : SLAB_NONE;
        if (!covers(node, key))
            return SLAB_NONE;
        at = node->child[bit_at(key, node->length)];
    }
    return SLAB_NONE;
}

/* The next node in pre-order that is not shorter than `length`, which all of a subtree's are. */
static uint32_t step(const struct prefix_trie *trie, uint32_t at, unsigned length)
{
    const struct trie_node *node = trie_at(trie, at);

    if (node->child[0] != SLAB_NONE)
        return node->child[0];
    if (node->child[1] != SLAB_NONE)
        return node->child[1];
    for (;;) {
        uint32_t parent = trie_at(trie, at)->parent;
        if (parent == SLAB_NONE || trie_at(trie, parent)->length < length)
            return SLAB_NONE;
        if (side_of(trie, parent, at) == 0 && trie_at(trie, parent)->child[1] != SLAB_NONE)
            return trie_at(trie, parent)->child[1];
        at = parent;
    }
}

uint32_t trie_within(const struct prefix_trie *trie, const struct trie_key *key, uint32_t node)
{
    uint32_t at = node == SLAB_NONE ? top_within(trie, key) : step(trie, node, key->length);

    while (at != SLAB_NONE && !trie_at(trie, at)->used)
        at = step(trie, at, key->length);
    return at;
}

/* The first used node of the subtree at `at`; every subtree has one. */
static uint32_t first_used(const struct prefix_trie *trie, uint32_t at)
{
    while (at != SLAB_NONE && !trie_at(trie, at)->used)
        at = step(trie, at, 0);
    return at;
}

uint32_t trie_after(const struct prefix_trie *trie, const struct trie_key *key)
{
    uint32_t at = trie->root, right = SLAB_NONE; /* the nearest subtree to the right of the way down */

    while (at != SLAB_NONE) {
        const struct trie_node *node = trie_at(trie, at);
        struct trie_key own = key_of(node);
        if (node->length > key->length || !covers(node, key)) {
            unsigned same = common(node, key);
            return same == key->length || bit_at(&own, same) == 1 ? first_used(trie, at) : first_used(trie, right);
        }
        if (node->length == key->length)
            return first_used(trie, step(trie, at, 0));
        unsigned side = bit_at(key, node->length);
        if (side == 0 && node->child[1] != SLAB_NONE)
            right = node->child[1];
        at = node->child[side];
    }
    return first_used(trie, right);
}

uint32_t trie_first(const struct prefix_trie *trie)
{
    return first_used(trie, trie->root);
}
