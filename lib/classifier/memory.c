/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/memory.h"

#define SPARE_PART 64 /* of what is free */

static bool allowed(const struct mem *mem, size_t size)
{
    size_t used = mem->shared != NULL ? *mem->shared : mem->used;

    return mem->limit == 0 || mem->exempt || used + size <= mem->limit;
}

bool mem_spare(const struct mem *mem, size_t size)
{
    return allowed(mem, SPARE_PART * size);
}

/* Wraps around where less is used than before. */
static void count(struct mem *mem, size_t more)
{
    mem->used += more;
    if (mem->shared != NULL)
        *mem->shared += more;
}

static void *counted(struct mem *mem, void *block)
{
    if (block != NULL)
        count(mem, arena_block_size(block));
    return block;
}

void *mem_alloc(struct mem *mem, size_t size)
{
    return allowed(mem, arena_size(size)) ? counted(mem, arena_alloc(&mem->arena, size)) : NULL;
}

void *mem_alloc_line(struct mem *mem, size_t size)
{
    return mem_alloc(mem, (size + MEM_LINE - 1) / MEM_LINE * MEM_LINE);
}

void *mem_alloc_zero(struct mem *mem, size_t size)
{
    return allowed(mem, arena_zero_size(size)) ? counted(mem, arena_alloc_zero(&mem->arena, size)) : NULL;
}

void mem_free(struct mem *mem, void *block)
{
    if (block == NULL)
        return;
    count(mem, -arena_block_size(block));
    arena_free(&mem->arena, block);
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
