/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet that lib/policy finds for one rule, or for two, against the matcher and brute force. Where a packet is
 * found: it can exist, as a frame of it shows that the parser reads, and every rule matches it. Where none is found: no
 * packet of a search over every value at which the rules' answer can change matches them all. ITERATIONS (default
 * 200000: rules and pairs in turn) [SEED]
 */
#include "model.h"

#include <string.h>

#include "classifier/classifier.h"
#include "flowspec/nlri.h"
#include "flowspec/text.h"
#include "naive_match.h"
#include "packet/parse.h"
#include "packet_frame.h"
#include "policy/packet.h"
#include "random_rule.h"

#define SEARCH_MAX 4000 /* packets; larger universes are sampled */
#define VALUES_MAX 256
#define SHAPES_MAX 40000

/* Values of one field at which some rule's answer can change. */
struct values {
    unsigned count;
    uint32_t at[VALUES_MAX];
};

/* Protocol, fragmentation and length: what decides whether a packet can exist. */
struct shape {
    uint8_t protocol, fragment;
    uint32_t length;
};

static struct shape shapes[SHAPES_MAX];

static unsigned upper_least(const struct pkt_key *key, bool first)
{
    if (key->protocol == 6)
        return key->family == IP_V4 && first ? 16 : 20;
    if (key->protocol == 17)
        return 8;
    if (key->protocol == 1 && key->family == IP_V4)
        return 8;
    return key->protocol == 58 && key->family == IP_V6 ? 4 : 0;
}

/* Whether `payload` octets behind the IP header (and Fragment header) can be that part of a datagram. */
static bool payload_possible(const struct pkt_key *key, uint32_t before, long payload)
{
    unsigned kept = key->fragment & 0x0eu;
    long offset = key->family == IP_V4 && key->protocol == 6 ? 16 : 8;

    if (kept == 0)
        return payload >= (long)upper_least(key, false);
    if (payload <= 0)
        return false;
    if (kept == PKT_FRAGMENT_FIRST)
        return payload % 8 == 0 && payload >= (long)upper_least(key, true);
    if (kept == PKT_FRAGMENT_IS)
        return payload % 8 == 0 && before + offset + payload <= 65535;
    return kept == (PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST) && before + offset + payload <= 65535;
}

/* By trying the headers that a packet of that length could have. */
static bool can_exist(const struct pkt_key *key)
{
    static const uint8_t EXTENSIONS[] = {0, 43, 44, 51, 60};
    bool fragment = key->fragment & (PKT_FRAGMENT_IS | PKT_FRAGMENT_FIRST);

    if (key->family == IP_V4) {
        for (uint32_t header = 20; header <= 60 && key->length <= 65535; header += 4)
            if (payload_possible(key, header, (long)key->length - header))
                return true;
        return false;
    }
    if ((key->fragment & PKT_FRAGMENT_DF) || key->length < 40 || key->length > 65575)
        return false;
    if (memchr(EXTENSIONS, key->protocol, sizeof EXTENSIONS) != NULL && !(key->fragment & PKT_FRAGMENT_IS))
        return false;
    for (uint32_t extensions = 0; extensions <= 64; extensions += 4)
        if (extensions != 4 &&
            payload_possible(key, extensions, (long)key->length - 40 - (fragment ? 8 : 0) - extensions))
            return true;
    return false;
}

static void set_has(struct pkt_key *key)
{
    bool icmp = key->protocol == (key->family == IP_V4 ? 1 : 58);

    key->has = 0;
    if (key->fragment & PKT_FRAGMENT_IS)
        return;
    if (key->protocol == 6)
        key->has = PKT_HAS_PORTS | PKT_HAS_TCP_FLAGS;
    else if (key->protocol == 17)
        key->has = PKT_HAS_PORTS;
    else if (icmp)
        key->has = PKT_HAS_ICMP;
}

static void value_add(struct values *values, uint64_t value, uint32_t last)
{
    if (value > last || values->count == VALUES_MAX)
        return;
    for (unsigned i = 0; i < values->count; i++)
        if (values->at[i] == value)
            return;
    values->at[values->count++] = (uint32_t)value;
}

/* The values around each term of these types, `reach` beyond it: lengths step by up to 8 and by another header. */
static void values_collect(const struct fs_rule *const rules[2], unsigned types, unsigned reach, uint32_t last,
                           struct values *out)
{
    for (unsigned r = 0; r < 2 && rules[r] != NULL; r++) {
        for (unsigned i = 0; i < rules[r]->component_count; i++) {
            const struct fs_component *component = &rules[r]->components[i];
            if (!(types >> component->type & 1))
                continue;
            for (unsigned t = 0; t < component->term_count; t++) {
                uint64_t value = rules[r]->terms[component->first_term + t].value;
                if (value > 0)
                    value_add(out, value - 1, last);
                for (unsigned more = 0; more <= reach && value + more >= value; more++)
                    value_add(out, value + more, last);
            }
        }
    }
}

static bool claimed(const struct fs_rule *const rules[2], unsigned types)
{
    for (unsigned r = 0; r < 2 && rules[r] != NULL; r++)
        for (unsigned i = 0; i < rules[r]->component_count; i++)
            if (types >> rules[r]->components[i].type & 1)
                return true;
    return false;
}

static void values_of(const struct fs_rule *const rules[2], unsigned types, uint32_t last, struct values *out)
{
    out->count = 0;
    value_add(out, 0, last);
    if (!claimed(rules, types))
        return;
    value_add(out, last, last);
    values_collect(rules, types, 1, last, out);
}

static void flags_of(const struct fs_rule *const rules[2], struct values *out)
{
    uint32_t named = 0, flags = 0;

    for (unsigned r = 0; r < 2 && rules[r] != NULL; r++) {
        const struct fs_component *component = fs_rule_component(rules[r], FS_TCP_FLAGS);
        for (unsigned t = 0; component != NULL && t < component->term_count; t++)
            named |= (uint32_t)rules[r]->terms[component->first_term + t].value;
    }
    out->count = 0;
    do {
        value_add(out, flags, 0xfff);
        flags = (flags - named) & named;
    } while (flags != 0);
}

/* The rule without the components of all other types; `components` is room for those that stay. */
static struct fs_rule part_of(const struct fs_rule *rule, unsigned types, struct fs_component *components)
{
    struct fs_rule part = *rule;

    part.components = components;
    part.component_count = 0;
    for (unsigned i = 0; i < rule->component_count; i++)
        if (types >> rule->components[i].type & 1)
            components[part.component_count++] = rule->components[i];
    return part;
}

static unsigned shapes_of(const struct fs_rule *const rules[2], unsigned family)
{
    static const uint8_t KINDS[] = {6, 17, 1, 58, 51, 99};
    static const uint32_t EDGES[] = {20, 21, 28, 36, 40,   41,    44,    48,    49,
                                     56, 60, 68, 72, 1000, 65519, 65520, 65527, 65528};
    uint32_t longest = family == IP_V4 ? 65535 : 65575;
    struct fs_component components[2][FS_COMPONENTS_MAX];
    struct fs_rule parts[2];
    struct values protocols, lengths = {.count = 0};
    unsigned count = 0;

    values_of(rules, 1u << FS_PROTOCOL, 255, &protocols);
    for (unsigned i = 0; i < sizeof KINDS; i++)
        value_add(&protocols, KINDS[i], 255);
    value_add(&lengths, 1000, longest);
    if (claimed(rules, 1u << FS_PACKET_LENGTH)) {
        for (unsigned i = 0; i < sizeof EDGES / sizeof EDGES[0]; i++)
            value_add(&lengths, EDGES[i], longest);
        values_collect(rules, 1u << FS_PACKET_LENGTH, 12, longest, &lengths);
    }
    bool upper = claimed(rules, 0x3fu << FS_PORT); /* ports to TCP flags: no packet without such a header matches */

    /* what a rule says of the shape alone is asked at once: most of the product need not be walked */
    for (unsigned r = 0; r < 2 && rules[r] != NULL; r++)
        parts[r] = part_of(rules[r], 1u << FS_PROTOCOL | 1u << FS_PACKET_LENGTH | 1u << FS_FRAGMENT, components[r]);
    for (unsigned f = 0; f < 16; f++)
        for (unsigned p = 0; p < protocols.count; p++)
            for (unsigned l = 0; l < lengths.count; l++) {
                struct pkt_key key = {.family = (uint8_t)family,
                                      .fragment = (uint8_t)f,
                                      .protocol = (uint8_t)protocols.at[p],
                                      .length = lengths.at[l]};
                set_has(&key);
                if (count < SHAPES_MAX && (!upper || key.has != 0) && cls_rule_matches(&parts[0], &key) &&
                    (rules[1] == NULL || cls_rule_matches(&parts[1], &key)) && can_exist(&key))
                    shapes[count++] = (struct shape){key.protocol, key.fragment, key.length};
            }
    return count;
}

/* Addresses that satisfy the first rule, and the second where the first leaves bits open. */
static void address_of(const struct fs_rule *const rules[2], unsigned type, uint8_t out[16])
{
    for (unsigned r = 2; r-- > 0;) {
        const struct fs_component *prefix = rules[r] != NULL ? fs_rule_component(rules[r], type) : NULL;
        for (unsigned bit = prefix != NULL ? prefix->offset : 0; prefix != NULL && bit < prefix->length; bit++) {
            uint8_t mask = (uint8_t)(0x80 >> bit % 8);
            out[bit / 8] = (uint8_t)((out[bit / 8] & ~mask) | (prefix->octets[bit / 8] & mask));
        }
    }
}

static bool matches(const struct fs_rule *const rules[2], const struct pkt_key *key)
{
    return naive_match(rules[0], key) && (rules[1] == NULL || naive_match(rules[1], key));
}

/* Whether any packet of the universe matches. */
static bool search(struct random *random, const struct fs_rule *const rules[2])
{
    enum { SPORT, DPORT, TYPE, CODE, FLAGS, DSCP, LABEL, FIELDS };
    struct values field[FIELDS];
    struct pkt_key key = {.family = rules[0]->family};
    struct fs_component components[FS_COMPONENTS_MAX];

    address_of(rules, FS_DESTINATION, key.dst);
    address_of(rules, FS_SOURCE, key.src);
    for (unsigned r = 0; r < 2 && rules[r] != NULL; r++) {
        struct fs_rule part = part_of(rules[r], 1u << FS_DESTINATION | 1u << FS_SOURCE, components);
        if (!cls_rule_matches(&part, &key))
            return false;
    }
    unsigned long total = shapes_of(rules, key.family), shape_count = total;
    values_of(rules, 1u << FS_PORT | 1u << FS_SOURCE_PORT, 65535, &field[SPORT]);
    values_of(rules, 1u << FS_PORT | 1u << FS_DESTINATION_PORT, 65535, &field[DPORT]);
    values_of(rules, 1u << FS_ICMP_TYPE, 255, &field[TYPE]);
    values_of(rules, 1u << FS_ICMP_CODE, 255, &field[CODE]);
    flags_of(rules, &field[FLAGS]);
    values_of(rules, 1u << FS_DSCP, 63, &field[DSCP]);
    values_of(rules, 1u << FS_FLOW_LABEL, key.family == IP_V6 ? 0xfffff : 0, &field[LABEL]);
    for (unsigned i = 0; i < FIELDS; i++)
        total *= field[i].count;
    bool sampled = total > SEARCH_MAX;
    for (unsigned long n = 0; n < (sampled ? SEARCH_MAX : total); n++) {
        unsigned long at = sampled ? random_next(random) % total : n;
        const struct shape *shape = &shapes[at % shape_count];
        uint32_t value[FIELDS];
        at /= shape_count;
        for (unsigned i = 0; i < FIELDS; i++) {
            value[i] = field[i].at[at % field[i].count];
            at /= field[i].count;
        }
        key.protocol = shape->protocol;
        key.fragment = shape->fragment;
        key.length = shape->length;
        set_has(&key);
        key.src_port = (uint16_t)value[SPORT];
        key.dst_port = (uint16_t)value[DPORT];
        key.icmp_type = (uint8_t)value[TYPE];
        key.icmp_code = (uint8_t)value[CODE];
        key.tcp_flags = (uint16_t)value[FLAGS];
        key.dscp = (uint8_t)value[DSCP];
        key.flow_label = value[LABEL];
        if (matches(rules, &key))
            return true;
    }
    return false;
}

static void key_of(const struct pol_packet *packet, struct pkt_key *key)
{
    *key = (struct pkt_key){.family = packet->family,
                            .protocol = packet->protocol,
                            .fragment = packet->fragment,
                            .dscp = packet->dscp,
                            .icmp_type = packet->icmp_type,
                            .icmp_code = packet->icmp_code,
                            .src_port = packet->source_port,
                            .dst_port = packet->destination_port,
                            .tcp_flags = packet->tcp_flags,
                            .length = packet->length,
                            .flow_label = packet->flow_label};
    memcpy(key->src, packet->source, sizeof key->src);
    memcpy(key->dst, packet->destination, sizeof key->dst);
    set_has(key);
}

/* Some terms get values at the edges of what packets can have. */
static struct fs_rule *edgy(struct random *random, struct fs_rule *rule)
{
    static const uint64_t EDGES[] = {0,     1,     19,      20,       28,         36,        37,    40,    41,
                                     44,    48,    49,      52,       60,         63,        64,    72,    255,
                                     256,   65519, 65520,   65524,    65527,      65528,     65535, 65536, 65575,
                                     65576, 99971, 0xfffff, 0x100000, UINT32_MAX, UINT64_MAX};
    struct fs_term terms[64];
    struct fs_rule *other;

    if (rule->term_count == 0 || rule->term_count > 64)
        return rule;
    memcpy(terms, rule->terms, rule->term_count * sizeof terms[0]);
    for (unsigned i = 0; i < rule->component_count; i++)
        for (unsigned t = 0; t < rule->components[i].term_count; t++)
            if (!fs_type_is_bitmask(rule->components[i].type) && rule->components[i].type != FS_DSCP &&
                random_one_in(random, 2))
                terms[rule->components[i].first_term + t].value =
                    EDGES[random_below(random, sizeof EDGES / sizeof EDGES[0])];
    if (fs_rule_build(rule->family, NULL, rule->components, rule->component_count, terms, &other) != FS_OK)
        return rule;
    fs_rule_free(rule);
    return other;
}

static const char *text_of(const struct fs_rule *const rules[2])
{
    static char text[4096];
    struct strbuf out = sb_init(text, sizeof text);

    sb_printf(&out, "%s ", ip_family_name(rules[0]->family));
    fs_match_format(rules[0], &out);
    if (rules[1] != NULL) {
        sb_text(&out, " / ");
        fs_match_format(rules[1], &out);
    }
    return text;
}

/* Returns whether a packet was found. */
static bool try(struct random *random, const struct fs_rule *const rules[2], unsigned long iteration)
{
    struct pol_packet packet;
    struct pkt_key key, parsed;

    if (!(rules[1] != NULL ? pol_packet_of_both(rules[0], rules[1], &packet) : pol_packet_of(rules[0], &packet))) {
        model_expect(!search(random, rules), iteration, "a packet matches: %s", text_of(rules));
        return false;
    }
    key_of(&packet, &key);
    model_expect(key.has == packet.has, iteration, "upper layer %x: %s", packet.has, text_of(rules));
    model_expect(can_exist(&key), iteration, "no such packet (length %u, protocol %u, fragment %u): %s", key.length,
                 key.protocol, key.fragment, text_of(rules));
    frame_round_trip(&key, &parsed);
    model_expect(memcmp(&parsed, &key, sizeof key) == 0, iteration, "the parser says %s, or another packet: %s",
                 pkt_malformed_word(parsed.malformed), text_of(rules));
    model_expect(matches(rules, &key) && cls_rule_matches(rules[0], &key) &&
                     (rules[1] == NULL || cls_rule_matches(rules[1], &key)),
                 iteration, "the packet does not match: %s", text_of(rules));
    return true;
}

int main(int argc, char **argv)
{
    unsigned long iterations = model_iterations(argc, argv, 200000), none[2] = {0};
    struct random random = {.state = argc > 2 ? strtoul(argv[2], NULL, 0) : 1};
    const struct random_rule_conf conf = {.narrow = true, .components_max = 3, .terms_max = 3};

    for (unsigned long i = 0; i < iterations; i++) {
        struct fs_rule *rules[2] = {random_rule(&random, &conf), NULL};
        if (random_one_in(&random, 2))
            rules[0] = edgy(&random, rules[0]);
        if (i % 2 == 1) {
            const struct random_rule_conf same = {
                .family = rules[0]->family, .narrow = true, .components_max = 3, .terms_max = 2};
            rules[1] =
                random_one_in(&random, 2) ? random_relative(&random, &same, rules[0]) : random_rule(&random, &same);
            if (random_one_in(&random, 4))
                rules[1] = edgy(&random, rules[1]);
        }
        none[i % 2] += !try(&random, (const struct fs_rule *const *)rules, i);
        fs_rule_free(rules[0]);
        fs_rule_free(rules[1]);
    }
    printf("%lu rules, %lu match nothing; %lu pairs, %lu do not meet\n", iterations - iterations / 2, none[0],
           iterations / 2, none[1]);
    return none[0] == 0 || none[1] == 0; /* else half of this test was asleep */
}
