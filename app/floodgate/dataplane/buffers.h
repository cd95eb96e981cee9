/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may still take or keep a packet buffer of a port when they become few. What waits for the control thread waits in
 * the buffers that the port receives into: a flood of one kind, while the control thread is busy, must not leave the
 * port without any for the packets that sessions and neighbours live on.
 */
#ifndef FLOODGATE_BUFFERS_H
#define FLOODGATE_BUFFERS_H

#include <stdbool.h>

#include <rte_mempool.h>

/* As many are left to those behind in this list, and to packets that only pass through. */
enum buffers_left {
    BUFFERS_LEFT_BY_NEIGHBORS = 256, /* ARP, neighbour discovery */
    BUFFERS_LEFT_BY_BGP = 512,       /* of configured peers, and what the kernel sends */
    BUFFERS_LEFT_BY_OTHERS = 1024,
};

/* Any thread. What lies in the caches of lcores is not counted: one load or two, and no less than is said. */
static inline bool buffers_may_wait(const struct rte_mempool *pool, enum buffers_left left)
{
    return rte_mempool_get_ops(pool->ops_index)->get_count(pool) >= (unsigned)left;
}

#endif
