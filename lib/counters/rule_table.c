/* SPDX-License-Identifier: BSD-3-Clause */
/* Per-rule counters by id, in chunks that are made when the first id of theirs comes into use and then stay. */
#include "counters/counters.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_BITS  10u
#define CHUNK_RULES (1u << CHUNK_BITS)
#define CHUNK_SIZE  (CHUNK_RULES * sizeof(struct cnt_rule))

struct cnt_rule_table {
    void *(*alloc)(void *ctx, size_t size);
    void (*release)(void *ctx, void *memory, size_t size);
    void *ctx;
    uint32_t capacity;
    uint32_t chunk_count;
    _Atomic(struct cnt_rule *) chunks[]; /* written by the control thread, read by the worker */
};

static void *heap_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return aligned_alloc(64, (size + 63) & ~(size_t)63);
}

static void heap_release(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

struct cnt_rule_table *cnt_rule_table_create(uint32_t capacity, void *(*alloc)(void *ctx, size_t size),
                                             void (*release)(void *ctx, void *memory, size_t size), void *ctx)
{
    uint32_t chunk_count = (capacity >> CHUNK_BITS) + 1; /* ids start at 1: entry 0 of the first chunk stays unused */
    struct cnt_rule_table *table = calloc(1, sizeof *table + chunk_count * sizeof table->chunks[0]);

    if (table == NULL)
        return NULL;
    table->alloc = alloc ? alloc : heap_alloc;
    table->release = alloc ? release : heap_release;
    table->ctx = ctx;
    table->capacity = capacity;
    table->chunk_count = chunk_count;
    return table;
}

static struct cnt_rule *chunk_get(struct cnt_rule_table *table, uint32_t index)
{
    return atomic_load_explicit(&table->chunks[index], memory_order_acquire);
}

void cnt_rule_table_free(struct cnt_rule_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t index = 0; index < table->chunk_count; index++) {
        struct cnt_rule *chunk = chunk_get(table, index);
        if (chunk != NULL)
            table->release(table->ctx, chunk, CHUNK_SIZE);
    }
    free(table);
}

static void rule_zero(struct cnt_rule *rule)
{
    atomic_store_explicit(&rule->packets, 0, memory_order_relaxed);
    atomic_store_explicit(&rule->bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&rule->dropped_packets, 0, memory_order_relaxed);
    atomic_store_explicit(&rule->dropped_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&rule->last_hit_tsc, 0, memory_order_relaxed);
}

int cnt_rule_table_reset(struct cnt_rule_table *table, uint32_t id)
{
    if (id == 0 || id > table->capacity)
        return -EINVAL;

    uint32_t index = id >> CHUNK_BITS;
    if (chunk_get(table, index) == NULL) {
        struct cnt_rule *chunk = table->alloc(table->ctx, CHUNK_SIZE);
        if (chunk == NULL)
            return -ENOMEM;
        for (uint32_t i = 0; i < CHUNK_RULES; i++)
            rule_zero(&chunk[i]);
        atomic_store_explicit(&table->chunks[index], chunk, memory_order_release);
        return 0;
    }
    rule_zero(cnt_rule_of(table, id));
    return 0;
}

struct cnt_rule *cnt_rule_of(struct cnt_rule_table *table, uint32_t id)
{
    return &chunk_get(table, id >> CHUNK_BITS)[id & (CHUNK_RULES - 1)];
}
