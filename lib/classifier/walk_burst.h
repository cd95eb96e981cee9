/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst through the walk in stages. Each stage touches, for every packet, the memory that the stage before asked
 * for, and asks for the next: so the packets of a burst wait for memory together and not one after the other. What a
 * stage finds out about destinations is kept; the rest of the stages are there for the cache alone, and the walk of
 * walk_body.h then finds everything near.
 */
#ifndef CLASSIFIER_WALK_BURST_H
#define CLASSIFIER_WALK_BURST_H

#include "classifier/walk_body.h"
#include "classifier/walk_cells.h"
#include "classifier/walk_index.h"
#include "classifier/walk_left.h"
#include "classifier/walk_steps.h"

#define STAGED_SHAPES       3 /* destination shapes that a round probes for each packet that is left */
#define STAGED_DESTINATIONS 8 /* of a packet in a round; a bucket's entries at least */
#define STAGED_SOURCES      2 /* sources of a packet that are asked for */
#define STAGED_VALUES       2 /* values of a packet that are asked for */

/* A packet of a burst between the stages. What most packets do without is behind the rest. */
struct walker {
    const struct pkt_key *key;
    const struct view *view;
    struct shape_walk walk; /* shapes that no round has looked at */
    uint32_t *id;           /* where the answer goes */
    uint8_t probe_count;    /* shapes of this round */
    uint8_t count;          /* of `destinations` */
    uint8_t source_count;   /* of the probes for sources, later for values */
    bool asked;             /* `q` is set */
    /* by which shape each was found, until stage 3, and those that cover the packet, in order; NULL: just removed */
    uint16_t found_by[STAGED_DESTINATIONS];
    const struct destination *destinations[STAGED_DESTINATIONS];
    struct probe probes[STAGED_SHAPES];
    const void *items[STAGED_SOURCES]; /* that were asked for */
    /* by destination, where stage 4 has been here: its sources, and the walk over them */
    bool listed;
    const struct shapes *sources[STAGED_DESTINATIONS];
    struct shape_walk source_walks[STAGED_DESTINATIONS];
    struct query q;
};

_Static_assert(STAGED_SOURCES <= STAGED_SHAPES && STAGED_VALUES <= STAGED_SOURCES, "they use the same probes in turn");

/* Some time before the first comparison, so that no load waits for the stores. */
static inline void walker_ask(struct walker *w)
{
    if (w->asked)
        return;
    query_set(&w->q, w->view->family, w->key);
    w->asked = true;
}

/*
 * 1. Hash the destination in the shapes of this round. Ask for the buckets, or look into them at once where the table
 * is in the cache anyway.
 */
static inline void stage_hash(const struct places *places, struct walker *w, struct shape_walk walk, unsigned shapes,
                              bool staged)
{
    unsigned n = 0;

    for (; n < shapes && shape_walk_more(&walk); n++) {
        unsigned i = shape_walk_take(&walk);
        const struct shape *shape = shapes_at(w->view->shapes, i);
        struct probe *probe = &w->probes[n];
        uint64_t address[2];
        mask_address(address, w->key->dst, shape);
        uint64_t hash = place_hash(address, places->seed, shape->salt);
        probe->shape = (uint16_t)i;
        probe->hash = hash;
        probe->bucket = hash_bucket_of(&places->destinations, hash);
        if (staged)
            __builtin_prefetch(probe->bucket);
        else
            probe->fits = (uint16_t)bucket_fits(probe->bucket, hash);
    }
    w->walk = walk;
    w->probe_count = (uint8_t)n;
}

/* The shape is for the next round, and all behind it that were taken out of the walk. */
static inline void shape_put_back(struct walker *w, unsigned shape)
{
    if (shape < SHAPES_FILTERED_MAX)
        w->walk.wanted |= (uint64_t)1 << shape;
    else
        w->walk.next = shape;
}

/* Asks for the destinations of a bucket that fit. How many there are then. */
static inline unsigned bucket_take(struct walker *w, unsigned count, const struct hash_bucket *bucket, unsigned fits,
                                   uint16_t shape)
{
    for (; fits != 0; fits &= fits - 1) {
        const struct destination *d = hash_entry_item(hash_entry(bucket, (unsigned)__builtin_ctz(fits)));
        __builtin_prefetch(d);
        w->found_by[count] = shape;
        w->destinations[count++] = d;
    }
    return count;
}

/* 2. Ask for the destinations whose tags fit. A tag may fit by chance: stage 3 looks. Whether there are any. */
static inline bool stage_probe(struct walker *w, bool staged)
{
    unsigned count = 0;

    for (unsigned i = 0; i < w->probe_count; i++) {
        const struct hash_bucket *bucket = w->probes[i].bucket;
        unsigned fits = staged ? bucket_fits(bucket, w->probes[i].hash) : w->probes[i].fits;
        if (fits == 0)
            continue;
        if (__builtin_expect(count + (unsigned)__builtin_popcount(fits) > STAGED_DESTINATIONS, 0)) {
            for (unsigned back = w->probe_count; back-- > i;) /* the next round goes on from here */
                shape_put_back(w, w->probes[back].shape);
            break;
        }
        count = bucket_take(w, count, bucket, fits, w->probes[i].shape);
    }
    w->count = (uint8_t)count;
    return count > 0;
}

/*
 * 3. Keep those that their shape leads to: one that another shape would find comes in that shape's turn. Ask for
 * their rules and for the shapes of their sources. True when there are sources.
 */
static inline bool stage_verify(const struct places *places, struct walker *w)
{
    unsigned kept = 0;
    bool sourced = false;

    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shape *shape = shapes_at(w->view->shapes, w->found_by[i]);
        uint64_t address[2];
        mask_address(address, w->key->dst, shape);
        bool own = destination_is(d, address, place_hash(address, places->seed, shape->salt));
        if (!own || !destination_has_ports(d, w->key->protocol, w->key->dst_port))
            continue;
        prefetch_group(group_load(&d->any_source), d);
        const struct shapes *sources = rcu_load(&d->sources);
        if (sources != NULL) {
            __builtin_prefetch(sources);
            sourced = true;
        }
        w->destinations[kept++] = d;
    }
    w->count = (uint8_t)kept;
    w->listed = false;
    if (kept > 0)
        walker_ask(w);
    return sourced;
}

/*
 * 4. Hash the source below each of them; ask for the buckets. Destinations that have nothing for the packet are left
 * out, without a branch: it would not be foreseen.
 */
static inline void stage_source_hash(const struct places *places, struct walker *w)
{
    unsigned kept = 0;

    w->source_count = 0;
    w->listed = true;
    for (unsigned i = 0; i < w->count; i++) {
        const struct destination *d = w->destinations[i];
        const struct shapes *sources = rcu_load(&d->sources);
        struct shape_walk walk = sources_walk(&w->q, sources);
        w->destinations[kept] = d;
        w->sources[kept] = sources;
        w->source_walks[kept] = walk;
        kept += (unsigned)shape_walk_more(&walk) | (group_load(&d->any_source) != 0);
        while (w->source_count < STAGED_SOURCES && shape_walk_more(&walk)) {
            struct probe *probe = &w->probes[w->source_count++];
            uint64_t address[2];
            probe->hash = source_hash(&w->q, d, shapes_at(sources, shape_walk_take(&walk)), address);
            probe->bucket = hash_bucket_of(&places->sources, probe->hash);
            __builtin_prefetch(probe->bucket);
        }
    }
    w->count = (uint8_t)kept;
}

/* 5. Ask for the sources whose tags fit. */
static inline void stage_source_probe(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++) {
        unsigned fits = bucket_fits(w->probes[i].bucket, w->probes[i].hash);
        w->items[i] = NULL;
        if (fits != 0) {
            w->items[i] = hash_entry_item(hash_entry(w->probes[i].bucket, (unsigned)__builtin_ctz(fits)));
            __builtin_prefetch(w->items[i]);
        }
    }
}

/* 6. Ask for their rules. */
static inline void stage_source_rules(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++)
        if (w->items[i] != NULL)
            prefetch_group(group_load(&((const struct source *)w->items[i])->rules), w);
}

/* 7. The rules of the destinations found. True when one of them is the answer. */
static inline bool stage_find(const struct places *places, struct walker *w)
{
    struct found best = {.rule = NULL, .id = CLS_NO_MATCH};

    for (unsigned d = 0; d < w->count; d++) {
        const struct destination *at = w->destinations[d];
        if (w->listed ? find_by_sources(places, &w->q, at, w->sources[d], w->source_walks[d], &best)
                      : find_in_destination(places, &w->q, at, &best)) {
            *w->id = best.id;
            return true;
        }
    }
    return false;
}

/* Packets that may still match, by what is to be done with them. */
struct burst {
    unsigned left_count, found_count, rest_count;
    struct walker *left[CLS_BURST_MAX];  /* shapes to look at */
    struct walker *found[CLS_BURST_MAX]; /* destinations to look at */
    struct walker *rest[CLS_BURST_MAX];  /* the rules without a destination */
    struct view views[2];
    struct walker walkers[CLS_BURST_MAX];
};

/* A packet whose round is over without a match. */
static inline void burst_go_on(struct burst *b, struct walker *w)
{
    if (shape_walk_more(&w->walk))
        b->left[b->left_count++] = w;
    else if (w->view->rest)
        b->rest[b->rest_count++] = w;
}

/* Asks for the sources of the destinations of these packets, and for their rules. */
static inline void round_sources(const struct places *places, struct walker **sourced, unsigned count)
{
    if ((int)hash_depth(&places->sources) < STAGED_DEPTH)
        return;
    for (unsigned i = 0; i < count; i++)
        stage_source_hash(places, sourced[i]);
    for (unsigned i = 0; i < count; i++)
        stage_source_probe(sourced[i]);
    for (unsigned i = 0; i < count; i++)
        stage_source_rules(sourced[i]);
}

/* The packets that have found destinations: those that have no match there go on. */
static inline void round_find(const struct places *places, struct burst *b)
{
    struct walker *sourced[CLS_BURST_MAX + 1];
    unsigned sourced_count = 0;

    for (unsigned i = 0; i < b->found_count; i++) {
        sourced[sourced_count] = b->found[i];
        sourced_count += stage_verify(places, b->found[i]);
    }
    round_sources(places, sourced, sourced_count);
    for (unsigned i = 0; i < b->found_count; i++)
        if (!stage_find(places, b->found[i]))
            burst_go_on(b, b->found[i]);
}

/* The end of a round, whose shapes are hashed. */
static inline void walk_round(const struct places *places, struct burst *b, bool staged)
{
    unsigned count = b->left_count;

    b->left_count = b->found_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct walker *w = b->left[i];
        if (stage_probe(w, staged))
            b->found[b->found_count++] = w;
        else
            burst_go_on(b, w);
    }
    round_find(places, b);
}

/* 8. Ask for the cells of the packet's ports and for the buckets of its values there. */
static inline void stage_value_hash(struct walker *w, const struct group_index *index)
{
    w->source_count = 0;
    for (unsigned i = 0; i < CELLS_LANES; i++) {
        const struct cells *cells = rcu_load(&index->cells[i]);
        if (cells != NULL)
            __builtin_prefetch((const void *)&cells->groups[cells_port(w->key, i) >> index->shift]);
    }
    for (uint32_t lanes = atomic_load_explicit(&index->lanes, memory_order_acquire); lanes != 0; lanes &= lanes - 1) {
        unsigned lane = (unsigned)__builtin_ctz(lanes);
        if (w->source_count == STAGED_VALUES)
            return;
        struct probe *probe = &w->probes[w->source_count++];
        probe->hash = group_value_hash(group_lane_value(lane, w->q.box.numbers[lane]));
        probe->bucket = hash_bucket_of(&index->values, probe->hash);
        __builtin_prefetch(probe->bucket);
    }
}

/* 9. Ask for the rules of these cells. (Stage 5 asks for the values.) */
static inline void stage_cell_rules(const struct walker *w, const struct group_index *index)
{
    for (unsigned i = 0; i < CELLS_LANES; i++) {
        const struct cells *cells = rcu_load(&index->cells[i]);
        if (cells != NULL)
            prefetch_group(group_load(&cells->groups[cells_port(w->key, i) >> index->shift]), w);
    }
}

/* 10. Ask for the rules of the values that are there. */
static inline void stage_value_rules(struct walker *w)
{
    for (unsigned i = 0; i < w->source_count; i++)
        if (w->items[i] != NULL)
            prefetch_group(group_load(&((const struct group_value *)w->items[i])->rules), w);
}

/* Asks for what a large index will be looked at for. */
static inline void rest_stages(struct walker **rest, unsigned count)
{
    bool values = false;

    for (unsigned i = 0; i < count; i++) {
        if (rest[i]->view->large)
            stage_value_hash(rest[i], rest[i]->view->index);
        else
            rest[i]->source_count = 0;
        values |= rest[i]->source_count > 0;
    }
    for (unsigned i = 0; i < count; i++)
        if (rest[i]->view->large)
            stage_cell_rules(rest[i], rest[i]->view->index);
    if (!values)
        return;
    for (unsigned i = 0; i < count; i++)
        stage_source_probe(rest[i]);
    for (unsigned i = 0; i < count; i++)
        stage_value_rules(rest[i]);
}

/* The packets of `rest` whose rules are in cells are found together and taken out. How many others there are. */
static inline unsigned rest_by_cells(struct burst *b, const struct pkt_key *keys, uint32_t *ids)
{
    unsigned kept = 0;
    uint64_t by_cells = 0;

    for (unsigned i = 0; i < b->rest_count; i++) {
        struct walker *w = b->rest[i];
        by_cells |= (uint64_t)w->view->by_cells << (w - b->walkers);
        b->rest[kept] = w;
        kept += !w->view->by_cells;
    }
    if (by_cells != 0)
        cells_find(b->views, keys, ids, by_cells);
    return kept;
}

/* The packets that no destination has decided: the rules without a destination. */
static inline void walk_rest(const struct places *places, struct burst *b, const struct pkt_key *keys, uint32_t *ids)
{
    unsigned count = rest_by_cells(b, keys, ids);

    for (unsigned i = 0; i < count; i++)
        walker_ask(b->rest[i]);
    if (b->views[0].large || b->views[1].large)
        rest_stages(b->rest, count);
    for (unsigned i = 0; i < count; i++) {
        struct walker *w = b->rest[i];
        struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
        find_in_destination(places, &w->q, &w->view->family->any, &best);
        *w->id = best.id;
    }
}

static inline void burst_hash(const struct places *places, struct burst *b, unsigned shapes, bool staged)
{
    for (unsigned i = 0; i < b->left_count; i++)
        stage_hash(places, b->left[i], b->left[i]->walk, shapes, staged);
}

/*
 * The packets, and the first round hashed. Those that match nothing, whatever the rules are, are left out. Where the
 * filter says what to probe for, that is a pass of its own: how many shapes that are is not foreseen, and should be
 * known by the time that the loop over them asks.
 */
static inline void burst_set(const struct places *places, struct burst *b, const struct pkt_key *keys, uint32_t *ids,
                             uint64_t packets, uint64_t passed, bool staged)
{
    bool filtered = b->views[0].filtered | b->views[1].filtered;
    /* most matches are in the longest prefix: without memory to wait for, what others would find is for nothing */
    unsigned left_count = 0, first = staged ? STAGED_SHAPES : 1;

    b->rest_count = 0;
    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct pkt_key *key = &keys[i];
        if (__builtin_expect(!cls_key_matchable(key), 0))
            continue;
        struct walker *w = &b->walkers[i];
        w->key = key;
        w->id = &ids[i];
        w->asked = false;
        w->view = &b->views[place_family_index(key->family)];
        w->walk = destinations_walk(w->view->family, w->view->shapes, key);
        w->walk.wanted &= ~(passed >> i & 1);
        if (!filtered)
            stage_hash(places, w, w->walk, first, staged);
        b->left[left_count++] = w;
    }
    b->left_count = left_count;
    if (filtered)
        burst_hash(places, b, first, staged);
}

/* Packet i of the burst as a walker. */
static inline struct walker *single_walker(struct burst *b, const struct pkt_key *keys, uint32_t *ids, unsigned i)
{
    struct walker *w = &b->walkers[i];

    w->key = &keys[i];
    w->id = &ids[i];
    w->asked = false;
    w->view = &b->views[place_family_index(keys[i].family)];
    w->walk = (struct shape_walk){.wanted = 0};
    return w;
}

/* The packets that no destination has decided. */
static inline void rest_set(struct burst *b, const struct pkt_key *keys, uint32_t *ids, uint64_t packets)
{
    if (!(b->views[0].rest | b->views[1].rest))
        return;
    uint64_t by_cells = burst_by_cells(b->views, keys, packets);
    for (uint64_t left = packets & ~by_cells; left != 0; left &= left - 1) {
        struct walker *w = single_walker(b, keys, ids, (unsigned)__builtin_ctzll(left));
        b->rest[b->rest_count] = w;
        b->rest_count += w->view->rest;
    }
    if (by_cells != 0)
        cells_find(b->views, keys, ids, by_cells);
}

/* The first round, and the only one, of views that are single. */
static inline void walk_single(const struct places *places, struct burst *b, const struct pkt_key *keys, uint32_t *ids,
                               unsigned count, bool staged)
{
    struct single single;

    memset(ids, 0, count * sizeof ids[0]); /* CLS_NO_MATCH */
    b->left_count = b->found_count = b->rest_count = 0;
    if (b->views[0].shapes == NULL && b->views[1].shapes == NULL) {
        rest_set(b, keys, ids, packets_look(b->views, keys, count).rest);
        return;
    }
    const struct packets packets = single_look(places, b->views, keys, count, &single, staged);
    struct sorted sorted = firsts_find(places, &single, keys, ids, count, packets.probed, staged, false);
    if (sorted.indexed != 0)
        single_indexes(&single, b->views, keys, ids, &sorted);
    for (uint64_t left = sorted.others; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct walker *w = single_walker(b, keys, ids, i);
        w->count =
            (uint8_t)bucket_take(w, 0, single.buckets[i], bucket_fits(single.buckets[i], single.sought[i].hash), 0);
        b->found[b->found_count++] = w;
    }
    round_find(places, b);
    rest_set(b, keys, ids, packets.rest & ~(sorted.others | sorted.done));
}

/* Where there are no destinations, and cells do not say who is to leave: every packet, in one pass. */
static inline void rest_all(struct burst *b, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    b->left_count = b->rest_count = 0;
    for (unsigned i = 0; i < count; i++) {
        ids[i] = CLS_NO_MATCH;
        if (__builtin_expect(!cls_key_matchable(&keys[i]), 0))
            continue;
        struct walker *w = single_walker(b, keys, ids, i);
        if (!w->view->rest)
            continue;
        walker_ask(w);
        b->rest[b->rest_count++] = w;
    }
}

/* Packets that shapes of destinations are to be looked at for. Bit i: packet i. */
struct walking {
    uint64_t packets; /* these */
    uint64_t passed;  /* of which the first shape is done with */
};

/*
 * Where most destinations are of the first shape, it comes before all others and without a filter. Not where summaries
 * spare most probes of all shapes.
 */
static inline struct walking walk_first(const struct places *places, const struct view views[2],
                                        const struct pkt_key *keys, uint32_t *ids, unsigned count, bool staged)
{
    struct single single;

    memset(ids, 0, count * sizeof ids[0]); /* CLS_NO_MATCH */
    if (!(views[0].first | views[1].first) || steps_summaries(places, staged) != NULL)
        return (struct walking){.packets = packets_all(count), .passed = 0};
    const struct packets packets = single_look(places, views, keys, count, &single, staged);
    struct sorted sorted = firsts_find(places, &single, keys, ids, count, packets.first, staged, true);
    if (sorted.indexed != 0)
        single_indexes(&single, views, keys, ids, &sorted);
    return (struct walking){.packets = packets.matchable & ~sorted.done, .passed = packets.first & ~sorted.others};
}

/* Whether packets go in step: not where memory is far, and waiting for it counts more than branches. */
static inline bool views_in_step(const struct places *places, const struct view views[2])
{
    return (int)hash_depth(&places->destinations) < ROUNDS_DEPTH &&
           (views[0].shapes == NULL || views[0].shapes->count <= SHAPES_FILTERED_MAX) &&
           (views[1].shapes == NULL || views[1].shapes->count <= SHAPES_FILTERED_MAX);
}

/* Which packets are left for the rules without a destination. */
static inline uint64_t walk_in_step(const struct places *places, const struct view views[2], const struct pkt_key *keys,
                                    uint32_t *ids, unsigned count, bool staged)
{
    struct walking walking = walk_first(places, views, keys, ids, count, staged);
    uint64_t rest = 0;

    if (!staged && (views[0].first | views[1].first)) {
        struct left_over over = walk_left(places, views, keys, ids, walking.packets, walking.passed);
        rest = over.rest;
        walking.packets = over.steps;
        if (walking.packets == 0)
            return rest;
    }
    return rest | walk_steps(places, views, keys, ids, walking.packets, walking.passed, staged);
}

static inline bool view_is_rest(const struct view *view)
{
    return view->shapes == NULL && !(view->rest && view->by_cells);
}

static inline void walk_all(const struct places *places, struct burst *b, const struct pkt_key *keys, uint32_t *ids,
                            unsigned count, bool staged)
{
    bool single = b->views[0].single & b->views[1].single;

    if (view_is_rest(&b->views[0]) && view_is_rest(&b->views[1])) {
        rest_all(b, keys, ids, count);
    } else if (single) {
        walk_single(places, b, keys, ids, count, staged);
    } else if (views_in_step(places, b->views)) {
        b->left_count = b->rest_count = 0;
        uint64_t rest = walk_in_step(places, b->views, keys, ids, count, staged);
        if (rest != 0)
            rest_set(b, keys, ids, rest);
    } else {
        struct walking walking = walk_first(places, b->views, keys, ids, count, staged);
        burst_set(places, b, keys, ids, walking.packets, walking.passed, staged);
        walk_round(places, b, staged);
    }
    while (b->left_count > 0) {
        burst_hash(places, b, STAGED_SHAPES, staged);
        walk_round(places, b, staged);
    }
    walk_rest(places, b, keys, ids);
}

static void walk_burst(const struct places *places, const struct pkt_key *keys, uint32_t *ids, unsigned count)
{
    struct burst b;

    for (unsigned i = 0; i < 2; i++)
        b.views[i] = view_set(&places->families[i]);
    if ((int)hash_depth(&places->destinations) < STAGED_DEPTH) {
        walk_all(places, &b, keys, ids, count, false);
        return;
    }
    for (unsigned i = 0; i < count; i++) /* there is much else to wait for */
        __builtin_prefetch(&keys[i]);
    walk_all(places, &b, keys, ids, count, true);
}

#endif
