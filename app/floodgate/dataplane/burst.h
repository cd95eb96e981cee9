/* SPDX-License-Identifier: BSD-3-Clause */
/* What travels through the stages of the pipeline: one burst of one port. Worker. */
#ifndef FLOODGATE_BURST_H
#define FLOODGATE_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "dataplane/worker.h"
#include "packet/key.h"

/*
 * Where a packet goes, as far as that is decided. The act stage may change it (redirects); the forward stage obeys.
 * Ports of mode wire do not fill it in.
 */
struct egress {
    uint16_t vrf;  /* whose FIB is asked: the port's, or that of a redirect (number as in lib/forward: 0 the default) */
    uint16_t port; /* the forward stage's answer: index of the port it leaves by */
    uint32_t via;  /* hop number (fwd_gateway_get) that takes the destination's place, or 0 */
};

struct burst {
    struct worker *worker;
    const struct worker_queue *queue;
    const struct cls *cls; /* rules of the VRF of the port they came in by */
    struct cnt_port *in;   /* counters of that port */
    uint64_t tsc;          /* when they were received */
    uint16_t count;
    struct rte_mbuf **packets;
    struct pkt_key keys[PORTS_BURST];
    struct egress egress[PORTS_BURST]; /* routed ports only */
    uint32_t rules[PORTS_BURST];       /* first matching rule of each, or CLS_NO_MATCH */
    uint32_t hops[PORTS_BURST];        /* routed ports only: the lookup stage's answers, numbers of next hops */
    bool oversized;                    /* some are longer than their egress port's MTU, to be sent in fragments */
    bool of_copies;      /* what becomes of them is nothing to tell the source, which sent the originals */
    uint16_t copy_count; /* of packets that go to another address, too: made by the act stage, sent after the burst */
    struct rte_mbuf *copies[PORTS_BURST];
    struct pkt_key copy_keys[PORTS_BURST];
    struct egress copy_egress[PORTS_BURST];
    struct act_meter meter; /* open during the act stage */
};

static inline void burst_drop(struct burst *burst, struct rte_mbuf *packet, enum cnt_drop reason)
{
    cnt_add(&burst->in->drops[reason], 1);
    rte_pktmbuf_free(packet);
}

/* A stage that keeps packet `from` moves it, and all that is known of it, to where the next one goes. */
static inline void burst_keep(struct burst *burst, uint16_t from, uint16_t to)
{
    if (from == to)
        return;
    burst->packets[to] = burst->packets[from];
    burst->keys[to] = burst->keys[from];
    burst->egress[to] = burst->egress[from];
}

/* Stages of routed ports. */
void stage_local(struct burst *burst);   /* takes out what is for the router itself, and sets `egress` */
void stage_lookup(struct burst *burst);  /* fills `hops` in: by a redirect, or by what the FIB says */
void stage_forward(struct burst *burst); /* route, TTL, MTU, neighbour: each left is ready for its egress.port */
void stage_tx_routed(struct burst *burst);

/*
 * fragment.c: sends one packet that may be longer than the MTU of `port`, in fragments then; their sum is counted.
 * `from`: counters of the port that it came in by. Returns false when it was not sent: it stays the caller's.
 */
bool routed_send_cut(struct worker *worker, uint16_t port, struct rte_mbuf *packet, struct cnt_port *from);

/* Sends what is ready by `port`, and counts it there. Returns how many went; the others stay the caller's. */
uint16_t routed_send(struct worker *worker, uint16_t port, struct rte_mbuf **packets, uint16_t count);

/* Sends what the control thread has handed down; the worker that is `sender`, once per loop. */
void routed_send_down(struct worker *worker);

#endif
