/* SPDX-License-Identifier: BSD-3-Clause */
/* Some of the VRFs, by number as in lib/forward (0: the default one). Immutable once made; freed with free(). */
#ifndef FLOODGATE_VRF_SET_H
#define FLOODGATE_VRF_SET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct vrf_set {
    uint16_t count;
    uint16_t numbers[]; /* rising */
};

static inline bool vrf_set_has(const struct vrf_set *set, uint16_t number)
{
    for (uint16_t i = 0; i < set->count && set->numbers[i] <= number; i++)
        if (set->numbers[i] == number)
            return true;
    return false;
}

/* NULL stands for the default VRF alone. */
static inline bool vrf_set_equal(const struct vrf_set *a, const struct vrf_set *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->count == b->count && memcmp(a->numbers, b->numbers, a->count * sizeof a->numbers[0]) == 0;
}

#endif
