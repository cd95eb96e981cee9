/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers' end of sampling: the head of a packet goes into a ring of the worker's own, by copy, and is forgotten.
 * No lock, no allocation, no wait: where the ring is full, the sample is lost and counted.
 */
#ifndef FLOODGATE_SAMPLING_TAP_H
#define FLOODGATE_SAMPLING_TAP_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "counters/counters.h"
#include "ports/ports.h"

#define SAMPLE_OCTETS_MAX 1024

struct rte_mbuf;
struct rte_ring;

enum sample_verdict {
    SAMPLE_RECEIVED, /* taken at a port: what became of it is not known yet */
    SAMPLE_PASSED,   /* by the rules */
    SAMPLE_DISCARDED,
    SAMPLE_RATE_LIMITED,
};

/* What travels through the ring. */
struct sample {
    uint64_t tsc;      /* when it was received */
    uint32_t rule;     /* id, or 0: taken at its port */
    uint32_t length;   /* octets of the frame */
    uint32_t one_in;   /* the ratio it was taken at */
    uint32_t pool;     /* packets so far that could have been taken, modulo 2^32: of this port, or of rules */
    uint32_t lost;     /* samples of this worker that found no room so far */
    uint16_t port;     /* index of where it came in */
    uint16_t captured; /* octets below */
    uint8_t verdict;   /* enum sample_verdict */
    uint8_t octets[SAMPLE_OCTETS_MAX];
};

/* One packet in `one_in` on average, at random distances, so that no rhythm of the traffic meets one of ours. */
struct sample_ratio {
    uint32_t one_in; /* 0: none. Written at setup */
    uint32_t left;   /* packets to go; the worker's, like `pool` */
    uint32_t pool;
};

/* Of one worker, who is the only writer but for the setup. */
struct sample_tap {
    alignas(64) struct rte_ring *ring;
    uint32_t snap_length;
    uint32_t element_size; /* of the ring: so much of struct sample is used */
    uint64_t random;       /* not 0 */
    struct sample_ratio rules;
    struct sample_ratio ports[PORTS_MAX];
    cnt_t taken, lost; /* read by the control thread */
    struct sample scratch;
};

/* Whether the next packet of the ratio is to be sampled. */
static inline bool sample_due(struct sample_tap *tap, struct sample_ratio *ratio)
{
    ratio->pool++;
    if (--ratio->left > 0)
        return false;
    /* xorshift64; uniform in 1..2N-1, which is N on average */
    tap->random ^= tap->random << 13;
    tap->random ^= tap->random >> 7;
    tap->random ^= tap->random << 17;
    ratio->left = 1 + (uint32_t)((tap->random >> 32) * (2 * (uint64_t)ratio->one_in - 1) >> 32);
    return true;
}

/* Copies the head of the packet into the ring, as it is now. */
void sample_take(struct sample_tap *tap, const struct sample_ratio *ratio, const struct rte_mbuf *packet, uint16_t port,
                 uint32_t rule, enum sample_verdict verdict, uint64_t tsc);

#endif
