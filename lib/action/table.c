/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs by rule id: an array of published pointers, so that a worker finds a program with two loads. */
#include "action/action.h"

#include <errno.h>
#include <stdlib.h>

struct act_table {
    struct rcu *rcu;
    uint32_t capacity;
    uint32_t burst_ms;
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
    return table;
}

void act_table_free(struct act_table *table)
{
    if (table == NULL)
        return;
    for (size_t id = 0; id <= table->capacity; id++) {
        struct act_program *program = rcu_load(&table->programs[id]);
        if (program != NULL)
            free(program->limit);
        free(program);
    }
    free(table);
}

static bool limited(const struct act_program *program)
{
    return program->rate_bytes_per_s > 0 || program->rate_packets_per_s > 0;
}

/* A copy of the program with its limit; `old` is what the id had. NULL when memory is short. */
static struct act_program *program_create(const struct act_table *table, const struct act_program *program,
                                          const struct act_program *old)
{
    struct act_program *fresh = malloc(sizeof *fresh);

    if (fresh == NULL)
        return NULL;
    *fresh = *program;
    fresh->limit = NULL;
    if (!limited(fresh))
        return fresh;
    if (old != NULL && old->rate_bytes_per_s == fresh->rate_bytes_per_s &&
        old->rate_packets_per_s == fresh->rate_packets_per_s) {
        fresh->limit = old->limit;
        return fresh;
    }
    fresh->limit = aligned_alloc(_Alignof(struct act_limit), sizeof *fresh->limit);
    if (fresh->limit == NULL) {
        free(fresh);
        return NULL;
    }
    act_limit_init(fresh->limit, (double)fresh->rate_bytes_per_s, (double)fresh->rate_packets_per_s, table->burst_ms);
    return fresh;
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
    if (old == NULL)
        return 0;
    if (old->limit != NULL && (fresh == NULL || fresh->limit != old->limit))
        rcu_retire(table->rcu, free, old->limit);
    rcu_retire(table->rcu, free, old);
    return 0;
}

const struct act_program *act_table_get(const struct act_table *table, uint32_t id)
{
    return id <= table->capacity ? rcu_load(&table->programs[id]) : NULL;
}
