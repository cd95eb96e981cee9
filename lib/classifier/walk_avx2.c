/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX2: a box in two compares, a bucket in two. */
#include <immintrin.h>
#include <string.h>

#include "classifier/walk.h"
#include "classifier/walk_key.h"

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

static inline __m256i filter_compare(const struct tree_filter *filter, uint16_t value)
{
    const __m256i number = _mm256_set1_epi16((short)value), number_not = _mm256_set1_epi16((short)~value);
    __m256i low = not_below(number, _mm256_load_si256((const __m256i *)filter->low));
    __m256i high = not_below(number_not, _mm256_load_si256((const __m256i *)filter->high_not));

    return _mm256_and_si256(low, high);
}

/* One octet for each entry, in order. */
static inline uint32_t filter_bits(__m256i holds)
{
    __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(holds), _mm256_extracti128_si256(holds, 1));

    return (uint32_t)_mm_movemask_epi8(packed);
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    return filter_bits(filter_compare(filter, value));
}

static inline uint32_t filters_hold(const struct tree_filter *filter, const struct tree_filter *other, uint16_t value,
                                    uint16_t other_value)
{
    return filter_bits(_mm256_and_si256(filter_compare(filter, value), filter_compare(other, other_value)));
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

#define BUCKET_PICKS 0

static inline const void *bucket_pick(const struct hash_bucket *bucket, uint64_t hash, const void *other)
{
    return hash_pick(bucket, bucket_fits(bucket, hash), other);
}

/* The bit of each slot: its octet of the mask by one shuffle, the bit in the octet by another. */
__attribute__((no_sanitize("thread"))) static inline uint64_t shapes_wanted(const uint8_t places[FILTER_SLOTS],
                                                                            uint64_t slots)
{
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201), low = _mm256_set1_epi8(7);
    uint64_t wanted = 0;

    for (unsigned half = 0; half < 2; half++) {
        __m256i slot = _mm256_load_si256((const __m256i *)places + half);
        __m256i octet_number = _mm256_and_si256(_mm256_srli_epi16(slot, 3), low);
        __m256i octet = _mm256_shuffle_epi8(_mm256_set1_epi64x((long long)slots), octet_number);
        __m256i bit = _mm256_shuffle_epi8(bit_of, _mm256_and_si256(slot, low));
        __m256i is = _mm256_cmpeq_epi8(_mm256_and_si256(octet, bit), bit);
        wanted |= (uint64_t)(uint32_t)_mm256_movemask_epi8(is) << (32 * half);
    }
    return wanted;
}

/*
 * Vectors read the octets beside those asked for, in the same line: the first tag behind the slots, of which no bit is
 * of the block's, and the last tags in front of the ports, which are shifted out.
 */
__attribute__((no_sanitize("thread"))) static inline unsigned block_fits(const struct shapes_block *block,
                                                                         const uint8_t *own, uint16_t ports)
{
    const __m128i *tags = (const __m128i *)own;
    __m128i slots = _mm_loadu_si128((const __m128i *)block->slots), tag = _mm_loadu_si128((const __m128i *)block->tags);
    /* own[slot] of each: from one of four vectors, by bits 4 and 5 of the slot; a blend looks at bit 7 */
    __m128i bit4 = _mm_slli_epi16(slots, 3), bit5 = _mm_slli_epi16(slots, 2);
    __m128i low = _mm_blendv_epi8(_mm_shuffle_epi8(_mm_load_si128(tags), slots),
                                  _mm_shuffle_epi8(_mm_load_si128(tags + 1), slots), bit4);
    __m128i high = _mm_blendv_epi8(_mm_shuffle_epi8(_mm_load_si128(tags + 2), slots),
                                   _mm_shuffle_epi8(_mm_load_si128(tags + 3), slots), bit4);
    __m128i mine = _mm_blendv_epi8(low, high, bit5);
    __m128i same = _mm_or_si128(_mm_cmpeq_epi8(tag, mine), _mm_cmpeq_epi8(tag, _mm_set1_epi8((char)SHAPES_TAG_MANY)));
    unsigned fits = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(_mm_cmpeq_epi8(mine, _mm_setzero_si128()), same));
    __m256i asked = _mm256_and_si256(_mm256_load_si256((const __m256i *)block + 1), _mm256_set1_epi16((short)ports));
    __m256i none = _mm256_cmpeq_epi16(asked, _mm256_setzero_si256());
    __m128i octets = _mm_packs_epi16(_mm256_castsi256_si128(none), _mm256_extracti128_si256(none, 1));
    return fits & ~((unsigned)_mm_movemask_epi8(octets) >> 1);
}

__attribute__((no_sanitize("thread"))) static inline __m256i masked_half(const struct filter_shapes *shapes, unsigned i,
                                                                         unsigned first, uint64_t word)
{
    return _mm256_and_si256(_mm256_set1_epi32((int)word), _mm256_load_si256((const __m256i *)&shapes->masks[i][first]));
}

/* The tags of eight slots, in 32 bits each. */
__attribute__((no_sanitize("thread"))) static inline __m256i eight_tags(const struct filter_shapes *shapes,
                                                                        unsigned first, const uint64_t address[2])
{
    __m256i a =
        _mm256_xor_si256(masked_half(shapes, 0, first, address[0]), masked_half(shapes, 1, first, address[0] >> 32));
    __m256i b =
        _mm256_xor_si256(masked_half(shapes, 2, first, address[1]), masked_half(shapes, 3, first, address[1] >> 32));

    a = _mm256_xor_si256(a, _mm256_load_si256((const __m256i *)&shapes->salts[0][first]));
    b = _mm256_xor_si256(b, _mm256_load_si256((const __m256i *)&shapes->salts[1][first]));
    a = _mm256_mullo_epi32(a, _mm256_set1_epi32((int)FILTER_TAG_FACTOR0));
    b = _mm256_mullo_epi32(b, _mm256_set1_epi32((int)FILTER_TAG_FACTOR1));
    __m256i tag = _mm256_and_si256(_mm256_srli_epi32(_mm256_add_epi32(a, b), FILTER_TAG_SHIFT),
                                   _mm256_set1_epi32(127 & HASH_TAG_MASK));
    return _mm256_add_epi32(tag, _mm256_set1_epi32(1));
}

static inline __m128i sixteen_tags(const struct filter_shapes *shapes, unsigned first, const uint64_t address[2])
{
    __m256i both = _mm256_packs_epi32(eight_tags(shapes, first, address), eight_tags(shapes, first + 8, address));
    __m256i in_order = _mm256_permute4x64_epi64(both, 0xd8);

    return _mm_packus_epi16(_mm256_castsi256_si128(in_order), _mm256_extracti128_si256(in_order, 1));
}

/* Sixteen at a time, so that they are stored in the pieces that they are loaded in. */
static inline void tags_fill(uint8_t own[FILTER_SLOTS], const struct filter *filter, uint64_t slots,
                             const uint64_t address[2])
{
    const __m128i bit_of = _mm_set1_epi64x((long long)0x8040201008040201);
    const __m128i octet_of = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    unsigned end = atomic_load_explicit(&filter->slots_end, memory_order_relaxed);

    for (unsigned first = 0; first < FILTER_SLOTS; first += 16) {
        __m128i tags = _mm_setzero_si128();
        if (first < end) {
            const struct filter_shapes *shapes = &filter->shapes;
            tags = sixteen_tags(shapes, first, address);
            __m128i bits = _mm_shuffle_epi8(_mm_cvtsi32_si128((int)(slots >> first)), octet_of);
            tags = _mm_and_si128(tags, _mm_cmpeq_epi8(_mm_and_si128(bits, bit_of), bit_of));
        }
        if (first + 16 == FILTER_SLOTS)
            tags = _mm_insert_epi8(tags, 1, 15);
        _mm_store_si128((__m128i *)(own + first), tags);
    }
}

/* The places of four levels at once: fine_place. */
static inline __m256i four_places(uint64_t shifts, unsigned first, uint64_t address, uint32_t pair)
{
    const __m256i level = _mm256_setr_epi64x(first << FINE_PLACE_BITS, (first + 1) << FINE_PLACE_BITS,
                                             (first + 2) << FINE_PLACE_BITS, (first + 3) << FINE_PLACE_BITS);
    __m256i shift = _mm256_cvtepu8_epi64(_mm_cvtsi64_si128((long long)(shifts >> 8 * first)));
    __m256i bits = _mm256_srlv_epi64(_mm256_set1_epi64x((long long)address), shift);
    __m256i low = _mm256_mul_epu32(bits, _mm256_set1_epi64x(FINE_FACTOR0));
    __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(bits, 32), _mm256_set1_epi64x(FINE_FACTOR1));
    __m256i hash = _mm256_add_epi64(_mm256_add_epi64(low, high), _mm256_set1_epi64x(pair));
    __m256i place =
        _mm256_and_si256(_mm256_srli_epi64(hash, 32 - FINE_PLACE_BITS), _mm256_set1_epi64x((1 << FINE_PLACE_BITS) - 1));

    return _mm256_or_si256(place, level);
}

static inline uint64_t levels_look(const struct fine *fine, uint64_t address, uint32_t pair)
{
    alignas(32) uint64_t places[FINE_LEVELS];

    _mm256_store_si256((__m256i *)places, four_places(fine->shifts, 0, address, pair));
    _mm256_store_si256((__m256i *)places + 1, four_places(fine->shifts, FINE_LEVELS / 2, address, pair));
    return places_look(fine, places);
}

#include "classifier/walk_burst.h"

const struct walk_ops walk_avx2_ops = {.burst = walk_burst, .after = walk_after};
