/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of component types: RFC 8955 section 4.2.2, RFC 8956 section 3.
 */
#include "flowspec/types.h"

#include "flowspec/rule.h"
#include "flowspec/text.h"

#define ANY_BITS UINT64_MAX

static const struct fs_name PROTOCOL_NAMES[] = {
    {"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmp6", 58}, {"gre", 47}, {"esp", 50}, {"ah", 51}, {"sctp", 132}, {NULL, 0},
};

static const struct fs_name TCP_FLAG_NAMES[] = {
    {"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10},
    {"urg", 0x20}, {"ece", 0x40}, {"cwr", 0x80}, {NULL, 0},
};

static const struct fs_name FRAGMENT_NAMES[] = {
    {"dont-fragment", FS_FRAGMENT_DF},
    {"is-fragment", FS_FRAGMENT_IS},
    {"first-fragment", FS_FRAGMENT_FIRST},
    {"last-fragment", FS_FRAGMENT_LAST},
    {NULL, 0},
};

/* RFC 2474, 2597, 3246, 5865, 8622. Read, never written: people disagree on names, not on numbers. */
const struct fs_name FS_DSCP_NAMES[] = {
    {"cs0", 0},   {"le", 1},    {"cs1", 8},  {"af11", 10}, {"af12", 12}, {"af13", 14}, {"cs2", 16}, {"af21", 18},
    {"af22", 20}, {"af23", 22}, {"cs3", 24}, {"af31", 26}, {"af32", 28}, {"af33", 30}, {"cs4", 32}, {"af41", 34},
    {"af42", 36}, {"af43", 38}, {"cs5", 40}, {"va", 44},   {"ef", 46},   {"cs6", 48},  {"cs7", 56}, {NULL, 0},
};

/* Where the RFC says SHOULD of a value's length (ports in 1 or 2 octets, ...), any of the four lengths is read. */
static const struct fs_type_info TYPES[] = {
    [FS_DESTINATION] = {"destination", FS_KIND_PREFIX, 0, 0, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_SOURCE] = {"source", FS_KIND_PREFIX, 0, 0, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_PROTOCOL] = {"protocol", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, PROTOCOL_NAMES, 8},
    [FS_PORT] = {"port", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_DESTINATION_PORT] = {"destination-port", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_SOURCE_PORT] = {"source-port", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_ICMP_TYPE] = {"icmp-type", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    [FS_ICMP_CODE] = {"icmp-code", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    /* MUST be 1 or 2 octets; the data offset in the upper nibble is "always treated as 0" (RFC 8955 4.2.2.9) */
    [FS_TCP_FLAGS] = {"tcp-flags", FS_KIND_BITMASK, 2, 1, 0x0fff, 0x0fff, TCP_FLAG_NAMES, 8},
    [FS_PACKET_LENGTH] = {"packet-length", FS_KIND_NUMERIC, 8, 1, ANY_BITS, ANY_BITS, NULL, 0},
    /* MUST be 1 octet; bits beyond the six of a DSCP are treated as 0 (4.2.2.11) */
    [FS_DSCP] = {"dscp", FS_KIND_NUMERIC, 1, 1, 0x3f, 0x3f, FS_DSCP_NAMES, 0},
    /* MUST be 1 octet; reserved bits are ignored (4.2.2.12), and so is DF in IPv6 (RFC 8956 3.6) */
    [FS_FRAGMENT] = {"fragment", FS_KIND_BITMASK, 1, 1, 0x0f, 0x0e, FRAGMENT_NAMES, 4},
    [FS_FLOW_LABEL] = {"flow-label", FS_KIND_NUMERIC, 8, 4, 0, ANY_BITS, NULL, 0},
};

const struct fs_type_info *fs_type_any(unsigned type)
{
    return type < sizeof TYPES / sizeof TYPES[0] && TYPES[type].name ? &TYPES[type] : NULL;
}

const struct fs_type_info *fs_type_get(unsigned type, unsigned family)
{
    const struct fs_type_info *info = fs_type_any(type);

    return info && fs_type_mask(info, family) != 0 ? info : NULL;
}

const char *fs_type_name(unsigned type)
{
    const struct fs_type_info *info = fs_type_any(type);

    return info ? info->name : NULL;
}
