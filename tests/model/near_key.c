/* SPDX-License-Identifier: BSD-3-Clause */
#include "near_key.h"

#include <string.h>

#include "flowspec/nlri.h"

static uint64_t near_term(struct random *random, const struct fs_rule *rule, const struct fs_component *c)
{
    const struct fs_term *term = &rule->terms[c->first_term + random_below(random, c->term_count)];

    return random_one_in(random, 2) ? term->value : term->value + random_below(random, 3) - 1;
}

/* Bends the key towards one component of a rule. */
static void key_follow(struct random *random, const struct fs_rule *rule, const struct fs_component *c,
                       struct pkt_key *key)
{
    uint64_t value = fs_type_is_prefix(c->type) ? 0 : near_term(random, rule, c);
    uint8_t *address = c->type == FS_DESTINATION ? key->dst : key->src;

    switch (c->type) {
    case FS_DESTINATION:
    case FS_SOURCE:
        for (unsigned bit = c->offset; bit < c->length; bit++) {
            address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
            address[bit / 8] |= (uint8_t)(c->octets[bit / 8] & 0x80 >> bit % 8);
        }
        break;
    case FS_PROTOCOL:
        key->protocol = (uint8_t)value;
        break;
    case FS_PORT:
        *(random_one_in(random, 2) ? &key->dst_port : &key->src_port) = (uint16_t)value;
        break;
    case FS_DESTINATION_PORT:
        key->dst_port = (uint16_t)value;
        break;
    case FS_SOURCE_PORT:
        key->src_port = (uint16_t)value;
        break;
    case FS_ICMP_TYPE:
        key->icmp_type = (uint8_t)value;
        break;
    case FS_ICMP_CODE:
        key->icmp_code = (uint8_t)value;
        break;
    case FS_TCP_FLAGS:
        key->tcp_flags = value & 0xfff;
        break;
    case FS_PACKET_LENGTH:
        key->length = (uint32_t)value % 70000;
        break;
    case FS_DSCP:
        key->dscp = value & 63;
        break;
    case FS_FRAGMENT:
        key->fragment = value & 15;
        break;
    case FS_FLOW_LABEL:
        key->flow_label = value & 0xfffff;
        break;
    }
}

void near_key(struct random *random, const struct fs_rule *rule, struct pkt_key *key)
{
    bool narrow = !random_one_in(random, 8);

    memset(key, 0, sizeof *key);
    key->family = rule != NULL ? rule->family : random_one_in(random, 2) ? IP_V4 : IP_V6;
    random_address(random, key->family, narrow, key->src);
    random_address(random, key->family, narrow, key->dst);
    key->protocol = (uint8_t)random_value(random, FS_PROTOCOL, narrow);
    key->length = (uint32_t)random_value(random, FS_PACKET_LENGTH, narrow) % 70000;
    key->dscp = random_value(random, FS_DSCP, narrow) & 63;
    key->fragment = random_one_in(random, 2) ? 0 : (uint8_t)random_below(random, 16);
    key->flow_label = key->family == IP_V6 ? random_value(random, FS_FLOW_LABEL, narrow) & 0xfffff : 0;
    key->has = (uint8_t)random_below(random, 8) | (random_one_in(random, 2) ? PKT_HAS_PORTS : 0);
    key->src_port = (uint16_t)random_value(random, FS_SOURCE_PORT, narrow);
    key->dst_port = (uint16_t)random_value(random, FS_SOURCE_PORT, narrow);
    key->tcp_flags = random_value(random, FS_TCP_FLAGS, narrow) & 0xfff;
    key->icmp_type = (uint8_t)random_value(random, FS_ICMP_TYPE, narrow);
    key->icmp_code = (uint8_t)random_value(random, FS_ICMP_CODE, narrow);
    for (unsigned i = 0; rule != NULL && i < rule->component_count; i++)
        if (!random_one_in(random, 10))
            key_follow(random, rule, &rule->components[i], key);
    /* as the parser does it: a field without its header is 0 */
    if (!(key->has & PKT_HAS_PORTS))
        key->src_port = key->dst_port = 0;
    if (!(key->has & PKT_HAS_ICMP))
        key->icmp_type = key->icmp_code = 0;
    if (!(key->has & PKT_HAS_TCP_FLAGS))
        key->tcp_flags = 0;
    key->malformed = random_one_in(random, 100);
    if (key->family == IP_V4 && random_one_in(random, 8))
        key->family = IP_V6; /* with an address that begins as one of IPv4 does */
}
