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

static inline struct packets burst_packets(const struct view views[2], const struct pkt_key *keys, unsigned count)
{
    uint64_t matchable = 0, second = 0; /* second family */

    for (unsigned i = 0; i < count; i++) {
        matchable |= (uint64_t)cls_key_matchable(&keys[i]) << i;
        second |= (uint64_t)place_family_index(keys[i].family) << i;
    }
    uint64_t shaped = (views[0].shapes != NULL ? ~second : 0) | (views[1].shapes != NULL ? second : 0);
    uint64_t first = (views[0].first ? ~second : 0) | (views[1].first ? second : 0);
    uint64_t rest = (views[0].rest ? ~second : 0) | (views[1].rest ? second : 0);
    return (struct packets){
        .matchable = matchable, .probed = matchable & shaped, .first = matchable & first, .rest = matchable & rest};
}

/* Packets that have found something. Bit i: packet i. */
struct sorted {
    uint64_t done;   /* have their answer */
    uint64_t others; /* are still to be looked at */
};

/*
 * Probe i for packet i, asked for or looked at; some packet is probed. One of a family without shapes probes by the
 * other's, for nothing.
 */
static inline void single_hash(const struct places *places, const struct view views[2], const struct pkt_key *keys,
                               unsigned count, struct probe *probes, bool staged)
{
    const struct shape *const one = views[views[0].shape == NULL].shape;
    const struct shape *const shapes[2] = {one, views[1].shape != NULL ? views[1].shape : one};
    const struct hash_view table = hash_view_of(&places->destinations);

    for (unsigned i = 0; i < count; i++) {
        const struct shape *shape = shapes[place_family_index(keys[i].family)];
        uint64_t address[2];
        mask_address(address, keys[i].dst, shape);
        uint64_t hash = place_hash(address, places->seed, shape->salt);
        const struct hash_bucket *bucket = hash_bucket_in(&table, hash);
        probes[i].hash = hash;
        probes[i].bucket = bucket;
        if (staged)
            __builtin_prefetch(bucket);
        else
            probes[i].fits = (uint16_t)bucket_fits(bucket, hash);
    }
}

/* A probe's first destination that fits. */
static inline const struct destination *probe_destination(const struct probe *probe, unsigned fits)
{
    return hash_entry_item(hash_entry(probe->bucket, (unsigned)__builtin_ctz(fits)));
}

/*
 * Bit i: packet i has found destinations[i], or another that fits. In stages it is asked for as soon as its bucket has
 * come, and not when all have come.
 */
static inline uint64_t single_probe(struct probe *probes, const struct destination **destinations, unsigned count,
                                    bool staged)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < count; i++) {
        if (staged) {
            unsigned fits = bucket_fits(probes[i].bucket, probes[i].hash);
            destinations[i] = probe_destination(&probes[i], fits | 1u << (HASH_BUCKET - 1));
            const char *at = fits != 0 ? (const char *)destinations[i] : (const char *)&probes[i]; /* is near */
            __builtin_prefetch(at);
            __builtin_prefetch(at + MEM_LINE);
            probes[i].fits = (uint16_t)fits;
        }
        found |= (uint64_t)(probes[i].fits != 0) << i;
    }
    for (uint64_t left = staged ? 0 : found; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        destinations[i] = probe_destination(&probes[i], probes[i].fits);
    }
    return found;
}

/* A destination that no packet has: its shape is none. And a list of sources without any. */
static const struct destination single_nowhere;
static const struct shapes single_no_sources;

/* 0 where it is the packet's. */
static inline uint64_t destination_differs(const struct destination *d, const struct view views[2],
                                           const struct pkt_key *key)
{
    const struct shape *shape = views[place_family_index(key->family)].shape;
    uint64_t address[2];

    mask_address(address, key->dst, shape);
    return (d->shape_salt ^ shape->salt) | (d->address[0] ^ address[0]) | (d->address[1] ^ address[1]);
}

/*
 * The packets that have found something. Most often it is a destination with one rule and nothing else, and its box
 * says all: these are answered here, and no branch depends on a packet. Those at one with few sources are set aside:
 * with one shape most sets have no destination of that kind, or hardly another; `either`: this one has both.
 */
static inline struct sorted single_compare(const struct view views[2], const struct pkt_key *keys, uint32_t *ids,
                                           const struct destination **destinations, uint64_t found,
                                           struct sourced *sourced, bool either)
{
    struct sorted sorted = {.done = 0};
    struct box_key owns[BOX_KEY_EARLY ? CLS_BURST_MAX : 1];
    unsigned sourced_count = 0;

    for (uint64_t left = BOX_KEY_EARLY ? found : 0; left != 0; left &= left - 1)
        box_key_fill(&owns[__builtin_ctzll(left)], &keys[__builtin_ctzll(left)]);
    for (uint64_t left = found; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = destinations[i] != NULL ? destinations[i] : &single_nowhere;
        const struct shapes *sources = rcu_load(&d->sources);
        uint64_t other = destination_differs(d, views, &keys[i]);
        if (either) {
            const struct shapes *list = sources != NULL ? sources : &single_no_sources;
            sourced_set(&sourced->packets[sourced_count], d, list, i);
            sourced_count += (other == 0) & (list->count - 1u < SOURCED_SHAPES);
        } else if (__builtin_expect(sources != NULL, 0)) {
            bool few = (other == 0) & (sources->count <= SOURCED_SHAPES);
            sourced_set(&sourced->packets[sourced_count], d, sources, i);
            sourced_count += few;
            sorted.others |= (uint64_t)1 << i;
            continue;
        }
        struct box_key *own = &owns[BOX_KEY_EARLY ? i : 0];
        if (!BOX_KEY_EARLY)
            box_key_fill(own, &keys[i]);
        other |= destination_unboxed(d, group_load(&d->any_source)) | d->box.inexact | d->box.flags;
        bool done = box_holds(&d->box, own) & (other == 0);
        ids[i] = done ? d->box.id : CLS_NO_MATCH;
        sorted.done |= (uint64_t)done << i;
        sorted.others |= (uint64_t)(other != 0) << i;
    }
    sourced->count = sourced_count;
    return sorted;
}

/* Judges exactly what the box of a destination's one rule says too little about. */
static inline bool single_judge(const struct destination *d, const struct compiled *rule, const struct pkt_key *key)
{
    struct box_key own;

    box_key_fill(&own, key);
    return box_holds_either(&d->box, &own, key) &&
           (d->box.inexact == 0 || compiled_exact(rule->rule, d->box.inexact, key));
}

/* Those of the others that are at such a destination. */
static inline void single_judge_all(struct sorted *sorted, const struct view views[2], const struct pkt_key *keys,
                                    uint32_t *ids, const struct destination **destinations)
{
    for (uint64_t left = sorted->others; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct destination *d = destinations[i] != NULL ? destinations[i] : &single_nowhere;
        uintptr_t group = group_load(&d->any_source);
        if ((destination_differs(d, views, &keys[i]) | destination_unboxed(d, group)) != 0)
            continue;
        sorted->others &= ~((uint64_t)1 << i);
        if (!single_judge(d, (const struct compiled *)group, &keys[i]))
            continue;
        ids[i] = d->box.id;
        sorted->done |= (uint64_t)1 << i;
    }
}

/* Of the packets `probed`. `either`: destinations with and without sources. */
static inline struct sorted firsts_find(const struct places *places, const struct view views[2],
                                        const struct pkt_key *keys, uint32_t *ids, unsigned count, uint64_t probed,
                                        struct probe *probes, bool staged, bool either)
{
    const struct destination *destinations[CLS_BURST_MAX];
    struct sourced sourced;

    single_hash(places, views, keys, count, probes, staged);
    uint64_t found = single_probe(probes, destinations, count, staged) & probed;
    struct sorted sorted = single_compare(views, keys, ids, destinations, found, &sourced, either);
    if (sourced.count != 0)
        sorted.others &= ~sourced_find(places, &sourced, keys, ids, &sorted.done);
    single_judge_all(&sorted, views, keys, ids, destinations);
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
