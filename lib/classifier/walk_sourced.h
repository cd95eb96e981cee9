/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets at a destination that has sources of one or two shapes, as blocklists do: a probe for each shape, and most
 * often one source with one rule, or none. Whether, and by which shape, differs from packet to packet, so that no
 * branch is made of it; what is otherwise is left to the walkers, or goes in step.
 */
#ifndef CLASSIFIER_WALK_SOURCED_H
#define CLASSIFIER_WALK_SOURCED_H

#include "classifier/walk_body.h"

#define SOURCED_SHAPES 2 /* most of a destination; there is no filter for so few */

_Static_assert(SOURCED_SHAPES < SHAPES_FILTERED_MIN, "more have tags");

/* Packets that have found something. Bit i: packet i. */
struct sorted {
    uint64_t done;    /* have their answer */
    uint64_t ruled;   /* have a rule that is to be compared in full */
    uint64_t others;  /* are still to be looked at, if that does not match */
    uint64_t indexed; /* of these: their destination has an index and no sources */
};

static inline unsigned briefed_load(const _Atomic(bool) *briefed)
{
    return atomic_load_explicit((_Atomic(bool) *)(uintptr_t)briefed, memory_order_acquire);
}

/* Whether the group is one rule. */
static inline unsigned group_is_rule(uintptr_t group)
{
    return ((group & GROUP_KIND) == 0) & (group != 0);
}

/* Packets at such a destination, and what each of them looks for and finds. */
struct sourced {
    uint64_t packets;                            /* bit i: packet i is one */
    const struct shapes *lists[CLS_BURST_MAX];   /* of its sources */
    struct sought sought[CLS_BURST_MAX];         /* `beside` first of all */
    const struct source *sources[CLS_BURST_MAX]; /* that fits first, or sourced_nobody */
};

/* A source that no packet has. */
static const struct source sourced_nobody;

/* As shapes_at: a list that has no filter has nothing else in front of its shapes. */
static inline const struct shape *sourced_shape(const struct shapes *list, unsigned at)
{
    return (const struct shape *)(list + 1) + at;
}

/* `above`: the destination's hash. */
static inline uint64_t sourced_seek(struct sought *sought, const struct shape *shape, uint64_t above,
                                    const struct pkt_key *key)
{
    uint64_t address[2];

    mask_address(address, key->src, shape);
    uint64_t hash = place_hash(address, above, shape->salt);
    sought->hash = hash;
    sought->address[0] = address[0];
    sought->address[1] = address[1];
    return hash;
}

static inline const struct destination *sourced_destination(const struct sought *sought)
{
    return (const struct destination *)(uintptr_t)sought->beside;
}

/* 0: it is the packet's source. */
static inline uint64_t sourced_differs(const struct sought *sought, const struct source *s)
{
    return ((uintptr_t)s->destination ^ sought->beside) | (s->item.hash ^ sought->hash) |
           (s->address[0] ^ sought->address[0]) | (s->address[1] ^ sought->address[1]);
}

/* Most often a source's brief is the answer, and of the rest nothing is asked here. Which packets have none so far. */
static inline uint64_t sourced_briefs(const struct sourced *sourced, const struct pkt_key *keys, uint32_t *ids,
                                      struct sorted *sorted)
{
    uint64_t done = 0;

    for (uint64_t left = sourced->packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct source *s = sourced->sources[i];
        uint64_t holds = line_holds(s, &sourced->sought[i], &keys[i]) & briefed_load(&s->briefed);
        ids[i] = s->id & -(uint32_t)holds;
        done |= holds << i;
    }
    sorted->done |= done;
    sorted->others &= ~done;
    return sourced->packets & ~done;
}

/*
 * What becomes of packet i, for which no brief is the answer. `more`: there are shapes that were not probed for. True:
 * those are what is left.
 */
static inline bool sourced_go_on(const struct sought *sought, const struct source *s, unsigned i,
                                 const struct pkt_key *key, bool more, struct sorted *sorted,
                                 const struct compiled **rules)
{
    uintptr_t group = group_load(&s->rules);
    bool fits = s != &sourced_nobody;
    bool known = (sourced_differs(sought, s) == 0) & group_is_rule(group);
    bool never = known & briefed_load(&s->briefed) & !brief_holds(&s->brief, key);
    bool nothing = never | !fits;
    bool last = (!more) & (known | nothing) & (group_load(&sourced_destination(sought)->any_source) == 0);

    rules[i] = (const struct compiled *)group;
    sorted->ruled |= (uint64_t)(known & !never) << i;
    sorted->others &= ~((uint64_t)last << i);
    return nothing & more;
}

/* A table that is near: the second shape is only for those that have found nothing by the first. */
static inline void sourced_near(const struct places *places, struct sourced *sourced, const struct sought *above,
                                const struct pkt_key *keys, uint32_t *ids, struct sorted *sorted,
                                const struct compiled **rules)
{
    const struct hash_view table = hash_view_of(&places->sources);

    for (uint64_t left = sourced->packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t hash = sourced_seek(&sourced->sought[i], sourced_shape(sourced->lists[i], 0), above[i].hash, &keys[i]);
        sourced->sources[i] = bucket_pick(hash_bucket_in(&table, hash), hash, &sourced_nobody);
        __builtin_prefetch(sourced->sources[i]);
    }
    for (uint64_t left = sourced_briefs(sourced, keys, ids, sorted); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        struct sought *sought = &sourced->sought[i];
        const struct shapes *list = sourced->lists[i];
        if (!sourced_go_on(sought, sourced->sources[i], i, &keys[i], list->count > 1, sorted, rules))
            continue;
        uint64_t hash = sourced_seek(sought, sourced_shape(list, 1), above[i].hash, &keys[i]);
        const struct source *s = bucket_pick(hash_bucket_in(&table, hash), hash, &sourced_nobody);
        if (line_holds(s, sought, &keys[i]) & briefed_load(&s->briefed)) {
            ids[i] = s->id;
            sorted->done |= (uint64_t)1 << i;
            sorted->others &= ~((uint64_t)1 << i);
            continue;
        }
        sourced_go_on(sought, s, i, &keys[i], false, sorted, rules);
    }
}

/* The probe for one shape. */
struct sourced_probe {
    uint64_t hash;
    const struct hash_bucket *bucket;
};

static inline struct sourced_probe sourced_probe_set(const struct hash_view *table, const struct shape *shape,
                                                     uint64_t above, const struct pkt_key *key)
{
    struct sought sought;
    uint64_t hash = sourced_seek(&sought, shape, above, key);

    return (struct sourced_probe){hash, hash_bucket_in(table, hash)};
}

/* Looks for packet i by both shapes. Where there is one, it is probed for twice, and the second time does not count.
 * 1: there is a source of the second shape besides that of the first. */
static inline uint64_t sourced_look_two(struct sourced *sourced, unsigned i, const struct sourced_probe probes[2],
                                        const struct pkt_key *key)
{
    const struct shapes *list = sourced->lists[i];
    const struct source *first = bucket_pick(probes[0].bucket, probes[0].hash, &sourced_nobody);
    const struct source *second = bucket_pick(probes[1].bucket, probes[1].hash, &sourced_nobody);
    unsigned two = list->count > 1, by_second = (first == &sourced_nobody) & two;
    struct sought *sought = &sourced->sought[i];

    sourced->sources[i] = by_second ? second : first;
    mask_address(sought->address, key->src, sourced_shape(list, by_second));
    sought->hash = probes[by_second].hash;
    __builtin_prefetch(sourced->sources[i]);
    return (first != &sourced_nobody) & (second != &sourced_nobody) & two;
}

/* A table that is far: both shapes at once. */
static inline void sourced_far(const struct places *places, struct sourced *sourced, const struct sought *above,
                               const struct pkt_key *keys, uint32_t *ids, struct sorted *sorted,
                               const struct compiled **rules)
{
    const struct hash_view table = hash_view_of(&places->sources);
    struct sourced_probe probes[CLS_BURST_MAX][SOURCED_SHAPES];
    uint64_t both = 0;

    for (uint64_t left = sourced->packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct shapes *list = sourced->lists[i];
        probes[i][0] = sourced_probe_set(&table, sourced_shape(list, 0), above[i].hash, &keys[i]);
        probes[i][1] = sourced_probe_set(&table, sourced_shape(list, list->count > 1), above[i].hash, &keys[i]);
        __builtin_prefetch(probes[i][0].bucket);
        __builtin_prefetch(probes[i][1].bucket);
    }
    for (uint64_t left = sourced->packets; left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        both |= sourced_look_two(sourced, i, probes[i], &keys[i]) << i;
    }
    for (uint64_t left = sourced_briefs(sourced, keys, ids, sorted); left != 0; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        sourced_go_on(&sourced->sought[i], sourced->sources[i], i, &keys[i], both >> i & 1, sorted, rules);
    }
}

/* Those that are answered leave the others, among which all are so far. `above`: what they have found so far. */
static inline void sourced_find(const struct places *places, struct sourced *sourced, const struct sought *above,
                                const struct pkt_key *keys, uint32_t *ids, struct sorted *sorted,
                                const struct compiled **rules)
{
    if ((int)hash_depth(&places->sources) >= STAGED_DEPTH)
        sourced_far(places, sourced, above, keys, ids, sorted, rules);
    else
        sourced_near(places, sourced, above, keys, ids, sorted, rules);
}

#endif
