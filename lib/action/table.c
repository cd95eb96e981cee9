/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs by rule id: an array of published pointers, so that a worker finds a program with two loads. */
#include "action/action.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct act_table {
    struct rcu *rcu;
    uint32_t capacity;
    uint32_t burst_ms;
    uint32_t sources;                           /* that all programs together may follow, at most ACT_SOURCES_MAX */
    uint64_t seed;                              /* of the hashes of sources: those who send must not know it */
    RCU_POINTER(struct act_program) programs[]; /* by id; written by the control thread, read by workers */
};

struct act_table *act_table_create(uint32_t capacity, uint32_t burst_ms, struct rcu *rcu)
{
    /* entry 0 stays empty: CLS_NO_MATCH finds no program */
    struct act_table *table = calloc(1, sizeof *table + ((size_t)capacity + 1) * sizeof table->programs[0]);

    if (table == NULL)
        return NULL;
    table->rcu = rcu;
    table->capacity = capacity;
    table->burst_ms = burst_ms;
    if (getentropy(&table->seed, sizeof table->seed) != 0)
        table->seed = (uint64_t)(uintptr_t)table;
    return table;
}

static bool limited(const struct act_program *program)
{
    return program->rate_bytes_per_s > 0 || program->rate_packets_per_s > 0;
}

/* The limit of the whole rule: the old one, filled as it is, where the rates are the same. False: no memory. */
static bool limit_take(const struct act_table *table, struct act_program *fresh, const struct act_program *old)
{
    if (!limited(fresh))
        return true;
    if (old != NULL && old->rate_bytes_per_s == fresh->rate_bytes_per_s &&
        old->rate_packets_per_s == fresh->rate_packets_per_s) {
        fresh->limit = old->limit;
        return true;
    }
    fresh->limit = aligned_alloc(_Alignof(struct act_limit), sizeof *fresh->limit);
    if (fresh->limit == NULL)
        return false;
    act_limit_init(fresh->limit, (double)fresh->rate_bytes_per_s, (double)fresh->rate_packets_per_s, table->burst_ms);
    return true;
}

static const struct act_source_rate *source_rate(const struct act_program *program, unsigned kind)
{
    return kind == 0 ? &program->source_bytes : &program->source_packets;
}

static bool same_source_rate(const struct act_source_rate *a, const struct act_source_rate *b)
{
    return a->rate_per_s == b->rate_per_s && a->sources == b->sources && a->length == b->length;
}

/* The same for the limits per source, within the table's budget: whoever announces rules must not eat the memory. */
static bool sources_take(struct act_table *table, struct act_program *fresh, const struct act_program *old,
                         unsigned kind)
{
    const struct act_source_rate *rate = source_rate(fresh, kind);

    if (rate->rate_per_s <= 0)
        return true;
    if (old != NULL && same_source_rate(source_rate(old, kind), rate)) {
        fresh->by_source[kind] = old->by_source[kind];
        return true;
    }
    if (rate->sources > ACT_SOURCES_MAX - table->sources)
        return false;
    fresh->by_source[kind] = act_sources_create(rate, kind == 1, table->burst_ms, table->seed);
    table->sources += fresh->by_source[kind] != NULL ? rate->sources : 0;
    return fresh->by_source[kind] != NULL;
}

/* Frees a program and of its limits those that `kept` (may be NULL) has not taken over. */
static void program_release(struct act_table *table, struct act_program *program, const struct act_program *kept,
                            void (*release)(struct act_table *table, void (*free_fn)(void *), void *memory))
{
    if (program->limit != NULL && (kept == NULL || kept->limit != program->limit))
        release(table, free, program->limit);
    for (unsigned kind = 0; kind < 2; kind++) {
        struct act_sources *sources = program->by_source[kind];
        if (sources == NULL || (kept != NULL && kept->by_source[kind] == sources))
            continue;
        table->sources -= source_rate(program, kind)->sources;
        release(table, act_sources_free, sources);
    }
    if (program->ways != NULL)
        release(table, free, program->ways);
    release(table, free, program);
}

static void release_now(struct act_table *table, void (*free_fn)(void *), void *memory)
{
    (void)table;
    free_fn(memory);
}

static void release_later(struct act_table *table, void (*free_fn)(void *), void *memory)
{
    rcu_retire(table->rcu, free_fn, memory);
}

void act_table_free(struct act_table *table)
{
    if (table == NULL)
        return;
    for (size_t id = 0; id <= table->capacity; id++) {
        struct act_program *program = rcu_load(&table->programs[id]);
        if (program != NULL)
            program_release(table, program, NULL, release_now);
    }
    free(table);
}

/* The program's own ways in place of those it was given. False: no memory. */
static bool ways_take(struct act_program *fresh)
{
    const struct act_ways *given = fresh->ways;

    if (given == NULL)
        return true;
    size_t size = sizeof *given + given->count * sizeof given->way[0];
    fresh->ways = malloc(size);
    if (fresh->ways != NULL)
        memcpy(fresh->ways, given, size);
    return fresh->ways != NULL;
}

/* A copy of the program with its limits; `old` is what the id had. NULL when memory is short. */
static struct act_program *program_create(struct act_table *table, const struct act_program *program,
                                          const struct act_program *old)
{
    struct act_program *fresh = malloc(sizeof *fresh);

    if (fresh == NULL)
        return NULL;
    *fresh = *program;
    fresh->limit = NULL;
    fresh->by_source[0] = fresh->by_source[1] = NULL;
    if (ways_take(fresh) && limit_take(table, fresh, old) && sources_take(table, fresh, old, 0) &&
        sources_take(table, fresh, old, 1))
        return fresh;
    program_release(table, fresh, old, release_now);
    return NULL;
}

int act_table_set(struct act_table *table, uint32_t id, const struct act_program *program)
{
    struct act_program *fresh = NULL;

    if (id == 0 || id > table->capacity)
        return -EINVAL;
    struct act_program *old = rcu_load(&table->programs[id]);
    if (program != NULL) {
        fresh = program_create(table, program, old);
        if (fresh == NULL)
            return -ENOMEM;
    }
    rcu_publish(&table->programs[id], fresh);
    if (old != NULL)
        program_release(table, old, fresh, release_later);
    return 0;
}

const struct act_program *act_table_get(const struct act_table *table, uint32_t id)
{
    return id <= table->capacity ? rcu_load(&table->programs[id]) : NULL;
}
