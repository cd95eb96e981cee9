/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk in plain C, for every processor. */
#include "classifier/walk.h"

static inline bool box_holds(const struct box *box, const struct box_key *key)
{
    unsigned below = 0;

    for (unsigned n = 0; n < BOX_NUMBERS; n++)
        below |= key->numbers[n] < box->numbers[n];
    return !below;
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    uint16_t value_not = (uint16_t)~value;
    uint32_t holds = 0;

    for (unsigned i = 0; i < TREE_FANOUT; i++)
        holds |= (uint32_t)((value >= filter->low[i]) & (value_not >= filter->high_not[i])) << i;
    return holds;
}

static inline unsigned bucket_fits(const struct hash_bucket *bucket, uint64_t hash)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < HASH_BUCKET; i++)
        fits |= (unsigned)hash_entry_fits(hash_entry(bucket, i), hash) << i;
    return fits;
}

/* Stored number by number, loaded as a vector: that takes a while. */
#define BOX_KEY_EARLY 1

static inline void box_key_fill(struct box_key *out, const struct pkt_key *key)
{
    box_key_set(out, key, key->dst_port);
}

static inline uint64_t shapes_wanted(const struct shapes_filter *filter, uint64_t slots)
{
    uint64_t wanted = 0;

    for (unsigned i = 0; i < SHAPES_FILTERED_MAX; i++)
        wanted |= (slots >> __atomic_load_n(&filter->slots[i], __ATOMIC_RELAXED) & 1) << i;
    return wanted;
}

static inline uint64_t tags_fit(const uint8_t *tags, const uint8_t *own)
{
    uint64_t fit = 0;

    for (unsigned i = 0; i < FILTER_SLOTS; i++) {
        uint8_t tag = __atomic_load_n(&tags[i], __ATOMIC_RELAXED);
        fit |= (uint64_t)(tag == own[i] || tag == SHAPES_TAG_MANY) << i;
    }
    return fit;
}

static inline uint64_t ports_fit(const uint8_t *ports, uint8_t own)
{
    uint64_t fit = 0;

    for (unsigned i = 0; i < FILTER_SLOTS; i++) {
        uint8_t tag = __atomic_load_n(&ports[i], __ATOMIC_RELAXED);
        fit |= (uint64_t)(tag == own || tag == SHAPES_PORTS_ANY) << i;
    }
    return fit;
}

#define TAGS_AT_ONCE 1

static inline void tags_set(uint8_t *tags, const struct filter_shapes *shapes, unsigned first,
                            const uint64_t address[2])
{
    tags[0] = filter_tag(shapes, first, address);
}

#include "classifier/walk_burst.h"

const struct walk_ops walk_scalar_ops = {.burst = walk_burst, .after = walk_after};
