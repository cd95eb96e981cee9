/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of live traffic for the control thread: one packet in N of each port, before any rule is asked, with the
 * VRF of the port. A ring with
 * one producer (the worker) and one consumer (the control thread), without a lock; what does not fit is left out.
 *
 * Which packet of N it is is drawn, so that traffic with a period of its own is seen as it is.
 */
#ifndef FLOODGATE_SAMPLER_H
#define FLOODGATE_SAMPLER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "packet/key.h"
#include "ports/ports.h"

#define SAMPLER_RING 1024u /* a power of two */

struct sampler {
    alignas(64) atomic_uint every; /* [control] one packet in so many; 0: none */
    alignas(64) atomic_uint head;  /* [worker] keys ever written */
    uint64_t random;               /* [worker] */
    uint32_t left[PORTS_MAX];      /* [worker] packets of the port to pass before the next sample; 0: draw */
    alignas(64) atomic_uint tail;  /* [control] keys ever read */
    uint16_t vrfs[SAMPLER_RING];   /* of the ports that these came in by */
    struct pkt_key ring[SAMPLER_RING];
};

/* Worker: a packet of the ring's, copied. */
static inline void sampler_push(struct sampler *sampler, const struct pkt_key *key, uint16_t vrf)
{
    unsigned head = atomic_load_explicit(&sampler->head, memory_order_relaxed);

    if (head - atomic_load_explicit(&sampler->tail, memory_order_acquire) == SAMPLER_RING)
        return;
    sampler->ring[head % SAMPLER_RING] = *key;
    sampler->vrfs[head % SAMPLER_RING] = vrf;
    atomic_store_explicit(&sampler->head, head + 1, memory_order_release);
}

/* Worker: packets to the next sample, 1 to 2N - 1, N on average (xorshift64, Marsaglia 2003). */
static inline uint32_t sampler_draw(struct sampler *sampler, uint32_t every)
{
    uint64_t x = sampler->random | 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    sampler->random = x;
    return 1 + (uint32_t)((x >> 32) * (2ull * every - 1) >> 32);
}

/* Worker: a burst of `count` packets that came in by port `port` (its index), which is in that VRF, goes by. */
static inline void sampler_pass(struct sampler *sampler, unsigned port, uint16_t vrf, const struct pkt_key *keys,
                                unsigned count)
{
    uint32_t every = atomic_load_explicit(&sampler->every, memory_order_relaxed);
    uint32_t left = sampler->left[port];

    if (every == 0)
        return;
    if (left == 0 || left >= 2 * every) /* the first packet, or the rate has changed */
        left = sampler_draw(sampler, every);
    unsigned at = 0;
    for (; left <= count - at; left = sampler_draw(sampler, every)) {
        at += left;
        if (keys[at - 1].family != IP_NONE)
            sampler_push(sampler, &keys[at - 1], vrf);
    }
    sampler->left[port] = left - (count - at);
}

/* Control thread: takes at most `max` keys out, and the VRF of each. */
static inline unsigned sampler_take(struct sampler *sampler, struct pkt_key *out, uint16_t *vrfs, unsigned max)
{
    unsigned tail = atomic_load_explicit(&sampler->tail, memory_order_relaxed);
    unsigned there = atomic_load_explicit(&sampler->head, memory_order_acquire) - tail, count = 0;

    for (; count < there && count < max; count++) {
        out[count] = sampler->ring[(tail + count) % SAMPLER_RING];
        vrfs[count] = sampler->vrfs[(tail + count) % SAMPLER_RING];
    }
    atomic_store_explicit(&sampler->tail, tail + count, memory_order_release);
    return count;
}

#endif
