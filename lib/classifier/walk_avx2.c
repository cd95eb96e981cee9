/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX2: a box in two compares, a bucket in two. */
#include <immintrin.h>

#include "classifier/walk.h"

/* AVX2 has no unsigned compare: a >= b where max(a, b) is a. */
static inline __m256i not_below(__m256i a, __m256i b)
{
    return _mm256_cmpeq_epi16(_mm256_max_epu16(a, b), a);
}

static inline bool box_holds(const struct box *box, const struct box_key *key)
{
    const __m256i *least = (const __m256i *)box, *numbers = (const __m256i *)key;
    __m256i low = not_below(_mm256_load_si256(&numbers[0]), _mm256_load_si256(&least[0]));
    __m256i high = not_below(_mm256_load_si256(&numbers[1]), _mm256_load_si256(&least[1]));

    return _mm256_movemask_epi8(_mm256_and_si256(low, high)) == -1;
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    const __m256i number = _mm256_set1_epi16((short)value), number_not = _mm256_set1_epi16((short)~value);
    __m256i low = not_below(number, _mm256_load_si256((const __m256i *)filter->low));
    __m256i high = not_below(number_not, _mm256_load_si256((const __m256i *)filter->high_not));
    __m256i both = _mm256_and_si256(low, high);

    /* one octet for each entry, in order */
    __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    return (uint32_t)_mm_movemask_epi8(packed);
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

#include "classifier/walk_burst.h"

const struct walk_ops walk_avx2_ops = {.burst = walk_burst, .after = walk_after};
