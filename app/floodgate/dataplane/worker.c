/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The poll loop. No log, lock, allocation or system call while packets come; a worker whose ports are all virtual
 * sleeps for moments once nothing has come for a while, so that a lab does not burn a core per worker.
 */
#include "dataplane/worker.h"

#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "dataplane/pipeline.h"

#define IDLE_POLLS_BEFORE_SLEEP 256
#define IDLE_SLEEP_US           50

/* Polls each queue once. True when any had packets. */
static bool poll_queues(struct worker *worker)
{
    struct rte_mbuf *packets[PORTS_BURST];
    bool busy = false;

    for (uint16_t i = 0; i < worker->queue_count; i++) {
        const struct worker_queue *queue = &worker->queues[i];
        uint64_t start = rte_rdtsc();
        uint16_t count = rte_eth_rx_burst(queue->in->dpdk_id, queue->queue, packets, PORTS_BURST);
        cnt_add(&worker->polls, 1);
        if (count == 0)
            continue;
        cnt_add(&worker->busy_polls, 1);
        cnt_add(&worker->packets, count);
        atomic_store_explicit(&worker->last_rx_tsc, start, memory_order_relaxed);
        pipeline_run(worker, queue, packets, count, start);
        busy = true;
    }
    return busy;
}

int worker_run(void *argument)
{
    struct worker *worker = argument;
    unsigned idle = 0;

    rcu_reader_online(worker->rcu, worker->index);
    while (!atomic_load_explicit(&worker->stop, memory_order_relaxed)) {
        idle = poll_queues(worker) ? 0 : idle + 1;
        rcu_quiescent(worker->rcu, worker->index);
        if (worker->may_sleep && idle >= IDLE_POLLS_BEFORE_SLEEP)
            usleep(IDLE_SLEEP_US);
    }
    rcu_reader_offline(worker->rcu, worker->index);
    return 0;
}
