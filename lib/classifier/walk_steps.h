/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several shapes of destinations, in all but the largest tables. The packets of a burst go in step: in each step
 * those that look for a destination make one probe, then those that look for a source, and those that have found rules
 * compare them. Where a packet goes next is a bit in one of a few masks, so no branch depends on it, and a packet does
 * no more than it would do alone: whoever has a match leaves. The last few packets then go on by themselves.
 */
#ifndef CLASSIFIER_WALK_STEPS_H
#define CLASSIFIER_WALK_STEPS_H

#include "classifier/walk_body.h"
#include "classifier/walk_single.h"

/* Tables with 2^that segments or more are worth a look at summaries: the buckets of others are near. Tests build with
 * 0. */
#ifndef SUMMARIES_DEPTH
#define SUMMARIES_DEPTH 9
#endif

/* So many packets, or fewer, no longer go in step: a step waits for what the one before has found, whoever it is for.
 */
#define STEPS_FEW 4

/* A bucket that was probed. */
struct step_probe {
    uint64_t hash;
    const struct hash_bucket *bucket;
    const struct shape *shape;
    unsigned fits; /* bit i: the tag of entry i does */
};

struct steps {
    const struct pkt_key *keys;
    uint32_t *ids;
    const struct view *views;
    /* bit i: packet i ... */
    uint64_t destinations; /* has shapes of destinations to look at */
    uint64_t sources;      /* has sources of a destination to look at */
    uint64_t groups;       /* has rules to compare */
    uint64_t over;         /* has found nothing */
    uint64_t asked;        /* has its query set */
    uint64_t looked_up;    /* and its source slots */
    /* by packet */
    const struct shape *shapes[CLS_BURST_MAX]; /* of destinations */
    uint64_t wanted[CLS_BURST_MAX];            /* those to look at */
    struct step_probe probes[CLS_BURST_MAX];
    const struct destination *destination[CLS_BURST_MAX]; /* the last that was found */
    const struct shapes *source_shapes[CLS_BURST_MAX];    /* its */
    uint64_t source_wanted[CLS_BURST_MAX];                /* those to look at */
    uintptr_t any_source[CLS_BURST_MAX];                  /* its rules without a source; 0 once they are in `group` */
    uintptr_t group[CLS_BURST_MAX];                       /* to compare */
    struct query queries[CLS_BURST_MAX];
};

static const struct shapes shapes_none; /* no sources */

static inline unsigned bits_take(uint64_t *left)
{
    unsigned i = (unsigned)__builtin_ctzll(*left);

    *left &= *left - 1;
    return i;
}

/* Where packets go that have found no match so far below their destination. */
static inline void steps_go_on(struct steps *s, uint64_t packets)
{
    uint64_t sources = 0, groups = 0, destinations = 0;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        s->group[i] = s->any_source[i];
        sources |= (uint64_t)(s->source_wanted[i] != 0) << i;
        groups |= (uint64_t)(s->any_source[i] != 0) << i;
        destinations |= (uint64_t)(s->wanted[i] != 0) << i;
    }
    groups &= ~sources;
    s->sources |= sources;
    s->groups |= groups;
    destinations &= ~(sources | groups);
    s->destinations |= destinations;
    s->over |= packets & ~(sources | groups | destinations);
    for (uint64_t left = groups; left != 0;)
        s->any_source[bits_take(&left)] = 0;
}

/* Asks for the bucket, or looks into it at once. 1: a tag fits. */
static inline uint64_t probe_look(struct step_probe *probe, bool staged)
{
    if (staged) {
        __builtin_prefetch(probe->bucket);
        return 0;
    }
    probe->fits = bucket_fits(probe->bucket, probe->hash);
    return probe->fits != 0;
}

/* Looks into the buckets that were asked for, and asks for the items that fit. For which packets any does. */
static inline uint64_t probes_look(struct steps *s, uint64_t packets)
{
    uint64_t hit = 0;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        struct step_probe *probe = &s->probes[i];
        hit |= probe_look(probe, false) << i;
        __builtin_prefetch(item_or(bucket_item(probe->bucket, probe->fits), probe));
    }
    return hit;
}

/* Packet i's destination under the next shape that it wants. */
static inline struct step_probe *steps_hash(const struct places *places, struct steps *s, unsigned i)
{
    const struct shape *shape = &s->shapes[i][bits_take(&s->wanted[i])];
    struct step_probe *probe = &s->probes[i];
    uint64_t address[2];

    mask_address(address, s->keys[i].dst, shape);
    probe->shape = shape;
    probe->hash = place_hash(address, places->seed, shape->salt);
    return probe;
}

/* One probe for a destination. Which packets have found a tag that fits. */
static inline uint64_t steps_probe(const struct places *places, struct steps *s, bool staged)
{
    uint64_t hit = 0, more = 0, packets = s->destinations;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        struct step_probe *probe = steps_hash(places, s, i);
        probe->bucket = hash_bucket_of(&places->destinations, probe->hash);
        more |= (uint64_t)(s->wanted[i] != 0) << i;
        hit |= probe_look(probe, staged) << i;
    }
    if (staged)
        hit = probes_look(s, packets);
    s->destinations = packets & ~hit & more;
    s->over |= packets & ~hit & ~more;
    return hit;
}

/*
 * In a large table a summary of the bucket says for most shapes that there is nothing. One shape for each packet that
 * looks for a destination; those where there may be one have asked for its bucket, and wait.
 */
static inline uint64_t steps_ask(const struct places *places, const struct hash_directory *directory, struct steps *s)
{
    uint64_t asked = 0, more = 0, packets = s->destinations;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct step_probe *probe = steps_hash(places, s, i);
        more |= (uint64_t)(s->wanted[i] != 0) << i;
        asked |= (uint64_t)hash_may_have(&places->destinations, directory, probe->hash) << i;
    }
    for (uint64_t left = asked; left != 0;) {
        struct step_probe *probe = &s->probes[bits_take(&left)];
        probe->bucket = hash_bucket_of(&places->destinations, probe->hash);
        __builtin_prefetch(probe->bucket);
    }
    s->destinations = packets & ~asked & more;
    s->over |= packets & ~asked & ~more;
    return asked;
}

/* The next probe of each packet for which there may be something. Which packets have found a tag that fits. */
static inline uint64_t steps_probe_some(const struct places *places, const struct hash_directory *directory,
                                        struct steps *s)
{
    uint64_t more = 0, asked = 0;

    while (s->destinations != 0)
        asked |= steps_ask(places, directory, s);
    uint64_t hit = probes_look(s, asked);
    for (uint64_t left = asked & ~hit; left != 0;) {
        unsigned i = bits_take(&left);
        more |= (uint64_t)(s->wanted[i] != 0) << i;
    }
    s->destinations = more;
    s->over |= asked & ~hit & ~more;
    return hit;
}

/* The directory whose summaries are to be looked at; NULL: none. */
static inline const struct hash_directory *steps_summaries(const struct places *places, bool staged)
{
    const struct hash_directory *directory = rcu_load(&places->destinations.directory);
    bool worth = staged && (int)directory->depth >= SUMMARIES_DEPTH && directory->summaries != NULL;

    return worth ? directory : NULL;
}

static inline uint64_t steps_probe_all(const struct places *places, struct steps *s, bool staged)
{
    const struct hash_directory *directory = steps_summaries(places, staged);
    uint64_t found = 0;

    while (s->destinations != 0)
        found |= directory != NULL ? steps_probe_some(places, directory, s) : steps_probe(places, s, staged);
    return found;
}

/* Asks for what lies below a destination. */
static inline void destination_ask(const struct destination *d)
{
    const char *sources = item_or(rcu_load(&d->sources), d);

    __builtin_prefetch(sources);
    __builtin_prefetch(sources + MEM_LINE); /* the first two shapes, where there is a filter */
    prefetch_group(group_load(&d->any_source), d);
}

/* Which of these have found their destination: a tag may fit by chance. */
static inline uint64_t steps_verify(const struct places *places, struct steps *s, uint64_t packets, bool staged)
{
    uint64_t found = 0, more = 0;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct step_probe *probe = &s->probes[i];
        uint64_t address[2];
        mask_address(address, s->keys[i].dst, probe->shape);
        const struct destination *d = item_or(bucket_item(probe->bucket, probe->fits), &s->views[0].family->any);
        bool is = destination_same(d, address, probe->hash);
        if (__builtin_expect(!is & ((probe->fits & (probe->fits - 1)) != 0), 0)) {
            d = destination_find(places, s->keys[i].dst, probe->shape);
            is = d != NULL;
        }
        s->destination[i] = d;
        /* most destinations of a chain have nothing for the packet's ports */
        is &= destination_has_ports(item_or(d, &s->views[0].family->any), s->keys[i].protocol, s->keys[i].dst_port);
        if (staged)
            destination_ask(item_or(d, &s->views[0].family->any));
        found |= (uint64_t)is << i;
        more |= (uint64_t)(s->wanted[i] != 0) << i;
    }
    s->destinations |= packets & ~found & more;
    s->over |= packets & ~found & ~more;
    return found;
}

/* A destination whose sources have more shapes than a mask has bits is looked at alone. Whether it has a match. */
static inline uint64_t steps_alone(const struct places *places, struct steps *s, unsigned i)
{
    struct found best = {.rule = NULL, .id = CLS_NO_MATCH};

    find_in_destination(places, &s->queries[i], s->destination[i], &best);
    s->ids[i] = best.id;
    s->source_wanted[i] = 0;
    s->any_source[i] = 0;
    return best.rule != NULL;
}

/* Which shapes of sources to look at below the destinations that were just found. */
static inline void steps_below(const struct places *places, struct steps *s, uint64_t found)
{
    uint64_t filtered = 0, matched = 0;

    for (uint64_t left = found & ~s->asked; left != 0;) {
        unsigned i = bits_take(&left);
        query_set(&s->queries[i], s->views[place_family_index(s->keys[i].family)].family, &s->keys[i]);
    }
    s->asked |= found;
    for (uint64_t left = found; left != 0;) {
        unsigned i = bits_take(&left);
        const struct destination *d = s->destination[i];
        const struct shapes *sources = item_or(rcu_load(&d->sources), &shapes_none);
        s->source_shapes[i] = sources;
        s->any_source[i] = group_load(&d->any_source);
        s->source_wanted[i] = ((uint64_t)1 << sources->count % 64) - 1;
        filtered |= (uint64_t)(sources->count >= SHAPES_FILTERED_MIN) << i;
    }
    for (uint64_t left = filtered & ~s->looked_up; left != 0;)
        source_look_up(&s->queries[bits_take(&left)]);
    s->looked_up |= filtered;
    for (uint64_t left = filtered; left != 0;) {
        unsigned i = bits_take(&left);
        s->source_wanted[i] = sources_walk(&s->queries[i], s->source_shapes[i]).wanted;
        if (__builtin_expect(s->source_shapes[i]->count > SHAPES_FILTERED_MAX, 0))
            matched |= steps_alone(places, s, i) << i;
    }
    steps_go_on(s, found & ~matched);
}

/* One probe for a source: hashed, ... */
static inline uint64_t steps_source_probe(const struct places *places, struct steps *s, bool staged)
{
    uint64_t packets = s->sources;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        struct step_probe *probe = &s->probes[i];
        uint64_t address[2];
        probe->shape = shapes_at(s->source_shapes[i], bits_take(&s->source_wanted[i]));
        probe->hash = source_hash(&s->queries[i], s->destination[i], probe->shape, address);
        probe->bucket = hash_bucket_of(&places->sources, probe->hash);
        probe_look(probe, staged);
    }
    if (staged)
        probes_look(s, packets);
    s->sources = 0;
    return packets;
}

/* ... and looked at. */
static inline void steps_source(const struct places *places, struct steps *s, bool staged)
{
    static const struct source NO_SOURCE;
    uint64_t found = 0, done = 0, packets = steps_source_probe(places, s, staged);

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct step_probe *probe = &s->probes[i];
        const struct destination *d = s->destination[i];
        const struct source *source = item_or(bucket_item(probe->bucket, probe->fits), &NO_SOURCE);
        uint64_t address[2];
        mask_address(address, s->keys[i].src, probe->shape);
        bool is = source_is(source, d, address, probe->hash);
        if (__builtin_expect(!is & ((probe->fits & (probe->fits - 1)) != 0), 0)) {
            source = source_find(places, &s->queries[i], d, probe->shape);
            is = source != NULL;
            source = item_or(source, &NO_SOURCE);
        }
        /* its brief may say all that there is; without a branch */
        uint64_t briefed = is & briefed_load(&source->briefed);
        uint64_t holds = briefed & brief_holds(&source->brief, &s->keys[i]);
        s->ids[i] = source->id & -(uint32_t)holds;
        done |= holds << i;
        s->group[i] = group_load(&source->rules) & -(uintptr_t)(is & (briefed ^ 1));
        if (staged)
            prefetch_group(s->group[i], s);
        found |= (uint64_t)(s->group[i] != 0) << i;
    }
    s->groups |= found;
    steps_go_on(s, packets & ~(found | done));
}

/* Compares the rules found. */
static inline void steps_compare(struct steps *s)
{
    uint64_t packets = s->groups, ones = 0, matched = 0;

    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        ones |= (uint64_t)((s->group[i] & GROUP_KIND) == GROUP_ONE) << i;
    }
    for (uint64_t left = ones; left != 0;) {
        unsigned i = bits_take(&left);
        const struct compiled *rule = (const struct compiled *)s->group[i];
        bool holds = box_holds(&rule->box, &s->queries[i].box);
        if (__builtin_expect((rule->box.inexact | rule->box.flags) != 0, 0))
            holds = accepted(&s->queries[i], &rule->box, rule, 0);
        s->ids[i] = holds ? rule->box.id : CLS_NO_MATCH;
        matched |= (uint64_t)holds << i;
    }
    for (uint64_t left = packets & ~ones; left != 0;) {
        unsigned i = bits_take(&left);
        struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
        find_in_group(&s->queries[i], s->group[i], 0, &best);
        s->ids[i] = best.id;
        matched |= (uint64_t)(best.rule != NULL) << i;
    }
    s->groups = 0;
    steps_go_on(s, packets & ~matched);
}

/*
 * The packets, and what shapes they have to look at; those that have passed the first shape, not at it. A function of
 * its own: the steps behind it would take its registers.
 */
static __attribute__((noinline)) void steps_set(struct steps *s, const struct view views[2], const struct pkt_key *keys,
                                                uint32_t *ids, uint64_t packets, uint64_t passed)
{
    uint64_t matchable = 0, wanted = 0;

    s->keys = keys;
    s->ids = ids;
    s->views = views;
    s->sources = s->groups = s->asked = s->looked_up = 0;
    for (uint64_t left = packets; left != 0;) {
        unsigned i = bits_take(&left);
        const struct view *view = &views[place_family_index(keys[i].family)];
        matchable |= (uint64_t)cls_key_matchable(&keys[i]) << i;
        s->shapes[i] = view->shapes != NULL ? shapes_at(view->shapes, 0) : NULL;
        s->wanted[i] = destinations_walk(view->family, view->shapes, &keys[i]).wanted & ~(passed >> i & 1);
        wanted |= (uint64_t)(s->wanted[i] != 0) << i;
    }
    s->destinations = matchable & wanted;
    s->over = matchable & ~wanted;
}

/* A packet that goes on by itself: all shapes that it wants. Whether it has a match. */
static inline bool steps_finish(const struct places *places, struct steps *s, unsigned i)
{
    struct found best = {.rule = NULL, .id = CLS_NO_MATCH};
    const struct pkt_key *key = &s->keys[i];

    if (!(s->asked >> i & 1))
        query_set(&s->queries[i], s->views[place_family_index(key->family)].family, key);
    while (s->wanted[i] != 0) {
        const struct shape *shape = &s->shapes[i][bits_take(&s->wanted[i])];
        const struct destination *d = destination_find(places, key->dst, shape);
        if (d != NULL && destination_has_ports(d, key->protocol, key->dst_port) &&
            find_in_destination(places, &s->queries[i], d, &best)) {
            s->ids[i] = best.id;
            return true;
        }
    }
    return false;
}

/* The last packets of a burst, one after the other: the processor looks ahead from one to the next. */
static __attribute__((noinline)) void steps_finish_all(const struct places *places, struct steps *s)
{
    for (uint64_t left = s->destinations; left != 0;) {
        unsigned i = bits_take(&left);
        s->over |= (uint64_t)!steps_finish(places, s, i) << i;
    }
    s->destinations = 0;
}

/* Which packets no destination decides. */
static inline uint64_t walk_steps(const struct places *places, const struct view views[2], const struct pkt_key *keys,
                                  uint32_t *ids, uint64_t packets, uint64_t passed, bool staged)
{
    bool sources_staged = (int)hash_depth(&places->sources) >= STAGED_DEPTH;
    bool far = steps_summaries(places, staged) != NULL;
    struct steps s;

    steps_set(&s, views, keys, ids, packets, passed);
    while ((s.destinations | s.sources | s.groups) != 0) {
        uint64_t found = steps_probe_all(places, &s, staged);
        found = steps_verify(places, &s, found, staged);
        steps_below(places, &s, found);
        while (s.sources != 0)
            steps_source(places, &s, sources_staged);
        steps_compare(&s);
        if (!far && __builtin_popcountll(s.destinations) <= STEPS_FEW)
            steps_finish_all(places, &s);
    }
    return s.over;
}

#endif
