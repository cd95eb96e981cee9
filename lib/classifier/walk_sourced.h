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

/* A packet at its destination. */
struct sourced_packet {
    const struct destination *destination;
    const struct shapes *shapes; /* of its sources */
    uint8_t number;              /* of the packet in its burst */
};

/* The probe for one shape. */
struct sourced_probe {
    uint64_t hash;
    const struct hash_bucket *bucket;
};

/* What it has found. */
struct sourced_found {
    const struct source *source; /* that fits, or another */
    const struct shape *shape;
    uint64_t hash;
    uint32_t fits;    /* bit e: the tag of entry e does */
    uint32_t several; /* not 0: more than one does */
};

struct sourced {
    unsigned count;
    struct sourced_packet packets[CLS_BURST_MAX];
    struct sourced_probe probes[CLS_BURST_MAX][SOURCED_SHAPES];
    struct sourced_found found[CLS_BURST_MAX];
};

/* A source that no packet has. */
static const struct source sourced_nobody;

static inline struct sourced_probe sourced_hash(const struct hash_view *table, const struct sourced_packet *p,
                                                const struct shape *shape, const struct pkt_key *key)
{
    uint64_t address[2];

    mask_address(address, key->src, shape);
    uint64_t hash = place_hash(address, p->destination->item.hash, shape->salt);
    return (struct sourced_probe){hash, hash_bucket_in(table, hash)};
}

/* By the shape that was probed for. */
static inline struct sourced_found sourced_look(const struct sourced_probe *probe, const struct shape *shape)
{
    unsigned fits = bucket_fits(probe->bucket, probe->hash);
    const struct source *source = item_or(bucket_item(probe->bucket, fits), &sourced_nobody);

    return (struct sourced_found){source, shape, probe->hash, fits, fits & (fits - 1)};
}

/* By two shapes. Where there is one, it is probed for twice, and the second time does not count. */
static inline struct sourced_found sourced_look_two(const struct sourced_probe probes[2], const struct shapes *shapes)
{
    unsigned counts = -(unsigned)(shapes->count > 1), first = bucket_fits(probes[0].bucket, probes[0].hash);
    unsigned second = bucket_fits(probes[1].bucket, probes[1].hash) & counts, fits = first | second;
    const struct sourced_probe *probe = &probes[second != 0];
    const struct source *source = item_or(bucket_item(probe->bucket, fits), &sourced_nobody);

    return (struct sourced_found){source, shapes_at(shapes, second != 0), probe->hash, fits,
                                  (fits & (fits - 1)) | (first & second)};
}

/* Not 0: it is not known to be the packet's source, or not the only one that fits. */
static inline uint64_t sourced_differs(const struct sourced_packet *p, const struct sourced_found *found,
                                       const struct pkt_key *key)
{
    const struct source *s = found->source;
    uint64_t address[2];

    mask_address(address, key->src, found->shape);
    return ((uintptr_t)s->destination ^ (uintptr_t)p->destination) | (s->item.hash ^ found->hash) |
           (s->address[0] ^ address[0]) | (s->address[1] ^ address[1]) | found->several;
}

/* 1: its brief is the answer. */
static inline uint64_t sourced_holds(const struct sourced_packet *p, const struct sourced_found *found,
                                     const struct pkt_key *key)
{
    uint64_t own = sourced_differs(p, found, key) == 0;

    return own & brief_holds(&found->source->brief, key) & briefed_load(&found->source->briefed);
}

/*
 * Most often a source's brief is the answer, and of the rest nothing is asked here. Which packets have none so far (bit
 * n: packets[n]).
 */
static inline uint64_t sourced_briefs(const struct sourced *sourced, const struct pkt_key *keys, uint32_t *ids,
                                      struct sorted *sorted)
{
    uint64_t done = 0, left = 0;

    for (unsigned n = 0; n < sourced->count; n++) {
        const struct sourced_packet *p = &sourced->packets[n];
        const struct source *s = sourced->found[n].source;
        const struct pkt_key *key = &keys[p->number];
        uint64_t holds = sourced_holds(p, &sourced->found[n], key);
        ids[p->number] = s->id & -(uint32_t)holds;
        done |= holds << p->number;
        left |= (holds ^ 1) << n;
    }
    sorted->done |= done;
    sorted->others &= ~done;
    return left;
}

/*
 * What becomes of a packet for which no brief is the answer. `more`: there are shapes that were not probed for. True:
 * those are what is left.
 */
static inline bool sourced_go_on(const struct sourced_packet *p, const struct sourced_found *found,
                                 const struct pkt_key *key, bool more, struct sorted *sorted,
                                 const struct compiled **rules)
{
    const struct source *s = found->source;
    uintptr_t group = group_load(&s->rules);
    bool fits = found->fits != 0; /* if not, `source` may be its own all the same, put there just now: not looked at */
    bool known = fits & (sourced_differs(p, found, key) == 0) & group_is_rule(group);
    bool never = known & briefed_load(&s->briefed) & !brief_holds(&s->brief, key);
    bool nothing = never | !fits;
    bool last = (!more) & (known | nothing) & (group_load(&p->destination->any_source) == 0);

    rules[p->number] = (const struct compiled *)group;
    sorted->ruled |= (uint64_t)(known & !never) << p->number;
    sorted->others &= ~((uint64_t)last << p->number);
    return nothing & more;
}

/* A table that is near: the second shape is only for those that have found nothing by the first. */
static inline void sourced_near(const struct places *places, struct sourced *sourced, const struct pkt_key *keys,
                                uint32_t *ids, struct sorted *sorted, const struct compiled **rules)
{
    const struct hash_view table = hash_view_of(&places->sources);
    const unsigned count = sourced->count;

    for (unsigned n = 0; n < count; n++) {
        const struct sourced_packet *p = &sourced->packets[n];
        const struct shape *shape = shapes_at(p->shapes, 0);
        struct sourced_probe probe = sourced_hash(&table, p, shape, &keys[p->number]);
        sourced->found[n] = sourced_look(&probe, shape);
        __builtin_prefetch(sourced->found[n].source);
    }
    for (uint64_t left = sourced_briefs(sourced, keys, ids, sorted); left != 0; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        const struct sourced_packet *p = &sourced->packets[n];
        const struct pkt_key *key = &keys[p->number];
        if (!sourced_go_on(p, &sourced->found[n], key, p->shapes->count > 1, sorted, rules))
            continue;
        const struct shape *shape = shapes_at(p->shapes, 1);
        struct sourced_probe probe = sourced_hash(&table, p, shape, key);
        struct sourced_found found = sourced_look(&probe, shape);
        if (sourced_holds(p, &found, key)) {
            ids[p->number] = found.source->id;
            sorted->done |= (uint64_t)1 << p->number;
            sorted->others &= ~((uint64_t)1 << p->number);
            continue;
        }
        sourced_go_on(p, &found, key, false, sorted, rules);
    }
}

/* A table that is far: both shapes at once. */
static inline void sourced_far(const struct places *places, struct sourced *sourced, const struct pkt_key *keys,
                               uint32_t *ids, struct sorted *sorted, const struct compiled **rules)
{
    const struct hash_view table = hash_view_of(&places->sources);
    const unsigned count = sourced->count;

    for (unsigned n = 0; n < count; n++) {
        const struct sourced_packet *p = &sourced->packets[n];
        const struct shape *shape = shapes_at(p->shapes, 0);
        struct sourced_probe *probes = sourced->probes[n];
        probes[0] = sourced_hash(&table, p, shape, &keys[p->number]);
        probes[1] = sourced_hash(&table, p, shape + (p->shapes->count > 1), &keys[p->number]);
        __builtin_prefetch(probes[0].bucket);
        __builtin_prefetch(probes[1].bucket);
    }
    for (unsigned n = 0; n < count; n++) {
        sourced->found[n] = sourced_look_two(sourced->probes[n], sourced->packets[n].shapes);
        __builtin_prefetch(sourced->found[n].source);
    }
    for (uint64_t left = sourced_briefs(sourced, keys, ids, sorted); left != 0; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctzll(left);
        const struct sourced_packet *p = &sourced->packets[n];
        sourced_go_on(p, &sourced->found[n], &keys[p->number], false, sorted, rules);
    }
}

/* Those that are answered leave the others, among which all are so far. */
static inline void sourced_find(const struct places *places, struct sourced *sourced, const struct pkt_key *keys,
                                uint32_t *ids, struct sorted *sorted, const struct compiled **rules)
{
    if ((int)hash_depth(&places->sources) >= STAGED_DEPTH)
        sourced_far(places, sourced, keys, ids, sorted, rules);
    else
        sourced_near(places, sourced, keys, ids, sorted, rules);
}

#endif
