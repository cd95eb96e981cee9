/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX-512 (F and BW): a box in one compare, a bucket in one. */
#include <immintrin.h>

#include "classifier/walk.h"

static inline uint32_t boxes_hold(const struct box *boxes, unsigned count, const struct box_key *key)
{
    const __m512i numbers = _mm512_load_si512(key);
    uint32_t holds = 0;

    for (unsigned i = 0; i < count; i++)
        holds |= (uint32_t)(_mm512_cmplt_epu16_mask(numbers, _mm512_load_si512(&boxes[i])) == 0) << i;
    return holds;
}

/* The vector is eight words that the writer may be storing to; each is whole, and ThreadSanitizer cannot know that. */
__attribute__((no_sanitize("thread"))) static inline unsigned bucket_fits(const struct hash_bucket *bucket,
                                                                          uint64_t hash)
{
    const __m512i tag = _mm512_set1_epi64(hash_tag(hash));
    __m512i entries = _mm512_load_si512(bucket);

    return _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(entries, HASH_ITEM_BITS), tag);
}

#include "classifier/walk_body.h"

const struct walk_ops walk_avx512_ops = {.burst = walk_burst, .after = walk_after};
