/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/sieve.h"

#include <string.h>

/* Halves of a slot that are taken from a place, on average: it pays from so many on, and is left at fewer. Tests build
 * with 0. */
#ifndef SIEVE_TAKEN_MIN
#define SIEVE_TAKEN_MIN 2
#endif
#define SIEVE_TAKEN_END (SIEVE_TAKEN_MIN / 2)

bool sieve_init(struct sieve *sieve, struct mem *mem, unsigned bits)
{
    memset(sieve, 0, sizeof *sieve);
    sieve->shift = (uint8_t)(64 - bits);
    if (!mem_spare(mem, (sizeof sieve->masks[0] + SIEVE_SLOTS * sizeof sieve->counts[0]) << SIEVE_PLACE_BITS))
        return true;
    sieve->masks = mem_alloc_zero(mem, sizeof sieve->masks[0] << SIEVE_PLACE_BITS);
    sieve->counts = mem_alloc_zero(mem, (SIEVE_SLOTS * sizeof sieve->counts[0]) << SIEVE_PLACE_BITS);
    return sieve->masks != NULL && sieve->counts != NULL;
}

void sieve_fini(struct sieve *sieve, struct mem *mem)
{
    mem_free(mem, sieve->masks);
    mem_free(mem, sieve->counts);
}

static bool sieve_holds(const struct sieve *sieve, unsigned slot, unsigned offset, unsigned length)
{
    return sieve->masks != NULL && slot != FILTER_LAST_SLOT && offset == 0 && length >= 64u - sieve->shift;
}

static void sieve_count(struct sieve *sieve, unsigned slot, uint64_t address, bool more)
{
    unsigned bit = slot % SIEVE_SLOTS;
    uint32_t place = sieve_place(sieve, be64toh(address));
    uint8_t *count = &sieve->counts[place * SIEVE_SLOTS + bit];
    uint16_t before = atomic_load_explicit(&sieve->masks[place], memory_order_relaxed);

    if (*count < UINT8_MAX) /* once at its end it no longer counts */
        *count = (uint8_t)(more ? *count + 1 : *count - 1);
    uint16_t after = (uint16_t)(*count > 0 ? before | 1u << bit : before & ~(1u << bit));
    if (after == before) /* a store in vain would take the line from every worker */
        return;
    atomic_store_explicit(&sieve->masks[place], after, memory_order_release);
    sieve->places_used += (uint32_t)((after != 0) - (before != 0));
    sieve->slots_used += more ? 1u : -1u;
}

/* A slot may have been another shape's: it is as its latest prefix says, before readers can find that. */
static void slot_set(struct sieve *sieve, unsigned slot, bool held)
{
    uint64_t bit = (uint64_t)1 << slot, before = atomic_load_explicit(&sieve->slots, memory_order_relaxed);
    uint64_t after = held ? before | bit : before & ~bit;

    if (after != before)
        atomic_store_explicit(&sieve->slots, after, memory_order_release);
}

void sieve_add(struct sieve *sieve, unsigned slot, unsigned offset, unsigned length, uint64_t address, int coarse)
{
    bool held = sieve_holds(sieve, slot, offset, length);

    if (held) {
        sieve->coarse_slots += (uint32_t)coarse;
        sieve_count(sieve, slot, address, true);
    }
    slot_set(sieve, slot, held);
}

void sieve_drop(struct sieve *sieve, unsigned slot, unsigned offset, unsigned length, uint64_t address, int coarse)
{
    if (!sieve_holds(sieve, slot, offset, length))
        return;
    sieve->coarse_slots += (uint32_t)coarse;
    sieve_count(sieve, slot, address, false);
}

bool sieve_pays(const struct sieve *sieve, const struct filter *coarse)
{
    uint64_t places = sieve->places_used, coarse_places = coarse->places_used;
    bool now = atomic_load_explicit(&sieve->used, memory_order_relaxed);
    uint64_t least = places * coarse_places * (now ? SIEVE_TAKEN_END : SIEVE_TAKEN_MIN);

    return places > 0 && 2 * sieve->coarse_slots * places >= 2 * sieve->slots_used * coarse_places + least;
}

void sieve_use(struct sieve *sieve, bool use)
{
    if (atomic_load_explicit(&sieve->used, memory_order_relaxed) != use)
        atomic_store_explicit(&sieve->used, use, memory_order_release);
}
