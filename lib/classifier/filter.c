/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/filter.h"

#include <string.h>

/* Slots of a place that is in use, on average: the fine grade pays from so many on, and is left again at fewer. */
#define CROWDED_MIN 4
#define CROWDED_END 3

static unsigned place_bits(unsigned level)
{
    return level == 0 ? FILTER_PLACE_BITS_FIRST : FILTER_PLACE_BITS;
}

bool filter_init(struct filter *filter, struct mem *mem, const uint8_t bits[FILTER_LEVELS], unsigned most)
{
    memset(filter, 0, sizeof *filter);
    atomic_init(&filter->always, (uint64_t)1 << FILTER_LAST_SLOT);
    for (unsigned i = 0; i < FILTER_LEVELS; i++) {
        struct filter_level *level = &filter->levels[i];
        level->shift = (uint8_t)(64 - bits[i]);
        level->lengths = (uint8_t)((i + 1 < FILTER_LEVELS ? bits[i + 1] : most + 1) - bits[i]);
        level->masks = mem_alloc_zero(mem, sizeof level->masks[0] << place_bits(i));
        level->counts = mem_alloc_zero(mem, (size_t)level->lengths * sizeof level->counts[0] << place_bits(i));
        if (level->masks == NULL || level->counts == NULL)
            return false;
    }
    return true;
}

void filter_fini(struct filter *filter, struct mem *mem)
{
    for (unsigned i = 0; i < FILTER_LEVELS; i++) {
        mem_free(mem, filter->levels[i].masks);
        mem_free(mem, filter->levels[i].counts);
    }
}

bool filter_crowded(const struct filter *filter, bool now)
{
    return filter->places_used > 0 && filter->slots_used >= filter->places_used * (now ? CROWDED_END : CROWDED_MIN);
}

static void bit_set(_Atomic(uint64_t) *mask, unsigned slot, bool on)
{
    uint64_t bit = (uint64_t)1 << slot, now = atomic_load_explicit(mask, memory_order_relaxed);

    atomic_store_explicit(mask, on ? now | bit : now & ~bit, memory_order_release);
}

static bool always_probed(const struct filter *filter, unsigned slot, unsigned offset, unsigned length)
{
    return slot == FILTER_LAST_SLOT || offset != 0 || length < 64u - filter->levels[0].shift;
}

/* One prefix more or less. Masks that have the slot: one more, one less (-1) or as many. */
static int filter_count(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address,
                        bool more)
{
    unsigned i = FILTER_LEVELS - 1;

    if (always_probed(filter, slot, offset, length))
        return 0;
    while (length < 64u - filter->levels[i].shift)
        i--;
    const struct filter_level *level = &filter->levels[i];
    uint32_t place = filter_place(level, i, be64toh(address));
    uint16_t *count = &level->counts[place * level->lengths + (length - (64u - level->shift))];
    if (*count < UINT16_MAX) /* once at its end it no longer counts */
        *count = (uint16_t)(more ? *count + 1 : *count - 1);
    uint64_t before = atomic_load_explicit(&level->masks[place], memory_order_relaxed);
    bit_set(&level->masks[place], slot, *count > 0);
    uint64_t after = atomic_load_explicit(&level->masks[place], memory_order_relaxed);
    filter->places_used += (uint32_t)((after != 0) - (before != 0));
    int slots = (int)(after >> slot & 1) - (int)(before >> slot & 1);
    filter->slots_used += (uint32_t)slots;
    return slots;
}

static void slots_end_set(struct filter *filter)
{
    uint32_t end = FILTER_LAST_SLOT;

    while (end > 0 && filter->salts[end - 1] == 0)
        end--;
    atomic_store_explicit(&filter->slots_end, end, memory_order_release);
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
    for (unsigned i = 0; i < 4; i++)
        __atomic_store_n(&filter->shapes.masks[i][slot], (uint32_t)(mask[i / 2] >> 32 * (i % 2)), __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++)
        __atomic_store_n(&filter->shapes.salts[i][slot], (uint32_t)(salt >> 32 * i), __ATOMIC_RELEASE);
    slots_end_set(filter); /* before some mask has the slot's bit */
    if (always_probed(filter, slot, offset, length))
        bit_set(&filter->always, slot, true);
    return slot;
}

void filter_slot_drop(struct filter *filter, unsigned slot)
{
    if (slot == FILTER_LAST_SLOT || --filter->users[slot] > 0)
        return;
    filter->salts[slot] = 0;
    bit_set(&filter->always, slot, false);
    slots_end_set(filter);
}

int filter_add(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    return filter_count(filter, slot, offset, length, address, true);
}

int filter_drop(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    return filter_count(filter, slot, offset, length, address, false);
}
