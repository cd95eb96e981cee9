/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The poll loop. No log, lock, allocation or system call while packets come; a worker whose ports are all virtual
 * sleeps for moments once nothing has come for a while, so that a lab does not burn a core per worker.
 */
#include "dataplane/worker.h"

#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "dataplane/burst.h"
#include "dataplane/pipeline.h"

#define IDLE_POLLS_BEFORE_SLEEP 256
#define IDLE_SLEEP_US           50

/* The queue of the sub-port whose tag a frame carries; without one, of the port itself, which will not want the tag. */
static const struct worker_queue *queue_of(const struct worker_queue *queue, const struct rte_mbuf *packet)
{
    const uint8_t *frame = rte_pktmbuf_mtod(packet, const uint8_t *);

    if (rte_pktmbuf_data_len(packet) < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN || frame[12] != 0x81 || frame[13] != 0x00)
        return queue;
    const struct worker_queue *sub = queue->subs[(frame[14] & 0x0f) << 8 | frame[15]];
    return sub != NULL ? sub : queue;
}

/* A burst of a port with sub-ports is one burst of each that it has packets of, in their order. */
static void run_by_vlan(struct worker *worker, const struct worker_queue *queue, struct rte_mbuf **packets,
                        uint16_t count, uint64_t start)
{
    const struct worker_queue *of[PORTS_BURST];

    for (uint16_t i = 0; i < count; i++)
        of[i] = queue_of(queue, packets[i]);
    while (count > 0) {
        struct rte_mbuf *same[PORTS_BURST];
        const struct worker_queue *first = of[0];
        uint16_t n = 0, rest = 0;
        for (uint16_t i = 0; i < count; i++) {
            if (of[i] == first) {
                same[n++] = packets[i];
            } else {
                of[rest] = of[i];
                packets[rest++] = packets[i];
            }
        }
        pipeline_run(worker, first, same, n, start);
        start = rte_rdtsc();
        count = rest;
    }
}

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
        if (unlikely(queue->subs != NULL))
            run_by_vlan(worker, queue, packets, count, start);
        else
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
        if (worker->sends_down)
            routed_send_down(worker);
        rcu_quiescent(worker->rcu, worker->index);
        if (worker->may_sleep && idle >= IDLE_POLLS_BEFORE_SLEEP)
            usleep(IDLE_SLEEP_US);
    }
    rcu_reader_offline(worker->rcu, worker->index);
    return 0;
}
