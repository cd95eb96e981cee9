/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of the Adj-RIB-Out of routes: a lane is a way of counting, by prefix (one path of each is told) or by path
 * (each is). Its items are the RIB's own indices of nodes or paths, so an item costs eight octets and a bit. Private to
 * lib/bgp.
 */
#ifndef BGP_ROUTE_LANE_H
#define BGP_ROUTE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the peer was told of an item: a fingerprint of what it looked like from outside, or one of these. */
#define LANE_NOT_TOLD  UINT64_C(0)
#define LANE_SAY_AGAIN UINT64_C(1) /* it was told something, and is to be told again whatever it was */
#define LANE_PRINT_MIN UINT64_C(2)

struct lane {
    uint32_t families;
    uint64_t *told;    /* by item */
    uint64_t *pending; /* a bit an item */
    size_t room;       /* items that there are places for */
    uint32_t *queue;   /* the items whose bit in `pending` is set, each once */
    size_t queued, queue_room, queue_at;
};

bool lane_reserve(struct lane *lane, uint32_t item); /* a place for an item; false when memory is short */

bool lane_pends(const struct lane *lane, uint32_t item);
/* Puts an item, which has a place and does not pend, into the queue; false when memory is short. */
bool lane_push(struct lane *lane, uint32_t item);
void lane_settle(struct lane *lane, uint32_t item); /* it was looked at: it pends no more */

size_t lane_waiting(const struct lane *lane); /* items in the queue */
uint32_t lane_pull(struct lane *lane);        /* the next of them; it still pends */
void lane_rest(struct lane *lane);            /* gives the queue's memory back where it is empty */

size_t lane_memory(const struct lane *lane); /* octets */
void lane_free(struct lane *lane);

#endif
