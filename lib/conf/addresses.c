/* SPDX-License-Identifier: BSD-3-Clause */
/* Types of values, continued: addresses, prefixes, MAC addresses, endpoints, route targets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "flowspec/text.h"

static bool addr_is_zero(const struct ip_addr *addr)
{
    static const struct ip_addr ZERO;

    return memcmp(addr->octets, ZERO.octets, sizeof addr->octets) == 0;
}

static bool addr_is_multicast(const struct ip_addr *addr)
{
    /* RFC 5771 section 3, with class E and the broadcast address above it; RFC 4291 section 2.7 */
    return addr->family == IP_V4 ? addr->octets[0] >= 224 : addr->octets[0] == 0xff;
}

/* RFC 6286: the BGP identifier is a non-zero 32-bit number, written as an IPv4 address. */
void cfg_set_router_id(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    struct ip_addr addr;

    if (!text)
        return;
    if (!ip_addr_parse(text, &addr) || addr.family != IP_V4 || addr_is_zero(&addr)) {
        cfg_problem_value(reader, key, node);
        return;
    }
    *(uint32_t *)field = (uint32_t)addr.octets[0] << 24 | (uint32_t)addr.octets[1] << 16 |
                         (uint32_t)addr.octets[2] << 8 | addr.octets[3];
}

void cfg_set_host(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    struct ip_addr addr;

    if (!text)
        return;
    if (!ip_addr_parse(text, &addr) || addr_is_zero(&addr) || addr_is_multicast(&addr))
        cfg_problem_value(reader, key, node);
    else
        *(struct ip_addr *)field = addr;
}

void cfg_set_local(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    struct ip_addr addr;

    if (!text)
        return;
    if (!ip_addr_parse(text, &addr) || addr_is_multicast(&addr))
        cfg_problem_value(reader, key, node);
    else
        *(struct ip_addr *)field = addr;
}

/* ADDRESS/LENGTH; host bits are cleared in *prefix and kept in *host. */
static bool read_prefix(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                        struct ip_prefix *prefix, struct ip_addr *host)
{
    const char *text = cfg_node_text(reader, key, node);
    const char *slash = text ? strchr(text, '/') : NULL;
    char quoted[CFG_QUOTE_SIZE];
    char address[IP_TEXT_SIZE];

    if (!text)
        return false;
    if (!ip_prefix_parse(text, prefix)) {
        cfg_problem_value(reader, key, node);
        return false;
    }
    if (!slash) {
        cfg_problem_add(&reader->problems, node->value_line, "%s: %s has no prefix length; one address alone is %s/%u",
                        key->name, cfg_quote(text, quoted), text, prefix->length);
        return false;
    }
    snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    return ip_addr_parse(address, host);
}

void cfg_set_prefix(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    char quoted[CFG_QUOTE_SIZE];
    char right[IP_TEXT_SIZE];
    struct ip_prefix prefix;
    struct ip_addr host;

    if (!read_prefix(reader, key, node, &prefix, &host))
        return;
    if (memcmp(prefix.octets, host.octets, sizeof host.octets) != 0)
        cfg_problem_add(&reader->problems, node->value_line, "%s: %s has bits set beyond its length; did you mean %s?",
                        key->name, cfg_quote(node->text, quoted), ip_prefix_format(&prefix, right));
    else
        *(struct ip_prefix *)field = prefix;
}

void cfg_set_port_address(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field)
{
    char quoted[CFG_QUOTE_SIZE];
    struct ip_prefix prefix;
    struct ip_addr host;

    if (!read_prefix(reader, key, node, &prefix, &host))
        return;
    if (addr_is_zero(&host) || addr_is_multicast(&host)) {
        cfg_problem_value(reader, key, node);
        return;
    }
    /* RFC 3021: both addresses of a /31 are hosts; a /32 is one */
    if (prefix.family == IP_V4 && prefix.length < 31 && memcmp(prefix.octets, host.octets, sizeof host.octets) == 0) {
        cfg_problem_add(&reader->problems, node->value_line,
                        "%s: %s is the network itself; it takes the port's own address in that network", key->name,
                        cfg_quote(node->text, quoted));
        return;
    }
    memcpy(prefix.octets, host.octets, sizeof prefix.octets);
    *(struct ip_prefix *)field = prefix;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool parse_mac(const char *text, uint8_t *mac)
{
    if (strlen(text) != 17)
        return false;
    for (unsigned i = 0; i < 6; i++) {
        int high = hex_digit(text[i * 3]);
        int low = hex_digit(text[i * 3 + 1]);
        if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void cfg_set_mac(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    static const uint8_t ZERO[6];
    const char *text = cfg_node_text(reader, key, node);
    uint8_t mac[6];

    if (!text)
        return;
    /* a group address (first octet odd) is nobody's own: IEEE 802 section 8.2 */
    if (!parse_mac(text, mac) || (mac[0] & 1) || memcmp(mac, ZERO, sizeof mac) == 0)
        cfg_problem_value(reader, key, node);
    else
        memcpy(field, mac, sizeof mac);
}

/* ADDRESS:PORT, an IPv6 address in brackets. */
static bool endpoint_ok(const char *text)
{
    const char *colon = strrchr(text, ':');
    char host[IP_TEXT_SIZE];
    struct ip_addr addr;
    uint64_t port;
    bool brackets = text[0] == '[';

    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    size_t len = (size_t)(colon - text);
    if (brackets && (len < 2 || text[len - 1] != ']'))
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(brackets ? len - 2 : len), text + brackets);
    if (!ip_addr_parse(host, &addr) || addr_is_multicast(&addr) || brackets != (addr.family == IP_V6))
        return false;
    return cfg_parse_uint(colon + 1, &port) && port >= 1 && port <= UINT16_MAX;
}

void cfg_set_endpoint(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);

    if (text && endpoint_ok(text))
        cfg_set_text(reader, key, node, field);
    else if (text)
        cfg_problem_value(reader, key, node);
}

void cfg_set_route_target(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    struct fs_route_target target;

    if (!text)
        return;
    if (!fs_route_target_parse(text, &target))
        cfg_problem_value(reader, key, node);
    else
        *(struct fs_route_target *)field = target;
}
