/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many small things of one size, named by 32-bit indices instead of pointers: half the size in links, no header for
 * each, and they never move. Memory comes in chunks, each twice the one before, and goes back as a whole.
 * 0 is no index. One owner thread.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE       0u
#define SLAB_FIRST_LOG2 6 /* the first chunk holds 64 */
#define SLAB_CHUNKS     25

struct slab {
    size_t item_size; /* octets, 4 at least */
    uint32_t used;    /* items that are out */
    uint32_t high;    /* indices ever given out */
    uint32_t free;    /* private: the first of those given back, each holds the next in its first 4 octets */
    uint8_t *chunks[SLAB_CHUNKS];
};

void slab_init(struct slab *slab, size_t item_size);
void slab_clear(struct slab *slab); /* frees every item; harmless on zeros */

/* A new item, all zero, or SLAB_NONE when memory is short. */
uint32_t slab_take(struct slab *slab);
void slab_give(struct slab *slab, uint32_t index);

/* Octets held, given back or not. */
size_t slab_memory(const struct slab *slab);

static inline void *slab_at(const struct slab *slab, uint32_t index)
{
    uint32_t at = index - 1 + (1u << SLAB_FIRST_LOG2);
    unsigned chunk = 31u - (unsigned)__builtin_clz(at);

    return slab->chunks[chunk - SLAB_FIRST_LOG2] + (size_t)(at - (1u << chunk)) * slab->item_size;
}

#endif
