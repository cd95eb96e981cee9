/* SPDX-License-Identifier: BSD-3-Clause */
#include "random_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flowspec/nlri.h"

#define COMPONENTS_DEFAULT 5
#define TERMS_DEFAULT      4

/* Components and terms that may still change. */
struct sketch {
    uint8_t family;
    bool has_rd;
    uint64_t rd;
    unsigned component_count;
    unsigned term_count;
    struct fs_component components[FS_COMPONENTS_MAX];
    struct fs_term terms[FS_TERMS_MAX];
};

/* G. Steele, D. Lea, C. Flood: SplitMix64. */
uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned random_below(struct random *random, unsigned limit)
{
    return (unsigned)((random_next(random) >> 32) * limit >> 32);
}

bool random_one_in(struct random *random, unsigned n)
{
    return random_below(random, n) == 0;
}

void random_address(struct random *random, unsigned family, bool narrow, uint8_t out[16])
{
    /* Bits that vary in narrow form: some at the end and some at two places before. */
    static const uint8_t V4_BASE[4] = {10, 0, 0, 0}, V4_VARY[4] = {0, 3, 3, 7};
    static const uint8_t V6_BASE[16] = {0x20, 0x01, 0x0d, 0xb8};
    static const uint8_t V6_VARY[16] = {[5] = 3, [7] = 3, [12] = 3, [15] = 7};
    unsigned octets = ip_family_bits(family) / 8;
    const uint8_t *base = family == IP_V4 ? V4_BASE : V6_BASE;
    const uint8_t *vary = family == IP_V4 ? V4_VARY : V6_VARY;

    memset(out, 0, 16);
    for (unsigned i = 0; i < octets; i++) {
        uint8_t any = (uint8_t)random_next(random);
        out[i] = narrow ? base[i] | (any & vary[i]) : any;
    }
}

static const uint64_t *narrow_pool(unsigned type, unsigned *count)
{
    static const uint64_t PROTOCOLS[] = {6, 17, 1, 58, 47};
    static const uint64_t PORTS[] = {0, 22, 53, 80, 123, 443, 1023, 1024, 8080, 65535};
    static const uint64_t ICMP[] = {0, 1, 3, 8, 11, 128, 129, 135};
    static const uint64_t LENGTHS[] = {40, 64, 128, 512, 576, 1280, 1500, 9000};
    static const uint64_t DSCPS[] = {0, 8, 10, 46, 63};
    static const uint64_t LABELS[] = {0, 1, 0xff, 0x100, 0x12345, 0xfffff};
#define POOL(values) (*count = sizeof values / sizeof values[0], values)
    switch (type) {
    case FS_PROTOCOL:
        return POOL(PROTOCOLS);
    case FS_PORT:
    case FS_DESTINATION_PORT:
    case FS_SOURCE_PORT:
        return POOL(PORTS);
    case FS_ICMP_TYPE:
    case FS_ICMP_CODE:
        return POOL(ICMP);
    case FS_PACKET_LENGTH:
        return POOL(LENGTHS);
    case FS_DSCP:
        return POOL(DSCPS);
    case FS_FLOW_LABEL:
        return POOL(LABELS);
    default:
        *count = 0;
        return NULL;
    }
#undef POOL
}

uint64_t random_value(struct random *random, unsigned type, bool narrow)
{
    unsigned count;
    const uint64_t *pool = narrow_pool(type, &count);

    if (type == FS_FRAGMENT)
        return random_below(random, 16);
    if (type == FS_TCP_FLAGS)
        return narrow || random_one_in(random, 2) ? random_below(random, 0x40) : random_below(random, 0x1000);
    if (narrow)
        return pool[random_below(random, count)];
    if (type == FS_DSCP)
        return random_below(random, 64);
    return random_next(random) >> random_below(random, 64);
}

static struct fs_term random_term(struct random *random, const struct random_rule_conf *conf, unsigned type)
{
    struct fs_term term = {.value = random_value(random, type, conf->narrow)};
    unsigned relations = fs_type_is_bitmask(type) ? 4 : 8;

    term.op = (uint8_t)random_below(random, relations);
    if (relations == 8 && random_one_in(random, 2))
        term.op = FS_OP_EQ;
    if (random_one_in(random, 3))
        term.op |= FS_OP_AND;
    return term;
}

static void random_prefix(struct random *random, const struct random_rule_conf *conf, unsigned family,
                          struct fs_component *out)
{
    static const uint8_t V4_LENGTHS[] = {0, 8, 14, 15, 16, 22, 23, 24, 29, 30, 31, 32, 32, 32};
    static const uint8_t V6_LENGTHS[] = {0, 32, 46, 47, 48, 62, 64, 102, 103, 104, 125, 126, 127, 128, 128};

    random_address(random, family, conf->narrow, out->octets);
    if (!conf->narrow)
        out->length = (uint8_t)random_below(random, ip_family_bits(family) + 1);
    else if (family == IP_V4)
        out->length = V4_LENGTHS[random_below(random, sizeof V4_LENGTHS)];
    else
        out->length = V6_LENGTHS[random_below(random, sizeof V6_LENGTHS)];
    if (family == IP_V6 && out->length > 0 && random_one_in(random, 4))
        out->offset = (uint8_t)(conf->narrow ? 32 % out->length : random_below(random, out->length));
}

static void random_component(struct random *random, const struct random_rule_conf *conf, unsigned type,
                             struct sketch *sketch)
{
    struct fs_component *component = &sketch->components[sketch->component_count++];
    unsigned most = conf->terms_max ? conf->terms_max : TERMS_DEFAULT;

    *component = (struct fs_component){.type = (uint8_t)type};
    if (fs_type_is_prefix(type)) {
        random_prefix(random, conf, sketch->family, component);
        return;
    }
    component->first_term = (uint16_t)sketch->term_count;
    component->term_count = (uint16_t)(1 + random_below(random, most));
    for (unsigned i = 0; i < component->term_count; i++)
        sketch->terms[sketch->term_count++] = random_term(random, conf, type);
}

static bool has_type(const struct sketch *sketch, unsigned type)
{
    for (unsigned i = 0; i < sketch->component_count; i++)
        if (sketch->components[i].type == type)
            return true;
    return false;
}

/* A type that the sketch has not yet; prefixes come up more often than the rest. */
static unsigned random_type(struct random *random, const struct sketch *sketch)
{
    unsigned types = sketch->family == IP_V6 ? FS_FLOW_LABEL : FS_FRAGMENT;
    unsigned type;

    do {
        type = random_one_in(random, 3) ? 1 + random_below(random, 2) : 1 + random_below(random, types);
    } while (has_type(sketch, type));
    return type;
}

static uint64_t random_rd(struct random *random)
{
    return (uint64_t)random_below(random, 4) << 48 | random_below(random, 3);
}

/* NULL when the sketch is no legal rule. */
static struct fs_rule *finish(const struct sketch *sketch)
{
    struct fs_rule *rule;
    enum fs_error error = fs_rule_build(sketch->family, sketch->has_rd ? &sketch->rd : NULL, sketch->components,
                                        sketch->component_count, sketch->terms, &rule);

    if (error == FS_ERR_NO_MEMORY)
        abort();
    return rule;
}

struct fs_rule *random_rule(struct random *random, const struct random_rule_conf *conf)
{
    unsigned most = conf->components_max ? conf->components_max : COMPONENTS_DEFAULT;
    struct sketch sketch;
    struct fs_rule *rule;

    do {
        sketch.family = conf->family ? conf->family : random_one_in(random, 2) ? IP_V6 : IP_V4;
        sketch.has_rd = conf->vpn;
        sketch.rd = conf->vpn ? random_rd(random) : 0;
        sketch.component_count = 0;
        sketch.term_count = 0;
        unsigned types = sketch.family == IP_V6 ? FS_FLOW_LABEL : FS_FRAGMENT;
        unsigned count = 1 + random_below(random, most < types ? most : types);
        while (sketch.component_count < count && sketch.term_count + conf->terms_max + TERMS_DEFAULT < FS_TERMS_MAX)
            random_component(random, conf, random_type(random, &sketch), &sketch);
        rule = finish(&sketch);
    } while (!rule);
    return rule;
}

static void sketch_rule(const struct fs_rule *rule, struct sketch *out)
{
    out->family = rule->family;
    out->has_rd = rule->has_rd;
    out->rd = rule->rd;
    out->component_count = rule->component_count;
    out->term_count = rule->term_count;
    memcpy(out->components, rule->components, rule->component_count * sizeof *rule->components);
    if (rule->term_count)
        memcpy(out->terms, rule->terms, rule->term_count * sizeof *rule->terms);
}

static void change_prefix(struct random *random, unsigned family, struct fs_component *component)
{
    unsigned bits = ip_family_bits(family);
    unsigned bit = random_below(random, component->length ? component->length : bits);

    switch (random_below(random, 4)) {
    case 0:
        component->length = (uint8_t)(component->length < bits ? component->length + 1u : 0);
        break;
    case 1:
        component->length = (uint8_t)(component->length > 0 ? component->length - 1u : bits);
        break;
    case 2:
        component->octets[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        break;
    default:
        if (family == IP_V6)
            component->offset = (uint8_t)random_below(random, component->length ? component->length : 1);
    }
}

/* The terms of the component move to the end of the sketch, where the list can grow. */
static void change_terms(struct random *random, const struct random_rule_conf *conf, struct sketch *sketch,
                         struct fs_component *component)
{
    if (sketch->term_count + component->term_count + 1u > FS_TERMS_MAX)
        return;
    struct fs_term *terms = &sketch->terms[sketch->term_count];
    memcpy(terms, &sketch->terms[component->first_term], component->term_count * sizeof *terms);
    component->first_term = (uint16_t)sketch->term_count;
    unsigned at = random_below(random, component->term_count);

    switch (random_below(random, 5)) {
    case 0:
        terms[component->term_count++] = random_term(random, conf, component->type);
        break;
    case 1:
        component->term_count -= component->term_count > 1;
        break;
    case 2:
        terms[at].op ^= (uint8_t)(1u << random_below(random, 3));
        break;
    case 3:
        terms[at].op ^= FS_OP_AND;
        break;
    default:
        terms[at].value += random_one_in(random, 2) ? 1 : UINT64_MAX;
    }
    sketch->term_count += component->term_count;
}

struct fs_rule *random_relative(struct random *random, const struct random_rule_conf *conf, const struct fs_rule *rule)
{
    struct sketch sketch;
    struct fs_rule *relative;

    do {
        sketch_rule(rule, &sketch);
        unsigned at = random_below(random, sketch.component_count);
        unsigned types = sketch.family == IP_V6 ? FS_FLOW_LABEL : FS_FRAGMENT;
        if (random_one_in(random, 6) && sketch.component_count > 1) {
            sketch.components[at] = sketch.components[--sketch.component_count];
        } else if (random_one_in(random, 6) && sketch.component_count < types) {
            random_component(random, conf, random_type(random, &sketch), &sketch);
        } else if (sketch.has_rd && random_one_in(random, 6)) {
            sketch.rd = random_rd(random);
        } else if (fs_type_is_prefix(sketch.components[at].type)) {
            change_prefix(random, sketch.family, &sketch.components[at]);
        } else {
            change_terms(random, conf, &sketch, &sketch.components[at]);
        }
        relative = finish(&sketch);
    } while (!relative);
    return relative;
}

static float random_rate(struct random *random)
{
    static const float ROUND[] = {0, 125, 1250000, 1.25e9F, 1, 7.5F, 1e9F, 3.4e38F, 1e-40F};
    uint32_t bits = (uint32_t)random_next(random) & 0x7fffffff;
    float rate;

    if (random_one_in(random, 2))
        return ROUND[random_below(random, sizeof ROUND / sizeof ROUND[0])];
    bits = (bits >> 23) == 0xff ? bits >> 1 : bits; /* no infinity, no NaN */
    memcpy(&rate, &bits, sizeof rate);
    return rate;
}

static void random_target(struct random *random, struct fs_route_target *out)
{
    out->kind = (uint8_t)random_below(random, FS_REDIRECT_RT_IPV6 + 1);
    if (out->kind == FS_REDIRECT_NONE)
        return;
    out->value = (uint32_t)random_next(random) & (out->kind == FS_REDIRECT_RT_AS2 ? UINT32_MAX : UINT16_MAX);
    if (out->kind == FS_REDIRECT_RT_IPV6)
        random_address(random, IP_V6, false, out->admin_v6);
    else
        out->admin = (uint32_t)random_next(random) & (out->kind == FS_REDIRECT_RT_AS2 ? UINT16_MAX : UINT32_MAX);
}

static void random_per_source(struct random *random, struct fs_per_source *out)
{
    out->set = random_one_in(random, 4);
    if (!out->set)
        return;
    out->length = (uint8_t)random_below(random, 129);
    out->rate_per_s = random_rate(random);
    out->sources = (uint32_t)(random_below(random, 256) + 1) * FS_SOURCES_STEP;
}

void random_actions(struct random *random, struct fs_actions *out)
{
    static const uint8_t FAMILIES[] = {IP_NONE, IP_V4, IP_V6};

    memset(out, 0, sizeof *out);
    out->rate_bytes_set = random_one_in(random, 2);
    out->rate_bytes_per_s = out->rate_bytes_set ? random_rate(random) : 0;
    out->rate_packets_set = random_one_in(random, 3);
    out->rate_packets_per_s = out->rate_packets_set ? random_rate(random) : 0;
    random_per_source(random, &out->source_bytes);
    random_per_source(random, &out->source_packets);
    out->mark_set = random_one_in(random, 3);
    out->dscp = (uint8_t)(out->mark_set ? random_below(random, 64) : 0);
    out->sample = random_one_in(random, 3);
    out->go_on = random_one_in(random, 3);
    if (random_one_in(random, 3))
        random_target(random, &out->redirect);
    out->redirect_ip_set = random_one_in(random, 3);
    if (out->redirect_ip_set) {
        out->redirect_ip.family = FAMILIES[random_below(random, sizeof FAMILIES)];
        random_address(random, out->redirect_ip.family, false, out->redirect_ip.octets);
        out->redirect_ip_copy = random_one_in(random, 2);
    }
}
