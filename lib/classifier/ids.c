/* SPDX-License-Identifier: BSD-3-Clause */
#include "classifier/ids.h"

#include <string.h>

#define DIRECTORY_MIN 4

static size_t directory_size(uint32_t count)
{
    return sizeof(struct ids_directory) + (size_t)count * sizeof(RCU_POINTER(struct ids_chunk));
}

static struct ids_directory *directory_create(struct mem *mem, uint32_t count)
{
    struct ids_directory *directory = mem_alloc(mem, directory_size(count));

    if (directory == NULL)
        return NULL;
    memset(directory, 0, directory_size(count));
    directory->count = count;
    return directory;
}

bool ids_init(struct ids *ids, struct mem *mem)
{
    struct ids_directory *directory = directory_create(mem, DIRECTORY_MIN);

    rcu_publish(&ids->directory, directory);
    return directory != NULL;
}

void ids_fini(struct ids *ids, struct mem *mem)
{
    struct ids_directory *directory = rcu_load(&ids->directory);

    for (uint32_t i = 0; i < directory->count; i++)
        mem_free(mem, rcu_load(&directory->chunks[i]));
    mem_free(mem, directory);
}

static bool directory_grow(struct ids *ids, struct mem *mem, uint32_t at)
{
    struct ids_directory *old = rcu_load(&ids->directory);
    uint32_t count = old->count;

    if (at < count)
        return true;
    while (count <= at)
        count *= 2; /* at is below 2^32 / IDS_CHUNK: no overflow */
    struct ids_directory *fresh = directory_create(mem, count);
    if (fresh == NULL)
        return false;
    for (uint32_t i = 0; i < old->count; i++)
        atomic_init(&fresh->chunks[i], rcu_load(&old->chunks[i]));
    rcu_publish(&ids->directory, fresh);
    mem_retire(mem, old);
    return true;
}

bool ids_reserve(struct ids *ids, struct mem *mem, uint32_t id)
{
    uint32_t at = id / IDS_CHUNK;

    if (!directory_grow(ids, mem, at))
        return false;
    struct ids_directory *directory = rcu_load(&ids->directory);
    if (rcu_load(&directory->chunks[at]) != NULL)
        return true;
    struct ids_chunk *chunk = mem_alloc(mem, sizeof *chunk);
    if (chunk == NULL)
        return false;
    memset(chunk, 0, sizeof *chunk);
    rcu_publish(&directory->chunks[at], chunk);
    return true;
}

void ids_set(struct ids *ids, struct mem *mem, uint32_t id, const struct compiled *rule)
{
    struct ids_directory *directory = rcu_load(&ids->directory);
    struct ids_chunk *chunk = rcu_load(&directory->chunks[id / IDS_CHUNK]);
    bool was = chunk != NULL && rcu_load(&chunk->rules[id % IDS_CHUNK]) != NULL;

    if (rule != NULL || was)
        rcu_publish(&chunk->rules[id % IDS_CHUNK], rule);
    if (chunk == NULL)
        return;
    chunk->count += (rule != NULL) - was;
    if (chunk->count == 0) {
        rcu_publish(&directory->chunks[id / IDS_CHUNK], NULL);
        mem_retire(mem, chunk);
    }
}
