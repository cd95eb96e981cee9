/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fine grade of the filter of destinations: which shapes of prefixes there are around an address that have rules
 * for a packet's protocol and destination port.
 *
 * Where prefixes cover each other in long chains, most of those that cover a packet have no rule for it. So each rule
 * is counted at a place that follows from two things: the first bits of its destination, as many of a few numbers (the
 * levels) as it has, and the one protocol and port that it asks for. A place is an octet, a bit for each length of the
 * prefixes of its level; lengths that are 7 apart share one. A rule that asks for more than one protocol or port is at
 * a place that follows from the address alone. Addresses share places: a bit may be set in vain, never missing.
 */
#ifndef CLASSIFIER_FINE_H
#define CLASSIFIER_FINE_H

#include <endian.h>
#include <stdatomic.h>
#include <stdint.h>

#include "classifier/memory.h"

#define FINE_LEVELS      8
#define FINE_LENGTHS     7 /* bits of a level */
#define FINE_SLOT_ALWAYS 63
#define FINE_PLACE_BITS  14

/* What rules ask for. */
enum fine_kind { FINE_ANY, FINE_PAIR, FINE_KINDS };

struct fine {
    _Atomic(bool) used;      /* by readers, instead of the coarse grade. Written by the writer, read by workers */
    _Atomic(uint32_t) kinds; /* bit k: there are rules of that kind. Written by the writer, read by workers */
    uint64_t shifts;         /* of an address, so that the first bits of each level are left: an octet of each */
    _Atomic(uint8_t) *masks; /* by level, then by place; NULL: there is none. Written by the writer, read by workers */
    /* the writer's */
    uint8_t *counts;      /* of rules by level, place and bit; at its end it stays there */
    uint32_t places_used; /* with a bit set */
    uint32_t rules[FINE_KINDS];
};

/*
 * `bits`: the first ones of each level, ascending. Where there is little memory for rules, it is never used and takes
 * none. False: no memory; fine_fini is due.
 */
bool fine_init(struct fine *fine, struct mem *mem, const uint8_t bits[FINE_LEVELS]);
void fine_fini(struct fine *fine, struct mem *mem);

/* The slot of a shape: a bit of what fine_mask gives. Several shapes may have it. */
unsigned fine_slot(const struct fine *fine, unsigned offset, unsigned length);

/* One rule more, or less, whose destination begins with `address` and has the slot. `pair`: 0: it is of FINE_ANY. */
void fine_count(struct fine *fine, unsigned slot, uint64_t address, uint32_t pair, bool more);

/* Turns readers to it while it pays, and away. `crowded`: the coarse grade lets much through. */
void fine_choose(struct fine *fine, bool crowded);

/* Whether most rules ask for one pair, so that it can tell packets to one address apart. The writer's. */
static inline bool fine_tells_pairs(const struct fine *fine)
{
    return fine->rules[FINE_PAIR] > fine->rules[FINE_ANY];
}

static inline bool fine_used(const struct fine *fine)
{
    return atomic_load_explicit(&fine->used, memory_order_acquire);
}

/* A number for a protocol and a destination port, not 0. */
static inline uint32_t fine_pair(uint8_t protocol, uint16_t port)
{
    return ((uint32_t)protocol << 16 | port | 1u << 24) * 0xb5297a4du;
}

#define FINE_FACTOR0 0x9e3779b1u
#define FINE_FACTOR1 0x85ebca77u

/* `address`: its first eight octets, as a number. Products of 32 bits, as vectors can have them. */
static inline uint32_t fine_place(uint64_t shifts, unsigned level, uint64_t address, uint32_t pair)
{
    uint64_t first = address >> (shifts >> 8 * level & 63);
    uint32_t hash = (uint32_t)first * FINE_FACTOR0 + (uint32_t)(first >> 32) * FINE_FACTOR1 + pair;

    return (uint32_t)(level << FINE_PLACE_BITS | hash >> (32 - FINE_PLACE_BITS));
}

/* What is at a place. */
static inline uint8_t fine_octet(const struct fine *fine, size_t place)
{
    return atomic_load_explicit(&fine->masks[place], memory_order_acquire);
}

/* What is at the places of all levels: the octets of a mask. */
static inline uint64_t fine_octets(const struct fine *fine, uint64_t address, uint32_t pair)
{
    uint64_t octets = 0;

    for (unsigned level = 0; level < FINE_LEVELS; level++)
        octets |= (uint64_t)fine_octet(fine, fine_place(fine->shifts, level, address, pair)) << 8 * level;
    return octets;
}

typedef uint64_t fine_octets_fn(const struct fine *fine, uint64_t address, uint32_t pair);

/* The slots of shapes that may have rules for a packet with this pair. `octets`: fine_octets, or a faster one. Reader.
 */
static inline uint64_t fine_mask(const struct fine *fine, uint64_t address, uint32_t pair, fine_octets_fn *octets)
{
    uint64_t number = be64toh(address);
    uint32_t kinds = atomic_load_explicit(&fine->kinds, memory_order_acquire);
    uint64_t mask = (uint64_t)1 << FINE_SLOT_ALWAYS;

    if (kinds & 1u << FINE_PAIR)
        mask |= octets(fine, number, pair);
    if (kinds & 1u << FINE_ANY)
        mask |= octets(fine, number, 0);
    return mask;
}

#endif
