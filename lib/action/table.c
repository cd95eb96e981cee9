/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs by rule id: an array of published pointers, so that a worker finds a program with two loads. */
#include "action/action.h"

#include <errno.h>
#include <stdlib.h>

struct act_table {
    struct rcu *rcu;
    uint32_t capacity;
    RCU_POINTER(struct act_program) programs[]; /* by id; written by the control thread, read by workers */
};

struct act_table *act_table_create(uint32_t capacity, struct rcu *rcu)
{
    /* entry 0 stays empty: CLS_NO_MATCH finds no program */
    struct act_table *table = calloc(1, sizeof *table + ((size_t)capacity + 1) * sizeof table->programs[0]);

    if (table == NULL)
        return NULL;
    table->rcu = rcu;
    table->capacity = capacity;
    return table;
}

void act_table_free(struct act_table *table)
{
    if (table == NULL)
        return;
    for (size_t id = 0; id <= table->capacity; id++)
        free(rcu_load(&table->programs[id]));
    free(table);
}

int act_table_set(struct act_table *table, uint32_t id, const struct act_program *program)
{
    struct act_program *fresh = NULL;

    if (id == 0 || id > table->capacity)
        return -EINVAL;
    if (program != NULL) {
        fresh = malloc(sizeof *fresh);
        if (fresh == NULL)
            return -ENOMEM;
        *fresh = *program;
    }
    struct act_program *old = rcu_load(&table->programs[id]);
    rcu_publish(&table->programs[id], fresh);
    if (old != NULL)
        rcu_retire(table->rcu, free, old);
    return 0;
}

const struct act_program *act_table_get(const struct act_table *table, uint32_t id)
{
    return id <= table->capacity ? rcu_load(&table->programs[id]) : NULL;
}
