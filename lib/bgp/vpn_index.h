/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Labelled VPN routes by prefix, whatever their route distinguishers: a question about a prefix costs by the tables
 * that hold it, not by all there are. A prefix that one table holds, as most are, costs a node of a trie and no more.
 * Private to lib/bgp.
 */
#ifndef BGP_VPN_INDEX_H
#define BGP_VPN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix_trie.h"

struct vpn_index {
    struct slab nodes, sets;
    struct prefix_trie tries[2]; /* IPv4, IPv6 */
    uint32_t *chosen;            /* room for the members of the largest set there was: whoever asks may use it */
    size_t room;
};

void vpn_index_init(struct vpn_index *index);
void vpn_index_clear(struct vpn_index *index);

/* The node of a table holds its prefix from now on, or no longer. False: memory is short, and nothing has changed. */
bool vpn_index_add(struct vpn_index *index, const struct trie_node *node, uint32_t number);
void vpn_index_remove(struct vpn_index *index, const struct trie_node *node, uint32_t number);

/* The prefixes of a family (enum ip_family) that some table holds. */
const struct prefix_trie *vpn_index_trie(const struct vpn_index *index, unsigned family);
/* The nodes of tables that hold the prefix of a node of that trie, `*count` of them, at least one. */
const uint32_t *vpn_index_holders(const struct vpn_index *index, const struct trie_node *at, size_t *count);

size_t vpn_index_memory(const struct vpn_index *index);

#endif
