/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sieve of the filter of destinations: which of the shapes that the coarse grade lets through have a prefix closer
 * to the address.
 *
 * In large sets nearly every shape is somewhere behind the first bits that the coarse grade looks at. The sieve looks
 * at more: it holds only prefixes that have as many, and tells the slots of their shapes apart by the lowest bits
 * alone, so that there is room for many places. What it does not hold it lets through. A bit may be set in vain, never
 * missing.
 */
#ifndef CLASSIFIER_SIEVE_H
#define CLASSIFIER_SIEVE_H

#include <endian.h>

#include "classifier/filter.h"

#define SIEVE_PLACE_BITS 16
#define SIEVE_SLOTS      16 /* bits of a mask: slots that are the same but for a multiple of this share one */

struct sieve {
    _Atomic(bool) used;       /* by readers, behind the coarse grade. Written by the writer, read by workers */
    uint8_t shift;            /* of an address, so that the first bits are left */
    _Atomic(uint64_t) slots;  /* of the shapes that it holds. Written by the writer, read by workers */
    _Atomic(uint16_t) *masks; /* by place; NULL: there is none. The same */
    /* the writer's */
    uint8_t *counts;       /* of prefixes by place and bit; at its end it stays there */
    uint32_t places_used;  /* with a bit set */
    uint32_t slots_used;   /* bits that these have in all */
    uint32_t coarse_slots; /* of the same shapes in the masks of the coarse grade */
};

/*
 * `bits`: the first bits of its places. Where there is little memory for rules, it is never used and takes none. False:
 * no memory; sieve_fini is due.
 */
bool sieve_init(struct sieve *sieve, struct mem *mem, unsigned bits);
void sieve_fini(struct sieve *sieve, struct mem *mem);

/* One prefix more, before it is published, or less. `coarse`: so many masks more or less (-1) have the slot there. */
void sieve_add(struct sieve *sieve, unsigned slot, unsigned offset, unsigned length, uint64_t address, int coarse);
void sieve_drop(struct sieve *sieve, unsigned slot, unsigned offset, unsigned length, uint64_t address, int coarse);

/* Whether it takes so many slots from the coarse grade's that it is worth its load. The writer's. */
bool sieve_pays(const struct sieve *sieve, const struct filter *coarse);

/* Turns readers to it, and away. */
void sieve_use(struct sieve *sieve, bool use);

static inline uint32_t sieve_place(const struct sieve *sieve, uint64_t address)
{
    return (uint32_t)((address >> sieve->shift) * 0x9e3779b97f4a7c15u >> (64 - SIEVE_PLACE_BITS));
}

/* The slots that it lets through. `address`: its first eight octets. Reader. */
static inline uint64_t sieve_mask(const struct sieve *sieve, uint64_t address)
{
    uint32_t place = sieve_place(sieve, be64toh(address));

    if (!atomic_load_explicit(&sieve->used, memory_order_acquire))
        return UINT64_MAX;
    return atomic_load_explicit(&sieve->masks[place], memory_order_acquire) * 0x0001000100010001u |
           ~atomic_load_explicit(&sieve->slots, memory_order_acquire);
}

#endif
