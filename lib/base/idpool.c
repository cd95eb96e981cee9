/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/idpool.h"

#include <stdlib.h>

struct idpool {
    uint32_t capacity;
    uint32_t fresh; /* ids 1..fresh have been handed out at least once */
    uint32_t used;  /* out now */
    uint32_t first; /* oldest freed id, ID_NONE when none waits */
    uint32_t last;  /* newest freed id */
    uint32_t room;  /* ids that `next` has room for */
    uint32_t *next; /* the queue of freed ids, linked by id; index 0 unused */
};

struct idpool *idpool_create(uint32_t capacity)
{
    struct idpool *pool = calloc(1, sizeof *pool);

    if (pool != NULL)
        pool->capacity = capacity;
    return pool;
}

void idpool_free(struct idpool *pool)
{
    if (pool == NULL)
        return;
    free(pool->next);
    free(pool);
}

static int grow(struct idpool *pool)
{
    uint32_t room = pool->room ? pool->room * 2 : 64;

    if (room > pool->capacity || room < pool->room)
        room = pool->capacity;
    uint32_t *next = realloc(pool->next, ((size_t)room + 1) * sizeof *next);
    if (next == NULL)
        return -1;
    pool->next = next;
    pool->room = room;
    return 0;
}

uint32_t idpool_take(struct idpool *pool)
{
    uint32_t id;

    if (pool->first != ID_NONE) {
        id = pool->first;
        pool->first = pool->next[id];
    } else {
        if (pool->fresh == pool->capacity || (pool->fresh == pool->room && grow(pool) < 0))
            return ID_NONE;
        id = ++pool->fresh;
    }
    pool->used++;
    return id;
}

void idpool_give(struct idpool *pool, uint32_t id)
{
    pool->next[id] = ID_NONE;
    if (pool->first == ID_NONE)
        pool->first = id;
    else
        pool->next[pool->last] = id;
    pool->last = id;
    pool->used--;
}

uint32_t idpool_used(const struct idpool *pool)
{
    return pool->used;
}
