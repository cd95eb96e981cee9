/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing/routing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "dataplane/vrf_rules.h"
#include "routing/exception.h"
#include "routing/internal.h"

#define TICK_MS      2   /* how long what workers hand up may wait */
#define NEIGHBORS_MS 100 /* between looks at who is due */

static mono_ms_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_ms_t)ts.tv_sec * MONO_MS_PER_S + (mono_ms_t)ts.tv_nsec / 1000000;
}

const struct ip_prefix *routing_address(const struct routing *routing, uint16_t port, unsigned family,
                                        const uint8_t *octets)
{
    for (size_t i = 0; i < routing->address_count[port]; i++) {
        const struct ip_prefix *address = &routing->addresses[port][i];
        bool link_local = family == IP_V6 && address->octets[0] == 0xfe && (address->octets[1] & 0xc0) == 0x80;
        if (address->family == family &&
            (octets != NULL ? memcmp(address->octets, octets, family == IP_V4 ? 4 : 16) == 0 : !link_local))
            return address;
    }
    return NULL;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct routing *routing = arg;

    (void)fd;
    (void)what;
    routing->now = now_ms();
    receive_all(routing);
    if (routing->now >= routing->neighbors_at) {
        routing->neighbors_at = routing->now + NEIGHBORS_MS;
        fwd_neighbors_tick(routing->fwd, routing->now);
    }
    fwd_settle(routing->fwd);
}

static void on_polling_stopped(void *ctx)
{
    transmit_end(ctx);
}

/* fe80::/64 and the EUI-64 of the port's MAC address: RFC 4291 2.5.6 and appendix A. */
static struct ip_prefix link_local_of(const uint8_t *mac)
{
    struct ip_prefix address = {.family = IP_V6, .length = 128, .octets = {0xfe, 0x80}};
    const uint8_t id[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

    memcpy(address.octets + 8, id, sizeof id);
    return address;
}

static int port_addresses(struct routing *routing, const struct cfg_port *conf, uint16_t port)
{
    struct ip_prefix *own = calloc(conf->address_count + 1, sizeof *own);

    if (own == NULL)
        return -ENOMEM;
    routing->addresses[port] = own;
    routing->address_count[port] = conf->address_count + 1;
    if (conf->address_count > 0)
        memcpy(own, conf->addresses, conf->address_count * sizeof *own);
    own[conf->address_count] = link_local_of(routing->route->ports[port].mac);
    for (size_t i = 0; i <= conf->address_count; i++) {
        routing->route->local_marks[local_mark_of(own[i].octets, own[i].family)] = 1;
        if (fwd_address_add(routing->fwd, port, &own[i]) < 0)
            return -ENOMEM;
    }
    return 0;
}

static const struct port *port_named(const struct routing *routing, const char *name)
{
    return ports_find(dataplane_ports(routing->dp), name);
}

static int route_set(struct routing *routing, const struct cfg *cfg, const struct cfg_route *route)
{
    const struct port *on = route->port != NULL ? port_named(routing, route->port) : NULL;
    uint16_t ports[CFG_VIA_MAX];

    for (unsigned i = 0; i < route->via_count; i++)
        ports[i] = on != NULL && cfg_is_link_local(&route->via[i]) ? on->index : FWD_PORT_ANY;
    return fwd_route_set_on(routing->fwd, vrf_number_of(cfg, route->vrf), &route->prefix, FWD_FROM_STATIC, route->via,
                            ports, route->via_count);
}

/* False when one was left out for lack of memory. */
static bool routes_set(struct routing *routing, const struct cfg *cfg)
{
    int error = 0;

    for (size_t i = 0; i < cfg->neighbor_count; i++) {
        const struct cfg_neighbor *neighbor = &cfg->neighbors[i];
        const struct port *port = port_named(routing, neighbor->port);
        if (port != NULL && port->routed)
            error |= fwd_neighbor_set(routing->fwd, port->index, &neighbor->address, neighbor->mac);
    }
    for (size_t i = 0; i < cfg->route_count; i++)
        error |= route_set(routing, cfg, &cfg->routes[i]);
    fwd_settle(routing->fwd);
    return error == 0;
}

static int apply(struct routing *routing, const struct cfg *cfg)
{
    for (uint16_t i = 0; i < routing->port_count; i++)
        if (routing->ports[i].routed && port_addresses(routing, &cfg->ports[i], i) < 0)
            return -ENOMEM;
    return routes_set(routing, cfg) ? 0 : -ENOMEM;
}

static void routing_free(struct routing *routing)
{
    static const struct fwd_ops NO_OPS;

    exception_stop(routing->exception);
    if (routing->timer != NULL)
        event_free(routing->timer);
    dataplane_on_stop(routing->dp, NULL, NULL);
    fwd_set_ops(routing->fwd, &NO_OPS, NULL);
    for (uint16_t i = 0; i < routing->port_count; i++)
        free(routing->addresses[i]);
    free(routing);
}

int routing_start(struct event_base *base, struct dataplane *dp, const struct cfg *cfg, const struct log_hook *log,
                  struct routing **out)
{
    static const struct fwd_ops OPS = {
        .solicit = receive_solicit, .release = transmit_released, .drop = transmit_dropped};
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};

    *out = NULL;
    if (dataplane_fwd(dp) == NULL)
        return 0;
    struct routing *routing = calloc(1, sizeof *routing);
    if (routing == NULL)
        return -ENOMEM;
    routing->log = log;
    routing->dp = dp;
    routing->fwd = dataplane_fwd(dp);
    routing->route = dataplane_route(dp);
    routing->ports = dataplane_ports(dp)->port;
    routing->port_count = dataplane_ports(dp)->count;
    routing->now = now_ms();
    fwd_set_ops(routing->fwd, &OPS, routing);
    dataplane_on_stop(dp, on_polling_stopped, routing);
    routing->timer = event_new(base, -1, EV_PERSIST, on_tick, routing);
    if (routing->timer == NULL || apply(routing, cfg) < 0 || !bgp_sources_set(routing, NULL, cfg)) {
        log_line(log, LOG_LEVEL_ERROR, "no memory for routes");
        routing_free(routing);
        return -ENOMEM;
    }
    int error = exception_start(routing, base, cfg, &routing->exception);
    if (error < 0) {
        routing_free(routing);
        return error;
    }
    event_add(routing->timer, &tick);
    *out = routing;
    return 0;
}

void routing_stop(struct routing *routing)
{
    if (routing == NULL)
        return;
    transmit_end(routing);
    routing_free(routing);
}

static const struct cfg_route *route_find(const struct cfg *cfg, const struct cfg_route *like, uint16_t vrf)
{
    for (size_t i = 0; i < cfg->route_count; i++)
        if (memcmp(&cfg->routes[i].prefix, &like->prefix, sizeof like->prefix) == 0 &&
            vrf_number_of(cfg, cfg->routes[i].vrf) == vrf)
            return &cfg->routes[i];
    return NULL;
}

static const struct cfg_neighbor *neighbor_find(const struct cfg *cfg, const struct cfg_neighbor *like)
{
    for (size_t i = 0; i < cfg->neighbor_count; i++)
        if (strcmp(cfg->neighbors[i].port, like->port) == 0 &&
            ip_addr_equal(&cfg->neighbors[i].address, &like->address))
            return &cfg->neighbors[i];
    return NULL;
}

bool routing_uses_kernel(const struct routing *routing)
{
    return routing != NULL && routing->exception != NULL;
}

void routing_reconfigure(struct routing *routing, const struct cfg *old, const struct cfg *fresh)
{
    if (routing == NULL)
        return;
    route_plane_limits(routing->route, &fresh->dataplane);
    for (size_t i = 0; i < old->route_count; i++) {
        uint16_t vrf = vrf_number_of(old, old->routes[i].vrf);
        if (route_find(fresh, &old->routes[i], vrf) == NULL)
            fwd_route_clear(routing->fwd, vrf, &old->routes[i].prefix, FWD_FROM_STATIC);
    }
    for (size_t i = 0; i < old->neighbor_count; i++) {
        const struct port *port = port_named(routing, old->neighbors[i].port);
        if (port != NULL && neighbor_find(fresh, &old->neighbors[i]) == NULL)
            fwd_neighbor_unset(routing->fwd, port->index, &old->neighbors[i].address);
    }
    if (!bgp_sources_set(routing, old, fresh) || !routes_set(routing, fresh))
        log_line(routing->log, LOG_LEVEL_ERROR, "no memory for all routes of the new configuration");
}
