/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/vpn_index.h"

#include <stdlib.h>
#include <string.h>

#define IS_SET     0x80000000u /* of a node's value: the rest is a set, else the one holder itself */
#define ROOM_FIRST 4

/* Holders of one prefix, by number. */
struct holders {
    uint32_t *nodes;
    uint32_t count, room;
};

void vpn_index_init(struct vpn_index *index)
{
    *index = (struct vpn_index){0};
    slab_init(&index->nodes, sizeof(struct trie_node));
    slab_init(&index->sets, sizeof(struct holders));
    trie_init(&index->tries[0], &index->nodes, IP_V4, 0);
    trie_init(&index->tries[1], &index->nodes, IP_V6, 0);
}

static struct holders *set_of(const struct vpn_index *index, uint32_t value)
{
    return slab_at(&index->sets, value & ~IS_SET);
}

void vpn_index_clear(struct vpn_index *index)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct prefix_trie *trie = &index->tries[i];
        const struct trie_key all = {0};
        uint32_t at = trie->root != SLAB_NONE ? trie_within(trie, &all, SLAB_NONE) : SLAB_NONE;
        for (; at != SLAB_NONE; at = trie_within(trie, &all, at))
            if ((trie_at(trie, at)->value & IS_SET) != 0)
                free(set_of(index, trie_at(trie, at)->value)->nodes);
        trie_fini(&index->tries[i]);
    }
    slab_clear(&index->nodes);
    slab_clear(&index->sets);
    free(index->chosen);
}

static struct trie_key key_of(const struct trie_node *node)
{
    return (struct trie_key){.high = node->high, .low = node->low, .length = node->length};
}

/* Where the holder is among those of the set, or would be. */
static uint32_t place_of(const struct holders *set, uint32_t number)
{
    uint32_t low = 0, high = set->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->nodes[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool set_add(struct vpn_index *index, struct holders *set, uint32_t number)
{
    if (set->count == set->room) {
        uint32_t room = set->room == 0 ? ROOM_FIRST : 2 * set->room;
        uint32_t *bigger = realloc(set->nodes, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        set->nodes = bigger;
        set->room = room;
    }
    if (set->room > index->room) {
        uint32_t *bigger = realloc(index->chosen, set->room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        index->chosen = bigger;
        index->room = set->room;
    }
    uint32_t place = place_of(set, number);
    memmove(&set->nodes[place + 1], &set->nodes[place], (set->count - place) * sizeof set->nodes[0]);
    set->nodes[place] = number;
    set->count++;
    return true;
}

/* A second holder: both make a set. */
static bool set_begin(struct vpn_index *index, struct trie_node *at, uint32_t number)
{
    uint32_t set = slab_take(&index->sets);

    if (set == SLAB_NONE)
        return false;
    struct holders *holders = slab_at(&index->sets, set);
    if (set_add(index, holders, at->value) && set_add(index, holders, number)) {
        at->value = set | IS_SET;
        return true;
    }
    free(holders->nodes);
    slab_give(&index->sets, set);
    return false;
}

bool vpn_index_add(struct vpn_index *index, const struct trie_node *node, uint32_t number)
{
    struct prefix_trie *trie = &index->tries[node->family == IP_V6];
    const struct trie_key key = key_of(node);
    uint32_t at_number = trie_insert(trie, &key);

    if (at_number == SLAB_NONE)
        return false;
    struct trie_node *at = trie_at(trie, at_number);
    if (at->value == SLAB_NONE) {
        at->value = number;
        return true;
    }
    return (at->value & IS_SET) != 0 ? set_add(index, set_of(index, at->value), number) : set_begin(index, at, number);
}

void vpn_index_remove(struct vpn_index *index, const struct trie_node *node, uint32_t number)
{
    struct prefix_trie *trie = &index->tries[node->family == IP_V6];
    const struct trie_key key = key_of(node);
    uint32_t at_number = trie_find(trie, &key);
    struct trie_node *at = trie_at(trie, at_number);

    if ((at->value & IS_SET) == 0) {
        trie_remove(trie, at_number);
        return;
    }
    struct holders *set = set_of(index, at->value);
    uint32_t place = place_of(set, number);
    set->count--;
    memmove(&set->nodes[place], &set->nodes[place + 1], (set->count - place) * sizeof set->nodes[0]);
    if (set->count > 1)
        return;
    uint32_t last = set->nodes[0], set_number = at->value & ~IS_SET;
    free(set->nodes);
    slab_give(&index->sets, set_number);
    at->value = last;
}

const struct prefix_trie *vpn_index_trie(const struct vpn_index *index, unsigned family)
{
    return &index->tries[family == IP_V6];
}

const uint32_t *vpn_index_holders(const struct vpn_index *index, const struct trie_node *at, size_t *count)
{
    if ((at->value & IS_SET) == 0) {
        *count = 1;
        return &at->value;
    }
    *count = set_of(index, at->value)->count;
    return set_of(index, at->value)->nodes;
}

size_t vpn_index_memory(const struct vpn_index *index)
{
    return slab_memory(&index->nodes) + slab_memory(&index->sets) + index->room * sizeof index->chosen[0];
}
