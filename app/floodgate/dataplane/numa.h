/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * NUMA placement (libnuma): a worker, its counters and its ports' buffers on one node, and a warning where the
 * configuration keeps them apart.
 */
#ifndef FLOODGATE_NUMA_H
#define FLOODGATE_NUMA_H

#include <stddef.h>

#include "base/log.h"

struct worker;

/* The node of a CPU; -1 where the machine has no NUMA or the CPU is unknown. */
int numa_place_of_cpu(int cpu);

/* Zeroed memory on a node (-1: anywhere), page-aligned or at least cache-line aligned. NULL when memory is short. */
void *numa_place_alloc(size_t size, int node);
void numa_place_free(void *memory, size_t size, int node);

/* One warning for each port polled from another node than its own, and for a control thread apart from all workers. */
void numa_place_warn(const struct worker *workers, unsigned count, int control_node, const struct log_hook *log);

#endif
