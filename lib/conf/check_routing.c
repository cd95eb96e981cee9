/* SPDX-License-Identifier: BSD-3-Clause */
/* VRFs, routes and neighbors, and the VRFs and ports they name. */
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"

static bool vrf_named(const void *item)
{
    return ((const struct cfg_vrf *)item)->name != NULL;
}

static int vrf_compare(const void *a, const void *b)
{
    return strcmp(((const struct cfg_vrf *)a)->name, ((const struct cfg_vrf *)b)->name);
}

static void vrf_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_vrf *vrf = again;

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &vrf->name, vrf->line),
                    "name: the VRF on line %u is called '%s' already", ((const struct cfg_vrf *)first)->line,
                    vrf->name);
}

static bool route_has_prefix(const void *item)
{
    return ((const struct cfg_route *)item)->prefix.family != IP_NONE;
}

static int route_compare(const void *a, const void *b)
{
    const struct cfg_route *left = a;
    const struct cfg_route *right = b;
    int order = memcmp(&left->prefix, &right->prefix, sizeof left->prefix);

    if (order != 0)
        return order;
    return strcmp(left->vrf ? left->vrf : "", right->vrf ? right->vrf : "");
}

static void route_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_route *route = again;
    char text[IP_TEXT_SIZE];

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &route->prefix, route->line),
                    "prefix: %s has a route already, on line %u", ip_prefix_format(&route->prefix, text),
                    ((const struct cfg_route *)first)->line);
}

static bool neighbor_present(const void *item)
{
    const struct cfg_neighbor *neighbor = item;

    return neighbor->port && neighbor->address.family != IP_NONE;
}

static int neighbor_compare(const void *a, const void *b)
{
    const struct cfg_neighbor *left = a;
    const struct cfg_neighbor *right = b;
    int order = cfg_addr_compare(&left->address, &right->address);

    return order ? order : strcmp(left->port, right->port);
}

static void neighbor_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_neighbor *neighbor = again;
    char text[IP_TEXT_SIZE];

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &neighbor->address, neighbor->line),
                    "address: %s on port '%s' is given already on line %u", ip_addr_format(&neighbor->address, text),
                    neighbor->port, ((const struct cfg_neighbor *)first)->line);
}

static bool vrf_exists(const struct cfg *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->vrf_count; i++) {
        if (cfg->vrfs[i].name && strcmp(cfg->vrfs[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool routes_packets(const struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->port_count; i++) {
        if (cfg->ports[i].mode == CFG_PORT_ROUTE)
            return true;
    }
    return false;
}

/*
 * A neighbor lives on a port of mode route. Where there is no such port at all, routes and neighbors rest: one takes
 * ports from route to wire mode and back without taking the rest of the file apart, and only a neighbor on a port
 * that is of the wrong mode is a contradiction.
 */
static void check_neighbor_port(struct cfg_reader *reader, const struct cfg_neighbor *neighbor)
{
    const struct cfg_port *port = cfg_find_port(reader->cfg, neighbor->port);
    unsigned line = cfg_line_of(reader, &neighbor->port, neighbor->line);

    if (!port && routes_packets(reader->cfg))
        cfg_no_such_port(reader, "port", neighbor->port, line);
    else if (port && port->mode != CFG_PORT_ROUTE)
        cfg_problem_add(&reader->problems, line, "port: '%s' (line %u) is not of mode route and has no neighbors",
                        neighbor->port, port->line);
}

/* The port of a link-local next hop: one that routes, in the VRF of the route. */
static void check_route_port(struct cfg_reader *reader, const struct cfg_route *route)
{
    const struct cfg_port *port = cfg_find_port(reader->cfg, route->port);
    unsigned line = cfg_line_of(reader, &route->port, route->line);

    if (!port && routes_packets(reader->cfg))
        cfg_no_such_port(reader, "port", route->port, line);
    else if (port && port->mode != CFG_PORT_ROUTE)
        cfg_problem_add(&reader->problems, line, "port: '%s' (line %u) is not of mode route and has no next hops",
                        route->port, port->line);
    else if (port && strcmp(port->vrf ? port->vrf : "", route->vrf ? route->vrf : "") != 0)
        cfg_problem_add(&reader->problems, line, "port: '%s' (line %u) is in VRF %s, not in the route's", route->port,
                        port->line, port->vrf ? port->vrf : "default");
}

void cfg_check_routing(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique vrfs = {cfg->vrfs, cfg->vrf_count, sizeof cfg->vrfs[0], vrf_named, vrf_compare, vrf_again};
    struct cfg_unique routes = {cfg->routes,      cfg->route_count, sizeof cfg->routes[0],
                                route_has_prefix, route_compare,    route_again};
    struct cfg_unique neighbors = {cfg->neighbors,   cfg->neighbor_count, sizeof cfg->neighbors[0],
                                   neighbor_present, neighbor_compare,    neighbor_again};

    cfg_check_unique(reader, &vrfs);
    cfg_check_unique(reader, &routes);
    cfg_check_unique(reader, &neighbors);
    for (size_t i = 0; i < cfg->vrf_count; i++) {
        const struct cfg_vrf *vrf = &cfg->vrfs[i];
        if (vrf->name && strcmp(vrf->name, "default") == 0)
            cfg_problem_add(&reader->problems, cfg_line_of(reader, &vrf->name, vrf->line),
                            "name: 'default' is the VRF that is always there; take another name");
    }
    for (size_t i = 0; i < cfg->route_count; i++) {
        const struct cfg_route *route = &cfg->routes[i];
        if (route->vrf && !vrf_exists(cfg, route->vrf))
            cfg_problem_add(&reader->problems, cfg_line_of(reader, &route->vrf, route->line),
                            "vrf: there is no VRF '%s' in vrfs", route->vrf);
        if (route->port)
            check_route_port(reader, route);
    }
    for (size_t i = 0; i < cfg->neighbor_count; i++) {
        if (cfg->neighbors[i].port)
            check_neighbor_port(reader, &cfg->neighbors[i]);
    }
}
