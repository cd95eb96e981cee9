/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/slab.h"

#include <stdlib.h>
#include <string.h>

void slab_init(struct slab *slab, size_t item_size)
{
    *slab = (struct slab){.item_size = item_size};
}

void slab_clear(struct slab *slab)
{
    for (size_t i = 0; i < SLAB_CHUNKS; i++)
        free(slab->chunks[i]);
    slab_init(slab, slab->item_size);
}

static uint32_t slab_take_fresh(struct slab *slab)
{
    if (slab->high >= UINT32_MAX / 4)
        return SLAB_NONE;
    uint32_t at = slab->high + (1u << SLAB_FIRST_LOG2);
    unsigned log2 = 31u - (unsigned)__builtin_clz(at), chunk = log2 - SLAB_FIRST_LOG2;

    /* not cleared here: pages of a large chunk are touched only when their items are */
    if (slab->chunks[chunk] == NULL)
        slab->chunks[chunk] = malloc(((size_t)1 << log2) * slab->item_size);
    if (slab->chunks[chunk] == NULL)
        return SLAB_NONE;
    return ++slab->high;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t index = slab->free;

    if (index != SLAB_NONE)
        memcpy(&slab->free, slab_at(slab, index), sizeof slab->free);
    else
        index = slab_take_fresh(slab);
    if (index == SLAB_NONE)
        return SLAB_NONE;
    memset(slab_at(slab, index), 0, slab->item_size);
    slab->used++;
    return index;
}

void slab_give(struct slab *slab, uint32_t index)
{
    memcpy(slab_at(slab, index), &slab->free, sizeof slab->free);
    slab->free = index;
    slab->used--;
}

size_t slab_memory(const struct slab *slab)
{
    size_t octets = 0;

    for (unsigned i = 0; i < SLAB_CHUNKS; i++)
        octets += slab->chunks[i] != NULL ? ((size_t)1 << (i + SLAB_FIRST_LOG2)) * slab->item_size : 0;
    return octets;
}
