/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/fine.h"

#include <endian.h>
#include <string.h>

#define PLACES (FINE_LEVELS << FINE_PLACE_BITS)

bool fine_init(struct fine *fine, struct mem *mem, const uint8_t bits[FINE_LEVELS])
{
    memset(fine, 0, sizeof *fine);
    for (unsigned i = 0; i < FINE_LEVELS; i++)
        fine->shifts |= (uint64_t)(64 - bits[i]) << 8 * i;
    if (!mem_spare(mem, PLACES * (sizeof fine->masks[0] + FINE_LENGTHS * sizeof fine->counts[0])))
        return true;
    fine->masks = mem_alloc_zero(mem, PLACES * sizeof fine->masks[0]);
    fine->counts = mem_alloc_zero(mem, PLACES * FINE_LENGTHS * sizeof fine->counts[0]);
    return fine->masks != NULL && fine->counts != NULL;
}

void fine_fini(struct fine *fine, struct mem *mem)
{
    mem_free(mem, fine->masks);
    mem_free(mem, fine->counts);
}

static unsigned first_bits(const struct fine *fine, unsigned level)
{
    return 64u - (fine->shifts >> 8 * level & 63);
}

unsigned fine_slot(const struct fine *fine, unsigned offset, unsigned length)
{
    unsigned level = FINE_LEVELS - 1;

    if (offset != 0 || length < first_bits(fine, 0))
        return FINE_SLOT_ALWAYS;
    while (length < first_bits(fine, level))
        level--;
    return 8 * level + (length - first_bits(fine, level)) % FINE_LENGTHS;
}

/* Sets or clears the bit of a slot at its place. */
static void place_count(struct fine *fine, unsigned slot, uint64_t address, uint32_t pair, bool more)
{
    uint32_t place = fine_place(fine->shifts, slot / 8, be64toh(address), pair);
    uint8_t *count = &fine->counts[place * FINE_LENGTHS + slot % 8];
    uint8_t before = atomic_load_explicit(&fine->masks[place], memory_order_relaxed), bit = (uint8_t)(1u << slot % 8);
    if (*count < UINT8_MAX) /* once at its end it no longer counts */
        *count = (uint8_t)(more ? *count + 1 : *count - 1);
    uint8_t after = (uint8_t)(*count > 0 ? before | bit : before & ~bit);
    if (after != before)
        atomic_store_explicit(&fine->masks[place], after, memory_order_release);
    fine->places_used += (uint32_t)((after != 0) - (before != 0));
}

void fine_count(struct fine *fine, unsigned slot, uint64_t address, uint32_t pair, bool more)
{
    enum fine_kind kind = pair != 0 ? FINE_PAIR : FINE_ANY;
    uint32_t kinds = atomic_load_explicit(&fine->kinds, memory_order_relaxed);

    if (slot == FINE_SLOT_ALWAYS || fine->masks == NULL)
        return;
    fine->rules[kind] += more ? 1u : -1u;
    if (fine->rules[kind] == 1 && more) /* readers look at its places before a bit there means anything */
        atomic_store_explicit(&fine->kinds, kinds | 1u << kind, memory_order_release);
    place_count(fine, slot, address, pair, more);
    if (fine->rules[kind] == 0)
        atomic_store_explicit(&fine->kinds, kinds & ~(1u << kind), memory_order_release);
}

/* Places shared by all and sundry tell nothing apart. */
void fine_choose(struct fine *fine, bool crowded)
{
    bool now = fine_used(fine), sparse = fine->places_used <= PLACES / 2 + (now ? PLACES / 8 : 0);

    if (fine->masks != NULL && (crowded && sparse) != now)
        atomic_store_explicit(&fine->used, !now, memory_order_release);
}
