/* SPDX-License-Identifier: BSD-3-Clause */
/* Slots in groups of eight, two cache lines that the processor fetches as a pair; a source belongs to one group. */
#include "action/per_source.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "action/policer.h"

#define WAYS 8u

struct slot {
    _Atomic uint64_t source; /* 0: none yet. Written and read by all workers, like `level` */
    _Atomic uint64_t level;
};

struct act_sources {
    struct act_policer rate; /* its own level is not used */
    uint64_t unit;           /* of one packet where packets are counted, else 0 */
    uint64_t seed;
    uint32_t groups;
    uint8_t length;
    struct slot (*slots)[WAYS];
};

uint64_t act_sources_memory(uint32_t sources)
{
    return (uint64_t)sources * sizeof(struct slot) + sizeof(struct act_sources);
}

static void rate_init(struct act_sources *sources, double per_s, uint32_t burst_ms)
{
    double rate = per_s < ACT_RATE_MAX ? per_s : ACT_RATE_MAX;
    uint64_t least = sources->unit > 0 ? ACT_PACKET_UNITS : ACT_BURST_BYTES_MIN;

    rate *= sources->unit > 0 ? ACT_PACKET_UNITS : 1;
    double burst = rate * burst_ms / 1000;
    act_policer_init(&sources->rate, rate, burst > (double)least ? (uint64_t)burst : least);
}

struct act_sources *act_sources_create(const struct act_source_rate *rate, bool packets, uint32_t burst_ms,
                                       uint64_t seed)
{
    struct act_sources *sources = calloc(1, sizeof *sources);
    size_t size;

    if (sources == NULL)
        return NULL;
    sources->groups = rate->sources < WAYS ? 1 : rate->sources / WAYS;
    sources->length = rate->length;
    sources->seed = seed;
    sources->unit = packets ? ACT_PACKET_UNITS : 0;
    rate_init(sources, (double)rate->rate_per_s, burst_ms);
    size = sources->groups * sizeof sources->slots[0];
    sources->slots = aligned_alloc(sizeof sources->slots[0], size);
    if (sources->slots == NULL) {
        free(sources);
        return NULL;
    }
    memset(sources->slots, 0, size);
    return sources;
}

void act_sources_free(void *memory)
{
    struct act_sources *sources = memory;

    if (sources != NULL)
        free(sources->slots);
    free(sources);
}

static uint64_t mix(uint64_t x)
{
    /* the finalizer of splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t word_of(const uint8_t *octets, unsigned bits)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word = word << 8 | octets[i];
    return bits >= 64 ? word : bits == 0 ? 0 : word & ~(UINT64_MAX >> bits);
}

/* A number that stands for the packet's source prefix, not 0: exact for IPv4, a hash under a secret for IPv6. */
static uint64_t source_of(const struct act_sources *sources, const struct pkt_key *key)
{
    unsigned length = sources->length;

    if (key->family == IP_V4)
        return 1 | (word_of(key->src, length < 32 ? length : 32) & ~(uint64_t)UINT32_MAX);
    uint64_t high = word_of(key->src, length), low = word_of(key->src + 8, length > 64 ? length - 64 : 0);
    return mix(mix(high ^ sources->seed) + low * 0x9e3779b97f4a7c15) | 1;
}

static struct slot *group_of(const struct act_sources *sources, uint64_t source)
{
    uint64_t hash = mix(source ^ sources->seed) >> 32;

    return sources->slots[hash * sources->groups >> 32];
}

/* The source's slot, or the one of its group that is least ahead. `*at` is the time on the scale of levels. */
static struct slot *slot_find(const struct act_sources *sources, uint64_t source, uint64_t at, uint64_t *ahead,
                              bool *found)
{
    struct slot *group = group_of(sources, source), *least = NULL;

    *found = false;
    for (unsigned way = 0; way < WAYS; way++) {
        uint64_t level = atomic_load_explicit(&group[way].level, memory_order_relaxed);
        uint64_t debt = act_policer_ahead_of(&sources->rate, level, at);

        *found = atomic_load_explicit(&group[way].source, memory_order_relaxed) == source;
        if (*found || least == NULL || debt < *ahead) {
            least = &group[way];
            *ahead = debt;
        }
        if (*found)
            break;
    }
    return least;
}

static uint64_t units_of(const struct act_sources *sources, const struct pkt_key *key)
{
    return sources->unit > 0 ? sources->unit : key->length;
}

bool act_sources_admit(struct act_sources *sources, const struct pkt_key *key, uint64_t now_ns)
{
    uint64_t source = source_of(sources, key), units = units_of(sources, key);
    uint64_t at = act_policer_position(&sources->rate, now_ns), ahead;
    bool found;
    struct slot *slot = slot_find(sources, source, at, &ahead, &found);
    uint64_t level = atomic_load_explicit(&slot->level, memory_order_relaxed);

    do { /* relaxed: a level guards no other memory */
        ahead = act_policer_ahead_of(&sources->rate, level, at);
        if (!act_policer_conforms(&sources->rate, ahead, units))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&slot->level, &level, at + ahead + units, memory_order_relaxed,
                                                    memory_order_relaxed));
    if (!found) /* whoever had it: the debt stays and is this source's now */
        atomic_store_explicit(&slot->source, source, memory_order_relaxed);
    return true;
}

struct act_source_room act_sources_room(struct act_sources *sources, const struct pkt_key *key, uint64_t now_ns)
{
    uint64_t unit = sources->unit > 0 ? sources->unit : 1, burst = sources->rate.burst, ahead;
    bool found;

    slot_find(sources, source_of(sources, key), act_policer_position(&sources->rate, now_ns), &ahead, &found);
    return (struct act_source_room){
        .burst = burst / unit,
        .room = ahead < burst ? (burst - ahead) / unit : 0,
        .conforms = act_policer_conforms(&sources->rate, ahead, units_of(sources, key)),
    };
}

uint32_t act_sources_tracked(struct act_sources *sources, uint64_t now_ns)
{
    uint64_t at = act_policer_position(&sources->rate, now_ns);
    uint32_t tracked = 0;

    for (uint32_t group = 0; group < sources->groups; group++)
        for (unsigned way = 0; way < WAYS; way++) {
            uint64_t level = atomic_load_explicit(&sources->slots[group][way].level, memory_order_relaxed);
            tracked += act_policer_ahead_of(&sources->rate, level, at) > 0;
        }
    return tracked;
}
