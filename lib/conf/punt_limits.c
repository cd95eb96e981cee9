/* SPDX-License-Identifier: BSD-3-Clause */
/* `dataplane.punt-limits`: what the router takes of each kind of packets for itself. */
#include "conf/schema.h"

#define MOST 10000000

#define LIMIT(word, kind, least, usual)                                                                                \
    {                                                                                                                  \
        .name = (word), .set = cfg_set_uint32, .offset = (kind) * sizeof(uint32_t), .fallback = (usual),               \
        .min = (least), .max = MOST, .unit = "packets a second"                                                        \
    }

/* What sessions and neighbours live on cannot be switched off. */
static const struct cfg_key KEYS[] = {
    LIMIT("arp", CFG_PUNT_ARP, 100, "2000"),         LIMIT("nd", CFG_PUNT_ND, 100, "2000"),
    LIMIT("bgp", CFG_PUNT_BGP, 1000, "50000"),       LIMIT("bgp-other", CFG_PUNT_BGP_OTHER, 0, "500"),
    LIMIT("icmp", CFG_PUNT_ICMP, 0, "10000"),        LIMIT("tcp", CFG_PUNT_TCP, 0, "20000"),
    LIMIT("other", CFG_PUNT_OTHER, 0, "5000"),       LIMIT("unresolved", CFG_PUNT_UNRESOLVED, 100, "20000"),
    LIMIT("icmp-errors", CFG_PUNT_ERRORS, 0, "500"),
};

const struct cfg_map cfg_punt_limits_map = {.title = "punt-limits", .keys = KEYS, .key_count = CFG_COUNT(KEYS)};
