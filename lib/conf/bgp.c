/* SPDX-License-Identifier: BSD-3-Clause */
/* Section `bgp`. */
#include <stddef.h>
#include <string.h>

#include "conf/schema.h"

#define PASSWORD_MAX 80 /* of the kernel: TCP_MD5SIG_MAXKEYLEN */

#define AT(field) offsetof(struct cfg_listen, field)
static const struct cfg_key LISTEN_KEYS[] = {
    {.name = "address",
     .set = cfg_set_local,
     .offset = AT(address),
     .required = true,
     .wants = "one of this machine's addresses, or 0.0.0.0 or \"::\" for all"},
    {.name = "port", .set = cfg_set_uint16, .offset = AT(port), .fallback = "179", .min = 1, .max = UINT16_MAX},
};

static const struct cfg_map LISTEN_MAP = {.title = "a listen address",
                                          .keys = LISTEN_KEYS,
                                          .key_count = CFG_COUNT(LISTEN_KEYS),
                                          .has_line = true,
                                          .line_offset = AT(line)};
#undef AT

static const struct cfg_key LISTEN_ITEM = {
    .name = "listen", .set = cfg_set_map, .map = &LISTEN_MAP, .wants = "a map such as {address: 192.0.2.1, port: 179}"};

const struct cfg_choice cfg_families[] = {
    {"ipv4-flowspec", CFG_IPV4_FLOWSPEC},
    {"ipv6-flowspec", CFG_IPV6_FLOWSPEC},
    {"ipv4-unicast", CFG_IPV4_UNICAST},
    {"ipv6-unicast", CFG_IPV6_UNICAST},
    {"ipv4-flowspec-vpn", CFG_IPV4_FLOWSPEC_VPN},
    {"ipv6-flowspec-vpn", CFG_IPV6_FLOWSPEC_VPN},
    {"ipv4-vpn", CFG_IPV4_VPN},
    {"ipv6-vpn", CFG_IPV6_VPN},
    {0},
};

static const struct cfg_choice VALIDATIONS[] = {
    {"rfc9117", CFG_VALIDATION_RFC9117}, {"none", CFG_VALIDATION_NONE}, {0}};

static const struct cfg_choice ANNOUNCES[] = {
    {"none", CFG_ANNOUNCE_NONE}, {"rules", CFG_ANNOUNCE_RULES}, {"all", CFG_ANNOUNCE_ALL}, {0}};

static const struct cfg_choice ADD_PATHS[] = {{"none", 0},
                                              {"receive", CFG_ADD_PATH_RECEIVE},
                                              {"send", CFG_ADD_PATH_SEND},
                                              {"both", CFG_ADD_PATH_RECEIVE | CFG_ADD_PATH_SEND},
                                              {0}};

static const struct cfg_choice NEXT_HOPS[] = {{"self", CFG_NEXT_HOP_SELF}, {"unchanged", CFG_NEXT_HOP_UNCHANGED}, {0}};

static const struct cfg_choice RESOLUTIONS[] = {
    {"auto", CFG_RESOLUTION_AUTO}, {"on", CFG_RESOLUTION_ON}, {"off", CFG_RESOLUTION_OFF}, {0}};

const char *cfg_family_name(uint32_t family)
{
    for (const struct cfg_choice *choice = cfg_families; choice->word; choice++) {
        if (choice->value == family)
            return choice->word;
    }
    return "unknown";
}

/* RFC 4271 section 4.2: zero, or at least three seconds. */
static void set_hold_time(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                          void *field)
{
    const char *text = node->kind == CFG_NODE_TEXT ? node->text : "";
    uint64_t value;

    if (cfg_parse_uint(text, &value) && (value == 1 || value == 2))
        cfg_problem_value(reader, key, node);
    else
        cfg_set_uint16(reader, key, node, field);
}

/* A password that is wrong is not repeated: messages end up in logs. */
static void set_password(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    bool good = text != NULL && text[0] != '\0' && strlen(text) <= PASSWORD_MAX;

    if (text == NULL)
        return;
    for (const char *at = text; *at != '\0'; at++)
        good = good && (unsigned char)*at >= 0x20 && *at != 0x7f;
    if (good)
        cfg_set_text(reader, key, node, field);
    else
        cfg_problem_add(&reader->problems, node->line, "%s: %s, not what is there", key->name, key->wants);
}

/* One address or many: a range's peers are waited for, and there is nowhere to connect to. */
static void peer_place(struct cfg_reader *reader, const struct cfg_node *node, struct cfg_peer *peer)
{
    bool range = cfg_map_has(node, "range");

    if (!range && !cfg_map_has(node, "address"))
        cfg_problem_add(&reader->problems, node->line,
                        "'address' is missing in a BGP peer: the peer's IPv4 or IPv6 address; or 'range': a prefix "
                        "whose addresses may all be peers");
    if (range && cfg_map_has(node, "address"))
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->range, node->line),
                        "range: only without 'address': either one neighbour, or each address of a prefix");
    if (!range && cfg_map_has(node, "max-peers"))
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->max_peers, node->line),
                        "max-peers: only with 'range'");
    if (range && cfg_map_has(node, "port"))
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->port, node->line),
                        "port: only without 'range', whose peers are waited for");
    if (range && cfg_map_has(node, "passive") && !peer->passive)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &peer->passive, node->line),
                        "passive: always true with 'range', whose peers are waited for");
    peer->passive = peer->passive || range;
}

static void peer_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    struct cfg_peer *peer = object;
    unsigned hold_time_twice_s = 2u * peer->hold_time_s;

    peer_place(reader, node, peer);
    if (!cfg_map_has(node, "families"))
        peer->families = CFG_IPV4_FLOWSPEC | CFG_IPV6_FLOWSPEC;
    /* RFC 9687 3.1: eight minutes, or twice the hold time where that is more */
    if (!cfg_map_has(node, "send-hold-time"))
        peer->send_hold_s = hold_time_twice_s > UINT16_MAX ? UINT16_MAX
                            : hold_time_twice_s > 480      ? (uint16_t)hold_time_twice_s
                                                           : 480;
}

#define AT(field) offsetof(struct cfg_peer, field)
static const struct cfg_key PEER_KEYS[] = {
    {.name = "name", .set = cfg_set_name, .offset = AT(name), .required = true, .wants = cfg_name_wants},
    {.name = "address", .set = cfg_set_host, .offset = AT(address), .wants = "the peer's IPv4 or IPv6 address"},
    {.name = "range",
     .set = cfg_set_prefix,
     .offset = AT(range),
     .wants = "a prefix such as 192.0.2.0/24, whose addresses may all be peers"},
    {.name = "max-peers",
     .set = cfg_set_uint16,
     .offset = AT(max_peers),
     .fallback = "100",
     .min = 1,
     .max = 4096,
     .unit = "peers at the same time"},
    {.name = "asn",
     .set = cfg_set_uint32,
     .offset = AT(asn),
     .required = true,
     .wants = "the peer's AS number, from 1 to 4294967294",
     .min = 1,
     .max = UINT32_MAX - 1},
    {.name = "port", .set = cfg_set_uint16, .offset = AT(port), .fallback = "179", .min = 1, .max = UINT16_MAX},
    {.name = "passive", .set = cfg_set_bool, .offset = AT(passive), .wants = "true or false"},
    {.name = "families",
     .set = cfg_set_choice_bits,
     .offset = AT(families),
     .wants = "a list such as [ipv4-flowspec, ipv6-flowspec]",
     .choices = cfg_families},
    {.name = "validation",
     .set = cfg_set_choice,
     .offset = AT(validation),
     .fallback = "rfc9117",
     .choices = VALIDATIONS},
    {.name = "policy", .set = cfg_set_name, .offset = AT(policy), .wants = "the name of an entry of policies"},
    {.name = "route-reflector-client",
     .set = cfg_set_bool,
     .offset = AT(route_reflector_client),
     .wants = "true or false"},
    {.name = "announce", .set = cfg_set_choice, .offset = AT(announce), .choices = ANNOUNCES},
    {.name = "next-hop", .set = cfg_set_choice, .offset = AT(next_hop), .choices = NEXT_HOPS},
    {.name = "add-path", .set = cfg_set_choice, .offset = AT(add_path), .fallback = "none", .choices = ADD_PATHS},
    {.name = "install-routes",
     .set = cfg_set_bool,
     .offset = AT(install_routes),
     .fallback = "true",
     .wants = "true or false"},
    {.name = "blackhole", .set = cfg_set_bool, .offset = AT(blackhole), .wants = "true or false"},
    {.name = "import",
     .set = cfg_set_map,
     .offset = AT(import_filter),
     .wants = "a map of families, prefixes, communities and not-communities",
     .map = &cfg_filter_map},
    {.name = "export",
     .set = cfg_set_map,
     .offset = AT(export_filter),
     .wants = "a map of families, prefixes, communities and not-communities",
     .map = &cfg_filter_map},
    {.name = "max-prefix",
     .set = cfg_set_max_prefix,
     .offset = AT(max_prefix),
     .wants = "1 to 16000000, or a map of families and such numbers"},
    {.name = "max-prefix-warning",
     .set = cfg_set_uint8,
     .offset = AT(max_prefix_warning),
     .fallback = "75",
     .min = 1,
     .max = 100,
     .unit = "per cent of max-prefix"},
    {.name = "remove-med", .set = cfg_set_bool, .offset = AT(remove_med), .wants = "true or false"},
    {.name = "extended-message",
     .set = cfg_set_bool,
     .offset = AT(extended_message),
     .fallback = "true",
     .wants = "true or false"},
    {.name = "legacy-ipv6-offset", .set = cfg_set_bool, .offset = AT(legacy_ipv6_offset), .wants = "true or false"},
    {.name = "hold-time",
     .set = set_hold_time,
     .offset = AT(hold_time_s),
     .fallback = "90",
     .wants = "0 or 3 to 65535 seconds",
     .max = UINT16_MAX},
    {.name = "connect-retry",
     .set = cfg_set_uint16,
     .offset = AT(connect_retry_s),
     .fallback = "5",
     .min = 1,
     .max = UINT16_MAX,
     .unit = "seconds"},
    {.name = "restart-time",
     .set = cfg_set_uint16,
     .offset = AT(restart_time_s),
     .fallback = "120",
     .wants = "0 to 4095 seconds",
     .max = 4095},
    {.name = "long-lived-stale-time",
     .set = cfg_set_uint32,
     .offset = AT(long_lived_s),
     .fallback = "0",
     .wants = "0 to 16777215 seconds",
     .max = 16777215},
    {.name = "send-hold-time",
     .set = cfg_set_uint16,
     .offset = AT(send_hold_s),
     .wants = "0, or more seconds than hold-time, up to 65535",
     .max = UINT16_MAX},
    {.name = "ttl-security", .set = cfg_set_bool, .offset = AT(ttl_security), .wants = "true or false"},
    {.name = "password", .set = set_password, .offset = AT(password), .wants = "1 to 80 printable characters"},
    {.name = "device",
     .set = cfg_set_text,
     .offset = AT(device),
     .wants = "the name of an interface or VRF, 1 to 15 characters",
     .max = 15},
};

static const struct cfg_map PEER_MAP = {.title = "a BGP peer",
                                        .keys = PEER_KEYS,
                                        .key_count = CFG_COUNT(PEER_KEYS),
                                        .has_line = true,
                                        .line_offset = AT(line),
                                        .finish = peer_finish};
#undef AT

static const struct cfg_key PEER_ITEM = {
    .name = "peers", .set = cfg_set_map, .map = &PEER_MAP, .wants = "a map with name, address (or range) and asn"};

#define AT(field) offsetof(struct cfg, field)
static const struct cfg_key BGP_KEYS[] = {
    {.name = "restart-deferral",
     .set = cfg_set_uint32,
     .offset = AT(restart_deferral_s),
     .fallback = "60",
     .wants = "0 to 3600 seconds",
     .max = 3600},
    {.name = "next-hop-resolution",
     .set = cfg_set_choice,
     .offset = AT(next_hop_resolution),
     .fallback = "auto",
     .choices = RESOLUTIONS},
    {.name = "cluster-id",
     .set = cfg_set_router_id,
     .offset = AT(cluster_id),
     .wants = "four octets such as 192.0.2.1, not 0.0.0.0"},
    {.name = "listen",
     .set = cfg_set_list,
     .offset = AT(listens),
     .wants = "a list such as [{address: 192.0.2.1, port: 179}]",
     .item = &LISTEN_ITEM,
     .item_size = sizeof(struct cfg_listen),
     .count_offset = AT(listen_count),
     .max_items = 64},
    {.name = "peers",
     .set = cfg_set_list,
     .offset = AT(peers),
     .wants = "a list of peers, each with name, address (or range) and asn",
     .item = &PEER_ITEM,
     .item_size = sizeof(struct cfg_peer),
     .count_offset = AT(peer_count),
     .max_items = 4096},
};
#undef AT

/* Its keys are fields of struct cfg itself. */
const struct cfg_map cfg_bgp_map = {.title = "bgp", .keys = BGP_KEYS, .key_count = CFG_COUNT(BGP_KEYS)};
