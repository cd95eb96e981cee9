/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX2: a box in two compares, a bucket in two. */
#include <immintrin.h>
#include <string.h>

#include "classifier/walk.h"
#include "classifier/walk_key.h"

#define BOX_KEY_EARLY 0

static inline void box_key_fill(struct box_key *out, const struct pkt_key *key)
{
    const __m256i lanes = key_lanes(key);

    _mm256_store_si256((__m256i *)out, _mm256_or_si256(lanes, key_rest()));
    _mm256_store_si256((__m256i *)out + 1, _mm256_xor_si256(lanes, _mm256_set1_epi16(-1)));
}

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

/* The bit of each slot: its octet of the mask by one shuffle, the bit in the octet by another. */
__attribute__((no_sanitize("thread"))) static inline uint64_t shapes_wanted(const struct shapes_filter *filter,
                                                                            uint64_t slots)
{
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201), low = _mm256_set1_epi8(7);
    uint64_t wanted = 0;

    for (unsigned half = 0; half < 2; half++) {
        __m256i slot = _mm256_load_si256((const __m256i *)filter->slots + half);
        __m256i octet_number = _mm256_and_si256(_mm256_srli_epi16(slot, 3), low);
        __m256i octet = _mm256_shuffle_epi8(_mm256_set1_epi64x((long long)slots), octet_number);
        __m256i bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(slot, low));
        __m256i is = _mm256_cmpeq_epi8(_mm256_and_si256(octet, bit), bit);
        wanted |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << (32 * half);
    }
    return wanted;
}

__attribute__((no_sanitize("thread"))) static inline uint64_t tags_fit(const uint8_t *tags, const uint8_t *own)
{
    const __m256i many = _mm256_set1_epi8((char)SHAPES_TAG_MANY);
    uint64_t fit = 0;

    for (unsigned half = 0; half < 2; half++) {
        __m256i tag = _mm256_load_si256((const __m256i *)tags + half);
        __m256i is = _mm256_or_si256(_mm256_cmpeq_epi8(tag, _mm256_load_si256((const __m256i *)own + half)),
                                     _mm256_cmpeq_epi8(tag, many));
        fit |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << (32 * half);
    }
    return fit;
}

__attribute__((no_sanitize("thread"))) static inline uint64_t ports_fit(const uint8_t *ports, uint8_t own)
{
    const __m256i any = _mm256_set1_epi8((char)SHAPES_PORTS_ANY), wanted = _mm256_set1_epi8((char)own);
    uint64_t fit = 0;

    for (unsigned half = 0; half < 2; half++) {
        __m256i tag = _mm256_load_si256((const __m256i *)ports + half);
        __m256i is = _mm256_or_si256(_mm256_cmpeq_epi8(tag, wanted), _mm256_cmpeq_epi8(tag, any));
        fit |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << (32 * half);
    }
    return fit;
}

#define TAGS_AT_ONCE 4

__attribute__((no_sanitize("thread"))) static inline void tags_set(uint8_t *tags, const struct filter_shapes *shapes,
                                                                   unsigned first, const uint64_t address[2])
{
    const __m256i *mask0 = (const __m256i *)&shapes->mask0[first], *mask1 = (const __m256i *)&shapes->mask1[first];
    __m256i a = _mm256_and_si256(_mm256_set1_epi64x((long long)address[0]), _mm256_load_si256(mask0));
    __m256i b = _mm256_and_si256(_mm256_set1_epi64x((long long)address[1]), _mm256_load_si256(mask1));
    __m256i salt = _mm256_load_si256((const __m256i *)&shapes->salt[first]);

    a = _mm256_xor_si256(_mm256_xor_si256(a, _mm256_srli_epi64(a, 32)), salt);
    b = _mm256_xor_si256(_mm256_xor_si256(b, _mm256_srli_epi64(b, 32)), _mm256_srli_epi64(salt, 32));
    a = _mm256_mul_epu32(a, _mm256_set1_epi64x(FILTER_TAG_FACTOR0));
    b = _mm256_mul_epu32(b, _mm256_set1_epi64x(FILTER_TAG_FACTOR1));
    __m256i tag = _mm256_and_si256(_mm256_srli_epi64(_mm256_add_epi64(a, b), FILTER_TAG_SHIFT),
                                   _mm256_set1_epi64x(127 & HASH_TAG_MASK));
    tag = _mm256_add_epi64(tag, _mm256_set1_epi64x(1));
    /* the lowest octet of each: to the front of its lane of 128 bits */
    tag = _mm256_shuffle_epi8(tag, _mm256_set1_epi64x(0xffffffffffff0800));
    uint32_t four = (uint32_t)_mm256_extract_epi16(tag, 0) | (uint32_t)_mm256_extract_epi16(tag, 8) << 16;
    memcpy(tags, &four, sizeof four);
}

#include "classifier/walk_burst.h"

const struct walk_ops walk_avx2_ops = {.burst = walk_burst, .after = walk_after};
