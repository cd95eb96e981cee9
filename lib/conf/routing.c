/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections `vrfs`, `routes` and `neighbors`. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "flowspec/actions.h"

static const struct cfg_key RT_ITEM = {
    .name = "rt-import",
    .set = cfg_set_route_target,
    .wants = "a route target such as \"65000:100\", \"192.0.2.1:100\" or \"4200000000L:100\""};

#define AT(field) offsetof(struct cfg_vrf, field)
static const struct cfg_key VRF_KEYS[] = {
    {.name = "name", .set = cfg_set_name, .offset = AT(name), .required = true, .wants = cfg_name_wants},
    {.name = "rt-import",
     .set = cfg_set_list,
     .offset = AT(rt_import),
     .wants = "a list of route targets, such as [\"65000:100\"]",
     .item = &RT_ITEM,
     .item_size = sizeof(struct fs_route_target),
     .count_offset = AT(rt_import_count),
     .max_items = 256},
};

static const struct cfg_map VRF_MAP = {
    .title = "a VRF", .keys = VRF_KEYS, .key_count = CFG_COUNT(VRF_KEYS), .has_line = true, .line_offset = AT(line)};
#undef AT

const struct cfg_key cfg_vrf_item = {.name = "vrfs",
                                     .set = cfg_set_map,
                                     .map = &VRF_MAP,
                                     .wants = "a map such as {name: scrub, rt-import: [\"65000:100\"]}"};

/* One next hop, or a list of them. */
static void set_via(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    struct cfg_route *route = (struct cfg_route *)((char *)field - offsetof(struct cfg_route, via));
    const struct cfg_node *item = node->kind == CFG_NODE_LIST ? node->first : node;
    unsigned count = 0;

    if (node->kind == CFG_NODE_LIST && node->first == NULL) {
        cfg_problem_value(reader, key, node);
        return;
    }
    for (; item != NULL; item = node->kind == CFG_NODE_LIST ? item->next : NULL, count++) {
        if (count == CFG_VIA_MAX) {
            cfg_problem_add(&reader->problems, item->value_line, "via: at most %d next hops", CFG_VIA_MAX);
            break;
        }
        cfg_set_host(reader, key, item, &route->via[count]);
        if (route->via[count].family == IP_NONE) /* reported */
            return;
        for (unsigned i = 0; i < count; i++)
            if (ip_addr_equal(&route->via[i], &route->via[count]))
                cfg_problem_add(&reader->problems, item->value_line, "via: the same next hop twice");
        route->via_count = count + 1;
    }
}

bool cfg_is_link_local(const struct ip_addr *address)
{
    return address->family == IP_V6 && address->octets[0] == 0xfe && (address->octets[1] & 0xc0) == 0x80;
}

/* A link-local next hop and the port that it is on come together. */
static void route_port_finish(struct cfg_reader *reader, const struct cfg_node *node, const struct cfg_route *route,
                              bool has_port)
{
    bool link_local = false;
    unsigned line = cfg_line_of(reader, has_port ? (const void *)&route->port : (const void *)&route->via, node->line);

    for (unsigned i = 0; i < route->via_count; i++)
        link_local = link_local || cfg_is_link_local(&route->via[i]);
    if (link_local && !has_port)
        cfg_problem_add(&reader->problems, line,
                        "via: a link-local next hop is on one port; name it, such as 'port: up'");
    else if (!link_local && has_port)
        cfg_problem_add(&reader->problems, line,
                        "port: only a link-local next hop needs it; others are found by their address");
}

/* A route leads to a next hop or into the void, and says which. */
static void route_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    struct cfg_route *route = object;
    bool has_via = cfg_map_has(node, "via");

    if (route->vrf && strcmp(route->vrf, "default") == 0) {
        free(route->vrf);
        route->vrf = NULL;
    }
    if (has_via && route->blackhole)
        cfg_problem_add(&reader->problems, node->line, "a route has either 'via' or 'blackhole: true', not both");
    if (!has_via && !route->blackhole)
        cfg_problem_add(&reader->problems, node->line,
                        "a route needs 'via' with the next hop's address, or 'blackhole: true'");
    route_port_finish(reader, node, route, cfg_map_has(node, "port"));
    for (unsigned i = 0; i < route->via_count; i++) {
        if (route->prefix.family == IP_NONE || route->via[i].family == route->prefix.family)
            continue;
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &route->via, node->line),
                        "via: the next hop of an %s prefix must be an %s address",
                        route->prefix.family == IP_V4 ? "IPv4" : "IPv6",
                        route->prefix.family == IP_V4 ? "IPv4" : "IPv6");
        break;
    }
}

#define AT(field) offsetof(struct cfg_route, field)
static const struct cfg_key ROUTE_KEYS[] = {
    {.name = "prefix",
     .set = cfg_set_prefix,
     .offset = AT(prefix),
     .required = true,
     .wants = "a prefix such as 203.0.113.0/24 or \"2001:db8::/32\""},
    {.name = "via", .set = set_via, .offset = AT(via), .wants = "the next hop's address, such as 198.51.100.2"},
    {.name = "blackhole", .set = cfg_set_bool, .offset = AT(blackhole), .wants = "true or false"},
    {.name = "port",
     .set = cfg_set_name,
     .offset = AT(port),
     .wants = "the name of the port that a link-local next hop is on"},
    {.name = "vrf", .set = cfg_set_name, .offset = AT(vrf), .wants = "the name of a VRF"},
    {.name = "metric",
     .set = cfg_set_uint32,
     .offset = AT(metric),
     .fallback = "1",
     .wants = "0 to 4294967294: the cost of next hops that are reached by the route",
     .max = UINT32_MAX - 1},
};

static const struct cfg_map ROUTE_MAP = {.title = "a route",
                                         .keys = ROUTE_KEYS,
                                         .key_count = CFG_COUNT(ROUTE_KEYS),
                                         .has_line = true,
                                         .line_offset = AT(line),
                                         .finish = route_finish};
#undef AT

const struct cfg_key cfg_route_item = {.name = "routes",
                                       .set = cfg_set_map,
                                       .map = &ROUTE_MAP,
                                       .wants = "a map such as {prefix: 203.0.113.0/24, via: 198.51.100.2}"};

#define AT(field) offsetof(struct cfg_neighbor, field)
static const struct cfg_key NEIGHBOR_KEYS[] = {
    {.name = "port", .set = cfg_set_name, .offset = AT(port), .required = true, .wants = "the name of a port"},
    {.name = "address",
     .set = cfg_set_host,
     .offset = AT(address),
     .required = true,
     .wants = "the neighbor's IPv4 or IPv6 address"},
    {.name = "mac",
     .set = cfg_set_mac,
     .offset = AT(mac),
     .required = true,
     .wants = "a unicast MAC address such as \"02:00:00:00:00:02\""},
};

static const struct cfg_map NEIGHBOR_MAP = {.title = "a neighbor",
                                            .keys = NEIGHBOR_KEYS,
                                            .key_count = CFG_COUNT(NEIGHBOR_KEYS),
                                            .has_line = true,
                                            .line_offset = AT(line)};
#undef AT

const struct cfg_key cfg_neighbor_item = {
    .name = "neighbors",
    .set = cfg_set_map,
    .map = &NEIGHBOR_MAP,
    .wants = "a map such as {port: up, address: 198.51.100.2, mac: \"02:00:00:00:00:02\"}"};
