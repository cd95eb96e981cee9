/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets at a destination that has sources of one or two shapes, as blocklists do: a probe for each shape, and most
 * often one source with one rule, or none. Whether, and by which shape, differs from packet to packet, so that no
 * branch is made of it; what is otherwise is left to the walkers.
 */
#ifndef CLASSIFIER_WALK_SOURCED_H
#define CLASSIFIER_WALK_SOURCED_H

#include "classifier/walk_body.h"

#define SOURCED_SHAPES 2 /* most of a destination; there is no filter for so few */

_Static_assert(SOURCED_SHAPES < SHAPES_FILTERED_MIN, "more have tags");

/* A packet on its way from its destination to the one rule that it may match there. */
struct sourced_packet {
    const struct destination *destination;
    const struct shapes *shapes; /* of its sources */
    uint64_t hashes[SOURCED_SHAPES];
    const struct hash_bucket *buckets[SOURCED_SHAPES];
    const struct source *source; /* the first that fits */
    uint32_t fits;               /* bit 8 * k + e: entry e of bucket k does */
    uint8_t number;              /* of the packet in its burst */
};

struct sourced {
    unsigned count;
    struct sourced_packet packets[CLS_BURST_MAX];
    const struct compiled *rules[CLS_BURST_MAX]; /* that may match */
    struct box_key owns[BOX_KEY_EARLY ? CLS_BURST_MAX : 1];
};

/* A source that no packet has. A rule that none is for. */
static const struct source sourced_nobody;
static const struct compiled sourced_nothing = {.box = {.low = {1}, .high_not = {UINT16_MAX}}};

static inline void sourced_set(struct sourced_packet *p, const struct destination *d, const struct shapes *shapes,
                               unsigned number)
{
    p->destination = d;
    p->shapes = shapes;
    p->number = (uint8_t)number;
}

/* Where there is one shape, it is probed for twice, and the second time does not count. */
static inline void sourced_hash(const struct hash_view *table, struct sourced_packet *p, const struct pkt_key *key)
{
    for (unsigned k = 0; k < SOURCED_SHAPES; k++) {
        const struct shape *shape = shapes_at(p->shapes, k < p->shapes->count ? k : 0);
        uint64_t address[2];
        mask_address(address, key->src, shape);
        p->hashes[k] = place_hash(address, p->destination->salt, shape->salt);
        p->buckets[k] = hash_bucket_in(table, p->hashes[k]);
        __builtin_prefetch(p->buckets[k]);
    }
}

/* Asks for the source. */
static inline void sourced_probe(struct sourced_packet *p)
{
    uint32_t second = bucket_fits(p->buckets[1], p->hashes[1]) << HASH_BUCKET;

    p->fits = bucket_fits(p->buckets[0], p->hashes[0]) | (p->shapes->count > 1 ? second : 0);
    unsigned first = (unsigned)__builtin_ctz(p->fits | 1u << (SOURCED_SHAPES * HASH_BUCKET - 1));
    const struct source *s = hash_entry_item(hash_entry(p->buckets[first / HASH_BUCKET], first % HASH_BUCKET));
    p->source = ((p->fits != 0) & (s != NULL)) ? s : &sourced_nobody;
    __builtin_prefetch(p->source);
}

/* The one rule that can match the packet, or one that never does; NULL: it is not as simple as that. */
static inline const struct compiled *sourced_rule(const struct sourced_packet *p, const struct pkt_key *key)
{
    const struct source *s = p->source;
    unsigned first = (unsigned)__builtin_ctz(p->fits | 1u << HASH_BUCKET) / HASH_BUCKET;
    const struct shape *shape = shapes_at(p->shapes, first < p->shapes->count ? first : 0);
    uintptr_t group = group_load(&s->rules);
    uint64_t address[2];

    mask_address(address, key->src, shape);
    uint64_t other = ((uintptr_t)s->destination ^ (uintptr_t)p->destination) | (s->shape_salt ^ shape->salt) |
                     (s->address[0] ^ address[0]) | (s->address[1] ^ address[1]) | (p->fits & (p->fits - 1)) |
                     (group & GROUP_KIND);
    uintptr_t rule = other == 0 ? group : 0;
    return (const struct compiled *)(p->fits == 0 ? (uintptr_t)&sourced_nothing : rule);
}

/* The rest for those whose source is asked for. */
static inline uint64_t sourced_compare(const struct sourced *sourced, const struct pkt_key *keys, uint32_t *ids,
                                       uint64_t *done)
{
    uint64_t answered = 0;

    for (unsigned n = 0; n < sourced->count; n++) {
        const struct sourced_packet *p = &sourced->packets[n];
        const struct compiled *rule = sourced->rules[n] != NULL ? sourced->rules[n] : &sourced_nothing;
        struct box_key here;
        if (!BOX_KEY_EARLY)
            box_key_fill(&here, &keys[p->number]);
        bool known = (sourced->rules[n] != NULL) & ((rule->box.inexact | rule->box.flags) == 0);
        bool holds = known & box_holds(&rule->box, BOX_KEY_EARLY ? &sourced->owns[n] : &here);
        ids[p->number] = holds ? rule->box.id : CLS_NO_MATCH;
        *done |= (uint64_t)holds << p->number;
        answered |= (uint64_t)(holds | (known & (group_load(&p->destination->any_source) == 0))) << p->number;
    }
    return answered;
}

/*
 * The packets that are answered. `done` of these: they have a match, whose id is set. (Small tables are asked for in
 * stages, too: it costs less than it gains where they are only in the second cache.)
 */
static inline uint64_t sourced_find(const struct places *places, struct sourced *sourced, const struct pkt_key *keys,
                                    uint32_t *ids, uint64_t *done)
{
    const struct hash_view table = hash_view_of(&places->sources);

    for (unsigned n = 0; n < sourced->count; n++) {
        const struct pkt_key *key = &keys[sourced->packets[n].number];
        sourced_hash(&table, &sourced->packets[n], key);
        if (BOX_KEY_EARLY)
            box_key_fill(&sourced->owns[n], key);
    }
    for (unsigned n = 0; n < sourced->count; n++)
        sourced_probe(&sourced->packets[n]);
    for (unsigned n = 0; n < sourced->count; n++) {
        const struct compiled *rule = sourced_rule(&sourced->packets[n], &keys[sourced->packets[n].number]);
        sourced->rules[n] = rule;
        __builtin_prefetch(rule != NULL ? rule : &sourced_nothing);
    }
    return sourced_compare(sourced, keys, ids, done);
}

#endif
