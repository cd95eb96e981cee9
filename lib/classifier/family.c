/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/family.h"

/* The first bits by which filters tell addresses apart, by family. */
static const uint8_t coarse_bits[2][FILTER_LEVELS] = {{8, 20}, {32, 52}};
static const uint8_t sieve_bits[2] = {24, 56};
static const uint8_t fine_bits[2][FINE_LEVELS] = {
    {8, 12, 15, 18, 21, 24, 27, 30},
    {32, 40, 44, 48, 52, 56, 60, 64},
};
static const uint8_t family_bits[2] = {32, 128};

void family_fini(struct place_family *family, struct mem *mem)
{
    filter_fini(&family->destinations, mem);
    filter_fini(&family->sources, mem);
    fine_fini(&family->fine, mem);
    sieve_fini(&family->sieve, mem);
}

bool family_init(struct place_family *family, struct mem *mem, unsigned i)
{
    if (filter_init(&family->destinations, mem, coarse_bits[i], family_bits[i]) &&
        filter_init(&family->sources, mem, coarse_bits[i], family_bits[i]) &&
        fine_init(&family->fine, mem, fine_bits[i]) && sieve_init(&family->sieve, mem, sieve_bits[i]))
        return true;
    family_fini(family, mem);
    return false;
}

void family_choose(struct place_family *family)
{
    struct fine *fine = &family->fine;
    bool sieved = sieve_pays(&family->sieve, &family->destinations);
    bool crowded = filter_crowded(&family->destinations, fine_used(fine));

    fine_choose(fine, crowded && (!sieved || fine_tells_pairs(fine)));
    sieve_use(&family->sieve, sieved);
}

void family_count(struct place_family *family, int by)
{
    const struct shapes *shapes = rcu_load(&family->shapes);

    family->destination_count += (uint32_t)by;
    bool most = shapes != NULL && shapes_at(shapes, 0)->users > family->destination_count / 2;
    if (most != atomic_load_explicit(&family->first_most, memory_order_relaxed))
        atomic_store_explicit(&family->first_most, most, memory_order_release);
}
