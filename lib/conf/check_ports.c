/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports among themselves, and what routes and neighbors say about ports and VRFs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"

const struct cfg_port *cfg_find_port(const struct cfg *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->port_count; i++) {
        if (cfg->ports[i].name && strcmp(cfg->ports[i].name, name) == 0)
            return &cfg->ports[i];
    }
    return NULL;
}

static bool port_named(const void *item)
{
    return ((const struct cfg_port *)item)->name != NULL;
}

static int port_name_compare(const void *a, const void *b)
{
    return strcmp(((const struct cfg_port *)a)->name, ((const struct cfg_port *)b)->name);
}

static void port_name_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_port *port = again;

    cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->name, port->line),
                    "name: the port on line %u is called '%s' already", ((const struct cfg_port *)first)->line,
                    port->name);
}

static bool port_has_device(const void *item)
{
    return ((const struct cfg_port *)item)->device != NULL;
}

/* The device without its arguments; a PCI address without domain is in domain 0. */
static void device_name(const char *device, char *name, size_t size)
{
    size_t len = strcspn(device, ",");
    size_t used = 0;

    if (len == strlen("3b:00.0") && device[2] == ':' && size > 5) {
        memcpy(name, "0000:", 5);
        used = 5;
    }
    for (size_t i = 0; i < len && used + 1 < size; i++)
        name[used++] = (char)tolower((unsigned char)device[i]);
    name[used] = '\0';
}

static int port_device_compare(const void *a, const void *b)
{
    char left[256];
    char right[256];

    device_name(((const struct cfg_port *)a)->device, left, sizeof left);
    device_name(((const struct cfg_port *)b)->device, right, sizeof right);
    return strcmp(left, right);
}

static void port_device_again(struct cfg_reader *reader, const void *first, const void *again)
{
    const struct cfg_port *port = again;
    char name[256];

    device_name(port->device, name, sizeof name);
    cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->device, port->line),
                    "device: '%.60s' is the port's on line %u already; each port needs a device of its own", name,
                    ((const struct cfg_port *)first)->line);
}

static const char *port_word(const void *cfg, size_t i)
{
    const struct cfg *of = cfg;

    return i >= of->port_count ? NULL : of->ports[i].name ? of->ports[i].name : "";
}

void cfg_no_such_port(struct cfg_reader *reader, const char *key, const char *name, unsigned line)
{
    const char *meant = cfg_suggest(name, port_word, reader->cfg);

    for (size_t i = 0; i < reader->cfg->port_count; i++) {
        if (!reader->cfg->ports[i].name)
            return; /* it may be the one whose name is missing or wrong, and that is reported */
    }
    cfg_problem_add(&reader->problems, line, "%s: there is no port '%s'%s%s%s", key, name,
                    meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

/* A wire has two ends that name each other. One wrong name is one problem, at the port that has it. */
static void check_wire(struct cfg_reader *reader, const struct cfg_port *port)
{
    const struct cfg_port *peer = cfg_find_port(reader->cfg, port->peer);
    const struct cfg_port *back = peer && peer->peer ? cfg_find_port(reader->cfg, peer->peer) : NULL;
    unsigned line = cfg_line_of(reader, &port->peer, port->line);

    if (!peer)
        cfg_no_such_port(reader, "peer", port->peer, line);
    else if (peer == port)
        cfg_problem_add(&reader->problems, line, "peer: '%s' is this port itself; a wire needs a second one",
                        port->peer);
    else if (peer->mode != CFG_PORT_WIRE)
        cfg_problem_add(&reader->problems, line, "peer: port '%s' (line %u) is not of mode wire", port->peer,
                        peer->line);
    else if (port->name && back && back != peer && back != port)
        cfg_problem_add(&reader->problems, line, "peer: port '%s' (line %u) must name '%s' as its peer, not '%s'",
                        port->peer, peer->line, port->name, peer->peer);
}

/* "default" is NULL by now. */
static bool same_vrf(const struct cfg_port *a, const struct cfg_port *b)
{
    return a->vrf == b->vrf || (a->vrf && b->vrf && strcmp(a->vrf, b->vrf) == 0);
}

/* One address on two ports of a VRF. At most 32 ports of 64 addresses each. */
static void check_address(struct cfg_reader *reader, size_t port_at, size_t address_at)
{
    const struct cfg *cfg = reader->cfg;
    const struct ip_prefix *mine = &cfg->ports[port_at].addresses[address_at];
    char text[IP_TEXT_SIZE];

    for (size_t p = 0; p <= port_at; p++) {
        const struct cfg_port *port = &cfg->ports[p];
        size_t end = p == port_at ? address_at : port->address_count;
        if (!same_vrf(port, &cfg->ports[port_at]))
            continue;
        for (size_t a = 0; a < end; a++) {
            const struct ip_prefix *other = &port->addresses[a];
            if (mine->family == IP_NONE || other->family != mine->family ||
                memcmp(other->octets, mine->octets, sizeof mine->octets) != 0)
                continue;
            cfg_problem_add(&reader->problems, cfg_line_of(reader, mine, cfg->ports[port_at].line),
                            "addresses: %s is given already on line %u", ip_prefix_format(mine, text),
                            cfg_line_of(reader, other, port->line));
            return;
        }
    }
}

static bool has_subports(const struct cfg *cfg, const struct cfg_port *port)
{
    for (size_t p = 0; port->name && p < cfg->port_count; p++)
        if (cfg->ports[p].parent && strcmp(cfg->ports[p].parent, port->name) == 0)
            return true;
    return false;
}

/* A sub-port's parent has a device and is of mode route; one tag is one sub-port. */
static void check_subport(struct cfg_reader *reader, const struct cfg_port *port)
{
    const struct cfg *cfg = reader->cfg;
    const struct cfg_port *parent = cfg_find_port(cfg, port->parent);
    unsigned line = cfg_line_of(reader, &port->parent, port->line);

    if (!parent)
        cfg_no_such_port(reader, "parent", port->parent, line);
    else if (parent->parent)
        cfg_problem_add(&reader->problems, line, "parent: port '%s' (line %u) is a sub-port itself", port->parent,
                        parent->line);
    else if (parent->mode != CFG_PORT_ROUTE)
        cfg_problem_add(&reader->problems, line, "parent: port '%s' (line %u) is not of mode route", port->parent,
                        parent->line);
    for (const struct cfg_port *other = cfg->ports; other < port; other++)
        if (other->parent && port->vlan && other->vlan == port->vlan && strcmp(other->parent, port->parent) == 0)
            cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->vlan, port->line),
                            "vlan: %u of port '%s' is given already on line %u", port->vlan, port->parent, other->line);
}

/* One name of an interface of the kernel for two ports: with the defaults that cannot be, so one of them is given. */
static void check_interface(struct cfg_reader *reader, const struct cfg_port *port)
{
    const struct cfg *cfg = reader->cfg;
    char mine[CFG_INTERFACE_SIZE], other[CFG_INTERFACE_SIZE];

    if (!port->name)
        return;
    cfg_port_interface(port, (size_t)(port - cfg->ports), mine);
    for (const struct cfg_port *before = cfg->ports; before < port; before++) {
        if (before->mode != CFG_PORT_ROUTE || !before->name)
            continue;
        cfg_port_interface(before, (size_t)(before - cfg->ports), other);
        if (strcmp(mine, other) != 0)
            continue;
        const struct cfg_port *given = port->kernel_name ? port : before;
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &given->kernel_name, given->line),
                        "kernel-name: '%s' is the interface of the port on line %u already", mine,
                        given == port ? before->line : port->line);
        return;
    }
}

static void check_routed(struct cfg_reader *reader, const struct cfg_port *port)
{
    const struct cfg *cfg = reader->cfg;
    size_t v = 0;

    check_interface(reader, port);
    if (port->parent)
        check_subport(reader, port);
    else if (port->address_count == 0 && !has_subports(cfg, port) && port->name && port->device)
        cfg_problem_add(&reader->problems, port->line,
                        "'addresses' is missing in a port of mode route: a list such as [198.51.100.1/24]");
    while (port->vrf && v < cfg->vrf_count && !(cfg->vrfs[v].name && strcmp(cfg->vrfs[v].name, port->vrf) == 0))
        v++;
    if (port->vrf && v == cfg->vrf_count)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->vrf, port->line),
                        "vrf: there is no VRF '%s' in vrfs", port->vrf);
}

void cfg_check_ports(struct cfg_reader *reader)
{
    const struct cfg *cfg = reader->cfg;
    struct cfg_unique names = {cfg->ports, cfg->port_count,   sizeof cfg->ports[0],
                               port_named, port_name_compare, port_name_again};
    struct cfg_unique devices = {cfg->ports,      cfg->port_count,     sizeof cfg->ports[0],
                                 port_has_device, port_device_compare, port_device_again};

    cfg_check_unique(reader, &names);
    cfg_check_unique(reader, &devices);
    for (size_t p = 0; p < cfg->port_count; p++) {
        if (cfg->ports[p].mode == CFG_PORT_WIRE && cfg->ports[p].peer)
            check_wire(reader, &cfg->ports[p]);
        if (cfg->ports[p].mode == CFG_PORT_ROUTE)
            check_routed(reader, &cfg->ports[p]);
        for (size_t a = 0; a < cfg->ports[p].address_count; a++)
            check_address(reader, p, a);
    }
}
