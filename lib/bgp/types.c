/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/types.h"

#include <stddef.h>

static const struct {
    uint32_t family;
    uint16_t afi;
    uint8_t safi;
    const char *name;
} families[BGP_FAMILY_COUNT] = {
    {BGP_IPV4_UNICAST, BGP_AFI_IPV4, BGP_SAFI_UNICAST, "ipv4-unicast"},
    {BGP_IPV6_UNICAST, BGP_AFI_IPV6, BGP_SAFI_UNICAST, "ipv6-unicast"},
    {BGP_IPV4_FLOWSPEC, BGP_AFI_IPV4, BGP_SAFI_FLOWSPEC, "ipv4-flowspec"},
    {BGP_IPV6_FLOWSPEC, BGP_AFI_IPV6, BGP_SAFI_FLOWSPEC, "ipv6-flowspec"},
    {BGP_IPV4_FLOWSPEC_VPN, BGP_AFI_IPV4, BGP_SAFI_FLOWSPEC_VPN, "ipv4-flowspec-vpn"},
    {BGP_IPV6_FLOWSPEC_VPN, BGP_AFI_IPV6, BGP_SAFI_FLOWSPEC_VPN, "ipv6-flowspec-vpn"},
    {BGP_IPV4_VPN, BGP_AFI_IPV4, BGP_SAFI_VPN, "ipv4-vpn"},
    {BGP_IPV6_VPN, BGP_AFI_IPV6, BGP_SAFI_VPN, "ipv6-vpn"},
};

uint32_t bgp_family_of(uint16_t afi, uint8_t safi)
{
    for (size_t i = 0; i < BGP_FAMILY_COUNT; i++) {
        if (families[i].afi == afi && families[i].safi == safi)
            return families[i].family;
    }
    return 0;
}

uint16_t bgp_family_afi(uint32_t family)
{
    for (size_t i = 0; i < BGP_FAMILY_COUNT; i++) {
        if (families[i].family == family)
            return families[i].afi;
    }
    return 0;
}

uint8_t bgp_family_safi(uint32_t family)
{
    for (size_t i = 0; i < BGP_FAMILY_COUNT; i++) {
        if (families[i].family == family)
            return families[i].safi;
    }
    return 0;
}

const char *bgp_family_name(uint32_t family)
{
    for (size_t i = 0; i < BGP_FAMILY_COUNT; i++) {
        if (families[i].family == family)
            return families[i].name;
    }
    return "unknown";
}
