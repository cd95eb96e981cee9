/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that hit the rules of a set, and clean ones of the same networks that seldom do. */
#include <math.h>
#include <string.h>

#include "families.h"

#define HIT_PERCENT 90

const char *bench_traffic_name(enum bench_traffic traffic)
{
    static const char *const NAMES[BENCH_TRAFFICS] = {"hit-uniform", "hit-zipf", "clean-uniform", "clean-zipf"};

    return NAMES[traffic];
}

/* A rank below `count`, drawn by Zipf's law with exponent 1 (by inversion of its continuous form). */
static uint32_t zipf(struct bench_random *random, uint32_t count)
{
    double u = (double)(bench_random(random) >> 11) / (double)(1ull << 53);

    return (uint32_t)(pow((double)count + 1, u) - 1);
}

/* Ranks spread over the set: the busiest rules are not the first in order. */
static uint32_t pick(struct bench_random *random, uint32_t count, bool skewed)
{
    if (!skewed)
        return bench_below(random, count);
    return (uint32_t)((uint64_t)zipf(random, count) * 2654435761u % count);
}

static uint16_t within(struct bench_random *random, struct bench_range range)
{
    return (uint16_t)bench_between(random, range.first, range.last);
}

static void set_address(unsigned ip, uint32_t bits, uint8_t out[16])
{
    bench_address(ip, bits, true, out);
}

static uint32_t below_prefix(struct bench_random *random, uint32_t prefix, unsigned length)
{
    return length == 32 ? prefix : prefix | (uint32_t)bench_random(random) >> length;
}

static void key_clean(struct bench_random *random, const struct bench_set *set, bool skewed, struct pkt_key *key)
{
    const struct bench_rule *near = &set->rules[pick(random, set->count, skewed)];
    uint32_t site = near->has_destination ? near->destination : 0x0a000000;

    memset(key, 0, sizeof *key);
    key->family = set->ip == 6 ? IP_V6 : IP_V4;
    key->has = PKT_HAS_PORTS;
    key->protocol = bench_percent(random, 85) ? 6 : 17;
    key->has |= key->protocol == 6 ? PKT_HAS_TCP_FLAGS : 0;
    key->tcp_flags = key->protocol == 6 ? 0x10 : 0;
    key->src_port = (uint16_t)(bench_percent(random, 50) ? 443 : bench_between(random, 32768, 60999));
    key->dst_port = (uint16_t)(key->src_port == 443 ? bench_between(random, 32768, 60999) : 443);
    key->length = bench_percent(random, 50) ? 1500 : 40 + bench_below(random, 1460);
    set_address(set->ip, (site & 0xffffff00u) | bench_below(random, 256), key->dst);
    set_address(set->ip, (uint32_t)bench_random(random), key->src);
}

static void key_hit(struct bench_random *random, const struct bench_set *set, bool skewed, struct pkt_key *key)
{
    const struct bench_rule *rule = &set->rules[pick(random, set->count, skewed)];

    key_clean(random, set, skewed, key);
    if (rule->protocol != 0)
        key->protocol = rule->protocol;
    key->has = PKT_HAS_PORTS | (key->protocol == 6 ? PKT_HAS_TCP_FLAGS : 0);
    key->tcp_flags = key->protocol == 6 ? 0x10 : 0;
    if (rule->has_destination)
        set_address(set->ip, below_prefix(random, rule->destination, rule->destination_length), key->dst);
    if (rule->has_source)
        set_address(set->ip, below_prefix(random, rule->source, rule->source_length), key->src);
    if (rule->port_count > 0)
        key->dst_port = within(random, rule->destination_ports[bench_below(random, rule->port_count)]);
    if (rule->has_source_port)
        key->src_port = within(random, rule->source_port);
    if (rule->has_length)
        key->length = within(random, rule->length);
}

void bench_traffic_make(const struct bench_set *set, enum bench_traffic traffic, uint64_t seed, struct pkt_key *keys,
                        unsigned count)
{
    struct bench_random random = {seed ^ 0x7472616666696300u ^ traffic};
    bool skewed = traffic == BENCH_HIT_ZIPF || traffic == BENCH_CLEAN_ZIPF;
    bool hits = traffic == BENCH_HIT_UNIFORM || traffic == BENCH_HIT_ZIPF;

    for (unsigned i = 0; i < count; i++) {
        if (hits && bench_percent(&random, HIT_PERCENT))
            key_hit(&random, set, skewed, &keys[i]);
        else
            key_clean(&random, set, skewed, &keys[i]);
    }
}
