/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_ring.h"

#include <stdlib.h>

#define TIME_MS_MAX (UINT64_C(1) << 51) /* positions stay below 2^62: a file's line may say any time */

struct journal_ring *journal_ring_create(size_t capacity)
{
    struct journal_ring *ring = calloc(1, sizeof *ring + capacity * sizeof ring->slots[0]);

    if (ring != NULL)
        ring->capacity = capacity;
    return ring;
}

void journal_ring_free(struct journal_ring *ring)
{
    if (ring == NULL)
        return;
    for (size_t i = 0; i < ring->count; i++)
        free(ring->slots[(ring->first + i) % ring->capacity].fields);
    free(ring);
}

void journal_ring_keep(struct journal_ring *ring, uint64_t position, char *fields)
{
    if (fields == NULL) {
        ring->forgotten = position;
        return;
    }
    if (ring->count == ring->capacity) {
        ring->forgotten = ring->slots[ring->first].position;
        free(ring->slots[ring->first].fields);
        ring->first = (ring->first + 1) % ring->capacity;
        ring->count--;
    }
    ring->slots[(ring->first + ring->count++) % ring->capacity] =
        (struct journal_slot){.position = position, .fields = fields};
}

const struct journal_slot *journal_ring_at(const struct journal_ring *ring, size_t i)
{
    return &ring->slots[(ring->first + i) % ring->capacity];
}

size_t journal_ring_after(const struct journal_ring *ring, uint64_t position)
{
    size_t low = 0, high = ring->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal_ring_at(ring, middle)->position <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t journal_position(uint64_t last, uint64_t time_ms)
{
    uint64_t by_time = (time_ms < TIME_MS_MAX ? time_ms : TIME_MS_MAX) << 10;

    return by_time > last ? by_time : last + 1;
}
