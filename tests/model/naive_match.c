/* SPDX-License-Identifier: BSD-3-Clause */
#include "naive_match.h"

static unsigned bit_of(const uint8_t *octets, unsigned bit)
{
    return octets[bit / 8] >> (7 - bit % 8) & 1;
}

/* IPv4: length, prefix. IPv6: length, offset, pattern of length minus offset bits (RFC 8956 3.1). Moves *at on. */
static bool prefix_holds(unsigned family, const uint8_t *address, const uint8_t **at)
{
    unsigned length = *(*at)++;
    unsigned offset = family == 6 ? *(*at)++ : 0;
    bool holds = true;

    for (unsigned bit = offset; bit < length; bit++)
        holds = holds && bit_of(address, bit) == bit_of(*at, bit - offset);
    *at += (length - offset + 7) / 8;
    return holds;
}

static bool pair_holds(bool bitmask, uint8_t op, uint64_t value, uint64_t data)
{
    bool lt = op & 4, gt = op & 2, eq = op & 1;

    if (bitmask) { /* RFC 8955 4.2.1.2: not is 2, match is 1 */
        bool result = eq ? (data & value) == value : (data & value) != 0;
        return gt ? !result : result;
    }
    return (lt && data < value) || (gt && data > value) || (eq && data == value);
}

/* A list of {operator, value}: an OR of ANDs. `at` is where the list starts; returns where it ends. */
static const uint8_t *list_holds(const uint8_t *at, bool bitmask, uint64_t data, bool *holds)
{
    bool any = false, all = false, first = true;
    uint8_t op;

    do {
        uint64_t value = 0;
        op = *at++;
        for (unsigned octet = 0; octet < 1u << (op >> 4 & 3); octet++)
            value = value << 8 | *at++;
        bool one = pair_holds(bitmask, op, value, data);
        if (!first && (op & 0x40)) {
            all = all && one;
        } else {
            any = any || all;
            all = one;
        }
        first = false;
    } while (!(op & 0x80));
    *holds = any || all;
    return at;
}

/* "... never matches when the packet's IP protocol value is not ..., if the packet is fragmented and this is not the
 * first fragment, or if the system is unable to locate the transport header" */
static bool upper_layer_there(const struct pkt_key *key, unsigned type)
{
    bool tcp = key->protocol == 6, udp = key->protocol == 17;
    bool icmp = key->family == 6 ? key->protocol == 58 : key->protocol == 1;
    bool wanted = type <= 6 ? tcp || udp : type <= 8 ? icmp : tcp;

    return wanted && !(key->fragment & 2) && key->has != 0;
}

static uint64_t data_of(const struct pkt_key *key, unsigned type)
{
    switch (type) {
    case 3:
        return key->protocol;
    case 5:
        return key->dst_port;
    case 6:
        return key->src_port;
    case 7:
        return key->icmp_type;
    case 8:
        return key->icmp_code;
    case 9:
        return key->tcp_flags;
    case 10:
        return key->length;
    case 11:
        return key->dscp;
    case 12:
        return key->fragment;
    default:
        return key->flow_label;
    }
}

static const uint8_t *component_holds(unsigned type, const uint8_t *at, const struct pkt_key *key, bool *holds)
{
    bool other;

    if (type <= 2) {
        *holds = prefix_holds(key->family, type == 1 ? key->dst : key->src, &at);
        return at;
    }
    if (type == 4) { /* "either the destination port OR the source port" */
        list_holds(at, false, key->src_port, &other);
        at = list_holds(at, false, key->dst_port, holds);
        *holds = *holds || other;
    } else {
        at = list_holds(at, type == 9 || type == 12, data_of(key, type), holds);
    }
    if (type >= 4 && type <= 9)
        *holds = *holds && upper_layer_there(key, type);
    return at;
}

bool naive_match(const struct fs_rule *rule, const struct pkt_key *key)
{
    const uint8_t *at = rule->nlri + (rule->has_rd ? 8 : 0), *end = rule->nlri + rule->nlri_len;
    bool all = true;

    if (key->malformed || key->family != rule->family)
        return false;
    while (at < end) {
        bool holds;
        unsigned type = *at++;
        at = component_holds(type, at, key, &holds);
        all = all && holds;
    }
    return all;
}
