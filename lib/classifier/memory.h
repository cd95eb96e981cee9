/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast engine's memory: counted against the configured limit, and given back once no reader can hold it.
 * The writer's alone.
 */
#ifndef CLASSIFIER_MEMORY_H
#define CLASSIFIER_MEMORY_H

#include <stdint.h>

#include "classifier/arena.h"
#include "rcu/rcu.h"

#define MEM_LINE ARENA_LINE

struct mem {
    struct rcu *rcu;
    size_t limit;    /* 0: none */
    size_t used;     /* octets, retired ones included until they are released */
    size_t *shared;  /* what the limit is compared with instead: the sum of several; NULL: none */
    bool exempt;     /* removals may exceed the limit for a moment: they must not fail for it */
    uint32_t hidden; /* times that a rule could not be taken out of a leaf for lack of memory: it is not released */
    struct arena arena;
};

/* Memory of its own, contents undefined; NULL when it would exceed the limit or memory is short. */
void *mem_alloc(struct mem *mem, size_t size);

/* The same, starting at a cache line. */
void *mem_alloc_line(struct mem *mem, size_t size);

/* The same, all zeros, for large tables of which little may ever be used: pages that are not touched cost nothing. */
void *mem_alloc_zero(struct mem *mem, size_t size);

/* Whether so much may be taken for what is faster with it and right without: little of what the rules may yet take. */
bool mem_spare(const struct mem *mem, size_t size);

/* Frees what no reader has ever seen. NULL is fine. */
void mem_free(struct mem *mem, void *block);

/* Frees what was unpublished just now, once no reader can hold it. NULL is fine. */
void mem_retire(struct mem *mem, void *block);

#endif
