/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of the unicast RIB: what unicast_rib.c keeps and unicast_query.c reads. Private to lib/bgp.
 */
#ifndef BGP_UNICAST_TABLE_H
#define BGP_UNICAST_TABLE_H

#include "base/prefix_trie.h"
#include "base/slab.h"
#include "bgp/ages.h"
#include "bgp/best_path.h"
#include "bgp/next_hops.h"
#include "bgp/unicast_rib.h"
#include "bgp/vpn_index.h"

/* 40 octets: a full table from each of several peers is millions of them. */
struct unicast_path {
    uint32_t next; /* other paths of the same prefix: the best is the first */
    uint32_t node; /* the prefix */
    uint32_t previous_of_source, next_of_source;
    struct bgp_shared_attrs *attrs;
    uint32_t path_id;
    uint16_t source;             /* slot in `sources` */
    uint16_t age : BGP_AGE_BITS; /* bgp/ages.h */
    uint16_t long_lived : 1;     /* and the owner was told */
    /* Paths that rest on the same next hop; indices have 31 bits. */
    uint32_t previous_of_hop : 31, judged : 1;  /* not: it counts in any case, and is on no list */
    uint32_t next_of_hop : 31, unreachable : 1; /* what its prefix was decided by; never without `judged` */
};

_Static_assert(sizeof(struct unicast_path) == 40, "it does not grow unnoticed");

/* Prefixes of one family and route distinguisher; their nodes' values are paths. */
struct unicast_table {
    struct prefix_trie trie; /* its number is the table's index */
    uint32_t family;
    uint8_t rd[8];
};

/*
 * Somebody who keeps account of what changed by node and path (route_out.c). Called before anything is given back; the
 * RIB must not be changed from there.
 */
struct unicast_watch {
    struct unicast_watch *next;
    /* The best path of a node is another one or has other attributes; a node without a value is about to go. */
    void (*best)(struct unicast_watch *watch, uint32_t node);
    /* A path is new or has other attributes; `gone`: it is about to go. */
    void (*path)(struct unicast_watch *watch, uint32_t path, bool gone);
};

#define UNICAST_FAMILY_COUNT 4

/* What one source has here. */
struct unicast_source {
    const struct bgp_source *source;            /* NULL: the slot is free */
    uint32_t first;                             /* of its paths */
    struct bgp_ages ages[UNICAST_FAMILY_COUNT]; /* octets: each path counted as if it shared its attributes with none */
    size_t total;
    size_t unreachable;          /* of its paths, those whose next hop cannot be reached */
    uint32_t at;                 /* of the walk under way: the path whose turn is next */
    bool walks, walks_once_more; /* there is one; something was marked since it began */
};

struct bgp_unicast {
    const struct bgp_unicast_ops *ops;
    void *ctx;
    struct slab nodes, paths, tables;
    uint32_t *order; /* the tables by family and route distinguisher */
    size_t table_count, table_room;
    struct vpn_index vpn;           /* nodes of VPN tables by their prefixes */
    uint32_t last_table;            /* the one found last: what comes next is mostly of the same; SLAB_NONE: none */
    struct unicast_source *sources; /* as many as peers: few */
    size_t source_count;
    struct bgp_attrs_pool pool;
    struct bgp_next_hops hops;
    struct bgp_choice *choices; /* scratch for one comparison */
    size_t choice_room;
    struct unicast_watch *watches;
};

static inline struct unicast_path *unicast_path_at(const struct bgp_unicast *rib, uint32_t index)
{
    return slab_at(&rib->paths, index);
}

/* NULL: the slot is not in use. */
static inline const struct unicast_path *unicast_path_used(const struct bgp_unicast *rib, uint32_t index)
{
    const struct unicast_path *path = unicast_path_at(rib, index);

    return path->attrs != NULL ? path : NULL;
}

/* The table of a node that is in use. */
static inline const struct unicast_table *unicast_table_of(const struct bgp_unicast *rib, uint32_t node)
{
    return (const struct unicast_table *)slab_at(&rib->tables,
                                                 ((const struct trie_node *)slab_at(&rib->nodes, node))->trie);
}

static inline unsigned unicast_family_index(uint32_t family)
{
    return family == BGP_IPV4_UNICAST ? 0 : family == BGP_IPV6_UNICAST ? 1 : family == BGP_IPV4_VPN ? 2 : 3;
}

static inline bool unicast_is_vpn(uint32_t family)
{
    return (family & (BGP_IPV4_VPN | BGP_IPV6_VPN)) != 0;
}

/* The ages among which a path's is one. */
static inline struct bgp_ages *unicast_ages_of(const struct bgp_unicast *rib, const struct unicast_path *path)
{
    return &rib->sources[path->source].ages[unicast_family_index(unicast_table_of(rib, path->node)->family)];
}

struct unicast_source *unicast_source_find(const struct bgp_unicast *rib, const struct bgp_source *source);
size_t unicast_table_place(const struct bgp_unicast *rib, uint32_t family, const uint8_t *rd);
struct unicast_table *unicast_table_find(const struct bgp_unicast *rib, uint32_t family, const uint8_t *rd);

void unicast_route_of(const struct unicast_table *table, const struct trie_node *node, struct bgp_route *route);
/* A path as the decision process sees it. */
static inline struct bgp_choice unicast_choice(const struct bgp_unicast *rib, uint32_t index)
{
    const struct unicast_path *path = unicast_path_at(rib, index);

    return (struct bgp_choice){.source = rib->sources[path->source].source,
                               .attrs = &path->attrs->attrs,
                               .unreachable = path->unreachable,
                               .metric = path->judged ? path->attrs->hop->reach.metric : BGP_METRIC_UNKNOWN,
                               .path_id = path->path_id,
                               .long_lived = path->long_lived};
}

/* Whether a node has a route: a path at all, and a best one that counts. */
static inline bool unicast_has_route(const struct bgp_unicast *rib, const struct trie_node *node)
{
    return node->value != SLAB_NONE && !unicast_path_at(rib, node->value)->unreachable;
}

/* Puts the best path of a node in front. */
void unicast_choose_best(struct bgp_unicast *rib, struct trie_node *node);
/* Tells everybody of a path that is another one now (SLAB_NONE: none is), and the owner of the prefix. */
void unicast_changed(struct bgp_unicast *rib, uint32_t path, uint32_t node, bool best_changed);

/* unicast_reach.c: the next hop of a set; false: memory is short. */
bool unicast_reach_take(struct bgp_unicast *rib, struct bgp_shared_attrs *shared);
void unicast_reach_link(struct bgp_unicast *rib, uint32_t path); /* it has its attributes, which have a next hop */
void unicast_reach_unlink(struct bgp_unicast *rib,
                          uint32_t path); /* of one that is judged: before it gives them back */

void unicast_view(const struct bgp_unicast *rib, uint32_t index, struct bgp_unicast_path *out);

#endif
