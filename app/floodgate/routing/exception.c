/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing/exception.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "routing/internal.h"
#include "routing/kernel_if.h"

#define PACKETS_AT_ONCE 64u /* of one interface, before others get their turn */
#define KERNEL_PACKET   9216u

/* One interface of the kernel. */
struct exception_port {
    struct exception *exception;
    struct event *readable; /* NULL: the port has none */
    struct kernel_if_conf conf;
    struct kernel_if_quiet quiet;
    int fd;
    uint16_t port;
};

struct exception {
    struct routing *routing;
    struct kernel_counts *counts;
    unsigned count; /* of interfaces */
    struct exception_port ports[PORTS_MAX];
};

/* What the kernel sends: to the port it is on, or wherever the FIB says. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct exception_port *from = arg;
    struct exception *exception = from->exception;
    uint8_t packet[KERNEL_PACKET];

    (void)what;
    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        ssize_t len = read(fd, packet, sizeof packet);
        if (len <= 0)
            return;
        bool sent = transmit_from_kernel(exception->routing, from->port, packet, (size_t)len);
        cnt_add(sent ? &exception->counts->taken : &exception->counts->refused, 1);
    }
}

static int interface_make(struct exception *exception, struct event_base *base, const struct cfg_port *conf,
                          uint16_t port, char *why, size_t size)
{
    struct routing *routing = exception->routing;
    struct exception_port *made = &exception->ports[port];

    made->exception = exception;
    made->port = port;
    made->conf = (struct kernel_if_conf){.mtu = routing->route->ports[port].mtu,
                                         .alone = routing->route->ports[port].vrf != FWD_VRF_DEFAULT,
                                         .addresses = routing->addresses[port],
                                         .address_count = routing->address_count[port]};
    cfg_port_interface(conf, port, made->conf.name);
    made->fd = kernel_if_open(&made->conf, why, size);
    if (made->fd < 0)
        return made->fd;
    made->readable = event_new(base, made->fd, EV_READ | EV_PERSIST, on_readable, made);
    if (made->readable == NULL) {
        snprintf(why, size, "no memory for interface %s", made->conf.name);
        kernel_if_close(made->fd, &made->conf);
        return -ENOMEM;
    }
    event_add(made->readable, NULL);
    if (conf->parent == NULL)
        kernel_if_quiet(conf->device, &made->quiet);
    exception->count++;
    memcpy(routing->route->ports[port].interface, made->conf.name, sizeof routing->route->ports[port].interface);
    return 0;
}

/* Captures and the null device have nobody on them to talk to. */
static bool is_asked_for(const struct routing *routing, const struct cfg *cfg, uint16_t port)
{
    const char *driver = routing->ports[port].driver;

    if (!routing->route->ports[port].routed || cfg->dataplane.exception_path == CFG_EXCEPTION_OFF)
        return false;
    return cfg->dataplane.exception_path == CFG_EXCEPTION_ON ||
           (strcmp(driver, "net_pcap") != 0 && strcmp(driver, "net_null") != 0);
}

int exception_start(struct routing *routing, struct event_base *base, const struct cfg *cfg, struct exception **out)
{
    bool needed = cfg->dataplane.exception_path == CFG_EXCEPTION_ON;
    struct exception *exception = calloc(1, sizeof *exception);
    char why[256];
    int error = 0;

    *out = NULL;
    if (exception == NULL)
        return -ENOMEM;
    exception->routing = routing;
    exception->counts = &routing->route->kernel;
    for (uint16_t i = 0; i < routing->port_count && error == 0; i++) {
        if (!is_asked_for(routing, cfg, i))
            continue;
        error = interface_make(exception, base, &cfg->ports[i], i, why, sizeof why);
        if (error < 0)
            log_line(routing->log, needed ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "port %s: %s%s", cfg->ports[i].name,
                     why, needed ? "" : "; the router answers ARP, neighbour discovery and echo alone, no BGP or ssh");
        else
            log_line(routing->log, LOG_LEVEL_INFO, "port %s: interface %s of the kernel", cfg->ports[i].name,
                     exception->ports[i].conf.name);
    }
    if (exception->count > 0 && error == 0) {
        *out = exception;
        return 0;
    }
    exception_stop(exception);
    return needed ? error : 0;
}

void exception_stop(struct exception *exception)
{
    if (exception == NULL)
        return;
    for (uint16_t i = 0; i < PORTS_MAX; i++) {
        struct exception_port *made = &exception->ports[i];
        if (made->readable == NULL)
            continue;
        event_free(made->readable);
        kernel_if_close(made->fd, &made->conf);
        kernel_if_unquiet(&made->quiet);
        exception->routing->route->ports[i].interface[0] = '\0';
    }
    free(exception);
}

/*
 * The port that has the packet's destination: by its interface the kernel expects it. A link-local one is of the port
 * it came in by. Addresses of other VRFs are of other routers.
 */
static uint16_t owner_of(const struct routing *routing, uint16_t in, const uint8_t *packet)
{
    unsigned family = packet[0] >> 4 == 4 ? IP_V4 : IP_V6;
    const uint8_t *destination = packet + (family == IP_V4 ? 16 : 24);

    if (routing_address(routing, in, family, destination) != NULL)
        return in;
    for (uint16_t i = 0; i < routing->port_count; i++)
        if (routing->route->ports[i].routed && routing->route->ports[i].vrf == routing->route->ports[in].vrf &&
            routing_address(routing, i, family, destination) != NULL)
            return i;
    return in;
}

bool exception_deliver_by(const struct exception *exception, uint16_t port, const uint8_t *packet, size_t len)
{
    const struct exception_port *to = &exception->ports[port];
    size_t said = packet[0] >> 4 == 4 ? (size_t)packet[2] << 8 | packet[3] : 40u + ((size_t)packet[4] << 8 | packet[5]);

    len = said < len ? said : len; /* the link layer's padding stays here */
    return to->readable != NULL && write(to->fd, packet, len) == (ssize_t)len;
}

void exception_deliver(struct exception *exception, uint16_t port, const uint8_t *packet, size_t len)
{
    if (exception == NULL || len < (packet[0] >> 4 == 4 ? 20u : 40u))
        return;
    bool taken = exception_deliver_by(exception, owner_of(exception->routing, port, packet), packet, len);
    cnt_add(taken ? &exception->counts->delivered : &exception->counts->lost, 1);
}
