/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which shapes of prefixes there are around an address, so that a packet probes only for these.
 *
 * Each shape of a family has a slot, a bit of a mask. Tables of masks, one for each of two numbers of first bits of
 * the address (a level), say for which shapes some prefix begins with these bits: a prefix is in the table of the most
 * bits that it has. Prefixes shorter than the first level, or with an offset, are always probed for. Addresses share
 * places of the tables: a bit may be set in vain, never missing.
 *
 * This is the coarse grade; destinations have a fine one (fine.h) and a sieve (sieve.h) as well.
 */
#ifndef CLASSIFIER_FILTER_H
#define CLASSIFIER_FILTER_H

#include <endian.h>
#include <stdalign.h>

#include "classifier/hash.h"

#define FILTER_SLOTS     64
#define FILTER_LAST_SLOT (FILTER_SLOTS - 1) /* shared by all shapes beyond the others: always probed for */
#define FILTER_LEVELS    2

/* The shapes that have the slots, for tags (place.h), by halves of words. Written by the writer one by one, read by
 * workers. */
struct filter_shapes {
    alignas(MEM_LINE) uint32_t masks[4][FILTER_SLOTS];
    uint32_t salts[2][FILTER_SLOTS];
};

#define FILTER_PLACE_BITS_FIRST 8  /* of the first level's table: the fewest bits tell the least apart */
#define FILTER_PLACE_BITS       12 /* of the others' */

/* The table of one level. */
struct filter_level {
    _Atomic(uint64_t) *masks; /* by place. Written by the writer, read by workers */
    uint16_t *counts;         /* the writer's: prefixes by place and length; at its end it stays there */
    uint8_t shift;            /* of the address, so that its first bits are left */
    uint8_t lengths;          /* of prefixes that this table knows */
};

/* One side (destination or source) of one family. */
struct filter {
    _Atomic(uint64_t) always; /* slots to probe for everywhere. Written by the writer, read by workers */
    struct filter_level levels[FILTER_LEVELS];
    _Atomic(uint32_t) slots_end; /* of the slots that a shape has, the last but FILTER_LAST_SLOT, and one. The same */
    struct filter_shapes shapes;
    uint64_t salts[FILTER_LAST_SLOT]; /* the writer's: the shape of each slot, 0: free */
    uint32_t users[FILTER_LAST_SLOT]; /* the writer's: prefixes of that shape */
    /* the writer's: places of all levels with a slot, and the slots that these have in all */
    uint32_t places_used, slots_used;
};

/* `bits`: of the levels, ascending. `most`: the longest prefix of the family. False: no memory; filter_fini is due. */
bool filter_init(struct filter *filter, struct mem *mem, const uint8_t bits[FILTER_LEVELS], unsigned most);
void filter_fini(struct filter *filter, struct mem *mem);

/* Whether places have so many slots that a finer grade is worth its loads. `now`: it is in use. The writer's. */
bool filter_crowded(const struct filter *filter, bool now);

/* A slot for one more prefix of the shape with this salt. */
unsigned filter_slot_take(struct filter *filter, uint64_t salt, unsigned offset, unsigned length,
                          const uint64_t mask[2]);
void filter_slot_drop(struct filter *filter, unsigned slot);

/* One prefix more, or less, that begins with `address`. So many masks more, or less (-1), have the slot now. */
int filter_add(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address);
int filter_drop(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address);

#define FILTER_TAG_FACTOR0 0x9e3779b1u
#define FILTER_TAG_FACTOR1 0x85ebca77u
#define FILTER_TAG_SHIFT   25 /* the highest 7 of 32 bits, which all bits of both factors have a part in */

/* The tag of an address under the shape that has the slot: 1 to 128. In 32 bits, as vectors have the most of them. */
static inline uint8_t filter_tag(const struct filter_shapes *shapes, unsigned slot, const uint64_t address[2])
{
    uint32_t words[4], salts[2];

    for (unsigned i = 0; i < 4; i++)
        words[i] =
            (uint32_t)(address[i / 2] >> 32 * (i % 2)) & __atomic_load_n(&shapes->masks[i][slot], __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++)
        salts[i] = __atomic_load_n(&shapes->salts[i][slot], __ATOMIC_RELAXED);
    uint32_t sum =
        (words[0] ^ words[1] ^ salts[0]) * FILTER_TAG_FACTOR0 + (words[2] ^ words[3] ^ salts[1]) * FILTER_TAG_FACTOR1;

    return (uint8_t)((sum >> FILTER_TAG_SHIFT & HASH_TAG_MASK) + 1);
}

/* `address`: the first eight octets, as a number. */
static inline uint32_t filter_place(const struct filter_level *level, unsigned number, uint64_t address)
{
    unsigned place_bits = number == 0 ? FILTER_PLACE_BITS_FIRST : FILTER_PLACE_BITS;

    return (uint32_t)((address >> level->shift) * 0x9e3779b97f4a7c15u >> (64 - place_bits));
}

static inline uint64_t filter_level_mask(const struct filter *filter, unsigned number, uint64_t address)
{
    const struct filter_level *level = &filter->levels[number];

    return atomic_load_explicit(&level->masks[filter_place(level, number, address)], memory_order_acquire);
}

/* The slots of shapes that may have a prefix that covers the address. `address`: its first eight octets. */
static inline uint64_t filter_mask(const struct filter *filter, uint64_t address)
{
    uint64_t number = be64toh(address), mask = atomic_load_explicit(&filter->always, memory_order_acquire);

    return mask | filter_level_mask(filter, 0, number) | filter_level_mask(filter, 1, number);
}

#endif
