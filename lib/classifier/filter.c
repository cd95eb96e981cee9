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

static bool grade_init(struct filter_grade *grade, struct mem *mem, const struct filter_conf *conf, unsigned most)
{
    uint32_t counts = 0;

    for (unsigned i = 0; i < conf->count; i++) {
        unsigned next = i + 1u < conf->count ? conf->bits[i + 1] : most + 1;
        grade->levels[i].shift = (uint8_t)(64 - conf->bits[i]);
        grade->levels[i].lengths = (uint8_t)(next - conf->bits[i]);
        grade->places += 1u << place_bits(i);
        counts += (uint32_t)grade->levels[i].lengths << place_bits(i);
    }
    grade->level_count = conf->count;
    if (conf->count == 0)
        return true;
    grade->masks = mem_alloc_zero(mem, grade->places * sizeof grade->masks[0]);
    grade->counts = mem_alloc_zero(mem, counts * sizeof grade->counts[0]);
    if (grade->masks == NULL || grade->counts == NULL)
        return false;
    grade->levels[0].masks = grade->masks;
    grade->levels[0].counts = grade->counts;
    for (unsigned i = 1; i < conf->count; i++) {
        const struct filter_level *before = &grade->levels[i - 1];
        grade->levels[i].masks = before->masks + (1u << place_bits(i - 1));
        grade->levels[i].counts = before->counts + ((size_t)before->lengths << place_bits(i - 1));
    }
    return true;
}

bool filter_init(struct filter *filter, struct mem *mem, const struct filter_conf conf[2], unsigned most)
{
    memset(filter, 0, sizeof *filter);
    atomic_init(&filter->always, (uint64_t)1 << FILTER_LAST_SLOT);
    atomic_init(&filter->grade, &filter->grades[FILTER_COARSE]);
    if (grade_init(&filter->grades[FILTER_COARSE], mem, &conf[FILTER_COARSE], most) &&
        grade_init(&filter->grades[FILTER_FINE], mem, &conf[FILTER_FINE], most))
        return true;
    filter_fini(filter, mem);
    return false;
}

void filter_fini(struct filter *filter, struct mem *mem)
{
    for (unsigned i = 0; i < 2; i++) {
        mem_free(mem, filter->grades[i].masks);
        mem_free(mem, filter->grades[i].counts);
    }
}

static void bit_set(_Atomic(uint64_t) *mask, unsigned slot, bool on)
{
    uint64_t bit = (uint64_t)1 << slot, now = atomic_load_explicit(mask, memory_order_relaxed);

    atomic_store_explicit(mask, on ? now | bit : now & ~bit, memory_order_release);
}

static bool always_probed(const struct filter *filter, unsigned slot, unsigned offset, unsigned length)
{
    return slot == FILTER_LAST_SLOT || offset != 0 || length < 64u - filter->grades[FILTER_COARSE].levels[0].shift;
}

/* One prefix more or less in the tables of a grade. */
static void grade_count(struct filter_grade *grade, unsigned slot, unsigned length, uint64_t address, bool more)
{
    unsigned i = 0;

    while (i + 1 < grade->level_count && length >= 64u - grade->levels[i + 1].shift)
        i++;
    const struct filter_level *level = &grade->levels[i];
    uint32_t place = filter_place(level, i, be64toh(address));
    uint16_t *count = &level->counts[place * level->lengths + (length - (64u - level->shift))];
    if (*count < UINT16_MAX) /* once at its end it no longer counts */
        *count = (uint16_t)(more ? *count + 1 : *count - 1);
    uint64_t before = atomic_load_explicit(&level->masks[place], memory_order_relaxed);
    bit_set(&level->masks[place], slot, *count > 0);
    uint64_t after = atomic_load_explicit(&level->masks[place], memory_order_relaxed);
    grade->places_used += (uint32_t)((after != 0) - (before != 0));
    grade->slots_used += (uint32_t)((after >> slot & 1) - (before >> slot & 1));
}

/* Places shared by all and sundry tell nothing apart: more tables would not either. */
static void grade_choose(struct filter *filter)
{
    const struct filter_grade *coarse = &filter->grades[FILTER_COARSE], *fine = &filter->grades[FILTER_FINE];
    bool now = rcu_load(&filter->grade) == fine;
    bool crowded = coarse->slots_used >= coarse->places_used * (now ? CROWDED_END : CROWDED_MIN);
    bool sparse = fine->places_used <= fine->places / 2 + (now ? fine->places / 8 : 0);

    if ((crowded && sparse) != now)
        rcu_publish(&filter->grade, now ? coarse : fine);
}

static void filter_count(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address,
                         bool more)
{
    if (always_probed(filter, slot, offset, length))
        return;
    grade_count(&filter->grades[FILTER_COARSE], slot, length, address, more);
    if (filter->grades[FILTER_FINE].level_count == 0)
        return;
    grade_count(&filter->grades[FILTER_FINE], slot, length, address, more);
    grade_choose(filter);
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
    __atomic_store_n(&filter->shapes.mask0[slot], mask[0], __ATOMIC_RELAXED);
    __atomic_store_n(&filter->shapes.mask1[slot], mask[1], __ATOMIC_RELAXED);
    __atomic_store_n(&filter->shapes.salt[slot], salt, __ATOMIC_RELEASE);
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

void filter_add(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    filter_count(filter, slot, offset, length, address, true);
}

void filter_drop(struct filter *filter, unsigned slot, unsigned offset, unsigned length, uint64_t address)
{
    filter_count(filter, slot, offset, length, address, false);
}
