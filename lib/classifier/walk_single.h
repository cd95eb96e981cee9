/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first shape of destinations, for all packets at once. Where each family has one shape at most (most often all
 * rules are for hosts) this is all: packets that find nothing, as most do on a quiet day, cost one probe and no more.
 */
#ifndef CLASSIFIER_WALK_SINGLE_H
#define CLASSIFIER_WALK_SINGLE_H

#include "classifier/walk_sourced.h"

/* Where a port of a packet leads to, by a shift; an empty cell where there are none. */
struct view_cells {
    const group_ref *groups;
    unsigned shift;
};

/* What a burst knows of a family from its start. */
struct view {
    const struct place_family *family;
    const struct shapes *shapes;          /* of destinations */
    const struct shape *shape;            /* the first of these */
    bool single;                          /* there is one of these, or none */
    bool first;                           /* most destinations are of that shape */
    bool filtered;                        /* they are so many that a filter says which to probe for */
    bool rest;                            /* there are rules without a destination */
    bool by_cells;                        /* and all of these are in `cells` */
    bool large;                           /* `index` does not stay in the cache */
    const struct group_index *index;      /* the rules without destination and source; NULL: they are not so many */
    struct view_cells cells[CELLS_LANES]; /* its */
};

static inline struct view_cells view_cells_set(const struct cells *cells, unsigned shift)
{
    static const group_ref NO_RULES;

    return cells != NULL ? (struct view_cells){cells->groups, shift} : (struct view_cells){&NO_RULES, 16};
}

static inline void view_set_index(struct view *view, const struct group_index *index, bool sourceless)
{
    view->index = index;
    view->large = atomic_load_explicit(&index->large, memory_order_relaxed);
    view->by_cells = sourceless && rcu_load(&index->narrow.root) == NULL && rcu_load(&index->wide.root) == NULL &&
                     atomic_load_explicit(&index->lanes, memory_order_acquire) == 0;
    for (unsigned i = 0; i < CELLS_LANES; i++)
        view->cells[i] = view_cells_set(rcu_load(&index->cells[i]), index->shift);
}

static inline struct view view_set(const struct place_family *family)
{
    const struct destination *any = &family->any;
    uintptr_t group = group_load(&any->any_source);
    struct view view = {.family = family, .shapes = rcu_load(&family->shapes)};
    bool sourceless = rcu_load(&any->sources) == NULL;

    view.shape = view.shapes != NULL ? shapes_at(view.shapes, 0) : NULL;
    view.single = view.shapes == NULL || view.shapes->count == 1;
    view.first = view.shapes != NULL && atomic_load_explicit(&family->first_most, memory_order_acquire);
    view.filtered = view.shapes != NULL && view.shapes->count >= SHAPES_FILTERED_MIN;
    view.rest = group != 0 || !sourceless;
    if ((group & GROUP_KIND) == GROUP_INDEX)
        view_set_index(&view, (const struct group_index *)(group & ~(uintptr_t)GROUP_KIND), sourceless);
    return view;
}

/* A bucket that was asked for. */
struct probe {
    uint64_t hash;
    const struct hash_bucket *bucket;
    uint16_t shape; /* of destinations: which */
    uint16_t fits;  /* bit i: the tag of entry i does */
};

/* Bit i: packet i. */
struct packets {
    uint64_t matchable; /* rules can match it, whatever they are */
    uint64_t probed;    /* and there are destinations in its family */
    uint64_t first;     /* and most of these are of the first shape */
    uint64_t rest;      /* and there are rules without */
};

/* `matchable`, `second`: bit i: packet i can match, is of the second family. */
static inline struct packets packets_set(const struct view views[2], uint64_t matchable, uint64_t second)
{
    uint64_t shaped = (views[0].shapes != NULL ? ~second : 0) | (views[1].shapes != NULL ? second : 0);
    uint64_t first = (views[0].first ? ~second : 0) | (views[1].first ? second : 0);
    uint64_t rest = (views[0].rest ? ~second : 0) | (views[1].rest ? second : 0);

    return (struct packets){
        .matchable = matchable, .probed = matchable & shaped, .first = matchable & first, .rest = matchable & rest};
}

/* The one probe of each packet of a burst. */
struct single {
    uint64_t hashes[CLS_BURST_MAX];
    uint64_t address[2][CLS_BURST_MAX]; /* masked */
    const struct hash_bucket *buckets[CLS_BURST_MAX];
    uint32_t fits[CLS_BURST_MAX]; /* bit e: the tag of entry e does */
};

/* A shape to probe by where a family has none, for nothing. */
static const struct shape single_none;

/* cls_key_matchable as bit 63, without a compare: see place_family_index. */
static inline uint64_t single_matchable(const struct pkt_key *key)
{
    unsigned sound = ((unsigned)key->malformed - 1) >> 8, ip = key->family >> 2;

    return (uint64_t)(sound & ip) << 63;
}

/* Where no family has destinations. */
static inline struct packets packets_look(const struct view views[2], const struct pkt_key *keys, unsigned count)
{
    uint64_t matchable = 0, second = 0;

    for (unsigned i = 0; i < count; i++) {
        matchable |= single_matchable(&keys[i]) >> 63 << i;
        second |= (uint64_t)place_family_index(keys[i].family) << i;
    }
    return packets_set(views, matchable, second);
}

/*
 * Every packet is hashed and its bucket asked for, or looked into, in the same pass that takes a first look at the
 * packets: what is asked for while others are still on their way is not waited for later.
 */
static inline struct packets single_hash(const struct places *places, const struct view views[2],
                                         const struct pkt_key *keys, unsigned count, struct single *s, bool staged)
{
    const struct shape *const shapes[2] = {views[0].shape != NULL ? views[0].shape : &single_none,
                                           views[1].shape != NULL ? views[1].shape : &single_none};
    const struct hash_view table = hash_view_of(&places->destinations);
    const uint64_t seed = places->seed;
    uint64_t matchable = 0, second = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned family = place_family_index(keys[i].family);
        const struct shape *shape = shapes[family];
        uint64_t address[2];
        mask_address(address, keys[i].dst, shape);
        s->address[0][i] = address[0];
        s->address[1][i] = address[1];
        s->hashes[i] = place_hash(address, seed, shape->salt);
        s->buckets[i] = hash_bucket_in(&table, s->hashes[i]);
        if (staged)
            __builtin_prefetch(s->buckets[i]);
        else
            s->fits[i] = bucket_fits(s->buckets[i], s->hashes[i]);
        matchable = matchable >> 1 | single_matchable(&keys[i]);
        second = second >> 1 | (uint64_t)family << 63;
    }
    unsigned unused = (64 - count) % 64;
    return packets_set(views, matchable >> unused, second >> unused);
}

/* The destination of packet i that fits first, or any other; NULL: none is there. */
static inline const struct destination *single_destination(const struct single *s, unsigned i)
{
    return bucket_item(s->buckets[i], s->fits[i]);
}

/*
 * Bit i: some destination fits packet i. In stages it is asked for as soon as its bucket has come, and not when all
 * have come.
 */
static inline uint64_t single_probe(struct single *s, unsigned count, bool staged)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < count; i++) {
        if (staged) {
            s->fits[i] = bucket_fits(s->buckets[i], s->hashes[i]);
            const void *d = single_destination(s, i);
            __builtin_prefetch(s->fits[i] != 0 ? d : s); /* `s` is near */
        }
        found |= (uint64_t)(s->fits[i] != 0) << i;
    }
    return found;
}

/* A destination that no packet has. A list of sources without any. */
static const struct destination single_nowhere;
static const struct shapes single_no_sources;

/* 0 where it is packet i's. */
static inline uint64_t single_differs(const struct single *s, unsigned i, const struct destination *d)
{
    return (d->item.hash ^ s->hashes[i]) | (d->address[0] ^ s->address[0][i]) | (d->address[1] ^ s->address[1][i]);
}

/*
 * The packets that have found something. Most often it is a destination with one rule and nothing else, and its brief
 * says all: these are answered here, and no branch depends on a packet. Those at one with few sources are set aside:
 * with one shape most sets have no destination of that kind, or hardly another; `either`: this one has both. Bit i:
 * packet i is at a destination without sources, and its brief was not the answer.
 */
static inline uint64_t single_briefs(const struct single *s, const struct pkt_key *keys, uint32_t *ids, uint64_t found,
                                     struct sorted *sorted, struct sourced *sourced, bool either)
{
    unsigned sourced_count = 0;
    uint64_t done = 0, others = 0;

    for (uint64_t left = found; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = item_or(single_destination(s, i), &single_nowhere);
        const struct shapes *sources = rcu_load(&d->sources);
        uint64_t other = single_differs(s, i, d), sourceless = sources == NULL;
        if (either) {
            const struct shapes *list = item_or(sources, &single_no_sources);
            sourced->packets[sourced_count] = (struct sourced_packet){d, list, (uint8_t)i};
            sourced_count += (other == 0) & (list->count - 1u < SOURCED_SHAPES);
        } else if (__builtin_expect(sources != NULL, 0)) {
            sourced->packets[sourced_count] = (struct sourced_packet){d, sources, (uint8_t)i};
            sourced_count += (other == 0) & (sources->count <= SOURCED_SHAPES);
            others |= (uint64_t)1 << i;
            continue;
        }
        uint64_t holds = (other == 0) & sourceless & brief_holds(&d->brief, &keys[i]) & briefed_load(&d->briefed);
        ids[i] = d->id & -(uint32_t)holds; /* without a branch */
        done |= holds << i;
        others |= (sourceless ^ 1) << i;
    }
    sourced->count = sourced_count;
    *sorted = (struct sorted){.done = done, .others = others};
    return found & ~(done | others);
}

/* Those of `left`: whether one rule is known to be all there is. */
static inline void single_go_on(const struct single *s, const struct pkt_key *keys, uint64_t left,
                                struct sorted *sorted, const struct compiled **rules)
{
    for (; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = item_or(single_destination(s, i), &single_nowhere);
        uintptr_t group = group_load(&d->any_source);
        bool known = (single_differs(s, i, d) == 0) & group_is_rule(group) & (rcu_load(&d->sources) == NULL);
        bool never = briefed_load(&d->briefed) & !brief_holds(&d->brief, &keys[i]);
        rules[i] = (const struct compiled *)group;
        sorted->ruled |= (uint64_t)(known & !never) << i;
        sorted->others |= (uint64_t)!known << i;
    }
}

/* Judges exactly what a rule's box says too little about. */
static inline bool single_judge(const struct compiled *rule, const struct box_key *own, const struct pkt_key *key)
{
    return box_holds_either(&rule->box, own, key) &&
           (rule->box.inexact == 0 || compiled_exact(rule->rule, rule->box.inexact, key));
}

/* The packets for which one rule is left that a brief does not say: it is the last of their destination, or one of the
 * others goes on. */
static inline void single_rules(struct sorted *sorted, const struct pkt_key *keys, uint32_t *ids,
                                const struct compiled *const *rules)
{
    for (uint64_t left = sorted->ruled; left != 0; left &= left - 1)
        __builtin_prefetch(rules[__builtin_ctzll(left)]);
    for (uint64_t left = sorted->ruled; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct box_key own;
        box_key_fill(&own, &keys[i]);
        bool holds = box_holds(&rules[i]->box, &own);
        if (__builtin_expect((rules[i]->box.inexact | rules[i]->box.flags) != 0, 0))
            holds = single_judge(rules[i], &own, &keys[i]);
        ids[i] = holds ? rules[i]->box.id : CLS_NO_MATCH;
        sorted->done |= (uint64_t)holds << i;
        sorted->others &= ~((uint64_t)holds << i);
    }
}

/* Of the packets `probed`, which are hashed. `either`: destinations with and without sources. */
static inline struct sorted firsts_find(const struct places *places, struct single *s, const struct pkt_key *keys,
                                        uint32_t *ids, unsigned count, uint64_t probed, bool staged, bool either)
{
    const struct compiled *rules[CLS_BURST_MAX];
    struct sourced sourced;
    struct sorted sorted;
    uint64_t found = single_probe(s, count, staged) & probed;
    uint64_t left = single_briefs(s, keys, ids, found, &sorted, &sourced, either);

    single_go_on(s, keys, left, &sorted, rules);
    if (sourced.count != 0)
        sourced_find(places, &sourced, keys, ids, &sorted, rules);
    if (sorted.ruled != 0)
        single_rules(&sorted, keys, ids, rules);
    return sorted;
}

/* Bit i: the rules without a destination that may match packet i are all in cells. */
static inline uint64_t burst_by_cells(const struct view views[2], const struct pkt_key *keys, uint64_t packets)
{
    uint64_t by_cells = 0;

    if (views[0].by_cells == views[1].by_cells)
        return views[0].by_cells ? packets : 0;
    for (uint64_t left = packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        by_cells |= (uint64_t)views[place_family_index(keys[i].family)].by_cells << i;
    }
    return by_cells;
}

#endif
