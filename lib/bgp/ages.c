/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/ages.h"

#include <stdbool.h>

#define AGE_MASK ((1u << BGP_AGE_BITS) - 1)
/*
 * Ages are compared modulo 2^15, so no two that are in use may be half of that apart. A peer that begins a refresh
 * again and again and ends none could get there: from then on a line is drawn behind what is older than the newest
 * only, and what the peer announced last counts as announced behind it.
 */
#define SPAN_MAX (AGE_MASK / 2 - 1)

static void sum_add(struct bgp_age_sum *sum, uint64_t octets)
{
    sum->paths++;
    sum->octets += octets;
}

static void sum_remove(struct bgp_age_sum *sum, uint64_t octets)
{
    sum->paths--;
    sum->octets -= octets;
}

static bool older(uint16_t a, uint16_t b)
{
    return ((unsigned)(a - b) & AGE_MASK) > AGE_MASK / 2;
}

uint8_t bgp_ages_marks(const struct bgp_ages *ages, uint16_t age)
{
    uint8_t marks = 0;

    if (age == ages->now)
        return 0; /* no line is ahead of the present */
    for (unsigned i = 0; i < BGP_PATH_MARK_COUNT; i++)
        if (ages->lines[i].sum.paths > 0 && older(age, ages->lines[i].before))
            marks |= (uint8_t)(1u << i);
    return marks;
}

uint16_t bgp_ages_add(struct bgp_ages *ages, uint64_t octets)
{
    sum_add(&ages->all, octets);
    sum_add(&ages->newest, octets);
    return ages->now;
}

void bgp_ages_remove(struct bgp_ages *ages, uint16_t age, uint64_t octets)
{
    uint8_t marks = bgp_ages_marks(ages, age);

    sum_remove(&ages->all, octets);
    if (age == ages->now)
        sum_remove(&ages->newest, octets);
    for (unsigned i = 0; i < BGP_PATH_MARK_COUNT; i++)
        if ((marks >> i & 1) != 0)
            sum_remove(&ages->lines[i].sum, octets);
}

void bgp_ages_mark(struct bgp_ages *ages, enum bgp_path_mark mark)
{
    const unsigned line = (unsigned)__builtin_ctz(mark);

    if (ages->newest.paths == ages->all.paths)
        ages->span = 0;
    if (ages->newest.paths > 0 && ages->span < SPAN_MAX) {
        ages->now = (ages->now + 1) & AGE_MASK;
        ages->span++;
        ages->newest = (struct bgp_age_sum){0};
    }
    ages->lines[line].before = ages->now;
    ages->lines[line].sum = (struct bgp_age_sum){.paths = ages->all.paths - ages->newest.paths,
                                                 .octets = ages->all.octets - ages->newest.octets};
}

void bgp_ages_end(struct bgp_ages *ages, enum bgp_path_mark mark)
{
    const unsigned line = (unsigned)__builtin_ctz(mark), gone = (unsigned)__builtin_ctz(BGP_PATH_GONE);

    if (ages->lines[line].sum.paths == 0)
        return;
    if (ages->lines[gone].sum.paths == 0 || older(ages->lines[gone].before, ages->lines[line].before))
        ages->lines[gone] = ages->lines[line];
}

struct bgp_age_sum bgp_ages_staying(const struct bgp_ages *ages)
{
    const struct bgp_age_sum *gone = &ages->lines[__builtin_ctz(BGP_PATH_GONE)].sum;

    return (struct bgp_age_sum){ages->all.paths - gone->paths, ages->all.octets - gone->octets};
}
