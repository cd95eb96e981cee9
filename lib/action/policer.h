/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One rate for the whole router, shared by all workers without a lock: a token bucket kept as one atomic number (the
 * "virtual scheduling" form of ITU-T I.371's generic cell rate algorithm).
 *
 * At time t the rate has let `position(t) = rate * t` units through; `level` is the position up to which traffic has
 * been admitted. Their difference is what was admitted ahead of the rate: never more than the burst. Positions are
 * computed from the absolute time, so nothing is rounded twice and no error grows. They wrap at 2^64: what lies
 * farther ahead than any burst can be is the past. At 400 Gbit/s that takes 11 years, and all a wrap can cost a rule
 * that slept through it is one burst.
 *
 * No clock in here: `now_ns` is monotonic, the same for all workers but for some milliseconds, from any start.
 */
#ifndef ACTION_POLICER_H
#define ACTION_POLICER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cost of one packet in a policer of packets: positions are finer than a packet, so that low rates do not jitter. */
#define ACT_PACKET_UNITS 256u

/* The burst is so many octets at least: a packet of an Ethernet without jumbo frames. */
#define ACT_BURST_BYTES_MIN 1500u

/* Rates beyond these (8 Tbit/s, 10^12 packets/s) are no limit to any router; they count as these. */
#define ACT_RATE_MAX 1e12

struct act_policer {
    uint64_t scale; /* position = now_ns * scale >> shift */
    uint32_t shift;
    uint64_t burst;         /* units; 0: this policer limits nothing */
    _Atomic uint64_t level; /* written and read by all workers */
};

/* `units_per_s` > 0 and finite, `burst` > 0. The bucket is full. */
void act_policer_init(struct act_policer *policer, double units_per_s, uint64_t burst_units);

/* Units that were admitted ahead of the rate, 0..burst or, for moments, a little more. */
uint64_t act_policer_ahead(const struct act_policer *policer, uint64_t now_ns);

/* The two halves of it, for levels that are kept elsewhere (action/per_source.h). */
uint64_t act_policer_position(const struct act_policer *policer, uint64_t now_ns);
uint64_t act_policer_ahead_of(const struct act_policer *policer, uint64_t level, uint64_t at);

/* Counts `units` as admitted at `now_ns`, whether or not there is room. */
void act_policer_charge(struct act_policer *policer, uint64_t now_ns, uint64_t units);

/*
 * Whether `units` conform where `ahead` were admitted ahead of the rate. What is larger than the whole burst (a jumbo
 * frame at a low rate) conforms to a full bucket, and the debt is paid off at the rate: no size of packet is shut out.
 */
static inline bool act_policer_conforms(const struct act_policer *policer, uint64_t ahead, uint64_t units)
{
    return policer->burst == 0 || ahead == 0 || ahead + units <= policer->burst;
}

/* A rule's limits: octets, packets, or both. One cache line, so that a decision costs one miss. */
struct act_limit {
    _Alignas(64) struct act_policer bytes;
    struct act_policer packets;
};

/* Rates per second, 0: no limit of that kind. */
void act_limit_init(struct act_limit *limit, double bytes_per_s, double packets_per_s, uint32_t burst_ms);

/* A moment of a policer, for people. */
struct act_room {
    bool limits;    /* false: it limits nothing, and the rest is 0 */
    uint64_t burst; /* octets or packets */
    uint64_t room;  /* of these, what could pass now */
    bool conforms;  /* so much would now */
};

/* Any thread; a snapshot. `bytes` is the IP packet that is asked about. */
struct act_room act_limit_bytes_room(const struct act_limit *limit, uint64_t now_ns, uint32_t bytes);
struct act_room act_limit_packets_room(const struct act_limit *limit, uint64_t now_ns);

/*
 * A worker's view of one limit during one burst of packets. The shared level is read once and charged once, for all
 * packets that follow each other under one limit, so workers do not tear at it packet by packet. Two workers that
 * decide in the same microsecond may both spend the same room; both are charged for it, so the rate holds exactly, and
 * the burst is exceeded by at most one burst of packets per further worker.
 */
struct act_meter {
    struct act_limit *limit; /* NULL: none is open */
    uint64_t now_ns;
    uint64_t bytes_ahead, packets_ahead;
    uint64_t bytes, packet_units; /* admitted and not charged yet */
};

/* Whether a packet of `bytes` conforms to every rate of the limit; then it counts against them. */
bool act_meter_admit(struct act_meter *meter, struct act_limit *limit, uint64_t now_ns, uint32_t bytes);

/* Charges what was admitted. */
void act_meter_charge(struct act_meter *meter);

/* The end of the burst: the limit may be gone before the next one. */
static inline void act_meter_close(struct act_meter *meter)
{
    if (meter->limit != NULL)
        act_meter_charge(meter);
    meter->limit = NULL;
}

#endif
