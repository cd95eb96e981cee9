/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds a packet for a set of claims, or proves that there is none. Most fields are independent of each other, so each
 * is settled alone. What hangs together is settled in two places: `port` claims either of two ports, so every
 * assignment of such claims to ports is tried; and protocol, fragmentation, length and upper-layer header are tried in
 * every combination that exists.
 */
#include "policy/claims.h"

#include <string.h>

#include "policy/existing.h"
#include "policy/spans.h"

void pol_claims_add(struct pol_claims *claims, const struct fs_rule *rule)
{
    claims->family = rule->family;
    for (unsigned i = 0; i < rule->component_count; i++)
        claims->at[claims->count++] = (struct pol_claim){rule, &rule->components[i], false};
}

/* Where no claim says otherwise: addresses for documentation (RFC 5737, RFC 3849). */
static const uint8_t USUAL_SOURCE[2][16] = {{198, 51, 100, 1}, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
static const uint8_t USUAL_DESTINATION[2][16] = {{192, 0, 2, 1}, {0x20, 0x01, 0x0d, 0xb8, [15] = 2}};

/* Bits [offset, length) of each prefix pattern must agree where they overlap (RFC 8956 3.1). */
static bool settle_address(const struct pol_claims *claims, enum fs_type type, uint8_t out[16])
{
    uint8_t known[16] = {0}, value[16] = {0};

    for (unsigned i = 0; i < claims->count; i++) {
        const struct fs_component *prefix = claims->at[i].component;
        uint8_t mask[16];
        if (prefix->type != type)
            continue;
        memset(mask, 0xff, sizeof mask);
        ip_bits_keep(mask, sizeof mask, prefix->offset, prefix->length);
        for (unsigned octet = 0; octet < sizeof mask; octet++) {
            if ((prefix->octets[octet] ^ value[octet]) & mask[octet] & known[octet])
                return false;
            value[octet] |= prefix->octets[octet] & mask[octet];
            known[octet] |= mask[octet];
        }
    }
    for (unsigned octet = 0; octet < sizeof known; octet++)
        out[octet] = (uint8_t)((out[octet] & ~known[octet]) | value[octet]);
    return true;
}

/* Whether the claim bears on the values of that type alone: a denied `port` does, on both ports. */
static bool bears_on(const struct pol_claim *claim, enum fs_type type)
{
    return claim->component->type == type || (claim->denied && claim->component->type == FS_PORT &&
                                              (type == FS_DESTINATION_PORT || type == FS_SOURCE_PORT));
}

static void claim_spans(const struct pol_claim *claim, uint32_t last, struct pol_spans *out)
{
    pol_spans_of(claim->rule, claim->component, last, out);
    if (claim->denied)
        pol_spans_not(out, last);
}

/* What all numeric claims of that type leave of 0..last. False when that is nothing. */
static bool settle_numbers(const struct pol_claims *claims, enum fs_type type, uint32_t last, struct pol_spans *out)
{
    struct pol_spans own, before;

    pol_spans_all(out, last);
    for (unsigned i = 0; i < claims->count; i++) {
        if (!bears_on(&claims->at[i], type))
            continue;
        claim_spans(&claims->at[i], last, &own);
        before.count = out->count;
        memcpy(before.at, out->at, out->count * sizeof out->at[0]);
        pol_spans_both(&before, &own, out);
    }
    return out->count > 0;
}

static bool claimed(const struct pol_claims *claims, enum fs_type type)
{
    for (unsigned i = 0; i < claims->count; i++)
        if (claims->at[i].component->type == type)
            return true;
    return false;
}

/* A field that depends on nothing else takes the least value it can have. */
static bool settle_number(const struct pol_claims *claims, enum fs_type type, uint32_t last, uint32_t *out)
{
    struct pol_spans spans;

    *out = 0;
    if (!claimed(claims, type))
        return true;
    if (!settle_numbers(claims, type, last, &spans))
        return false;
    *out = spans.at[0].first;
    return true;
}

/* Whether every bitmask claim of that type holds for the value. */
static bool bits_hold(const struct pol_claims *claims, enum fs_type type, uint64_t value)
{
    for (unsigned i = 0; i < claims->count; i++)
        if (claims->at[i].component->type == type &&
            fs_terms_match(claims->at[i].rule, claims->at[i].component, value) == claims->at[i].denied)
            return false;
    return true;
}

/* Flags that no term names change nothing, so all combinations of the others are all there is to try. */
static bool settle_flags(const struct pol_claims *claims, uint16_t *out)
{
    static const uint16_t USUAL[] = {0x10, 0x02, 0x12}; /* ack, syn, both */
    unsigned named = 0, flags = 0;

    for (unsigned i = 0; i < claims->count; i++) {
        const struct pol_claim *claim = &claims->at[i];
        for (unsigned t = 0; claim->component->type == FS_TCP_FLAGS && t < claim->component->term_count; t++)
            named |= (unsigned)claim->rule->terms[claim->component->first_term + t].value;
    }
    for (unsigned i = 0; i < sizeof USUAL / sizeof USUAL[0]; i++) {
        *out = USUAL[i];
        if (bits_hold(claims, FS_TCP_FLAGS, *out))
            return true;
    }
    do {
        *out = (uint16_t)flags;
        if (bits_hold(claims, FS_TCP_FLAGS, flags))
            return true;
        flags = (flags - named) & named;
    } while (flags != 0);
    return false;
}

/* A port nobody asked for is an ephemeral one, where that is allowed. */
static uint16_t port_choose(const struct pol_spans *spans)
{
    return pol_spans_have(spans, 40000) ? 40000 : (uint16_t)spans->at[0].first;
}

/* Narrows one of the two ports by a `port` claim. */
static bool port_narrow(struct pol_spans *port, const struct pol_claim *claim)
{
    struct pol_spans own, before = *port;

    pol_spans_of(claim->rule, claim->component, UINT16_MAX, &own);
    pol_spans_both(&before, &own, port);
    return port->count > 0;
}

/* RFC 8955 4.2.2.4: each `port` claim holds for the source port or for the destination port. */
static bool settle_ports(const struct pol_claims *claims, struct pol_packet *packet)
{
    const struct pol_claim *either[POL_RULES_MAX];
    struct pol_spans ends[2]; /* destination, source */
    unsigned count = 0;

    for (unsigned i = 0; i < claims->count; i++)
        if (claims->at[i].component->type == FS_PORT && !claims->at[i].denied)
            either[count++] = &claims->at[i];
    for (unsigned choice = 0; choice < 1u << count; choice++) {
        bool fits = settle_numbers(claims, FS_DESTINATION_PORT, UINT16_MAX, &ends[0]) &&
                    settle_numbers(claims, FS_SOURCE_PORT, UINT16_MAX, &ends[1]);
        for (unsigned i = 0; i < count && fits; i++)
            fits = port_narrow(&ends[choice >> i & 1], either[i]);
        if (fits) {
            packet->destination_port = port_choose(&ends[0]);
            packet->source_port = port_choose(&ends[1]);
            return true;
        }
    }
    return false;
}

/* POL_HAS_* that the claims need. */
static unsigned needed(const struct pol_claims *claims)
{
    unsigned needs = 0;

    for (unsigned i = 0; i < claims->count; i++) {
        unsigned type = claims->at[i].component->type;
        if (claims->at[i].denied) /* the others see to the header */
            continue;
        if (type == FS_PORT || type == FS_DESTINATION_PORT || type == FS_SOURCE_PORT)
            needs |= POL_HAS_PORTS;
        if (type == FS_ICMP_TYPE || type == FS_ICMP_CODE)
            needs |= POL_HAS_ICMP;
        if (type == FS_TCP_FLAGS)
            needs |= POL_HAS_TCP_FLAGS;
    }
    return needs;
}

static bool settle_length(const struct pol_spans *lengths, struct pol_packet *packet, enum pol_kind kind)
{
    struct pol_lengths existing;

    pol_lengths_of(packet->family, kind, packet->fragment, &existing);
    for (unsigned i = 0; i < lengths->count; i++) {
        packet->length = pol_length_within(&existing, lengths->at[i].first, lengths->at[i].last);
        if (packet->length != 0)
            return true;
    }
    return false;
}

/* The lowest protocol of each kind that the claims leave, -1 where there is none. */
static bool settle_protocols(const struct pol_claims *claims, int lowest[POL_KIND_COUNT])
{
    struct pol_spans spans;

    for (unsigned kind = 0; kind < POL_KIND_COUNT; kind++)
        lowest[kind] = -1;
    if (!settle_numbers(claims, FS_PROTOCOL, UINT8_MAX, &spans))
        return false;
    for (unsigned i = 0; i < spans.count; i++) {
        for (uint32_t protocol = spans.at[i].first; protocol <= spans.at[i].last; protocol++) {
            enum pol_kind kind = pol_kind_of(claims->family, protocol);
            if (lowest[kind] < 0)
                lowest[kind] = (int)protocol;
        }
    }
    return true;
}

/* Protocol, fragmentation, upper-layer header and length, in every combination there is; the plainest first. */
static bool settle_shape(const struct pol_claims *claims, struct pol_packet *packet)
{
    struct pol_spans lengths;
    int lowest[POL_KIND_COUNT];
    unsigned needs = needed(claims);

    if (!settle_numbers(claims, FS_PACKET_LENGTH, pol_length_most(claims->family), &lengths) ||
        !settle_protocols(claims, lowest))
        return false;
    for (unsigned fragment = 0; fragment <= 0x0f; fragment++) {
        if (!bits_hold(claims, FS_FRAGMENT, fragment))
            continue;
        for (unsigned kind = 0; kind < POL_KIND_COUNT; kind++) {
            if (lowest[kind] < 0 || !pol_fragment_exists(claims->family, kind, fragment) ||
                (needs & ~pol_kind_has(kind, fragment)) != 0)
                continue;
            packet->fragment = (uint8_t)fragment;
            packet->protocol = (uint8_t)lowest[kind];
            packet->has = (uint8_t)pol_kind_has(kind, fragment);
            if (settle_length(&lengths, packet, kind))
                return true;
        }
    }
    return false;
}

/* Fields of no header that the packet has are 0, as the router sees them. */
static void clear_absent(struct pol_packet *packet)
{
    if (!(packet->has & POL_HAS_PORTS))
        packet->source_port = packet->destination_port = 0;
    if (!(packet->has & POL_HAS_TCP_FLAGS))
        packet->tcp_flags = 0;
    if (!(packet->has & POL_HAS_ICMP))
        packet->icmp_type = packet->icmp_code = 0;
}

bool pol_claims_meet(const struct pol_claims *claims, struct pol_packet *packet)
{
    uint32_t type, code, dscp;
    unsigned six = claims->family == IP_V6;

    memset(packet, 0, sizeof *packet);
    packet->family = claims->family;
    memcpy(packet->source, USUAL_SOURCE[six], sizeof packet->source);
    memcpy(packet->destination, USUAL_DESTINATION[six], sizeof packet->destination);
    /* most rules differ in their addresses: those first */
    if (!settle_address(claims, FS_DESTINATION, packet->destination) ||
        !settle_address(claims, FS_SOURCE, packet->source) || !settle_shape(claims, packet) ||
        !settle_ports(claims, packet) || !settle_flags(claims, &packet->tcp_flags) ||
        !settle_number(claims, FS_ICMP_TYPE, UINT8_MAX, &type) ||
        !settle_number(claims, FS_ICMP_CODE, UINT8_MAX, &code) || !settle_number(claims, FS_DSCP, 0x3f, &dscp) ||
        !settle_number(claims, FS_FLOW_LABEL, 0xfffff, &packet->flow_label))
        return false;
    packet->icmp_type = (uint8_t)type;
    packet->icmp_code = (uint8_t)code;
    packet->dscp = (uint8_t)dscp;
    clear_absent(packet);
    return true;
}

bool pol_packet_of(const struct fs_rule *rule, struct pol_packet *packet)
{
    struct pol_claims claims = {.count = 0};

    pol_claims_add(&claims, rule);
    return pol_claims_meet(&claims, packet);
}

bool pol_packet_of_both(const struct fs_rule *a, const struct fs_rule *b, struct pol_packet *packet)
{
    struct pol_claims claims = {.count = 0};

    if (a->family != b->family)
        return false;
    pol_claims_add(&claims, a);
    pol_claims_add(&claims, b);
    return pol_claims_meet(&claims, packet);
}

bool pol_packet_covered(const struct fs_rule *rule, const struct fs_rule *whole, struct pol_packet *packet)
{
    struct pol_claims claims = {.count = 0};

    if (!pol_packet_of_both(rule, whole, packet))
        return false;
    /* it matches all of it when there is no packet of it that one of the rule's components does not match */
    pol_claims_add(&claims, whole);
    for (unsigned i = 0; i < rule->component_count; i++) {
        struct pol_packet other;
        if (fs_type_is_prefix(rule->components[i].type))
            continue;
        claims.at[claims.count++] = (struct pol_claim){rule, &rule->components[i], true};
        if (pol_claims_meet(&claims, &other))
            return false;
        claims.count--;
    }
    return true;
}
