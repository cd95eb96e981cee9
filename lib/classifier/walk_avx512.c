/* SPDX-License-Identifier: BSD-3-Clause */
/* The walk with AVX-512 (F and BW): a box in one compare, a bucket in one. */
#include <immintrin.h>

#include "classifier/walk.h"
#include "classifier/walk_key.h"

static inline void box_key_fill(struct box_key *out, const struct pkt_key *key)
{
    const __m256i lanes = key_lanes(key);
    __m512i low = _mm512_castsi256_si512(_mm256_or_si256(lanes, key_rest()));

    _mm512_store_si512(out, _mm512_inserti64x4(low, _mm256_xor_si256(lanes, _mm256_set1_epi16(-1)), 1));
}

static inline bool box_holds(const struct box *box, const struct box_key *key)
{
    return _mm512_cmplt_epu16_mask(_mm512_load_si512(key), _mm512_load_si512(box)) == 0;
}

/* The value in the lower half, its complement in the upper. */
static inline __mmask32 filter_compare(const struct tree_filter *filter, uint16_t value)
{
    const __m512i number = _mm512_xor_si512(_mm512_set1_epi16((short)value),
                                            _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(-1), 1));

    return _mm512_cmpge_epu16_mask(number, _mm512_load_si512(filter));
}

static inline uint32_t filter_holds(const struct tree_filter *filter, uint16_t value)
{
    uint32_t holds = filter_compare(filter, value);

    return holds & holds >> TREE_FANOUT;
}

static inline uint32_t filters_hold(const struct tree_filter *filter, const struct tree_filter *other, uint16_t value,
                                    uint16_t other_value)
{
    uint32_t holds = _kand_mask32(filter_compare(filter, value), filter_compare(other, other_value));

    return holds & holds >> TREE_FANOUT;
}

/* The vector is eight words that the writer may be storing to; each is whole, and ThreadSanitizer cannot know that. */
__attribute__((no_sanitize("thread"))) static inline unsigned bucket_fits(const struct hash_bucket *bucket,
                                                                          uint64_t hash)
{
    const __m512i tag = _mm512_set1_epi64(hash_tag(hash));
    __m512i entries = _mm512_load_si512(bucket);

    unsigned fits = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(entries, HASH_ITEM_BITS), tag);

    __asm__("" : "+r"(fits)); /* gcc 12 may keep the 8 bits of a mask in memory, and take 32 from there */
    return fits;
}

#define BUCKET_PICKS 1

/* ThreadSanitizer does not see that what a vector loads was stored before. */
#if defined(__SANITIZE_THREAD__)
#define BUCKET_BY_WORDS
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BUCKET_BY_WORDS
#endif
#endif

#ifdef BUCKET_BY_WORDS
static inline const void *bucket_pick(const struct hash_bucket *bucket, uint64_t hash, const void *other)
{
    return hash_pick(bucket, bucket_fits(bucket, hash), other);
}
#else
/* Less the tag, and less one, an entry is below 2^48 - 1 if that is its tag and it is not free. */
static inline const void *bucket_pick(const struct hash_bucket *bucket, uint64_t hash, const void *other)
{
    const __m512i end = _mm512_set1_epi64(((long long)1 << HASH_ITEM_BITS) - 1);
    const __m512i less = _mm512_set1_epi64((long long)~((uint64_t)hash_tag(hash) << HASH_ITEM_BITS));
    __m512i none = _mm512_castsi128_si512(_mm_cvtsi64_si128((long long)((uintptr_t)other - 1)));
    __m512i items = _mm512_add_epi64(_mm512_load_si512(bucket), less);

    __asm__("" : "+v"(items)); /* loaded once: the writer may free an entry */
    __m512i first = _mm512_mask_compress_epi64(none, _mm512_cmplt_epu64_mask(items, end), items);

    return (const void *)((uintptr_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(first)) + 1);
}
#endif

/* The bit of each slot: its octet of the mask by one shuffle, the bit in the octet by another. */
__attribute__((no_sanitize("thread"))) static inline uint64_t shapes_wanted(const uint8_t places[FILTER_SLOTS],
                                                                            uint64_t slots)
{
    const __m512i bit_of = _mm512_set1_epi64(0x8040201008040201);
    __m512i slot = _mm512_load_si512(places);
    __m512i octet_number = _mm512_and_si512(_mm512_srli_epi16(slot, 3), _mm512_set1_epi8(7));
    __m512i octet = _mm512_shuffle_epi8(_mm512_set1_epi64((long long)slots), octet_number);
    __m512i bit = _mm512_shuffle_epi8(bit_of, _mm512_and_si512(slot, _mm512_set1_epi8(7)));

    return _mm512_test_epi8_mask(octet, bit);
}

/*
 * Vectors read the octets beside those asked for, in the same line: the first tag behind the slots, of which no bit is
 * of the block's, and the last tags in front of the ports, which are shifted out.
 */
__attribute__((no_sanitize("thread"))) static inline unsigned block_fits(const struct shapes_block *block,
                                                                         const uint8_t *own, uint16_t ports)
{
    /* slots and tags in each quarter, which looks for own[slot] among the 16 that it has */
    const __m512i quarter = _mm512_set_epi64(0x3030303030303030, 0x3030303030303030, 0x2020202020202020,
                                             0x2020202020202020, 0x1010101010101010, 0x1010101010101010, 0, 0);
    __m512i slots = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)block->slots));
    __m512i tag = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)block->tags));
    /* an index with bit 7 set gives 0: so those of other quarters do */
    __m512i index = _mm512_or_si512(
        slots, _mm512_movm_epi8(_mm512_cmpneq_epi8_mask(_mm512_and_si512(slots, _mm512_set1_epi8(0x30)), quarter)));
    __m512i mine = _mm512_shuffle_epi8(_mm512_load_si512(own), index);
    uint64_t same =
        _mm512_cmpeq_epi8_mask(tag, mine) | _mm512_cmpeq_epi8_mask(tag, _mm512_set1_epi8((char)SHAPES_TAG_MANY));
    uint64_t fits = same & _mm512_test_epi8_mask(mine, mine);
    __m512i both = _mm512_load_si512(block);
    uint32_t asked = _mm512_test_epi16_mask(both, _mm512_set1_epi16((short)ports)) >> 17;

    fits |= fits >> 32;
    return (unsigned)(fits | fits >> 16) & asked;
}

__attribute__((no_sanitize("thread"))) static inline __m512i masked_half(const struct filter_shapes *shapes, unsigned i,
                                                                         unsigned first, uint64_t word)
{
    return _mm512_and_si512(_mm512_set1_epi32((int)word), _mm512_load_si512(&shapes->masks[i][first]));
}

__attribute__((no_sanitize("thread"))) static inline __m128i sixteen_tags(const struct filter_shapes *shapes,
                                                                          unsigned first, const uint64_t address[2])
{
    __m512i a =
        _mm512_xor_si512(masked_half(shapes, 0, first, address[0]), masked_half(shapes, 1, first, address[0] >> 32));
    __m512i b =
        _mm512_xor_si512(masked_half(shapes, 2, first, address[1]), masked_half(shapes, 3, first, address[1] >> 32));

    a = _mm512_xor_si512(a, _mm512_load_si512(&shapes->salts[0][first]));
    b = _mm512_xor_si512(b, _mm512_load_si512(&shapes->salts[1][first]));
    a = _mm512_mullo_epi32(a, _mm512_set1_epi32((int)FILTER_TAG_FACTOR0));
    b = _mm512_mullo_epi32(b, _mm512_set1_epi32((int)FILTER_TAG_FACTOR1));
    __m512i tag = _mm512_and_si512(_mm512_srli_epi32(_mm512_add_epi32(a, b), FILTER_TAG_SHIFT),
                                   _mm512_set1_epi32(127 & HASH_TAG_MASK));
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(tag, _mm512_set1_epi32(1)));
}

static inline __m256i half_of_tags(const struct filter_shapes *shapes, unsigned first, const uint64_t address[2])
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(sixteen_tags(shapes, first, address)),
                                   sixteen_tags(shapes, first + 16, address), 1);
}

/* All in one piece, as they are loaded in one. */
static inline void tags_fill(uint8_t own[FILTER_SLOTS], const struct filter *filter, uint64_t slots,
                             const uint64_t address[2])
{
    __m512i tags = _mm512_castsi256_si512(half_of_tags(&filter->shapes, 0, address));

    if (atomic_load_explicit(&filter->slots_end, memory_order_relaxed) > FILTER_SLOTS / 2)
        tags = _mm512_inserti64x4(tags, half_of_tags(&filter->shapes, FILTER_SLOTS / 2, address), 1);
    tags = _mm512_maskz_mov_epi8(slots, tags);
    _mm512_store_si512(own, _mm512_mask_mov_epi8(tags, (__mmask64)1 << FILTER_LAST_SLOT, _mm512_set1_epi8(1)));
}

/* The places of all levels at once: fine_place. */
static inline uint64_t levels_look(const struct fine *fine, uint64_t address, uint32_t pair)
{
    const __m512i level =
        _mm512_setr_epi64(0, 1 << FINE_PLACE_BITS, 2 << FINE_PLACE_BITS, 3 << FINE_PLACE_BITS, 4 << FINE_PLACE_BITS,
                          5 << FINE_PLACE_BITS, 6 << FINE_PLACE_BITS, 7 << FINE_PLACE_BITS);
    __m512i shifts = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128((long long)fine->shifts));
    __m512i first = _mm512_srlv_epi64(_mm512_set1_epi64((long long)address), shifts);
    __m512i low = _mm512_mul_epu32(first, _mm512_set1_epi64(FINE_FACTOR0));
    __m512i high = _mm512_mul_epu32(_mm512_srli_epi64(first, 32), _mm512_set1_epi64(FINE_FACTOR1));
    __m512i hash = _mm512_add_epi64(_mm512_add_epi64(low, high), _mm512_set1_epi64(pair));
    __m512i place =
        _mm512_and_si512(_mm512_srli_epi64(hash, 32 - FINE_PLACE_BITS), _mm512_set1_epi64((1 << FINE_PLACE_BITS) - 1));
    alignas(64) uint64_t places[FINE_LEVELS];

    _mm512_store_si512(places, _mm512_or_si512(place, level));
    return places_look(fine, places);
}

#include "classifier/walk_burst.h"

const struct walk_ops walk_avx512_ops = {.burst = walk_burst, .after = walk_after};
