/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which shapes of prefixes there are around an address, so that a packet probes only for these.
 *
 * Each shape of a family has a slot, a bit of a mask. Two tables of masks, by the first bits of the address, say for
 * which shapes some prefix begins with these bits; prefixes that are shorter than that, or have an offset, are always
 * probed for. Addresses share places of the tables: a bit may be set in vain, never missing.
 */
#ifndef CLASSIFIER_FILTER_H
#define CLASSIFIER_FILTER_H

#include <endian.h>
#include <stdalign.h>

#include "classifier/hash.h"

#define FILTER_SLOTS     64
#define FILTER_LAST_SLOT (FILTER_SLOTS - 1) /* shared by all shapes beyond the others: always probed for */
#define FILTER_WIDE      256                /* places of the table by few bits */
#define FILTER_FINE      4096               /* places of the table by many bits */

/* The shapes that have the slots, for tags (place.h). Written by the writer word by word, read by workers. */
struct filter_shapes {
    alignas(MEM_LINE) uint64_t mask0[FILTER_SLOTS];
    uint64_t mask1[FILTER_SLOTS], salt[FILTER_SLOTS];
};

/* One side (destination or source) of one family. */
struct filter {
    unsigned wide_bits, fine_bits; /* of the address */
    _Atomic(uint64_t) always;      /* slots to probe for everywhere. Written by the writer, read by workers */
    _Atomic(uint64_t) *masks;      /* FILTER_WIDE, then FILTER_FINE of them. The same */
    uint16_t *counts;              /* the writer's: prefixes by place and slot; at its end it stays there */
    struct filter_shapes shapes;
    uint64_t salts[FILTER_LAST_SLOT]; /* the writer's: the shape of each slot, 0: free */
    uint32_t users[FILTER_LAST_SLOT]; /* the writer's: prefixes of that shape */
};

bool filter_init(struct filter *filter, struct mem *mem, unsigned wide_bits, unsigned fine_bits);
void filter_fini(struct filter *filter, struct mem *mem);

/* A slot for one more prefix of the shape with this salt. */
unsigned filter_slot_take(struct filter *filter, uint64_t salt, unsigned offset, unsigned length,
                          const uint64_t mask[2]);
void filter_slot_drop(struct filter *filter, unsigned slot);

/* One prefix more, or less, that begins with `address`. */
void filter_add(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address);
void filter_drop(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address);

#define FILTER_TAG_FACTOR0 0x9e3779b1u
#define FILTER_TAG_FACTOR1 0x85ebca77u
#define FILTER_TAG_SHIFT   40

/* The tag of an address under the shape that has the slot: 1 to 128. Products of 32 bits, as vectors can have them. */
static inline uint8_t filter_tag(const struct filter_shapes *shapes, unsigned slot, const uint64_t address[2])
{
    uint64_t salt = __atomic_load_n(&shapes->salt[slot], __ATOMIC_RELAXED);
    uint64_t a = address[0] & __atomic_load_n(&shapes->mask0[slot], __ATOMIC_RELAXED);
    uint64_t b = address[1] & __atomic_load_n(&shapes->mask1[slot], __ATOMIC_RELAXED);
    uint64_t sum = (uint64_t)(uint32_t)(a ^ a >> 32 ^ salt) * FILTER_TAG_FACTOR0 +
                   (uint64_t)(uint32_t)(b ^ b >> 32 ^ salt >> 32) * FILTER_TAG_FACTOR1;

    return (uint8_t)((sum >> FILTER_TAG_SHIFT & 127 & HASH_TAG_MASK) + 1);
}

static inline unsigned filter_wide_place(const struct filter *filter, uint64_t address)
{
    uint64_t bits = be64toh(address) >> (64 - filter->wide_bits);

    return (unsigned)((bits * 0x9e3779b97f4a7c15u) >> 56);
}

static inline unsigned filter_fine_place(const struct filter *filter, uint64_t address)
{
    uint64_t bits = be64toh(address) >> (64 - filter->fine_bits);

    return FILTER_WIDE + (unsigned)((bits * 0x9e3779b97f4a7c15u) >> 52);
}

/* The slots of shapes that may have a prefix that covers the address. `address`: its first eight octets. */
static inline uint64_t filter_mask(const struct filter *filter, uint64_t address)
{
    return atomic_load_explicit(&filter->always, memory_order_acquire) |
           atomic_load_explicit(&filter->masks[filter_wide_place(filter, address)], memory_order_acquire) |
           atomic_load_explicit(&filter->masks[filter_fine_place(filter, address)], memory_order_acquire);
}

#endif
