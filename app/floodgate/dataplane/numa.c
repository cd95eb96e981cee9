/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/numa.h"

#include <numa.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/worker.h"

#define CACHE_LINE 64

int numa_place_of_cpu(int cpu)
{
    return cpu < 0 || numa_available() < 0 ? -1 : numa_node_of_cpu(cpu);
}

void *numa_place_alloc(size_t size, int node)
{
    if (node >= 0)
        return numa_alloc_onnode(size, node); /* fresh pages are zero */

    size_t whole = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *memory = aligned_alloc(CACHE_LINE, whole);
    if (memory != NULL)
        memset(memory, 0, whole);
    return memory;
}

void numa_place_free(void *memory, size_t size, int node)
{
    if (memory == NULL)
        return;
    if (node >= 0)
        numa_free(memory, size);
    else
        free(memory);
}

void numa_place_warn(const struct worker *workers, unsigned count, int control_node, const struct log_hook *log)
{
    bool control_alone = control_node >= 0 && count > 0;

    for (unsigned i = 0; i < count; i++) {
        const struct worker *worker = &workers[i];
        if (worker->socket == control_node || worker->socket < 0)
            control_alone = false;
        for (uint16_t q = 0; q < worker->queue_count; q++) {
            const struct port *port = worker->queues[q].in;
            if (port->socket >= 0 && worker->socket >= 0 && port->socket != worker->socket)
                log_line(log, LOG_LEVEL_WARNING,
                         "port %s is on NUMA node %d but worker lcore %u on node %d: each packet crosses between them; "
                         "choose workers on node %d",
                         port->name, port->socket, worker->lcore, worker->socket, port->socket);
        }
    }
    if (control_alone)
        log_line(log, LOG_LEVEL_WARNING,
                 "the control thread runs on NUMA node %d and every worker on another: rule changes cross between them",
                 control_node);
}
