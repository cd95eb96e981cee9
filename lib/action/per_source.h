/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One rate for each source prefix of a rule, shared by all workers without a lock, in memory of a fixed size.
 *
 * Each source is one slot: its prefix, and a level as in action/policer.h. A source that is not ahead of its rate is
 * the same as one never seen, so its slot can be taken without loss. Where all slots that a source may use are ahead,
 * the one that is least ahead is taken over together with its debt (the "space saving" of Metwally, Agrawal and
 * El Abbadi, with debts for counts): the busiest sources stay, and however many sources come, no more than `sources`
 * times the rate passes.
 *
 * Two workers that meet a new source at the same moment may give it two slots; the one that is found second is at rest
 * from then on and goes to somebody else. Prefixes of IPv6 are kept as keyed 64-bit hashes.
 */
#ifndef ACTION_PER_SOURCE_H
#define ACTION_PER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/key.h"

struct act_sources;

/* What a rule asks for; compared as a whole. */
struct act_source_rate {
    float rate_per_s; /* octets or packets; 0: no such limit */
    uint32_t sources; /* slots, a multiple of 8 */
    uint8_t length;   /* bits of the source address, beyond the family's: all of them */
};

/*
 * `packets`: the rate counts packets, else octets of IP packets. `seed`: any number that senders cannot know. NULL when
 * memory is short.
 */
struct act_sources *act_sources_create(const struct act_source_rate *rate, bool packets, uint32_t burst_ms,
                                       uint64_t seed);
void act_sources_free(void *sources);

/* Octets of memory that so many slots take. */
uint64_t act_sources_memory(uint32_t sources);

/* Worker: whether the packet conforms; then it is charged. `now_ns` as for action/policer.h. */
bool act_sources_admit(struct act_sources *sources, const struct pkt_key *key, uint64_t now_ns);

/* A moment, for people: `tracked` slots hold a source that is ahead of its rate. Any thread. */
struct act_source_room {
    uint64_t burst; /* octets or packets of each source */
    uint64_t room;  /* of these, what could pass now from the packet's source */
    bool conforms;  /* the packet would */
};
struct act_source_room act_sources_room(struct act_sources *sources, const struct pkt_key *key, uint64_t now_ns);
uint32_t act_sources_tracked(struct act_sources *sources, uint64_t now_ns);

#endif
