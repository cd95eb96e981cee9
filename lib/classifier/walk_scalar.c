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

#include "classifier/walk_burst.h"

const struct walk_ops walk_scalar_ops = {.burst = walk_burst, .after = walk_after};
