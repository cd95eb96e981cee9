/* SPDX-License-Identifier: BSD-3-Clause */
#include "manage/packet_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manage/packet_words.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

#define ASSUMED_PORT  50000
#define ASSUMED_FLAGS 0x02 /* syn: most questions are about new connections */

/* The state of one reading: words in, key out. */
struct reading {
    struct packet_words words;
    struct pkt_key *key;
    struct strbuf *assumed;
    char *why;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void assume(struct reading *r, const char *fmt, ...)
{
    char text[96];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sb_printf(r->assumed, "%s%s", r->assumed->length > 0 ? " " : "", text);
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct reading *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(r->why, r->size, fmt, args);
    va_end(args);
    return false;
}

static uint32_t value_or(struct reading *r, enum packet_word word, uint32_t other)
{
    if (r->words.set[word])
        return r->words.value[word];
    assume(r, "%s %" PRIu32, packet_word_name(word), other);
    return other;
}

/* The first of these words that was given, or NULL. */
static const char *given(const struct reading *r, const enum packet_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (r->words.set[words[i]])
            return packet_word_name(words[i]);
    return NULL;
}

static bool build_addresses(struct reading *r)
{
    struct ip_addr *source = &r->words.address[WORD_SOURCE];
    const struct ip_addr *destination = &r->words.address[WORD_DESTINATION];

    if (!r->words.set[WORD_DESTINATION])
        return refuse(r, "a packet needs a destination, for instance `destination 203.0.113.7`");
    if (!r->words.set[WORD_SOURCE]) {
        const char *text = destination->family == IP_V4 ? "192.0.2.1" : "2001:db8::1";
        ip_addr_parse(text, source);
        assume(r, "source %s", text);
    }
    if (source->family != destination->family)
        return refuse(r, "source is %s and destination %s: one packet is of one family", ip_family_name(source->family),
                      ip_family_name(destination->family));
    r->key->family = destination->family;
    memcpy(r->key->src, source->octets, sizeof r->key->src);
    memcpy(r->key->dst, destination->octets, sizeof r->key->dst);
    return true;
}

static bool build_network(struct reading *r)
{
    struct pkt_key *key = r->key;

    key->dscp = (uint8_t)r->words.value[WORD_DSCP];
    key->flow_label = r->words.value[WORD_FLOW_LABEL];
    key->fragment = (uint8_t)r->words.value[WORD_FRAGMENT];
    if (r->words.set[WORD_FLOW_LABEL] && key->family != IP_V6)
        return refuse(r, "flow-label is a field of IPv6, and the addresses are IPv4");
    if (key->family == IP_V6 && (key->fragment & PKT_FRAGMENT_DF))
        return refuse(r, "IPv6 has no dont-fragment bit");
    if (key->fragment & PKT_FRAGMENT_LAST)
        key->fragment |= PKT_FRAGMENT_IS; /* RFC 8955 4.2.2.12: the last is one other than the first */
    if ((key->fragment & PKT_FRAGMENT_FIRST) && (key->fragment & PKT_FRAGMENT_IS))
        return refuse(r, "a first-fragment is neither is-fragment (one other than the first) nor last-fragment");
    return true;
}

static bool build_protocol(struct reading *r)
{
    static const enum packet_word PORTS[] = {WORD_SOURCE_PORT, WORD_DESTINATION_PORT};
    static const enum packet_word ICMP[] = {WORD_ICMP_TYPE, WORD_ICMP_CODE};
    struct pkt_key *key = r->key;
    const char *ports = given(r, PORTS, 2), *icmp = given(r, ICMP, 2);
    bool flags = r->words.set[WORD_TCP_FLAGS];
    unsigned own_icmp = key->family == IP_V4 ? PROTO_ICMP : PROTO_ICMP6;
    unsigned protocol = r->words.value[WORD_PROTOCOL];

    if (!r->words.set[WORD_PROTOCOL]) {
        if (!flags && icmp == NULL)
            return refuse(r, "%s the protocol, for instance `protocol udp`",
                          ports != NULL ? "ports need" : "a packet needs");
        protocol = flags ? PROTO_TCP : own_icmp;
        assume(r, "protocol %s", packet_protocol_name(protocol));
    }
    key->protocol = (uint8_t)protocol;
    if (ports != NULL && protocol != PROTO_TCP && protocol != PROTO_UDP)
        return refuse(r, "%s needs protocol tcp or udp", ports);
    if (flags && protocol != PROTO_TCP)
        return refuse(r, "tcp-flags needs protocol tcp");
    if (icmp != NULL && protocol != own_icmp)
        return refuse(r, "%s needs protocol %s", icmp, packet_protocol_name(own_icmp));
    if (protocol == (key->family == IP_V4 ? PROTO_ICMP6 : PROTO_ICMP))
        return refuse(r, "the addresses are %s: use protocol %s", key->family == IP_V4 ? "IPv4" : "IPv6",
                      packet_protocol_name(own_icmp));
    return true;
}

/* What is behind the IP header; nothing of it is in a fragment other than the first. */
static bool build_transport(struct reading *r)
{
    static const enum packet_word L4[] = {WORD_SOURCE_PORT, WORD_DESTINATION_PORT, WORD_TCP_FLAGS, WORD_ICMP_TYPE,
                                          WORD_ICMP_CODE};
    struct pkt_key *key = r->key;

    if (key->fragment & PKT_FRAGMENT_IS) {
        const char *word = given(r, L4, sizeof L4 / sizeof L4[0]);
        return word == NULL || refuse(r, "a fragment other than the first carries no %s", word);
    }
    if (key->protocol == PROTO_TCP || key->protocol == PROTO_UDP) {
        key->has |= PKT_HAS_PORTS;
        key->src_port = (uint16_t)value_or(r, WORD_SOURCE_PORT, ASSUMED_PORT);
        key->dst_port = (uint16_t)value_or(r, WORD_DESTINATION_PORT, ASSUMED_PORT);
    }
    if (key->protocol == PROTO_TCP) {
        key->has |= PKT_HAS_TCP_FLAGS;
        key->tcp_flags = r->words.set[WORD_TCP_FLAGS] ? (uint16_t)r->words.value[WORD_TCP_FLAGS] : ASSUMED_FLAGS;
        if (!r->words.set[WORD_TCP_FLAGS])
            assume(r, "tcp-flags syn");
    }
    if (key->protocol == PROTO_ICMP || key->protocol == PROTO_ICMP6) {
        key->has |= PKT_HAS_ICMP;
        key->icmp_type = (uint8_t)value_or(r, WORD_ICMP_TYPE, key->protocol == PROTO_ICMP ? 8 : 128); /* echo */
        key->icmp_code = (uint8_t)value_or(r, WORD_ICMP_CODE, 0);
    }
    return true;
}

static bool build_length(struct reading *r)
{
    static const struct {
        uint8_t protocol;
        unsigned octets;
    } HEADERS[] = {{PROTO_TCP, 20}, {PROTO_UDP, 8}, {PROTO_ICMP, 8}, {PROTO_ICMP6, 4}};
    struct pkt_key *key = r->key;
    unsigned least = key->family == IP_V4 ? 20 : 40, most = key->family == IP_V4 ? 65535 : 65575;

    if (key->family == IP_V6 && (key->fragment & (PKT_FRAGMENT_IS | PKT_FRAGMENT_FIRST)))
        least += 8; /* the fragment header */
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++)
        if (key->has != 0 && HEADERS[i].protocol == key->protocol)
            least += HEADERS[i].octets;
    key->length = value_or(r, WORD_LENGTH, least);
    if (key->length < least)
        return refuse(r, "packet-length %" PRIu32 " is less than the %u octets that the headers take", key->length,
                      least);
    if (key->length > most)
        return refuse(r, "packet-length %" PRIu32 " is more than the %u octets an %s packet can have", key->length,
                      most, key->family == IP_V4 ? "IPv4" : "IPv6");
    return true;
}

bool packet_text_parse(const char *text, struct pkt_key *key, struct strbuf *assumed, char *why, size_t size)
{
    struct reading r = {.key = key, .assumed = assumed, .why = why, .size = size};

    *key = (struct pkt_key){.family = IP_NONE};
    return packet_words_parse(text, &r.words, why, size) && build_addresses(&r) && build_network(&r) &&
           build_protocol(&r) && build_transport(&r) && build_length(&r);
}

static void format_address(struct strbuf *out, const struct pkt_key *key, const uint8_t *octets)
{
    struct ip_addr addr = {.family = key->family};
    char text[IP_TEXT_SIZE];

    memcpy(addr.octets, octets, sizeof addr.octets);
    sb_text(out, ip_addr_format(&addr, text));
}

static void format_protocol(struct strbuf *out, unsigned protocol)
{
    const char *name = packet_protocol_name(protocol);

    if (name != NULL)
        sb_text(out, name);
    else
        sb_printf(out, "%u", protocol);
}

void packet_text_format(const struct pkt_key *key, struct strbuf *out)
{
    sb_text(out, "source ");
    format_address(out, key, key->src);
    sb_text(out, " destination ");
    format_address(out, key, key->dst);
    sb_text(out, " protocol ");
    format_protocol(out, key->protocol);
    if (key->has & PKT_HAS_PORTS)
        sb_printf(out, " source-port %u destination-port %u", key->src_port, key->dst_port);
    if (key->has & PKT_HAS_TCP_FLAGS) {
        sb_text(out, " tcp-flags ");
        packet_flags_format(WORD_TCP_FLAGS, key->tcp_flags, out);
    }
    if (key->has & PKT_HAS_ICMP)
        sb_printf(out, " icmp-type %u icmp-code %u", key->icmp_type, key->icmp_code);
    sb_printf(out, " packet-length %" PRIu32, key->length);
    if (key->dscp != 0)
        sb_printf(out, " dscp %u", key->dscp);
    if (key->fragment != 0) {
        sb_text(out, " fragment ");
        packet_flags_format(WORD_FRAGMENT, key->fragment, out);
    }
    if (key->flow_label != 0)
        sb_printf(out, " flow-label %" PRIu32, key->flow_label);
}

static void brief_end(struct strbuf *out, const struct pkt_key *key, const uint8_t *octets, uint16_t port)
{
    bool ports = key->has & PKT_HAS_PORTS;

    sb_text(out, ports && key->family == IP_V6 ? "[" : "");
    format_address(out, key, octets);
    sb_text(out, ports && key->family == IP_V6 ? "]" : "");
    if (ports)
        sb_printf(out, ":%u", port);
}

void packet_text_brief(const struct pkt_key *key, struct strbuf *out)
{
    sb_text(out, packet_protocol_name(key->protocol) ? "" : "protocol ");
    format_protocol(out, key->protocol);
    sb_char(out, ' ');
    brief_end(out, key, key->src, key->src_port);
    sb_text(out, " > ");
    brief_end(out, key, key->dst, key->dst_port);
    sb_printf(out, ", %" PRIu32 " octets", key->length);
    if (key->has & PKT_HAS_TCP_FLAGS) {
        sb_text(out, ", ");
        packet_flags_format(WORD_TCP_FLAGS, key->tcp_flags, out);
    }
    if (key->has & PKT_HAS_ICMP)
        sb_printf(out, ", type %u code %u", key->icmp_type, key->icmp_code);
    if (key->fragment & (PKT_FRAGMENT_IS | PKT_FRAGMENT_FIRST))
        sb_text(out, key->fragment & PKT_FRAGMENT_FIRST  ? ", first fragment"
                     : key->fragment & PKT_FRAGMENT_LAST ? ", last fragment"
                                                         : ", fragment");
}
