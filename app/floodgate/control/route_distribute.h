/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handing unicast and VPN routes on, to peers with `announce: all`: RFC 4271 5.1.3, 9.1.3 and 9.2, RFC 4456.
 *
 * What is to be said stays in the RIB (bgp/route_out.h); a peer that does not read holds up nobody and costs next to no
 * memory. distribute.c calls all of this with its own. Control thread only.
 */
#ifndef FLOODGATE_ROUTE_DISTRIBUTE_H
#define FLOODGATE_ROUTE_DISTRIBUTE_H

#include <stdint.h>

struct peer;

void route_distribute_start(struct peer *peer); /* the session came up: an End-of-RIB follows in any case */
void route_distribute_stop(struct peer *peer);
void route_distribute_refresh(struct peer *peer, uint32_t family);
void route_distribute_judge_again(struct peer *peer);
void route_distribute_writable(struct peer *peer);

/* Of one family: routes that the peer knows; of all: what waits for it, what is larger than its messages. */
uint64_t route_distribute_sent(const struct peer *peer, uint32_t family);
uint64_t route_distribute_queued(const struct peer *peer);
uint64_t route_distribute_too_large(const struct peer *peer);

#endif
