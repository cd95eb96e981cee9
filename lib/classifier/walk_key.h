/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet's lanes by shuffles, for the variants with vectors: what box_key_set does one by one. Each stores them as it
 * loads them again at once, in vectors of its full width: narrower stores would not be forwarded to a wider load.
 */
#ifndef CLASSIFIER_WALK_KEY_H
#define CLASSIFIER_WALK_KEY_H

#include <immintrin.h>
#include <stddef.h>

#include "classifier/compile.h"
#include "classifier/fine.h"

/* Octets of the second half of a key: places in its last 16 octets are 16 less. */
#define KEY_AT(field)  ((char)(offsetof(struct pkt_key, field) - 32))
#define KEY_AT2(field) ((char)(offsetof(struct pkt_key, field) - 48))
#define NONE           ((char)-1)

_Static_assert(offsetof(struct pkt_key, flow_label) == 32 && offsetof(struct pkt_key, family) >= 48,
               "the fields that lanes are made of lie behind the addresses");

/* The lanes in order, 0 in the last two. */
static inline __m256i key_lanes(const struct pkt_key *key)
{
    /* the first 8 lanes; `length` and the flow label are set below */
    const __m128i from_first = _mm_setr_epi8(NONE, NONE, KEY_AT(dst_port), KEY_AT(dst_port) + 1, KEY_AT(dst_port),
                                             KEY_AT(dst_port) + 1, KEY_AT(src_port), KEY_AT(src_port) + 1, NONE, NONE,
                                             NONE, NONE, KEY_AT(tcp_flags), KEY_AT(tcp_flags) + 1, NONE, NONE);
    const __m128i from_second =
        _mm_setr_epi8(KEY_AT2(protocol), NONE, NONE, NONE, NONE, NONE, NONE, NONE, KEY_AT2(icmp_type), NONE,
                      KEY_AT2(icmp_code), NONE, NONE, NONE, NONE, NONE);
    const __m128i upper_from_second =
        _mm_setr_epi8(KEY_AT2(dscp), NONE, KEY_AT2(fragment), NONE, NONE, NONE, KEY_AT2(has), NONE, KEY_AT2(has), NONE,
                      KEY_AT2(has), NONE, NONE, NONE, NONE, NONE);
    const __m128i bits = _mm_setr_epi16(0, 0, 0, PKT_HAS_PORTS, PKT_HAS_ICMP, PKT_HAS_TCP_FLAGS, 0, 0);
    const __m128i is_flag = _mm_setr_epi16(0, 0, 0, 1, 1, 1, 0, 0);
    uint32_t label = key->flow_label >> BOX_FLOW_LABEL_SHIFT;
    __m128i first = _mm_load_si128((const __m128i *)key + 2), second = _mm_load_si128((const __m128i *)key + 3);
    __m128i lower = _mm_or_si128(_mm_shuffle_epi8(first, from_first), _mm_shuffle_epi8(second, from_second));
    __m128i upper = _mm_shuffle_epi8(second, upper_from_second);
    __m128i flags = _mm_and_si128(_mm_cmpeq_epi16(_mm_and_si128(upper, bits), bits), is_flag);

    lower = _mm_insert_epi16(lower, key->length < UINT16_MAX ? (int)key->length : UINT16_MAX, BOX_LENGTH);
    upper = _mm_insert_epi16(_mm_blend_epi16(upper, flags, 0x38), label < UINT16_MAX ? (int)label : UINT16_MAX,
                             BOX_FLOW_LABEL - 8);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(lower), upper, 1);
}

/* What a box's id, inexact and flags are compared with. */
static inline __m256i key_rest(void)
{
    return _mm256_setr_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1);
}

_Static_assert(BOX_PROTOCOL == 0 && BOX_PORT == 1 && BOX_DESTINATION_PORT == 2 && BOX_SOURCE_PORT == 3 &&
                   BOX_ICMP_TYPE == 4 && BOX_ICMP_CODE == 5 && BOX_TCP_FLAGS == 6 && BOX_LENGTH == 7,
               "the shuffles put these in this order");
_Static_assert(BOX_DSCP == 8 && BOX_FRAGMENT == 9 && BOX_FLOW_LABEL == 10 && BOX_HAS_PORTS == 11 &&
                   BOX_HAS_ICMP == 12 && BOX_HAS_TCP_FLAGS == 13,
               "and these");

#define KEY_AT3(field) ((char)(offsetof(struct pkt_key, field) - offsetof(struct pkt_key, src_port)))

_Static_assert(offsetof(struct pkt_key, protocol) - offsetof(struct pkt_key, src_port) < 16 &&
                   offsetof(struct pkt_key, has) - offsetof(struct pkt_key, src_port) < 16 && PKT_HAS_PORTS == 1,
               "one vector has all of a brief's lanes");
_Static_assert(BRIEF_PROTOCOL == 0 && BRIEF_DESTINATION_PORT == 1 && BRIEF_SOURCE_PORT == 2 && BRIEF_HAS_PORTS == 3,
               "the shuffle puts them in this order");

/*
 * A packet's four lanes, and their complements, as a brief is compared with them, in the upper half. In the lower half,
 * what nothing is above.
 */
static inline __m256i brief_numbers(const struct pkt_key *key)
{
    const __m256i from =
        _mm256_setr_epi8(NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
                         KEY_AT3(protocol), NONE, KEY_AT3(dst_port), KEY_AT3(dst_port) + 1, KEY_AT3(src_port),
                         KEY_AT3(src_port) + 1, KEY_AT3(has), NONE, KEY_AT3(protocol), NONE, KEY_AT3(dst_port),
                         KEY_AT3(dst_port) + 1, KEY_AT3(src_port), KEY_AT3(src_port) + 1, KEY_AT3(has), NONE);
    const __m256i used = _mm256_setr_epi16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, PKT_HAS_PORTS, -1, -1, -1, 0);
    const __m256i complement = _mm256_setr_epi16(-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1);
    const char *ports = (const char *)key + offsetof(struct pkt_key, src_port);
    __m256i octets = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)ports));

    return _mm256_xor_si256(_mm256_and_si256(_mm256_shuffle_epi8(octets, from), used), complement);
}

/* What is beside a brief, the writer changes. */
__attribute__((no_sanitize("thread"))) static inline bool brief_holds(const struct brief *brief,
                                                                      const struct pkt_key *key)
{
    __m128i numbers = _mm256_extracti128_si256(brief_numbers(key), 1);
    __m128i below = _mm_subs_epu16(_mm_load_si128((const __m128i *)brief), numbers);

    return _mm_testz_si128(below, below);
}

/* The same of all other words of the line: each is whole. */
__attribute__((no_sanitize("thread"))) static inline bool line_holds(const void *line, const struct sought *sought,
                                                                     const struct pkt_key *key)
{
    const __m256i *half = line;
    __m256i differs = _mm256_xor_si256(_mm256_load_si256(&half[0]), _mm256_load_si256((const __m256i *)sought));
    __m256i below = _mm256_subs_epu16(_mm256_load_si256(&half[1]), brief_numbers(key));
    __m256i amiss = _mm256_or_si256(differs, below);

    return _mm256_testz_si256(amiss, amiss);
}

/* Whether the packet has a value of the rule's list. */
static inline bool list_holds(const struct compiled *rule, const struct box_key *own)
{
    __m128i list = _mm_loadu_si128((const __m128i *)rule->list);
    __m128i equal = _mm_cmpeq_epi16(list, _mm_set1_epi16((short)own->numbers[rule->list_lane]));

    return !_mm_testz_si128(equal, equal);
}

/* Puts what is at these places side by side. */
static inline uint64_t places_look(const struct fine *fine, const uint64_t places[FINE_LEVELS])
{
    __m128i octets = _mm_cvtsi32_si128(fine_octet(fine, places[0]));

    octets = _mm_insert_epi8(octets, fine_octet(fine, places[1]), 1);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[2]), 2);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[3]), 3);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[4]), 4);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[5]), 5);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[6]), 6);
    octets = _mm_insert_epi8(octets, fine_octet(fine, places[7]), 7);
    return (uint64_t)_mm_cvtsi128_si64(octets);
}

_Static_assert(FINE_LEVELS == 8, "an octet each of 64 bits");

#undef KEY_AT
#undef KEY_AT2
#undef KEY_AT3
#undef NONE

#endif
