/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet that some rules match, found by reasoning about the rules: RFC 8955 section 4.2.2, RFC 8956 section 3.
 *
 * The answer is exact: where no packet is found, none exists. "Exists" is what a sound IP packet can look like on a
 * wire: which fragments there are, which protocols have ports, flags, types, and how short or long each can be.
 */
#ifndef POLICY_PACKET_H
#define POLICY_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "flowspec/rule.h"

/* What the packet has of an upper-layer header. */
#define POL_HAS_PORTS     0x01
#define POL_HAS_ICMP      0x02
#define POL_HAS_TCP_FLAGS 0x04

struct pol_packet {
    uint8_t family; /* enum ip_family */
    uint8_t has;    /* POL_HAS_*: which of the upper-layer fields mean something */
    uint8_t protocol;
    uint8_t fragment; /* FS_FRAGMENT_* */
    uint8_t dscp;
    uint8_t icmp_type, icmp_code;
    uint16_t source_port, destination_port;
    uint16_t tcp_flags;
    uint32_t length; /* octets of the IP packet */
    uint32_t flow_label;
    uint8_t source[16], destination[16];
};

/* Whether some packet satisfies every component of the rule; `packet` is then one. */
bool pol_packet_of(const struct fs_rule *rule, struct pol_packet *packet);

/* Whether some packet satisfies both rules; `packet` is then one. Rules of two families have none. */
bool pol_packet_of_both(const struct fs_rule *a, const struct fs_rule *b, struct pol_packet *packet);

/*
 * Whether the rule matches all of `whole`, a match without prefixes that has an upper-layer header; the rule's own
 * prefixes are not looked at. `packet` is then one that both match but for those.
 */
bool pol_packet_covered(const struct fs_rule *rule, const struct fs_rule *whole, struct pol_packet *packet);

/* The packet in the words that `explain` reads: "source ... destination ... protocol tcp ...". */
void pol_packet_format(const struct pol_packet *packet, struct strbuf *out);

#endif
