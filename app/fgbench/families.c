/* SPDX-License-Identifier: BSD-3-Clause */
#include "families.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowspec/nlri.h"
#include "flowspec/order.h"

#define UDP 17
#define TCP 6

static const uint16_t reflection_ports[] = {123, 53, 1900, 389, 11211, 19, 161, 111, 137, 5353, 3702, 10001};
static const uint16_t service_ports[] = {22, 25, 53, 80, 110, 143, 443, 445, 993, 3306, 3389, 8080};

static uint32_t mask_of(unsigned length)
{
    return length == 0 ? 0 : UINT32_MAX << (32 - length);
}

static void set_destination(struct bench_rule *rule, uint32_t address, unsigned length)
{
    rule->has_destination = true;
    rule->destination_length = (uint8_t)length;
    rule->destination = address & mask_of(length);
}

static void set_source(struct bench_rule *rule, uint32_t address, unsigned length)
{
    rule->has_source = true;
    rule->source_length = (uint8_t)length;
    rule->source = address & mask_of(length);
}

static struct bench_range range(struct bench_random *random, unsigned most, unsigned width)
{
    unsigned first = bench_below(random, most), last = first + bench_below(random, width);

    return (struct bench_range){(uint16_t)first, (uint16_t)(last < most ? last : most)};
}

static void set_port(struct bench_rule *rule, struct bench_range port)
{
    rule->destination_ports[rule->port_count++] = port;
}

static void set_length(struct bench_rule *rule, struct bench_range length)
{
    rule->has_length = true;
    rule->length = length;
}

static struct bench_range single(unsigned value)
{
    return (struct bench_range){(uint16_t)value, (uint16_t)value};
}

/* An address of a network with 64 sites, each a /18 with as many hosts as it takes. */
static uint32_t host(struct bench_random *random)
{
    return 0x0a000000u | bench_below(random, 64) << 18 | bench_below(random, 1u << 18);
}

/* Hosts under a reflection attack: one rule for each protocol that is abused. */
static void make_victims(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    (void)rules, (void)i;
    set_destination(rule, host(random), 32);
    rule->protocol = UDP;
    rule->has_source_port = true;
    rule->source_port = single(reflection_ports[bench_below(random, 12)]);
}

/* Four servers and the hosts and networks that may not reach them. */
static void make_blocklist(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    (void)rules;
    set_destination(rule, 0x0a000001u + (i & 3) * 256, 32);
    set_source(rule, (uint32_t)bench_random(random), bench_percent(random, 90) ? 32 : 24);
}

/* Rules without any prefix: ports and lengths. */
static void make_portscan(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    unsigned kind = bench_below(random, 100);

    (void)rules, (void)i;
    rule->protocol = bench_percent(random, 70) ? TCP : UDP;
    if (kind < 50) {
        set_port(rule, single(bench_below(random, 65535)));
    } else if (kind < 70) {
        set_port(rule, range(random, 65000, 64));
        set_length(rule, range(random, 1500, 200));
    } else if (kind < 85) {
        set_port(rule, single(bench_below(random, 65535)));
        set_length(rule, range(random, 1500, 100));
    } else {
        rule->has_source_port = true;
        rule->source_port = single(bench_below(random, 65535));
        set_length(rule, single(40 + bench_below(random, 1400)));
    }
}

/* Customers' prefixes with lists and ranges of ports. */
static void make_prefixes(struct bench_random *random, struct bench_rule *rule)
{
    set_destination(rule, host(random), 20 + bench_below(random, 12));
    if (bench_percent(random, 30))
        set_source(rule, (uint32_t)bench_random(random), 8 + bench_below(random, 17));
    rule->protocol = bench_percent(random, 50) ? TCP : UDP;
    if (bench_percent(random, 50)) {
        unsigned first = bench_below(random, 9);
        for (unsigned n = 2 + bench_below(random, 3); n > 0; n--)
            set_port(rule, single(service_ports[first++]));
    } else {
        set_port(rule, range(random, 64000, 2000));
    }
    if (bench_percent(random, 30))
        set_length(rule, range(random, 1500, 300));
}

static void make_mixed(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    unsigned kind = bench_below(random, 100);

    if (kind < 60)
        make_victims(random, rules, i, rule);
    else if (kind < 85)
        make_blocklist(random, rules, i, rule);
    else if (kind < 95)
        make_prefixes(random, rule);
    else
        make_portscan(random, rules, i, rule);
}

/* Chains of covering prefixes on both sides. */
static void make_nested(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    uint32_t base = 1 + bench_below(random, rules / 256 + 1);

    (void)i;
    set_destination(rule, base * 2654435761u, 8 + bench_below(random, 25));
    set_source(rule, base * 2246822519u, 8 + bench_below(random, 25));
    rule->protocol = bench_percent(random, 50) ? TCP : UDP;
    set_port(rule, single(service_ports[bench_below(random, 12)]));
}

/* One destination, wide ranges of ports and lengths that overlap. */
static void make_ranges(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    (void)rules, (void)i;
    set_destination(rule, 0x0a000001u, 32);
    set_port(rule, range(random, 65000, 30000));
    set_length(rule, range(random, 1500, 1000));
}

/* In the manner of ClassBench's seeds: acl (specific), fw (many wildcards), ipc (between). */
static void make_firewall(struct bench_random *random, unsigned rules, unsigned i, struct bench_rule *rule)
{
    static const uint8_t LENGTHS[3][8] = {
        {32, 32, 30, 28, 26, 24, 24, 23}, {32, 24, 16, 8, 0, 0, 24, 20}, {32, 32, 32, 28, 24, 22, 16, 8}};
    unsigned kind = bench_below(random, 3);

    (void)rules, (void)i;
    set_destination(rule, host(random), LENGTHS[kind][bench_below(random, 8)]);
    if (kind != 0 || bench_percent(random, 60))
        set_source(rule, (uint32_t)bench_random(random), LENGTHS[kind][bench_below(random, 8)]);
    rule->protocol = bench_percent(random, 80) ? TCP : UDP;
    if (bench_percent(random, kind == 1 ? 40 : 75))
        set_port(rule, bench_percent(random, 70)   ? single(service_ports[bench_below(random, 12)])
                       : bench_percent(random, 50) ? (struct bench_range){1024, 65535}
                                                   : range(random, 60000, 1000));
    if (kind == 1 && bench_percent(random, 30)) {
        rule->has_source_port = true;
        rule->source_port = (struct bench_range){1024, 65535};
    }
}

const struct bench_family bench_families[] = {
    {"victims", 2000000, true, make_victims},    {"blocklist", 2000000, true, make_blocklist},
    {"portscan", 10000, false, make_portscan},   {"mixed", 2000000, false, make_mixed},
    {"nested", 2000000, false, make_nested},     {"ranges", 10000, false, make_ranges},
    {"firewall", 2000000, false, make_firewall},
};
const unsigned bench_family_count = sizeof bench_families / sizeof bench_families[0];

/* 32 bits as an address: as they are, or behind 2001:db8::/32. The interface id of a host follows from its bits. */
void bench_address(unsigned ip, uint32_t bits, bool is_host, uint8_t out[16])
{
    memset(out, 0, 16);
    uint8_t *at = out;
    if (ip == 6) {
        memcpy(out, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
        at = out + 4;
    }
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(bits >> (24 - 8 * i));
    for (unsigned i = 8; ip == 6 && is_host && i < 16; i++)
        out[i] = (uint8_t)(bits * 2654435761u >> (3 * (i - 8)));
}

static void add_prefix(struct fs_component *c, unsigned type, unsigned ip, uint32_t bits, unsigned length)
{
    *c = (struct fs_component){.type = (uint8_t)type, .length = (uint8_t)length};
    bench_address(ip, bits, length == 32, c->octets);
    if (ip == 6)
        c->length = (uint8_t)(length == 32 ? 128 : 32 + length);
}

struct sketch {
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[4 * BENCH_RANGES_MAX];
    unsigned count, terms_used;
};

static void add_ranges(struct sketch *s, unsigned type, const struct bench_range *ranges, unsigned count)
{
    struct fs_component *c = &s->components[s->count++];

    *c = (struct fs_component){.type = (uint8_t)type, .first_term = (uint16_t)s->terms_used};
    for (unsigned i = 0; i < count; i++) {
        if (ranges[i].first == ranges[i].last) {
            s->terms[s->terms_used++] = (struct fs_term){ranges[i].first, FS_OP_EQ};
            continue;
        }
        s->terms[s->terms_used++] = (struct fs_term){ranges[i].first, FS_OP_GT | FS_OP_EQ};
        s->terms[s->terms_used++] = (struct fs_term){ranges[i].last, FS_OP_AND | FS_OP_LT | FS_OP_EQ};
    }
    c->term_count = (uint16_t)(s->terms_used - c->first_term);
}

struct fs_rule *bench_rule_build(const struct bench_rule *rule, unsigned ip)
{
    struct sketch s = {.count = 0};
    struct fs_rule *out = NULL;
    struct bench_range protocol = single(rule->protocol);

    if (rule->has_destination)
        add_prefix(&s.components[s.count++], FS_DESTINATION, ip, rule->destination, rule->destination_length);
    if (rule->has_source)
        add_prefix(&s.components[s.count++], FS_SOURCE, ip, rule->source, rule->source_length);
    if (rule->protocol != 0)
        add_ranges(&s, FS_PROTOCOL, &protocol, 1);
    if (rule->port_count > 0)
        add_ranges(&s, FS_DESTINATION_PORT, rule->destination_ports, rule->port_count);
    if (rule->has_source_port)
        add_ranges(&s, FS_SOURCE_PORT, &rule->source_port, 1);
    if (rule->has_length)
        add_ranges(&s, FS_PACKET_LENGTH, &rule->length, 1);
    fs_rule_build(ip == 6 ? IP_V6 : IP_V4, NULL, s.components, s.count, s.terms, &out);
    return out;
}

struct sortable {
    struct bench_rule rule;
    struct fs_rule *fs_rule;
};

static int sortable_compare(const void *a, const void *b)
{
    return fs_rule_compare(((const struct sortable *)a)->fs_rule, ((const struct sortable *)b)->fs_rule);
}

bool bench_set_make(struct bench_set *set, const struct bench_family *family, unsigned ip, unsigned count,
                    uint64_t seed)
{
    struct bench_random random = {seed};
    struct sortable *all = calloc(count, sizeof *all);
    unsigned have = 0;

    /* Equal rules go; a few rounds make up for them. */
    for (unsigned round = 0; all != NULL && round < 8 && have < count; round++) {
        for (unsigned i = have; i < count; i++) {
            memset(&all[i].rule, 0, sizeof all[i].rule);
            family->make(&random, count, i, &all[i].rule);
            all[i].fs_rule = bench_rule_build(&all[i].rule, ip);
        }
        qsort(all, count, sizeof *all, sortable_compare);
        have = 0;
        for (unsigned i = 0; i < count; i++) {
            if (have > 0 && fs_rule_equal(all[have - 1].fs_rule, all[i].fs_rule))
                fs_rule_free(all[i].fs_rule);
            else
                all[have++] = all[i];
        }
    }
    *set = (struct bench_set){.family = family, .ip = ip, .count = have};
    set->rules = malloc((have + 1) * sizeof *set->rules);
    set->fs_rules = malloc((have + 1) * sizeof(struct fs_rule *));
    if (all == NULL || set->rules == NULL || set->fs_rules == NULL)
        return false;
    for (unsigned i = 0; i < have; i++) {
        set->rules[i] = all[i].rule;
        set->fs_rules[i] = all[i].fs_rule;
    }
    free(all);
    return true;
}

void bench_set_free(struct bench_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        fs_rule_free(set->fs_rules[i]);
    free(set->fs_rules);
    free(set->rules);
}
