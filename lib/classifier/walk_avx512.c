/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX-512 (F and BW): a box in one compare, a bucket in one. */
#include <immintrin.h>

#include "classifier/walk.h"

static inline bool box_holds(const struct box *box, const struct box_key *key)
{
    return _mm512_cmplt_epu16_mask(_mm512_load_si512(key), _mm512_load_si512(box)) == 0;
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    /* the value in the lower half, its complement in the upper */
    const __m512i number = _mm512_xor_si512(_mm512_set1_epi16((short)value),
                                            _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(-1), 1));
    uint32_t holds = _mm512_cmpge_epu16_mask(number, _mm512_load_si512(filter));

    return holds & holds >> TREE_FANOUT;
}

/* The vector is eight words that the writer may be storing to; each is whole, and ThreadSanitizer cannot know that. */
__attribute__((no_sanitize("thread"))) static inline unsigned bucket_fits(const struct hash_bucket *bucket,
                                                                          uint64_t hash)
{
    const __m512i tag = _mm512_set1_epi64(hash_tag(hash));
    __m512i entries = _mm512_load_si512(bucket);

    return _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(entries, HASH_ITEM_BITS), tag);
}

#include "classifier/walk_burst.h"

const struct walk_ops walk_avx512_ops = {.burst = walk_burst, .after = walk_after};
