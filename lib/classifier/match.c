/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether one rule matches one packet: RFC 8955 section 4.2.2, RFC 8956 section 3. A rule matches when each of its
 * components does; one function per component type, in a table.
 */
#include "classifier/classifier.h"
#include "classifier/engine.h"

/* Bits [offset, length) of both addresses are equal (RFC 8956 3.1; IPv4: offset 0). */
static bool prefix_matches(const struct fs_component *prefix, const uint8_t *address)
{
    for (unsigned octet = prefix->offset / 8; octet * 8 < prefix->length; octet++) {
        unsigned first = octet * 8, mask = 0xff;
        if (first < prefix->offset)
            mask &= 0xffu >> (prefix->offset - first);
        if (first + 8 > prefix->length)
            mask &= 0xffu << (first + 8 - prefix->length);
        if ((address[octet] ^ prefix->octets[octet]) & mask)
            return false;
    }
    return true;
}

static bool match_destination(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    (void)rule;
    return prefix_matches(c, key->dst);
}

static bool match_source(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    (void)rule;
    return prefix_matches(c, key->src);
}

static bool match_protocol(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return fs_terms_match(rule, c, key->protocol);
}

/*
 * Upper-layer components never match without their header: another protocol, a later fragment, or a header that was
 * not found (RFC 8955 4.2.2.4 to 4.2.2.9). The parser sets the PKT_HAS bits accordingly.
 */
static bool match_port(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_PORTS) &&
           (fs_terms_match(rule, c, key->dst_port) || fs_terms_match(rule, c, key->src_port));
}

static bool match_destination_port(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_PORTS) && fs_terms_match(rule, c, key->dst_port);
}

static bool match_source_port(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_PORTS) && fs_terms_match(rule, c, key->src_port);
}

static bool match_icmp_type(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_ICMP) && fs_terms_match(rule, c, key->icmp_type);
}

static bool match_icmp_code(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_ICMP) && fs_terms_match(rule, c, key->icmp_code);
}

static bool match_tcp_flags(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return (key->has & PKT_HAS_TCP_FLAGS) && fs_terms_match(rule, c, key->tcp_flags);
}

static bool match_packet_length(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return fs_terms_match(rule, c, key->length);
}

static bool match_dscp(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return fs_terms_match(rule, c, key->dscp);
}

static bool match_fragment(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return fs_terms_match(rule, c, key->fragment);
}

/* RFC 8956 3.7: IPv6 alone has flow labels. */
static bool match_flow_label(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key)
{
    return key->family == IP_V6 && fs_terms_match(rule, c, key->flow_label);
}

typedef bool (*match_fn)(const struct fs_rule *rule, const struct fs_component *c, const struct pkt_key *key);

static const match_fn matchers[FS_COMPONENTS_MAX + 1] = {
    [FS_DESTINATION] = match_destination,
    [FS_SOURCE] = match_source,
    [FS_PROTOCOL] = match_protocol,
    [FS_PORT] = match_port,
    [FS_DESTINATION_PORT] = match_destination_port,
    [FS_SOURCE_PORT] = match_source_port,
    [FS_ICMP_TYPE] = match_icmp_type,
    [FS_ICMP_CODE] = match_icmp_code,
    [FS_TCP_FLAGS] = match_tcp_flags,
    [FS_PACKET_LENGTH] = match_packet_length,
    [FS_DSCP] = match_dscp,
    [FS_FRAGMENT] = match_fragment,
    [FS_FLOW_LABEL] = match_flow_label,
};

bool cls_component_matches(const struct fs_rule *rule, const struct fs_component *component, const struct pkt_key *key)
{
    return matchers[component->type](rule, component, key);
}

bool cls_rule_matches(const struct fs_rule *rule, const struct pkt_key *key)
{
    if (rule->family != key->family || !cls_key_matchable(key))
        return false;
    for (unsigned i = 0; i < rule->component_count; i++) {
        if (!cls_component_matches(rule, &rule->components[i], key))
            return false;
    }
    return true;
}
