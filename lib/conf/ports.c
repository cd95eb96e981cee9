/* SPDX-License-Identifier: BSD-3-Clause */
/* Section `ports`. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

static const char DEVICE_WANTS[] =
    "a PCI address such as \"0000:3b:00.0\", or a DPDK device such as \"net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap\"";

/* DDDD:BB:DD.F, the domain optional, up to a comma. */
static bool is_pci_address(const char *text)
{
    static const char *const SHAPES[] = {"xxxx:xx:xx.d", "xx:xx.d"};
    size_t len = strcspn(text, ",");

    for (size_t s = 0; s < CFG_COUNT(SHAPES); s++) {
        const char *shape = SHAPES[s];
        size_t i = 0;
        if (strlen(shape) != len)
            continue;
        while (i < len && (shape[i] == 'x'   ? strchr("0123456789abcdefABCDEF", text[i]) != NULL
                           : shape[i] == 'd' ? text[i] >= '0' && text[i] <= '7'
                                             : text[i] == shape[i]))
            i++;
        if (i == len)
            return true;
    }
    return false;
}

static bool is_word(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
}

/*
 * A device as EAL takes it. Two mistakes are caught here because EAL's own words for them are far away and obscure: a
 * PCI address with a digit missing, and a kernel interface's name ("eth0", which DPDK knows nothing of).
 */
static void set_device(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    const char *text = cfg_node_text(reader, key, node);
    char quoted[CFG_QUOTE_SIZE];

    if (!text)
        return;
    size_t len = strcspn(text, ",");
    if (len == 0 || (strspn(text, "0123456789abcdefABCDEF:.") == len && !is_pci_address(text)))
        cfg_problem_value(reader, key, node);
    else if (is_word(text) && strlen(text) < 16) /* netdevice(7): IFNAMSIZ */
        cfg_problem_add(&reader->problems, node->value_line,
                        "device: %s is no DPDK device; the kernel's interface of that name is "
                        "\"net_af_packet0,iface=%s\", a NIC of our own is its PCI address",
                        cfg_quote(text, quoted), text);
    else
        cfg_set_text(reader, key, node, field);
}

static const struct cfg_choice MODES[] = {{"wire", CFG_PORT_WIRE}, {"route", CFG_PORT_ROUTE}, {0}};

/* Whether the port says its mode, in a word that is one: else that is reported, and nothing follows from it. */
static bool mode_is_given(const struct cfg_node *port)
{
    for (const struct cfg_node *node = port->first; node; node = node->next) {
        for (size_t i = 0; strcmp(node->key, "mode") == 0 && node->kind == CFG_NODE_TEXT && MODES[i].word; i++) {
            if (strcmp(node->text, MODES[i].word) == 0)
                return true;
        }
    }
    return false;
}

/* Which keys a port takes follows from its mode. */
static void port_finish(struct cfg_reader *reader, const struct cfg_node *node, void *object)
{
    const struct cfg_port *port = object;
    bool has_peer = cfg_map_has(node, "peer");
    bool has_addresses = cfg_map_has(node, "addresses");
    bool has_parent = cfg_map_has(node, "parent");
    static const char *const ROUTE_ONLY[] = {"parent", "vlan", "vrf", "urpf", "mtu", "mac", "kernel-name"};

    if (has_parent == cfg_map_has(node, "device"))
        cfg_problem_add(&reader->problems, node->line,
                        has_parent ? "a port has either 'device' or 'parent' (of a sub-port), not both"
                                   : "'device' is missing in a port: %s",
                        DEVICE_WANTS);
    if (has_parent != cfg_map_has(node, "vlan"))
        cfg_problem_add(&reader->problems, node->line, "'%s' is missing in a sub-port: it has 'parent' and 'vlan'",
                        has_parent ? "vlan" : "parent");
    if (port->vrf && strcmp(port->vrf, "default") == 0) {
        free(((struct cfg_port *)object)->vrf);
        ((struct cfg_port *)object)->vrf = NULL;
    }
    if (!mode_is_given(node))
        return;
    for (size_t i = 0; port->mode == CFG_PORT_WIRE && i < CFG_COUNT(ROUTE_ONLY); i++)
        if (cfg_map_has(node, ROUTE_ONLY[i]))
            cfg_problem_add(&reader->problems, node->line, "%s: a port of mode wire has none; it belongs to mode route",
                            ROUTE_ONLY[i]);
    if (port->mode == CFG_PORT_WIRE && !has_peer)
        cfg_problem_add(&reader->problems, node->line,
                        "'peer' is missing in a port of mode wire: the name of the port at the other end");
    if (port->mode == CFG_PORT_WIRE && has_addresses)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->addresses, node->line),
                        "addresses: a port of mode wire has none; they belong to mode route");
    if (port->mode == CFG_PORT_ROUTE && has_peer)
        cfg_problem_add(&reader->problems, cfg_line_of(reader, &port->peer, node->line),
                        "peer: a port of mode route has none; it belongs to mode wire");
    if (has_parent && !has_addresses)
        cfg_problem_add(&reader->problems, node->line,
                        "'addresses' is missing in a sub-port: a list such as [198.51.100.1/24]");
}

static const struct cfg_choice URPF[] = {{"off", false}, {"loose", true}, {0}};

static void set_urpf(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node, void *field)
{
    uint32_t loose = 0;

    cfg_set_choice(reader, key, node, &loose);
    *(bool *)field = loose != 0;
}

/* netdevice(7): a name of at most 15 characters. */
static void set_kernel_name(struct cfg_reader *reader, const struct cfg_key *key, const struct cfg_node *node,
                            void *field)
{
    const char *text = cfg_node_text(reader, key, node);

    if (text && (!cfg_name_ok(text) || strlen(text) > 15))
        cfg_problem_value(reader, key, node);
    else if (text)
        cfg_set_text(reader, key, node, field);
}

void cfg_port_interface(const struct cfg_port *port, size_t index, char name[CFG_INTERFACE_SIZE])
{
    if (port->kernel_name != NULL)
        snprintf(name, CFG_INTERFACE_SIZE, "%s", port->kernel_name);
    else if (strlen(port->name) + strlen("fg-") < CFG_INTERFACE_SIZE)
        snprintf(name, CFG_INTERFACE_SIZE, "fg-%.12s", port->name);
    else
        snprintf(name, CFG_INTERFACE_SIZE, "fg%u", (unsigned)index + 1);
}

static const struct cfg_key ADDRESS_ITEM = {
    .name = "addresses",
    .set = cfg_set_port_address,
    .wants = "the port's address with its network's length, such as 198.51.100.1/24 or \"2001:db8::1/64\""};

#define AT(field) offsetof(struct cfg_port, field)
static const struct cfg_key PORT_KEYS[] = {
    {.name = "name", .set = cfg_set_name, .offset = AT(name), .required = true, .wants = cfg_name_wants},
    {.name = "device", .set = set_device, .offset = AT(device), .wants = DEVICE_WANTS},
    {.name = "parent", .set = cfg_set_name, .offset = AT(parent), .wants = "the name of the port that has the device"},
    {.name = "vlan", .set = cfg_set_uint16, .offset = AT(vlan), .min = 1, .max = 4094},
    {.name = "vrf", .set = cfg_set_name, .offset = AT(vrf), .wants = "the name of a VRF"},
    {.name = "mac",
     .set = cfg_set_mac,
     .offset = AT(mac),
     .wants = "a unicast MAC address such as \"02:00:00:00:00:01\""},
    {.name = "urpf", .set = set_urpf, .offset = AT(urpf), .choices = URPF},
    {.name = "mtu",
     .set = cfg_set_uint16,
     .offset = AT(mtu),
     .min = 1280,
     .max = 9000,
     .unit = "octets",
     .fallback = "1500"},
    {.name = "kernel-name",
     .set = set_kernel_name,
     .offset = AT(kernel_name),
     .wants = "an interface name of at most 15 characters, such as fg-up"},
    {.name = "mode", .set = cfg_set_choice, .offset = AT(mode), .required = true, .choices = MODES},
    {.name = "peer", .set = cfg_set_name, .offset = AT(peer), .wants = "the name of the port at the other end"},
    {.name = "flowspec", .set = cfg_set_bool, .offset = AT(flowspec), .fallback = "true", .wants = "true or false"},
    {.name = "addresses",
     .set = cfg_set_list,
     .offset = AT(addresses),
     .wants = "a list of addresses, such as [198.51.100.1/24, \"2001:db8::1/64\"]",
     .item = &ADDRESS_ITEM,
     .item_size = sizeof(struct ip_prefix),
     .count_offset = AT(address_count),
     .max_items = 64},
};

static const struct cfg_map PORT_MAP = {.title = "a port",
                                        .keys = PORT_KEYS,
                                        .key_count = CFG_COUNT(PORT_KEYS),
                                        .has_line = true,
                                        .line_offset = AT(line),
                                        .finish = port_finish};
#undef AT

const struct cfg_key cfg_port_item = {.name = "ports",
                                      .set = cfg_set_map,
                                      .map = &PORT_MAP,
                                      .wants = "a map such as {name: wan, device: ..., mode: wire, peer: lan}"};
