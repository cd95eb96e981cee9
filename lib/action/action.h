/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done to a packet that a rule matched. The control thread builds a program from a rule's actions
 * (action/build.h); workers look it up by rule id and apply it.
 */
#ifndef ACTION_ACTION_H
#define ACTION_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rcu/rcu.h"

enum act_verdict {
    ACT_PASS, /* goes on to forwarding, or to the next matching rule where the program says so */
    ACT_DROP_DISCARD,
};

/* Immutable once published. */
struct act_program {
    bool discard;
    bool go_on; /* `continue`: later matching rules add their actions */
};

/*
 * Programs by rule id. Written by the control thread, read by workers; a program is replaced as a whole.
 */
struct act_table;

/* NULL when memory is short. `rcu` must outlive the table. */
struct act_table *act_table_create(uint32_t capacity, struct rcu *rcu);

/* No reader may be online. */
void act_table_free(struct act_table *table);

/*
 * Control thread: publishes a copy of `program` for the id (NULL: none), ids 1..capacity. 0, -ENOMEM (nothing has
 * changed), or -EINVAL for an id beyond the capacity.
 */
int act_table_set(struct act_table *table, uint32_t id, const struct act_program *program);

/* Worker: the id's program, or NULL. */
const struct act_program *act_table_get(const struct act_table *table, uint32_t id);

/* Worker: what the program says of one packet. */
static inline enum act_verdict act_apply(const struct act_program *program)
{
    return program->discard ? ACT_DROP_DISCARD : ACT_PASS;
}

#endif
