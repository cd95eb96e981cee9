/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Families of rule sets, and packets for them. A rule here is what every engine under test can express: two prefixes,
 * a protocol, ranges of ports, a range of lengths. Addresses are made of 32 bits; in IPv6 they stand behind
 * 2001:db8::/32, and a host's /32 becomes a /128.
 */
#ifndef FGBENCH_FAMILIES_H
#define FGBENCH_FAMILIES_H

#include "bench.h"
#include "flowspec/rule.h"
#include "packet/key.h"

#define BENCH_RANGES_MAX 4

struct bench_range {
    uint16_t first, last;
};

struct bench_rule {
    bool has_destination, has_source;
    uint8_t destination_length, source_length; /* 0..32 */
    uint32_t destination, source;              /* host order, masked */
    uint8_t protocol;                          /* 0: any */
    uint8_t port_count;                        /* of destination_ports, any of them; 0: any port */
    bool has_source_port, has_length;
    struct bench_range destination_ports[BENCH_RANGES_MAX];
    struct bench_range source_port, length;
};

struct bench_family {
    const char *name;
    unsigned most_rules; /* beyond that the family has no more to offer */
    bool acl_builds;     /* rte_acl builds any number of them in bearable time */
    void (*make)(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *out);
};

extern const struct bench_family bench_families[];
extern const unsigned bench_family_count;

/* A set of different rules, sorted in RFC order; rule i has id i + 1. */
struct bench_set {
    const struct bench_family *family;
    unsigned ip;
    unsigned count;
    struct bench_rule *rules;
    struct fs_rule **fs_rules;
};

/* False when memory is short. */
bool bench_set_make(struct bench_set *set, const struct bench_family *family, unsigned ip, unsigned count,
                    uint64_t seed);
void bench_set_free(struct bench_set *set);

/* One rule of the family as Flowspec has it; the caller frees it. */
struct fs_rule *bench_rule_build(const struct bench_rule *rule, unsigned ip);

/* 32 bits as an address of the family; `is_host`: with an interface id in IPv6. */
void bench_address(unsigned ip, uint32_t bits, bool is_host, uint8_t out[16]);

enum bench_traffic {
    BENCH_HIT_UNIFORM, /* 90 % of packets are drawn from the rules */
    BENCH_HIT_ZIPF,    /* the same, few rules get most of it */
    BENCH_CLEAN_UNIFORM,
    BENCH_CLEAN_ZIPF,
    BENCH_TRAFFICS,
};

const char *bench_traffic_name(enum bench_traffic traffic);

void bench_traffic_make(const struct bench_set *set, enum bench_traffic traffic, uint64_t seed, struct pkt_key *keys,
                        unsigned count);

#endif
