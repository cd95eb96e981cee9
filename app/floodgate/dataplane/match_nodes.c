/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match_nodes.h"

#include <numa.h>
#include <stdint.h>
#include <sys/mman.h>

/* Address space on a node: the pages come from there when they are first touched, whichever core does it. */
static void *node_take(void *ctx, size_t size)
{
    const int *node = ctx;
    size_t space = size + CLS_MEMORY_ALIGN;
    char *memory = mmap(NULL, space, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    size_t before = (CLS_MEMORY_ALIGN - (uintptr_t)memory % CLS_MEMORY_ALIGN) % CLS_MEMORY_ALIGN;
    if (before > 0)
        munmap(memory, before);
    if (before < CLS_MEMORY_ALIGN)
        munmap(memory + before + size, CLS_MEMORY_ALIGN - before);
    if (*node >= 0)
        numa_tonode_memory(memory + before, size, *node);
    return memory + before;
}

static void node_give(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    munmap(memory, size);
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
        (struct cls_memory){.take = node_take, .give = node_give, .ctx = &nodes->nodes[nodes->count]};
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
