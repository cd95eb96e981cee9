/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/filter.h"

#include <string.h>

#define PLACES (FILTER_WIDE + FILTER_FINE)

bool filter_init(struct filter *filter, struct mem *mem, unsigned wide_bits, unsigned fine_bits)
{
    memset(filter, 0, sizeof *filter);
    filter->wide_bits = wide_bits;
    filter->fine_bits = fine_bits;
    atomic_init(&filter->always, (uint64_t)1 << FILTER_LAST_SLOT);
    filter->masks = mem_alloc_zero(mem, PLACES * sizeof filter->masks[0]);
    filter->counts = mem_alloc_zero(mem, (size_t)PLACES * FILTER_SLOTS * sizeof filter->counts[0]);
    if (filter->masks != NULL && filter->counts != NULL)
        return true;
    filter_fini(filter, mem);
    return false;
}

void filter_fini(struct filter *filter, struct mem *mem)
{
    mem_free(mem, filter->masks);
    mem_free(mem, filter->counts);
}

static void bit_set(_Atomic(uint64_t) *mask, unsigned slot, bool on)
{
    uint64_t bit = (uint64_t)1 << slot, now = atomic_load_explicit(mask, memory_order_relaxed);

    atomic_store_explicit(mask, on ? now | bit : now & ~bit, memory_order_release);
}

/* Whether prefixes of this shape are found by their place, and by which. */
static bool place_of(const struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address,
                     unsigned *place)
{
    if (slot == FILTER_LAST_SLOT || offset != 0 || length < filter->wide_bits)
        return false;
    *place = length < filter->fine_bits ? filter_wide_place(filter, address) : filter_fine_place(filter, address);
    return true;
}

unsigned filter_slot_take(struct filter *filter, uint64_t salt, unsigned offset, unsigned length,
                          const uint64_t mask[2])
{
    unsigned slot = FILTER_LAST_SLOT;

    for (unsigned i = 0; i < FILTER_LAST_SLOT; i++) {
        if (filter->salts[i] == salt) {
            filter->users[i]++;
            return i;
        }
        if (filter->salts[i] == 0 && slot == FILTER_LAST_SLOT)
            slot = i;
    }
    if (slot == FILTER_LAST_SLOT)
        return slot;
    filter->salts[slot] = salt;
    filter->users[slot] = 1;
    __atomic_store_n(&filter->shapes.mask0[slot], mask[0], __ATOMIC_RELAXED);
    __atomic_store_n(&filter->shapes.mask1[slot], mask[1], __ATOMIC_RELAXED);
    __atomic_store_n(&filter->shapes.salt[slot], salt, __ATOMIC_RELEASE);
    if (offset != 0 || length < filter->wide_bits)
        bit_set(&filter->always, slot, true);
    return slot;
}

void filter_slot_drop(struct filter *filter, unsigned slot)
{
    if (slot == FILTER_LAST_SLOT || --filter->users[slot] > 0)
        return;
    filter->salts[slot] = 0;
    bit_set(&filter->always, slot, false);
}

void filter_add(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    unsigned place;

    if (!place_of(filter, slot, offset, length, address, &place))
        return;
    uint16_t *count = &filter->counts[place * FILTER_SLOTS + slot];
    if (*count < UINT16_MAX)
        (*count)++;
    bit_set(&filter->masks[place], slot, true);
}

void filter_drop(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    unsigned place;

    if (!place_of(filter, slot, offset, length, address, &place))
        return;
    uint16_t *count = &filter->counts[place * FILTER_SLOTS + slot];
    if (*count < UINT16_MAX && --*count == 0) /* once at its end it no longer counts */
        bit_set(&filter->masks[place], slot, false);
}
