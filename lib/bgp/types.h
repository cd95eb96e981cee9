/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of BGP-4 that more than one part needs: RFC 4271, 4760, 5492, 6793, 8654, 2918.
 */
#ifndef BGP_TYPES_H
#define BGP_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#define BGP_VERSION              4
#define BGP_PORT                 179
#define BGP_HEADER_LEN           19
#define BGP_MESSAGE_MAX          4096
#define BGP_EXTENDED_MESSAGE_MAX 65535 /* RFC 8654 */
#define BGP_AS_TRANS             23456 /* RFC 6793 */

enum bgp_message_type {
    BGP_OPEN = 1,
    BGP_UPDATE = 2,
    BGP_NOTIFICATION = 3,
    BGP_KEEPALIVE = 4,
    BGP_ROUTE_REFRESH = 5,
};

enum bgp_afi { BGP_AFI_IPV4 = 1, BGP_AFI_IPV6 = 2 };
enum bgp_safi { BGP_SAFI_UNICAST = 1, BGP_SAFI_VPN = 128, BGP_SAFI_FLOWSPEC = 133, BGP_SAFI_FLOWSPEC_VPN = 134 };

/* The families this speaker knows, as bits of a set. */
enum bgp_family {
    BGP_IPV4_UNICAST = 1 << 0,
    BGP_IPV6_UNICAST = 1 << 1,
    BGP_IPV4_FLOWSPEC = 1 << 2,
    BGP_IPV6_FLOWSPEC = 1 << 3,
    BGP_IPV4_FLOWSPEC_VPN = 1 << 4,
    BGP_IPV6_FLOWSPEC_VPN = 1 << 5,
    BGP_IPV4_VPN = 1 << 6, /* labelled VPN unicast: RFC 4364, RFC 4659 */
    BGP_IPV6_VPN = 1 << 7,
};
#define BGP_FAMILY_COUNT      8
#define BGP_UNICAST_FAMILIES  (BGP_IPV4_UNICAST | BGP_IPV6_UNICAST | BGP_IPV4_VPN | BGP_IPV6_VPN)
#define BGP_FLOWSPEC_FAMILIES (BGP_IPV4_FLOWSPEC | BGP_IPV6_FLOWSPEC | BGP_IPV4_FLOWSPEC_VPN | BGP_IPV6_FLOWSPEC_VPN)

/* The family bit of (afi, safi), or 0 when unknown; and back. */
uint32_t bgp_family_of(uint16_t afi, uint8_t safi);
uint16_t bgp_family_afi(uint32_t family);
uint8_t bgp_family_safi(uint32_t family);
const char *bgp_family_name(uint32_t family); /* "ipv4-flowspec", ... */

#endif
