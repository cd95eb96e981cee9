/* SPDX-License-Identifier: BSD-3-Clause */
#include "bgp/communities.h"

#include "base/cursor.h"

bool bgp_communities_have(const struct bgp_attrs *attrs, uint32_t community)
{
    struct byte_reader r = br_init(attrs->communities, attrs->communities_len);

    while (br_left(&r) >= 4)
        if (br_u32(&r) == community)
            return true;
    return false;
}

bool bgp_large_communities_have(const struct bgp_attrs *attrs, const uint32_t parts[3])
{
    struct byte_reader r = br_init(attrs->large_comms, attrs->large_comms_len);

    while (br_left(&r) >= 12) {
        uint32_t global = br_u32(&r), local1 = br_u32(&r), local2 = br_u32(&r);
        if (global == parts[0] && local1 == parts[1] && local2 == parts[2])
            return true;
    }
    return false;
}
