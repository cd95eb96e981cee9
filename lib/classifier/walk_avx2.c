/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX2: a box in two compares, a bucket in two. */
#include <immintrin.h>

#include "classifier/walk.h"

static inline uint32_t boxes_hold(const struct box *boxes, unsigned count, const struct box_key *key)
{
    const __m256i low = _mm256_load_si256((const __m256i *)&key->numbers[0]);
    const __m256i high = _mm256_load_si256((const __m256i *)&key->numbers[BOX_NUMBERS / 2]);
    uint32_t holds = 0;

    for (unsigned i = 0; i < count; i++) {
        const __m256i *box = (const __m256i *)&boxes[i];
        /* AVX2 has no unsigned compare: a >= b where max(a, b) is a */
        __m256i a = _mm256_cmpeq_epi16(_mm256_max_epu16(low, _mm256_load_si256(&box[0])), low);
        __m256i b = _mm256_cmpeq_epi16(_mm256_max_epu16(high, _mm256_load_si256(&box[1])), high);
        holds |= (uint32_t)(_mm256_movemask_epi8(_mm256_and_si256(a, b)) == -1) << i;
    }
    return holds;
}

/* The vector is eight words that the writer may be storing to; each is whole, and ThreadSanitizer cannot know that. */
__attribute__((no_sanitize("thread"))) static inline unsigned bucket_fits(const struct hash_bucket *bucket,
                                                                          uint64_t hash)
{
    const __m256i tag = _mm256_set1_epi64x(hash_tag(hash));
    unsigned fits = 0;

    for (unsigned half = 0; half < 2; half++) {
        __m256i entries = _mm256_load_si256((const __m256i *)bucket + half);
        __m256i equal = _mm256_cmpeq_epi64(_mm256_srli_epi64(entries, HASH_ITEM_BITS), tag);
        fits |= (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(equal)) << (4 * half);
    }
    return fits;
}

#include "classifier/walk_body.h"

const struct walk_ops walk_avx2_ops = {.burst = walk_burst, .after = walk_after};
