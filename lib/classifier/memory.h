/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast engine's memory: counted against the configured limit, and given back once no reader can hold it.
 * The writer's alone.
 */
#ifndef CLASSIFIER_MEMORY_H
#define CLASSIFIER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "rcu/rcu.h"

#define MEM_LINE 64 /* octets of a cache line */

struct mem {
    struct rcu *rcu;
    size_t limit; /* 0: none */
    size_t used;  /* octets, retired ones included until they are released */
    bool exempt;  /* removals may exceed the limit for a moment: they must not fail for it */
};

/* Memory of its own, contents undefined; NULL when it would exceed the limit or memory is short. */
void *mem_alloc(struct mem *mem, size_t size);

/* The same, starting at a cache line. */
void *mem_alloc_line(struct mem *mem, size_t size);

/* Counts a block that another allocator (malloc) gave, or stops counting it. */
bool mem_adopt(struct mem *mem, void *block);
void mem_disown(struct mem *mem, void *block);

/* Frees what no reader has ever seen. NULL is fine. */
void mem_free(struct mem *mem, void *block);

/* Frees what was unpublished just now, once no reader can hold it. NULL is fine. */
void mem_retire(struct mem *mem, void *block);

#endif
