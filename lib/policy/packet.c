/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet in the words of the rule grammar, in the order and with the names that `explain` uses. */
#include "policy/packet.h"

#include <inttypes.h>
#include <string.h>

#include "base/ip.h"

struct bit_name {
    const char *name;
    unsigned bit;
};

static const struct bit_name TCP_FLAGS[] = {
    {"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10},
    {"urg", 0x20}, {"ece", 0x40}, {"cwr", 0x80}, {NULL, 0},
};

static const struct bit_name FRAGMENTS[] = {
    {"dont-fragment", FS_FRAGMENT_DF},
    {"is-fragment", FS_FRAGMENT_IS},
    {"first-fragment", FS_FRAGMENT_FIRST},
    {"last-fragment", FS_FRAGMENT_LAST},
    {NULL, 0},
};

static void format_address(struct strbuf *out, const char *word, unsigned family, const uint8_t octets[16])
{
    struct ip_addr addr = {.family = (uint8_t)family};
    char text[IP_TEXT_SIZE];

    memcpy(addr.octets, octets, sizeof addr.octets);
    sb_printf(out, "%s %s ", word, ip_addr_format(&addr, text));
}

static void format_protocol(struct strbuf *out, unsigned protocol)
{
    static const struct bit_name NAMES[] = {
        {"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"gre", 47}, {"esp", 50}, {"ah", 51}, {"icmp6", 58}, {"sctp", 132},
    };

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (NAMES[i].bit == protocol) {
            sb_printf(out, "protocol %s", NAMES[i].name);
            return;
        }
    }
    sb_printf(out, "protocol %u", protocol);
}

/* Names joined by `+`; the number where a bit has no name or none is set. */
static void format_bits(struct strbuf *out, const char *word, const struct bit_name *names, unsigned bits)
{
    unsigned named = 0;
    const char *joint = "";

    sb_printf(out, " %s ", word);
    for (const struct bit_name *n = names; n->name != NULL; n++)
        named |= n->bit;
    if (bits == 0 || (bits & ~named) != 0) {
        sb_printf(out, "0x%x", bits);
        return;
    }
    for (const struct bit_name *n = names; n->name != NULL; n++) {
        if (bits & n->bit) {
            sb_printf(out, "%s%s", joint, n->name);
            joint = "+";
        }
    }
}

void pol_packet_format(const struct pol_packet *packet, struct strbuf *out)
{
    format_address(out, "source", packet->family, packet->source);
    format_address(out, "destination", packet->family, packet->destination);
    format_protocol(out, packet->protocol);
    if (packet->has & POL_HAS_PORTS)
        sb_printf(out, " source-port %u destination-port %u", packet->source_port, packet->destination_port);
    if (packet->has & POL_HAS_TCP_FLAGS)
        format_bits(out, "tcp-flags", TCP_FLAGS, packet->tcp_flags);
    if (packet->has & POL_HAS_ICMP)
        sb_printf(out, " icmp-type %u icmp-code %u", packet->icmp_type, packet->icmp_code);
    sb_printf(out, " packet-length %" PRIu32, packet->length);
    if (packet->dscp != 0)
        sb_printf(out, " dscp %u", packet->dscp);
    if (packet->fragment != 0)
        format_bits(out, "fragment", FRAGMENTS, packet->fragment);
    if (packet->flow_label != 0)
        sb_printf(out, " flow-label %" PRIu32, packet->flow_label);
}
