/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few packets of a burst that the first shape of destinations leaves over, in a near table. A loop over few packets
 * costs its end more than its work, so there are few loops here: by the first other shape that a packet wants to a
 * destination, by a source of it to a rule, or by its ports to the rules in cells; and then all rules found are
 * compared in one loop. What does not go that way (more shapes, more rules) is rare, and left to the others.
 */
#ifndef CLASSIFIER_WALK_LEFT_H
#define CLASSIFIER_WALK_LEFT_H

#include "classifier/walk_cells.h"
#include "classifier/walk_steps.h"

/* A rule found for a packet. */
struct left_one {
    const struct compiled *rule;
    unsigned packet;
};

/* Bit i: packet i. */
struct left {
    uint64_t sourced;  /* is at a destination with sources of one shape */
    uint64_t by_cells; /* wants no shape, and all other rules for it are in cells, which are near */
    uint64_t more;     /* has more shapes or rules than are looked at here */
    uint64_t crowded;  /* has more than one rule in cells */
    unsigned count;    /* of `ones` */
    struct left_one ones[CLS_BURST_MAX * CELLS_LANES];
    /* by packet */
    uint64_t wanted[CLS_BURST_MAX];                       /* shapes of destinations */
    const struct destination *destination[CLS_BURST_MAX]; /* the one that was found */
    const struct shapes *source_shapes[CLS_BURST_MAX];    /* its */
};

/* Packets that are still to be looked at: by their destinations, and then or at once by the rules without. */
struct left_over {
    uint64_t steps, rest;
};

/* 1: more than one tag fits. */
static inline uint64_t fits_several(unsigned fits)
{
    return (fits & (fits - 1)) != 0;
}

/* 1: the group is more than one rule. */
static inline uint64_t group_is_more(uintptr_t group)
{
    return (group & GROUP_KIND) != GROUP_ONE;
}

/* Puts packet i's rule into the list, if the group is one and it counts. */
static inline unsigned left_add(struct left *l, unsigned count, uintptr_t group, unsigned i, unsigned counts)
{
    l->ones[count] = (struct left_one){(const struct compiled *)group, i};
    return count + (counts & group_is_rule(group));
}

/* Which of these packets want any shape, and what shapes. */
static inline uint64_t left_wanted(struct left *l, const struct view views[2], const struct pkt_key *keys,
                                   uint64_t packets, uint64_t passed)
{
    const uint64_t near[2] = {views[0].by_cells & !views[0].large, views[1].by_cells & !views[1].large};
    uint64_t some = 0, by_cells = 0;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left), family = place_family_index(keys[i].family);
        const struct view *view = &views[family];
        l->wanted[i] = destinations_walk(view->family, view->shapes, &keys[i]).wanted & ~(passed >> i & 1);
        some |= (uint64_t)(l->wanted[i] != 0) << i;
        by_cells |= near[family] << i;
    }
    l->by_cells = by_cells & ~some;
    return some;
}

/* The first shape that packet i wants. */
static inline void left_destination(struct left *l, const struct places *places, const struct view views[2],
                                    const struct pkt_key *key, unsigned i)
{
    const struct view *view = &views[place_family_index(key->family)];
    const struct shape *shape = shapes_at(view->shapes, (unsigned)__builtin_ctzll(l->wanted[i]));
    uint64_t address[2];

    mask_address(address, key->dst, shape);
    uint64_t hash = place_hash(address, places->seed, shape->salt);
    const struct hash_bucket *bucket = hash_bucket_of(&places->destinations, hash);
    unsigned fits = bucket_fits(bucket, hash);
    const struct destination *d = item_or(bucket_item(bucket, fits), &single_nowhere);
    unsigned own = destination_same(d, address, hash);
    own &= destination_has_ports(d, key->protocol, key->dst_port);
    const struct shapes *sources = item_or(rcu_load(&d->sources), &shapes_none);
    uintptr_t group = group_load(&d->any_source);
    uint64_t here = (sources->count > 1) | ((sources->count == 0) & group_is_more(group));
    l->destination[i] = d;
    l->source_shapes[i] = sources;
    l->count = left_add(l, l->count, group, i, own & (sources->count == 0));
    l->sourced |= (uint64_t)(own & (sources->count == 1)) << i;
    l->more |= (fits_several(fits) | ((l->wanted[i] & (l->wanted[i] - 1)) != 0) | (own & here)) << i;
}

/* The one source that packet i may have at its destination, or the rules there that have none. */
static inline void left_source(struct left *l, const struct places *places, const struct pkt_key *key, unsigned i)
{
    const struct destination *d = l->destination[i];
    const struct shape *shape = shapes_at(l->source_shapes[i], 0);
    uint64_t address[2];

    mask_address(address, key->src, shape);
    uint64_t hash = place_hash(address, d->item.hash, shape->salt);
    const struct hash_bucket *bucket = hash_bucket_of(&places->sources, hash);
    unsigned fits = bucket_fits(bucket, hash);
    const struct source *source = item_or(bucket_item(bucket, fits), &sourced_nobody);
    uintptr_t is = -(uintptr_t)source_is(source, d, address, hash), any = group_load(&d->any_source);
    uintptr_t group = (group_load(&source->rules) & is) | (any & ~is);
    l->count = left_add(l, l->count, group, i,
                        (is != 0) | !fits_several(fits)); /* if another fits, it may be that one's turn */
    l->more |= (fits_several(fits) | ((any & is) != 0) | group_is_more(group)) << i;
}

/* The rules in these packets' cells. */
static inline void left_cells(struct left *l, const struct view views[2], const struct pkt_key *keys, uint64_t packets)
{
    uint64_t crowded = 0;
    unsigned count = l->count;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct view *view = &views[place_family_index(keys[i].family)];
        uintptr_t kinds = 0;
        for (unsigned lane = 0; lane < CELLS_LANES; lane++) {
            const struct view_cells *cells = &view->cells[lane];
            uintptr_t group = group_load(&cells->groups[cells_port(&keys[i], lane) >> cells->shift]);
            count = left_add(l, count, group, i, 1);
            kinds |= group;
        }
        crowded |= group_is_more(kinds) << i;
    }
    l->crowded = crowded;
    l->count = count;
}

/* Compares the rules found. Which packets have a match. */
static inline uint64_t left_compare(struct left *l, const struct pkt_key *keys, uint32_t *ids)
{
    uint64_t done = 0;

    for (unsigned n = 0; n < l->count; n++) {
        const struct compiled *rule = l->ones[n].rule;
        unsigned i = l->ones[n].packet;
        struct box_key own;
        box_key_fill(&own, &keys[i]);
        uint64_t holds = (uint64_t)box_holds(&rule->box, &own) & list_holds(rule, &own);
        if (__builtin_expect(rule->judged, 0))
            holds = single_judge(rule, &own, &keys[i]);
        l->crowded |= done & holds << i; /* which of the two comes first is not asked here */
        ids[i] = holds ? rule->box.id : ids[i];
        done |= holds << i;
    }
    return done;
}

/* The answers of these packets, which have none so far. */
static __attribute__((noinline)) struct left_over walk_left(const struct places *places, const struct view views[2],
                                                            const struct pkt_key *keys, uint32_t *ids, uint64_t packets,
                                                            uint64_t passed)
{
    struct left l;

    l.sourced = l.more = l.count = 0;
    const uint64_t some = left_wanted(&l, views, keys, packets, passed), rest = packets & ~some;
    for (uint64_t left = some; left != 0;) {
        unsigned i = bits_take(&left);
        left_destination(&l, places, views, &keys[i], i);
    }
    left_cells(&l, views, keys, l.by_cells);
    for (uint64_t left = l.sourced; left != 0;) {
        unsigned i = bits_take(&left);
        left_source(&l, places, &keys[i], i);
    }
    const uint64_t undone = some & ~left_compare(&l, keys, ids);
    return (struct left_over){undone & l.more, (rest & ~l.by_cells) | l.crowded | (undone & ~l.more)};
}

#endif
