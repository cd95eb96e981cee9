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
    bool by_cells;                        /* all of these are in `cells` */
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

_Static_assert(CELLS_LANES == 2, "all cells of a view are set");

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
    view.by_cells = !view.rest;
    view.cells[0] = view.cells[1] = view_cells_set(NULL, 0);
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
    uint64_t fit; /* bit i: some tag fits packet i, where that is known at once */
    struct sought sought[CLS_BURST_MAX];
    const struct hash_bucket *buckets[CLS_BURST_MAX];
    uint32_t fits[CLS_BURST_MAX];                          /* bit e: the tag of entry e does ... */
    const struct destination *destinations[CLS_BURST_MAX]; /* ... or, by BUCKET_PICKS, the first of these */
};

/* A destination that no packet has. A list of sources without any. */
static const struct destination single_nowhere;
static const struct shapes single_no_sources;

/* 1: some tag in its bucket fits packet i. */
static inline uint64_t single_fits(struct single *s, unsigned i, uint64_t hash)
{
    if (BUCKET_PICKS) {
        s->destinations[i] = bucket_pick(s->buckets[i], hash, &single_nowhere);
        return s->destinations[i] != &single_nowhere;
    }
    s->fits[i] = bucket_fits(s->buckets[i], hash);
    return s->fits[i] != 0;
}

/* The destination of packet i that fits first, or any other. */
static inline const struct destination *single_destination(const struct single *s, unsigned i)
{
    return BUCKET_PICKS ? s->destinations[i] : item_or(bucket_item(s->buckets[i], s->fits[i]), &single_nowhere);
}

/* A shape to probe by where a family has none, for nothing. */
static const struct shape single_none;

/* Which packets can match, and which are of the second family. */
static inline struct packets packets_look(const struct view views[2], const struct pkt_key *keys, unsigned count)
{
    uint64_t matchable = 0, second = 0;

    for (unsigned i = 0; i < count; i++) {
        /* cls_key_matchable without a compare: see place_family_index */
        unsigned sound = ((unsigned)keys[i].malformed - 1) >> 8, ip = keys[i].family >> 2;
        matchable |= (uint64_t)(sound & ip) << i;
        second |= (uint64_t)place_family_index(keys[i].family) << i;
    }
    return packets_set(views, matchable, second);
}

#define KEY_FAMILY    ((uint64_t)UINT8_MAX) /* in what is read from there on ... */
#define KEY_MALFORMED 56                    /* ... and from which bit on this */

_Static_assert(offsetof(struct pkt_key, malformed) - offsetof(struct pkt_key, family) == KEY_MALFORMED / 8 &&
                   __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "one load has both");

/* Whether all packets can match and are of one family, that of the first, as in most bursts. */
static inline bool packets_alike(const struct pkt_key *keys, unsigned count)
{
    uint64_t any = 0, all = UINT64_MAX;

    for (unsigned i = 0; i < count; i++) {
        uint64_t octets;
        memcpy(&octets, &keys[i].family, sizeof octets);
        any |= octets;
        all &= octets;
    }
    return any >> KEY_MALFORMED == 0 && ((any ^ all) & KEY_FAMILY) == 0 && (any & KEY_FAMILY) != IP_NONE;
}

static inline uint64_t bits_reversed(uint64_t bits)
{
    bits = __builtin_bswap64(bits);
    bits = (bits >> 4 & 0x0f0f0f0f0f0f0f0f) | (bits & 0x0f0f0f0f0f0f0f0f) << 4;
    bits = (bits >> 2 & 0x3333333333333333) | (bits & 0x3333333333333333) << 2;
    return (bits >> 1 & 0x5555555555555555) | (bits & 0x5555555555555555) << 1;
}

static inline uint64_t packets_all(unsigned count)
{
    return count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;
}

/*
 * Every packet is hashed and its bucket asked for, or looked into. `alike`: all are of one family, the first of
 * `shapes`.
 */
static inline __attribute__((always_inline)) void single_hash(const struct places *places,
                                                              const struct shape *const shapes[2],
                                                              const struct pkt_key *keys, unsigned count,
                                                              struct single *s, bool staged, bool alike)
{
    const struct hash_view table = hash_view_of(&places->destinations);
    const uint64_t seed = places->seed;
    const struct shape first = *shapes[0];
    uint64_t fit = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct shape *shape = alike ? &first : shapes[place_family_index(keys[i].family)];
        uint64_t address[2];
        mask_address(address, keys[i].dst, shape);
        uint64_t hash = place_hash(address, seed, shape->salt);
        s->sought[i] = (struct sought){.hash = hash, .address = {address[0], address[1]}, .beside = 0};
        s->buckets[i] = hash_bucket_in(&table, hash);
        if (staged)
            __builtin_prefetch(s->buckets[i]);
        else
            fit = 2 * fit + single_fits(s, i, hash);
    }
    s->fit = bits_reversed(fit) >> (64 - count) % 64;
}

/* The packets by what is to be done with them, and all of them hashed. */
static inline struct packets single_look(const struct places *places, const struct view views[2],
                                         const struct pkt_key *keys, unsigned count, struct single *s, bool staged)
{
    const struct shape *const shapes[2] = {views[0].shape != NULL ? views[0].shape : &single_none,
                                           views[1].shape != NULL ? views[1].shape : &single_none};

    if (packets_alike(keys, count)) {
        uint64_t all = packets_all(count), family = place_family_index(keys[0].family);
        single_hash(places, &shapes[family], keys, count, s, staged, true);
        return packets_set(views, all, all & -family);
    }
    single_hash(places, shapes, keys, count, s, staged, false);
    return packets_look(views, keys, count);
}

/*
 * Bit i: some destination fits packet i. In stages it is asked for as soon as its bucket has come, and not when all
 * have come.
 */
static inline uint64_t single_probe(struct single *s, unsigned count, bool staged)
{
    uint64_t fit = 0;

    if (!staged)
        return s->fit;
    for (unsigned i = 0; i < count; i++) {
        uint64_t own = single_fits(s, i, s->sought[i].hash);
        const void *d = single_destination(s, i);
        __builtin_prefetch(own != 0 ? d : s); /* `s` is near */
        fit |= own << i;
    }
    return fit;
}

/* 0 where it is packet i's. */
static inline uint64_t single_differs(const struct single *s, unsigned i, const struct destination *d)
{
    const struct sought *sought = &s->sought[i];

    return (d->item.hash ^ sought->hash) | (d->address[0] ^ sought->address[0]) | (d->address[1] ^ sought->address[1]);
}

/* Sets packet i aside if it is at `d` (`other` is 0) and that has few sources: bit i. */
static inline uint64_t sourced_take(struct sourced *sourced, const struct destination *d, const struct shapes *sources,
                                    unsigned i, uint64_t other)
{
    sourced->lists[i] = sources;
    sourced->sought[i].beside = (uintptr_t)d;
    return (uint64_t)((other == 0) & (sources->count - 1u < SOURCED_SHAPES)) << i;
}

/*
 * The packets that have found something. Most often it is a destination with one rule and nothing else, and its brief
 * says all: these are answered here, and no branch depends on a packet. `either`: destinations with and without sources
 * are met in turn. With one shape most sets have no destination with sources, or hardly another. Bit i: packet i is
 * still to be looked at.
 */
static inline uint64_t single_briefs(const struct single *s, const struct pkt_key *keys, uint32_t *ids, uint64_t found,
                                     struct sorted *sorted, struct sourced *sourced, bool either)
{
    const uintptr_t aside = either ? 0 : UINTPTR_MAX; /* a mask: no branch on a packet where they are met in turn */
    uint64_t done = 0, others = 0, set_aside = 0;

    for (uint64_t left = found; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = single_destination(s, i);
        const struct shapes *sources = rcu_load(&d->sources);
        if (__builtin_expect(((uintptr_t)sources & aside) != 0, 0)) {
            set_aside |= sourced_take(sourced, d, sources, i, single_differs(s, i, d));
            others |= (uint64_t)1 << i;
            continue;
        }
        uint64_t holds = line_holds(d, &s->sought[i], &keys[i]);
        atomic_signal_fence(memory_order_acquire); /* a source that was there is seen, or its rule's removal is not */
        holds &= briefed_load(&d->briefed);
        ids[i] = d->id & -(uint32_t)holds; /* without a branch */
        done |= holds << i;
    }
    sourced->packets = set_aside;
    *sorted = (struct sorted){.done = done, .others = others};
    return found & ~(done | others);
}

/*
 * Those of `left`: whether they are at a destination with few sources, or one rule is known to be all there is, or an
 * index.
 */
static inline void single_go_on(const struct single *s, const struct pkt_key *keys, uint64_t left,
                                struct sorted *sorted, struct sourced *sourced, const struct compiled **rules)
{
    uint64_t set_aside = sourced->packets;

    for (; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = single_destination(s, i);
        const struct shapes *sources = rcu_load(&d->sources);
        uint64_t other = single_differs(s, i, d);
        uintptr_t group = group_load(&d->any_source);
        unsigned own = (other == 0) & (unsigned)(sources == NULL);
        bool known = own & group_is_rule(group);
        bool never = briefed_load(&d->briefed) & !brief_holds(&d->brief, &keys[i]);
        set_aside |= sourced_take(sourced, d, item_or(sources, &single_no_sources), i, other);
        rules[i] = (const struct compiled *)group;
        sorted->ruled |= (uint64_t)(known & !never) << i;
        sorted->others |= (uint64_t)!known << i;
        sorted->indexed |= (uint64_t)(own & (unsigned)((group & GROUP_KIND) == GROUP_INDEX)) << i;
    }
    sourced->packets = set_aside;
}

/* Judges exactly what a rule's box says too little about. */
static inline bool single_judge(const struct compiled *rule, const struct box_key *own, const struct pkt_key *key)
{
    return box_holds_either(&rule->box, own, key) &&
           (rule->box.inexact == 0 || inexact_holds(rule, rule->box.inexact, own, key));
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

    single_go_on(s, keys, left, &sorted, &sourced, rules);
    if (sourced.packets != 0)
        sourced_find(places, &sourced, s->sought, keys, ids, &sorted, rules);
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
