/* SPDX-License-Identifier: BSD-3-Clause */
#include "random_key.h"

#include <string.h>

static uint16_t random_port(struct random *random)
{
    uint16_t port = (uint16_t)random_value(random, FS_PORT, true);

    return random_one_in(random, 4) ? (uint16_t)(port + random_below(random, 3) - 1) : port;
}

/* No upper-layer header in later fragments, nor in some packets where it was not found. */
static void random_upper_layer(struct random *random, struct pkt_key *key)
{
    bool icmp = key->protocol == (key->family == IP_V4 ? 1 : 58);

    if ((key->fragment & PKT_FRAGMENT_IS) || random_one_in(random, 20))
        return;
    if (key->protocol == 6 || key->protocol == 17) {
        key->has = PKT_HAS_PORTS;
        key->src_port = random_port(random);
        key->dst_port = random_port(random);
    }
    if (key->protocol == 6) {
        key->has |= PKT_HAS_TCP_FLAGS;
        key->tcp_flags = (uint16_t)random_value(random, FS_TCP_FLAGS, false);
    }
    if (icmp) {
        key->has = PKT_HAS_ICMP;
        key->icmp_type = (uint8_t)random_value(random, FS_ICMP_TYPE, true);
        key->icmp_code = (uint8_t)random_value(random, FS_ICMP_CODE, true);
    }
}

static uint8_t random_fragment(struct random *random, unsigned family)
{
    static const uint8_t KINDS[] = {0, 0, 0, PKT_FRAGMENT_FIRST, PKT_FRAGMENT_IS, PKT_FRAGMENT_IS | PKT_FRAGMENT_LAST};
    uint8_t kind = KINDS[random_below(random, sizeof KINDS)];

    return family == IP_V4 && random_one_in(random, 2) ? kind | PKT_FRAGMENT_DF : kind;
}

void random_key(struct random *random, struct pkt_key *out)
{
    memset(out, 0, sizeof *out);
    out->family = random_one_in(random, 2) ? IP_V4 : IP_V6;
    random_address(random, out->family, !random_one_in(random, 16), out->src);
    random_address(random, out->family, !random_one_in(random, 16), out->dst);
    out->protocol =
        (uint8_t)(random_one_in(random, 10) ? random_below(random, 256) : random_value(random, FS_PROTOCOL, true));
    out->length = (uint32_t)random_value(random, FS_PACKET_LENGTH, true);
    out->dscp = (uint8_t)random_value(random, FS_DSCP, true);
    out->fragment = random_fragment(random, out->family);
    out->flow_label = out->family == IP_V6 ? (uint32_t)random_value(random, FS_FLOW_LABEL, true) : 0;
    random_upper_layer(random, out);
    if (random_one_in(random, 50))
        out->malformed = 1;
    if (random_one_in(random, 50))
        out->family = IP_NONE;
}
