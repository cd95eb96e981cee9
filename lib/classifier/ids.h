/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules by id, for readers that go on after a rule: a table of chunks, so that a high id costs a chunk and a longer
 * list of chunks, and not a copy of everything. A rule that was removed keeps its place until its memory is released.
 */
#ifndef CLASSIFIER_IDS_H
#define CLASSIFIER_IDS_H

#include "classifier/compile.h"

#define IDS_CHUNK 512 /* ids of a chunk */

struct ids_chunk {
    uint32_t count;                                      /* the writer's: places that are set */
    RCU_POINTER(const struct compiled) rules[IDS_CHUNK]; /* written by the writer, read by workers */
};

struct ids_directory {
    uint32_t count;
    RCU_POINTER(struct ids_chunk) chunks[];
};

struct ids {
    RCU_POINTER(struct ids_directory) directory; /* written by the writer, read by workers */
};

bool ids_init(struct ids *ids, struct mem *mem);
void ids_fini(struct ids *ids, struct mem *mem);

/* Makes the place of `id`, so that ids_set cannot fail. False when memory is short. */
bool ids_reserve(struct ids *ids, struct mem *mem, uint32_t id);

/* Sets a place that was reserved; NULL gives it back. */
void ids_set(struct ids *ids, struct mem *mem, uint32_t id, const struct compiled *rule);

/* NULL: none. Reader or writer. */
static inline const struct compiled *ids_get(const struct ids *ids, uint32_t id)
{
    const struct ids_directory *directory = rcu_load(&ids->directory);
    uint32_t at = id / IDS_CHUNK;
    const struct ids_chunk *chunk = at < directory->count ? rcu_load(&directory->chunks[at]) : NULL;

    return chunk != NULL ? rcu_load(&chunk->rules[id % IDS_CHUNK]) : NULL;
}

#endif
