/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward/prefixes.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 64u

static size_t slot_of(const struct fwd_prefixes *set, const uint8_t *octets, uint8_t length)
{
    uint64_t high, low;

    memcpy(&high, octets, 8);
    memcpy(&low, octets + 8, 8);
    uint64_t hash = (high ^ (low * 0x9e3779b97f4a7c15u) ^ length) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 32) * 0xc4ceb9fe1a85ec53u;
    return (hash ^ hash >> 29) & (set->room - 1);
}

struct fwd_prefix *fwd_prefixes_find(const struct fwd_prefixes *set, const uint8_t *octets, uint8_t length)
{
    if (set->of_length[length] == 0)
        return NULL;
    for (size_t i = slot_of(set, octets, length); set->slots[i].used; i = (i + 1) & (set->room - 1))
        if (set->slots[i].length == length && memcmp(set->slots[i].octets, octets, 16) == 0)
            return &set->slots[i];
    return NULL;
}

static struct fwd_prefix *free_slot(struct fwd_prefixes *set, const uint8_t *octets, uint8_t length)
{
    size_t i = slot_of(set, octets, length);

    while (set->slots[i].used)
        i = (i + 1) & (set->room - 1);
    return &set->slots[i];
}

static bool grow(struct fwd_prefixes *set)
{
    struct fwd_prefixes larger = *set;

    larger.room = set->room ? set->room * 2 : ROOM_MIN;
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i].used)
            *free_slot(&larger, set->slots[i].octets, set->slots[i].length) = set->slots[i];
    free(set->slots);
    *set = larger;
    return true;
}

struct fwd_prefix *fwd_prefixes_add(struct fwd_prefixes *set, const struct ip_prefix *prefix)
{
    struct fwd_prefix *entry = fwd_prefixes_find(set, prefix->octets, prefix->length);

    if (entry != NULL)
        return entry;
    if (set->count * 3 >= set->room * 2 && !grow(set))
        return NULL;
    entry = free_slot(set, prefix->octets, prefix->length);
    memset(entry, 0, sizeof *entry);
    memcpy(entry->octets, prefix->octets, sizeof entry->octets);
    entry->length = prefix->length;
    entry->used = true;
    set->count++;
    set->of_length[prefix->length]++;
    return entry;
}

/* Entries that probed past the one that goes move up, so that no search ends early (Knuth 6.4, algorithm R). */
void fwd_prefixes_remove(struct fwd_prefixes *set, struct fwd_prefix *entry)
{
    size_t mask = set->room - 1, hole = (size_t)(entry - set->slots);

    set->count--;
    set->of_length[entry->length]--;
    for (size_t i = (hole + 1) & mask; set->slots[i].used; i = (i + 1) & mask) {
        size_t home = slot_of(set, set->slots[i].octets, set->slots[i].length);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            set->slots[hole] = set->slots[i];
            hole = i;
        }
    }
    set->slots[hole].used = false;
}

uint32_t fwd_prefix_best(const struct fwd_prefix *entry, enum fwd_source *source)
{
    for (unsigned s = 0; s < FWD_SOURCE_COUNT; s++) {
        if (entry->values[s] == FWD_NO_ROUTE)
            continue;
        *source = s;
        return entry->values[s];
    }
    return FWD_NO_ROUTE;
}

struct fwd_prefix *fwd_prefixes_cover(const struct fwd_prefixes *set, const uint8_t *octets, int max_length)
{
    uint8_t bits[16];

    memcpy(bits, octets, sizeof bits);
    for (int length = max_length; length >= 0; length--) {
        if (set->of_length[length] == 0)
            continue;
        ip_bits_keep(bits, sizeof bits, 0, (unsigned)length);
        struct fwd_prefix *entry = fwd_prefixes_find(set, bits, (uint8_t)length);
        if (entry != NULL)
            return entry;
    }
    return NULL;
}
