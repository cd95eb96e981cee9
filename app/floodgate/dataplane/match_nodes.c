/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match_nodes.h"

#include <numa.h>
#include <stdint.h>

/* Address space on a node: the pages come from there when they are first touched, whichever core does it. */
static void *node_take(void *ctx, size_t size)
{
    const int *node = ctx;
    void *memory = cls_system_memory.take(NULL, size);

    if (memory != NULL && *node >= 0)
        numa_tonode_memory(memory, size, *node);
    return memory;
}

void match_nodes_add(struct match_nodes *nodes, int node)
{
    for (unsigned i = 0; i < nodes->count; i++)
        if (nodes->nodes[i] == node)
            return;
    if (nodes->count == CLS_REPLICAS_MAX)
        return;
    nodes->nodes[nodes->count] = node;
    nodes->memory[nodes->count] =
        (struct cls_memory){.take = node_take, .give = cls_system_memory.give, .ctx = &nodes->nodes[nodes->count]};
    nodes->count++;
}

unsigned match_nodes_replica(const struct match_nodes *nodes, int node)
{
    for (unsigned i = 0; i < nodes->count; i++)
        if (nodes->nodes[i] == node)
            return i;
    return 0;
}

struct cls_conf match_nodes_conf(const struct match_nodes *nodes, struct cls_conf conf)
{
    conf.replicas = nodes->count;
    conf.memory = nodes->count > 1 ? nodes->memory : NULL;
    return conf;
}
