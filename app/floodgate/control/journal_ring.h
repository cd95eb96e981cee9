/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latest lines of the journal in memory: so many, the oldest go first. Each has its position in the journal, a
 * number that grows and that a restart does not change: a reader that remembers one is told what came after it.
 * Control thread only.
 */
#ifndef FLOODGATE_JOURNAL_RING_H
#define FLOODGATE_JOURNAL_RING_H

#include <stddef.h>
#include <stdint.h>

struct journal_slot {
    uint64_t position;
    char *fields; /* of a line; owned */
};

struct journal_ring {
    size_t capacity, first, count;
    uint64_t forgotten; /* position of the latest that went; 0: none did */
    struct journal_slot slots[];
};

/* NULL when memory is short. */
struct journal_ring *journal_ring_create(size_t capacity);
void journal_ring_free(struct journal_ring *ring);

/* Takes `fields`; NULL (memory is short) is as if it had gone at once. */
void journal_ring_keep(struct journal_ring *ring, uint64_t position, char *fields);

/* `i` counts from the oldest. */
const struct journal_slot *journal_ring_at(const struct journal_ring *ring, size_t i);

/* How many are not after `position`: the index of the first that is. */
size_t journal_ring_after(const struct journal_ring *ring, uint64_t position);

/* The position of an entry of that time behind `last`: milliseconds, and room to tell 1024 of each apart. */
uint64_t journal_position(uint64_t last, uint64_t time_ms);

#endif
