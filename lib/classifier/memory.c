/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOCK_OVERHEAD sizeof(size_t) /* what malloc keeps beside each block */

static size_t block_size(void *block)
{
    return malloc_usable_size(block) + BLOCK_OVERHEAD;
}

static bool allowed(const struct mem *mem, size_t size)
{
    return mem->limit == 0 || mem->exempt || mem->used + size <= mem->limit;
}

/* The true size is known only afterwards: malloc rounds up. */
static void *counted(struct mem *mem, void *block)
{
    if (block == NULL)
        return NULL;
    if (!mem_adopt(mem, block)) {
        free(block);
        return NULL;
    }
    return block;
}

bool mem_adopt(struct mem *mem, void *block)
{
    size_t size = block_size(block);

    if (!allowed(mem, size))
        return false;
    mem->used += size;
    return true;
}

void mem_disown(struct mem *mem, void *block)
{
    mem->used -= block_size(block);
}

void *mem_alloc(struct mem *mem, size_t size)
{
    return allowed(mem, size) ? counted(mem, malloc(size)) : NULL;
}

void *mem_alloc_line(struct mem *mem, size_t size)
{
    void *block = NULL;

    if (!allowed(mem, size) || posix_memalign(&block, MEM_LINE, size) != 0)
        return NULL;
    return counted(mem, block);
}

void mem_free(struct mem *mem, void *block)
{
    if (block == NULL)
        return;
    mem_disown(mem, block);
    free(block);
}

static void block_release(void *ctx, void *block)
{
    mem_free(ctx, block);
}

void mem_retire(struct mem *mem, void *block)
{
    if (block != NULL)
        rcu_retire_ctx(mem->rcu, block_release, mem, block);
}
