/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet's way through the router, one burst at a time. */
#ifndef FLOODGATE_PIPELINE_H
#define FLOODGATE_PIPELINE_H

#include <stdint.h>

struct rte_mbuf;
struct worker;
struct worker_queue;

/*
 * Takes `count` packets (at most PORTS_BURST) received on `queue` and ends each in exactly one counter: sent, or
 * dropped for one reason. `start_tsc` is when polling for them began. On the worker's own lcore, between two quiescent
 * points.
 */
void pipeline_run(struct worker *worker, const struct worker_queue *queue, struct rte_mbuf **packets, uint16_t count,
                  uint64_t start_tsc);

#endif
