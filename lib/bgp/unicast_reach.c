/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unicast RIB and the reachability of next hops: which paths rest on which next hop, and their decision made again
 * when it comes or goes (RFC 4271 9.1.2). A path's own `unreachable` is what its prefix was decided by: it follows the
 * next hop's reach when the walk over that next hop's paths comes by.
 */
#include "bgp/communities.h"
#include "bgp/unicast_rib.h"
#include "bgp/unicast_table.h"

void bgp_unicast_reach_by(struct bgp_unicast *rib, const struct bgp_reach_ops *ops, void *ctx)
{
    rib->hops.ops = ops;
    rib->hops.ctx = ctx;
}

bool unicast_reach_take(struct bgp_unicast *rib, struct bgp_shared_attrs *shared)
{
    if (rib->hops.ops != NULL && shared->hop == NULL && shared->attrs.next_hop.family != IP_NONE)
        shared->hop = bgp_next_hops_take(&rib->hops, &shared->attrs.next_hop);
    return rib->hops.ops == NULL || shared->hop != NULL || shared->attrs.next_hop.family == IP_NONE;
}

/* Whether the path is left out while its next hop cannot be reached. */
static bool is_judged(const struct bgp_unicast *rib, const struct unicast_path *path)
{
    const struct bgp_source *source = rib->sources[path->source].source;

    if (!source->next_hops_judged)
        return false;
    if ((unicast_table_of(rib, path->node)->family & (BGP_IPV4_UNICAST | BGP_IPV6_UNICAST)) == 0)
        return false;
    return !source->blackholes || !bgp_communities_have(&path->attrs->attrs, BGP_BLACKHOLE);
}

/* A route to a prefix that its own next hop is in, by nothing longer: it would be the way to itself. */
static bool leads_over_itself(const struct bgp_unicast *rib, const struct unicast_path *path)
{
    const struct trie_node *node = slab_at(&rib->nodes, path->node);
    const struct bgp_next_hop *hop = path->attrs->hop;
    struct ip_prefix prefix;

    if (node->length <= hop->reach.own_max)
        return false;
    trie_prefix_of(node, &prefix);
    return prefix.family == hop->address.family && ip_bits_equal(prefix.octets, hop->address.octets, prefix.length);
}

static bool is_unreachable(const struct bgp_unicast *rib, const struct unicast_path *path)
{
    return path->attrs->hop->reach.unreachable || leads_over_itself(rib, path);
}

static void count_unreachable(struct bgp_unicast *rib, const struct unicast_path *path, bool more)
{
    if (path->unreachable)
        rib->sources[path->source].unreachable += more ? 1 : SIZE_MAX;
}

void unicast_reach_link(struct bgp_unicast *rib, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);
    struct bgp_next_hop *hop = path->attrs->hop;

    if (!is_judged(rib, path))
        return;
    path->judged = 1;
    path->unreachable = is_unreachable(rib, path);
    path->previous_of_hop = SLAB_NONE;
    path->next_of_hop = hop->first_path;
    if (hop->first_path != SLAB_NONE)
        unicast_path_at(rib, hop->first_path)->previous_of_hop = index;
    hop->first_path = index;
    count_unreachable(rib, path, true);
}

void unicast_reach_unlink(struct bgp_unicast *rib, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);
    struct bgp_next_hop *hop = path->attrs->hop;

    if (hop->cursor == index)
        hop->cursor = path->next_of_hop;
    if (path->previous_of_hop != SLAB_NONE)
        unicast_path_at(rib, path->previous_of_hop)->next_of_hop = path->next_of_hop;
    else
        hop->first_path = path->next_of_hop;
    if (path->next_of_hop != SLAB_NONE)
        unicast_path_at(rib, path->next_of_hop)->previous_of_hop = path->previous_of_hop;
    count_unreachable(rib, path, false);
    path->judged = path->unreachable = 0;
}

/* The prefix of a path is decided again: its next hop came, went, or is nearer or farther now. */
static void path_visit(struct bgp_unicast *rib, uint32_t index)
{
    struct unicast_path *path = unicast_path_at(rib, index);
    struct trie_node *node = slab_at(&rib->nodes, path->node);
    const bool unreachable = is_unreachable(rib, path);
    const uint32_t before = node->value;
    const bool turned = path->unreachable != unreachable;

    count_unreachable(rib, path, false);
    path->unreachable = unreachable;
    count_unreachable(rib, path, true);
    unicast_choose_best(rib, node);
    bool best_changed = node->value != before || (turned && node->value == index);
    if (!turned && !best_changed)
        return;
    unicast_changed(rib, turned ? index : SLAB_NONE, path->node, best_changed);
}

void bgp_unicast_reach_again(struct bgp_unicast *rib)
{
    rib->hops.again = true;
}

void bgp_unicast_reach_forgive(struct bgp_unicast *rib)
{
    rib->hops.epoch++;
    rib->hops.again = true;
}

/* Asks about at most `max` next hops, until what rests on one of them is due. */
static void round_go_on(struct bgp_next_hops *hops, size_t max)
{
    if (hops->round == NULL && hops->again) {
        hops->again = false;
        hops->round = TAILQ_FIRST(&hops->all);
    }
    for (; max > 0 && hops->round != NULL && TAILQ_EMPTY(&hops->due); max--) {
        struct bgp_next_hop *hop = hops->round;
        hops->round = TAILQ_NEXT(hop, all);
        bgp_next_hops_ask(hops, hop);
    }
}

bool bgp_unicast_reach_run(struct bgp_unicast *rib, size_t asked_max, size_t paths_max)
{
    struct bgp_next_hops *hops = &rib->hops;
    struct bgp_next_hop *hop;

    if (TAILQ_EMPTY(&hops->due))
        round_go_on(hops, asked_max);
    while ((hop = TAILQ_FIRST(&hops->due)) != NULL && paths_max > 0) {
        uint32_t index = hop->cursor;
        if (index == SLAB_NONE) {
            TAILQ_REMOVE(&hops->due, hop, due);
            hop->is_due = false;
            continue;
        }
        hop->cursor = unicast_path_at(rib, index)->next_of_hop;
        path_visit(rib, index);
        paths_max--;
    }
    return !TAILQ_EMPTY(&hops->due) || hops->round != NULL || hops->again;
}

size_t bgp_unicast_source_unreachable(const struct bgp_unicast *rib, const struct bgp_source *source)
{
    const struct unicast_source *record = unicast_source_find(rib, source);

    return record != NULL ? record->unreachable : 0;
}

size_t bgp_unicast_next_hops(const struct bgp_unicast *rib)
{
    return rib->hops.count;
}
