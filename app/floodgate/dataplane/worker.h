/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One worker: an lcore that polls its queues and runs each burst through the pipeline.
 *
 * Who writes what: fields marked [setup] are written by the control thread while the worker rests; [worker] only by
 * the worker; [control] only by the control thread, read by the worker once per loop.
 */
#ifndef FLOODGATE_WORKER_H
#define FLOODGATE_WORKER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "action/action.h"
#include "classifier/classifier.h"
#include "counters/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/sampler.h"
#include "dataplane/tsc_clock.h"
#include "ports/ports.h"
#include "rcu/rcu.h"
#include "sampling/tap.h"

#define WORKER_QUEUES_MAX PORTS_MAX

/* A receive queue that this worker polls, and where its packets go. */
struct worker_queue {
    const struct port *in;
    const struct port *out;
    uint16_t queue;                         /* receive queue of `in` and transmit queue of `out` */
    bool routed;                            /* mode route: `out` is `in`, and means nothing */
    uint16_t vrf;                           /* of `in`: whose rules are asked */
    const struct worker_queue *const *subs; /* sub-ports by VLAN id, or NULL where there are none */
};

#define PUNT_KINDS 16

struct route_plane;

struct worker {
    /* [setup] */
    unsigned index; /* also its RCU reader number */
    unsigned lcore;
    int cpu;
    int socket;
    bool may_sleep; /* no physical port: give the CPU away while nothing comes */
    uint16_t queue_count;
    struct worker_queue queues[WORKER_QUEUES_MAX];
    uint16_t tx_queue;                    /* this worker's transmit queue of every routed device */
    bool sends_down;                      /* empties the ring of what the control thread sends */
    struct route_plane *route;            /* NULL where no port routes */
    const struct port *device[PORTS_MAX]; /* by port: the one that sends for it */
    struct rcu *rcu;
    const struct cls **vrf_cls; /* by VRF, of the port that a packet came in by; its node's own replica */
    const struct act_table *programs;
    struct sample_tap *tap;       /* NULL: nothing is sampled */
    struct tsc_clock clock;       /* the same for all workers: their policers share it */
    struct cnt_port *ports;       /* by port index; this worker is the only writer */
    struct cnt_rule_table *rules; /* likewise; chunks are made by the control thread */
    struct sampler *sampler;      /* who writes what in it: dataplane/sampler.h */

    atomic_bool stop;   /* [control] */
    atomic_bool bypass; /* [control] the kill-switch: no rule is asked */

    /* [worker], read by the control thread */
    alignas(64) cnt_t packets;
    cnt_t polls;
    cnt_t busy_polls;
    cnt_t last_rx_tsc; /* 0: never */
    cnt_t stage_cycles[DATAPLANE_STAGE_COUNT];
    cnt_t punts[PUNT_KINDS], punt_drops[PUNT_KINDS]; /* by kind, enum up_kind: handed up, or beyond its limit */
};

/* The lcore's main function: polls until `stop`. `argument` is a struct worker. */
int worker_run(void *argument);

#endif
