/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk in plain C, for every processor. */
#include <string.h>

#include "classifier/walk.h"

static inline bool box_holds(const struct box *box, const struct box_key *key)
{
    unsigned below = 0;

    for (unsigned n = 0; n < BOX_NUMBERS; n++)
        below |= key->numbers[n] < box->numbers[n];
    return !below;
}

static inline bool brief_holds(const struct brief *brief, const struct pkt_key *key)
{
    const uint16_t lanes[BRIEF_LANES] = {
        [BRIEF_PROTOCOL] = key->protocol,
        [BRIEF_DESTINATION_PORT] = key->dst_port,
        [BRIEF_SOURCE_PORT] = key->src_port,
        [BRIEF_HAS_PORTS] = (key->has & PKT_HAS_PORTS) != 0,
    };
    unsigned below = 0;

    for (unsigned i = 0; i < BRIEF_LANES; i++)
        below |= lanes[i] < brief->low[i];
    for (unsigned i = 0; i < BRIEF_LANES - 1; i++) {
        uint16_t complement = (uint16_t)~lanes[i];
        below |= complement < brief->high_not[i];
    }
    return !below;
}

static inline bool line_holds(const void *line, const struct sought *sought, const struct pkt_key *key)
{
    const struct sought *at = line;
    uint64_t beside = __atomic_load_n(&at->beside, __ATOMIC_ACQUIRE);
    uint64_t differs = (at->hash ^ sought->hash) | (at->address[0] ^ sought->address[0]) |
                       (at->address[1] ^ sought->address[1]) | (beside ^ sought->beside);

    return (differs == 0) & brief_holds((const struct brief *)((const char *)line + PLACE_BRIEF), key);
}

static inline bool list_holds(const struct compiled *rule, const struct box_key *own)
{
    unsigned equal = 0;

    for (unsigned i = 0; i < COMPILED_VALUES; i++)
        equal |= rule->list[i] == own->numbers[rule->list_lane];
    return equal;
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    uint16_t value_not = (uint16_t)~value;
    uint32_t holds = 0;

    for (unsigned i = 0; i < TREE_FANOUT; i++)
        holds |= (uint32_t)((value >= filter->low[i]) & (value_not >= filter->high_not[i])) << i;
    return holds;
}

static inline uint32_t filters_hold(const struct tree_filter *filter, const struct tree_filter *other, uint16_t value,
                                    uint16_t other_value)
{
    return filter_holds(filter, value) & filter_holds(other, other_value);
}

static inline unsigned bucket_fits(const struct hash_bucket *bucket, uint64_t hash)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < HASH_BUCKET; i++)
        fits |= (unsigned)hash_entry_fits(hash_entry(bucket, i), hash) << i;
    return fits;
}

#define BUCKET_PICKS 0

static inline const void *bucket_pick(const struct hash_bucket *bucket, uint64_t hash, const void *other)
{
    return hash_pick(bucket, bucket_fits(bucket, hash), other);
}

static inline void box_key_fill(struct box_key *out, const struct pkt_key *key)
{
    box_key_set(out, key, key->dst_port);
}

static inline uint64_t shapes_wanted(const uint8_t places[FILTER_SLOTS], uint64_t slots)
{
    uint64_t wanted = 0;

    for (unsigned i = 0; i < FILTER_SLOTS; i++)
        wanted |= (slots >> __atomic_load_n(&places[i], __ATOMIC_RELAXED) & 1) << i;
    return wanted;
}

static inline unsigned block_fits(const struct shapes_block *block, const uint8_t *own, uint16_t ports)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < SHAPES_OF_BLOCK; i++) {
        uint8_t mine = own[__atomic_load_n(&block->slots[i], __ATOMIC_RELAXED)];
        uint8_t tag = __atomic_load_n(&block->tags[i], __ATOMIC_RELAXED);
        bool fit = (mine != 0) & ((tag == mine) | (tag == SHAPES_TAG_MANY));
        fits |= (unsigned)(fit & ((__atomic_load_n(&block->ports[i], __ATOMIC_RELAXED) & ports) != 0)) << i;
    }
    return fits;
}

static inline void tags_fill(uint8_t own[FILTER_SLOTS], const struct filter *filter, uint64_t slots,
                             const uint64_t address[2])
{
    memset(own, 0, FILTER_SLOTS);
    for (uint64_t left = slots; left != 0; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        own[slot] = filter_tag(&filter->shapes, slot, address);
    }
    own[FILTER_LAST_SLOT] = 1;
}

#define levels_look fine_octets

#include "classifier/walk_burst.h"

const struct walk_ops walk_scalar_ops = {.burst = walk_burst, .after = walk_after};
