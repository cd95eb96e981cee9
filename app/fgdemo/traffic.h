/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the demo's packets come from: ordinary conversations (clean.c) and floods (attack.c). The same seed gives the
 * same packets on every machine.
 *
 * The network that is protected: 203.0.113.0/24 and 2001:db8:7::/48. Only what comes in from outside is drawn; answers
 * of the inside would leave by the other port.
 */
#ifndef FGDEMO_TRAFFIC_H
#define FGDEMO_TRAFFIC_H

#include <stdint.h>

#include "frame.h"

struct random {
    uint64_t state;
};

uint32_t random_next(struct random *random);
uint32_t random_below(struct random *random, uint32_t limit);
uint32_t random_between(struct random *random, uint32_t first, uint32_t last); /* both included */
void random_fill(struct random *random, uint8_t *octets, size_t len);

/* Takes each frame in turn. */
typedef void (*frame_sink)(void *ctx, const struct frame *frame);

/* An address; the text must be one. */
struct ip_addr addr_of(const char *text);

/* The address of that text with its last `bits` bits drawn at random. */
struct ip_addr addr_within(struct random *random, const char *text, unsigned bits);

/* Sends a frame, cut into fragments where it is too long for one. */
void send_whole(const struct frame *frame, uint32_t id, frame_sink sink, void *ctx);

/*
 * Ordinary traffic: many conversations at a time, each in order. clean_next sends the next frame (or datagram, in
 * fragments) of one of them.
 */
struct clean;
struct clean *clean_create(uint64_t seed);
void clean_free(struct clean *clean);
void clean_next(struct clean *clean, frame_sink sink, void *ctx);

/* One packet (or datagram, in fragments) of one of the attacks. */
void attack_next(struct random *random, frame_sink sink, void *ctx);

#endif
