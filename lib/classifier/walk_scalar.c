/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk in plain C, for every processor. */
#include "classifier/walk.h"

static inline uint32_t boxes_hold(const struct box *boxes, unsigned count, const struct box_key *key)
{
    uint32_t holds = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned below = 0;
        for (unsigned n = 0; n < BOX_NUMBERS; n++)
            below |= key->numbers[n] < boxes[i].numbers[n];
        holds |= (uint32_t)!below << i;
    }
    return holds;
}

static inline unsigned bucket_fits(const struct hash_bucket *bucket, uint64_t hash)
{
    unsigned fits = 0;

    for (unsigned i = 0; i < HASH_BUCKET; i++)
        fits |= (unsigned)hash_entry_fits(hash_entry(bucket, i), hash) << i;
    return fits;
}

#include "classifier/walk_body.h"

const struct walk_ops walk_scalar_ops = {.burst = walk_burst, .after = walk_after};
