/* SPDX-License-Identifier: BSD-3-Clause */
#include "ports/ports.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "conf/conf.h"
#include "ports/kernel_link.h"
#include "ports/pcap_device.h"

#define RX_DESCRIPTORS 1024
#define TX_DESCRIPTORS 1024
#define VIRTUAL_MBUFS  4095  /* a virtual device holds no descriptors full of buffers; see dataplane/buffers.h */
#define ROUTED_MBUFS   8192u /* on their way to and from the control thread, and held by it */
#define MBUF_CACHE     256
#define WIRE_MTU       9000 /* a wire must not care how long its packets are */
#define QUEUES_MAX     64
#define VLAN_TAGS_SIZE 8u    /* drivers allow two tags on top of the MTU */
#define AF_PACKET_SLOT 2048u /* the driver's default for `framesz` */
#define AF_PACKET_HEAD 32u
#define PCAP_FRAME_MAX RTE_ETHER_MAX_JUMBO_FRAME_LEN /* net_pcap cuts what lies in several buffers to this */

static const struct {
    uint64_t rx_scatter, tx_multi_segs, rss;
} WANTED = {RTE_ETH_RX_OFFLOAD_SCATTER, RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
            RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP};

/* The name that DPDK gives the device: what stands before the first comma. */
static void device_name(const char *device, char *name, size_t size)
{
    size_t len = strcspn(device, ",");

    snprintf(name, size, "%.*s", (int)len, device);
}

static bool is_af_packet(const struct port *port)
{
    return strcmp(port->driver, "net_af_packet") == 0;
}

/* A slot of a net_af_packet ring: it holds one frame and PACKET_MMAP's header. */
static uint32_t af_packet_slot(const char *device)
{
    const char *given = strstr(device, ",framesz=");
    unsigned long slot = given != NULL ? strtoul(given + strlen(",framesz="), NULL, 10) : AF_PACKET_SLOT;

    return slot < AF_PACKET_HEAD ? AF_PACKET_HEAD : slot > UINT16_MAX ? UINT16_MAX : (uint32_t)slot;
}

/* Room in a packet buffer: the driver wants a whole slot to fit into one. */
static uint16_t buffer_room(const struct port *port)
{
    uint32_t slot = is_af_packet(port) ? af_packet_slot(port->device) + RTE_PKTMBUF_HEADROOM : 0;

    return slot <= RTE_MBUF_DEFAULT_BUF_SIZE ? RTE_MBUF_DEFAULT_BUF_SIZE
           : slot > UINT16_MAX               ? UINT16_MAX
                                             : (uint16_t)slot;
}

static int port_fail(const struct port *port, int error, const char *what, const struct log_hook *log)
{
    log_line(log, LOG_LEVEL_ERROR, "port %s (%s): %s: %s", port->name, port->device, what, strerror(-error));
    return error;
}

/* The kernel's interface that a device takes its packets from must be there: the driver says nothing of use about it.
 */
static bool interface_is_there(const char *device, char *why, size_t size)
{
    static const char *const DRIVERS[] = {"net_af_packet", "net_af_xdp"};
    const char *given = strstr(device, ",iface=");
    char name[IFNAMSIZ];

    for (size_t i = 0; given != NULL && i < sizeof DRIVERS / sizeof DRIVERS[0]; i++) {
        if (strncmp(device, DRIVERS[i], strlen(DRIVERS[i])) != 0)
            continue;
        device_name(given + strlen(",iface="), name, sizeof name);
        if (if_nametoindex(name) == 0) {
            snprintf(why, size, "there is no interface '%s' in this network namespace (%s)", name, device);
            return false;
        }
    }
    return true;
}

/* Makes the device exist and finds its number. */
static int port_probe(struct port *port, const struct log_hook *log)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    char why[512];
    struct rte_eth_dev_info info;

    if (!pcap_device_check(port->device, why, sizeof why) || !interface_is_there(port->device, why, sizeof why)) {
        log_line(log, LOG_LEVEL_ERROR, "port %s: %s", port->name, why);
        return -ENOENT;
    }
    device_name(port->device, name, sizeof name);
    if (rte_eth_dev_get_port_by_name(name, &port->dpdk_id) < 0) {
        int error = rte_dev_probe(port->device);
        if (error < 0)
            return port_fail(port, error, "DPDK cannot make or find this device", log);
        if (rte_eth_dev_get_port_by_name(name, &port->dpdk_id) < 0)
            return port_fail(port, -ENODEV, "no Ethernet device came of it; is it bound to vfio-pci?", log);
    }
    int error = rte_eth_dev_info_get(port->dpdk_id, &info);
    if (error < 0)
        return port_fail(port, error, "cannot read what the device can do", log);
    port->socket = rte_eth_dev_socket_id(port->dpdk_id);
    port->physical = strncmp(info.driver_name, "net_", 4) != 0 || strchr(name, ':') != NULL;
    snprintf(port->driver, sizeof port->driver, "%s", info.driver_name);
    return 0;
}

static uint16_t min_u16(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

/* As many queues as workers, where this port can receive and its peer can send on that many. */
static void port_choose_queues(struct ports *ports, struct port *port, unsigned workers)
{
    struct rte_eth_dev_info own, peer;

    rte_eth_dev_info_get(port->dpdk_id, &own);
    rte_eth_dev_info_get(ports->port[port->peer].dpdk_id, &peer);
    port->tx_queues = (uint16_t)(workers < QUEUES_MAX ? workers : QUEUES_MAX);
    if (port->routed && (own.max_tx_queues < workers || workers > QUEUES_MAX)) /* a worker sends by its own */
        ports->route_alone = true;
    port->queues = min_u16((uint16_t)(workers < QUEUES_MAX ? workers : QUEUES_MAX),
                           min_u16(own.max_rx_queues, peer.max_tx_queues));
    if (port->queues == 0)
        port->queues = 1;
}

/* A wire's end has as many as its other end receives on; a routed port one for each worker that may send. */
static uint16_t transmit_queues(const struct ports *ports, const struct port *port)
{
    return port->routed ? port->tx_queues : ports->port[port->peer].queues;
}

/* MTU, offloads and how packets are spread over queues. */
static int port_configure(const struct ports *ports, struct port *port, const struct log_hook *log)
{
    struct rte_eth_dev_info info;
    struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};

    int error = rte_eth_dev_info_get(port->dpdk_id, &info);
    if (error < 0)
        return port_fail(port, error, "cannot read what the device can do", log);
    if (port->queues > 1 && (info.flow_type_rss_offloads & WANTED.rss) != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = WANTED.rss & info.flow_type_rss_offloads;
    }
    conf.rxmode.offloads = WANTED.rx_scatter & info.rx_offload_capa;
    conf.txmode.offloads = WANTED.tx_multi_segs & info.tx_offload_capa;
    if (port->physical && conf.rxmode.offloads != 0 && conf.txmode.offloads != 0)
        conf.rxmode.mtu = min_u16(info.max_mtu, WIRE_MTU);
    port->configured = true;
    error = rte_eth_dev_configure(port->dpdk_id, port->queues, transmit_queues(ports, port), &conf);
    if (error < 0)
        return port_fail(port, error, "cannot configure the device", log);
    return 0;
}

/*
 * Transmit descriptors that may be full of one port's buffers: a wire's are those of its peer, which has as many as it
 * has receive queues itself; a routed port's packets may fill those of every routed NIC.
 */
static unsigned descriptors_that_hold(const struct ports *ports, const struct port *port)
{
    unsigned queues = port->routed ? 0 : port->queues;

    for (uint16_t i = 0; port->routed && i < ports->count; i++)
        if (ports->port[i].routed && ports->port[i].physical && !ports->port[i].sub)
            queues += ports->port[i].tx_queues;
    return queues * TX_DESCRIPTORS;
}

static int port_make_pool(const struct ports *ports, struct port *port, unsigned workers, const struct log_hook *log)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    char why[512];
    long kept = pcap_device_loop_frames(port->device, why, sizeof why);
    unsigned count = VIRTUAL_MBUFS + (unsigned)kept;

    if (kept < 0) {
        log_line(log, LOG_LEVEL_ERROR, "port %s: %s", port->name, why);
        return (int)kept;
    }

    /* a virtual device holds none, but every lcore's cache may */
    if (port->routed)
        count += (workers + 1) * (MBUF_CACHE * 3u / 2 + PORTS_BURST);
    /* every receive ring full, every transmit ring full, every worker's cache and burst, what waits for neighbours */
    if (port->physical)
        count = port->queues * RX_DESCRIPTORS + descriptors_that_hold(ports, port) +
                workers * (MBUF_CACHE + PORTS_BURST) * 2u + (port->routed ? ROUTED_MBUFS : 0);
    snprintf(name, sizeof name, "port%u", port->index);
    port->pool = rte_pktmbuf_pool_create(name, count, MBUF_CACHE, port->routed ? PORTS_NOTE_SIZE : 0, buffer_room(port),
                                         port->socket < 0 ? SOCKET_ID_ANY : port->socket);
    if (port->pool == NULL)
        return port_fail(port, -rte_errno, "no memory for its packet buffers (dataplane.memory, or hugepages)", log);
    return 0;
}

static int port_setup_queues(const struct ports *ports, struct port *port, const struct log_hook *log)
{
    unsigned socket = port->socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)port->socket;
    uint16_t rx = RX_DESCRIPTORS, tx = TX_DESCRIPTORS;
    int error = rte_eth_dev_adjust_nb_rx_tx_desc(port->dpdk_id, &rx, &tx);

    if (error < 0)
        return port_fail(port, error, "cannot size its rings", log);
    for (uint16_t q = 0; q < port->queues; q++) {
        error = rte_eth_rx_queue_setup(port->dpdk_id, q, rx, socket, NULL, port->pool);
        if (error < 0)
            return port_fail(port, error, "cannot set up a receive queue", log);
    }
    for (uint16_t q = 0; q < transmit_queues(ports, port); q++) {
        error = rte_eth_tx_queue_setup(port->dpdk_id, q, tx, socket, NULL);
        if (error < 0)
            return port_fail(port, error, "cannot set up a transmit queue", log);
    }
    return 0;
}

static uint32_t port_max_frame(const struct port *port)
{
    uint16_t mtu;

    if (strcmp(port->driver, "net_pcap") == 0)
        return PCAP_FRAME_MAX;
    if (is_af_packet(port)) /* it drops what is longer, and says that it was sent */
        return af_packet_slot(port->device) - AF_PACKET_HEAD;
    if (!port->physical || rte_eth_dev_get_mtu(port->dpdk_id, &mtu) < 0)
        return UINT32_MAX; /* virtual devices say 1500 and take whatever comes */
    return mtu + RTE_ETHER_HDR_LEN + VLAN_TAGS_SIZE;
}

static int port_run(struct port *port, const struct log_hook *log)
{
    static const uint8_t NONE[6];
    struct rte_ether_addr mac = {0};
    int error = rte_eth_dev_start(port->dpdk_id);

    if (error < 0)
        return port_fail(port, error, "cannot start the device", log);
    port->started = true;
    /* a wire takes every frame, whoever it is for; virtual devices may not know the call and do so anyway */
    error = rte_eth_promiscuous_enable(port->dpdk_id);
    if (error < 0 && error != -ENOTSUP)
        return port_fail(port, error, "cannot make it promiscuous", log);
    if (memcmp(port->mac, NONE, sizeof NONE) != 0) { /* a device that cannot be told is promiscuous */
        memcpy(mac.addr_bytes, port->mac, sizeof port->mac);
        rte_eth_dev_default_mac_addr_set(port->dpdk_id, &mac);
    } else {
        rte_eth_macaddr_get(port->dpdk_id, &mac);
        memcpy(port->mac, mac.addr_bytes, sizeof port->mac);
    }
    port->max_frame = port_max_frame(port);
    return 0;
}

static uint16_t port_index(const struct cfg *cfg, const char *name, uint16_t otherwise)
{
    for (uint16_t i = 0; name != NULL && i < cfg->port_count; i++)
        if (strcmp(cfg->ports[i].name, name) == 0)
            return i;
    return otherwise;
}

/* A sub-port shares what its parent is, once that runs. */
static void sub_port_take(struct port *port, const struct port *parent)
{
    static const uint8_t NONE[6];

    port->device = parent->device;
    port->dpdk_id = parent->dpdk_id;
    port->socket = parent->socket;
    port->physical = parent->physical;
    port->max_frame = parent->max_frame;
    memcpy(port->driver, parent->driver, sizeof port->driver);
    if (memcmp(port->mac, NONE, sizeof NONE) == 0)
        memcpy(port->mac, parent->mac, sizeof port->mac);
}

/* Packets of a routed port's MTU must fit into the frames that its device sends. 0, or -EMSGSIZE after a line. */
static int port_check_mtu(const struct port *port, uint16_t mtu, const struct log_hook *log)
{
    uint32_t frame = mtu + RTE_ETHER_HDR_LEN + (port->vlan != 0 ? RTE_VLAN_HLEN : 0);

    if (!port->routed || frame <= port->max_frame)
        return 0;
    log_line(log, LOG_LEVEL_ERROR, "port %s: mtu %u takes frames of %u octets, and %s (%s) sends at most %u%s",
             port->name, mtu, frame, port->device, port->driver, port->max_frame,
             is_af_packet(port) ? ": give the device a larger framesz and blocksz" : "");
    return -EMSGSIZE;
}

static int port_name(struct ports *ports, const struct cfg *cfg, const struct log_hook *log)
{
    if (cfg->port_count > PORTS_MAX) {
        log_line(log, LOG_LEVEL_ERROR, "%zu ports are configured; at most %d are possible", cfg->port_count, PORTS_MAX);
        return -E2BIG;
    }
    ports->count = (uint16_t)cfg->port_count;
    for (uint16_t i = 0; i < ports->count; i++) {
        const struct cfg_port *want = &cfg->ports[i];
        ports->port[i] = (struct port){
            .name = want->name, .device = want->device, .index = i, .peer = i, .flowspec = want->flowspec};
        ports->port[i].routed = want->mode == CFG_PORT_ROUTE;
        ports->port[i].sub = want->parent != NULL;
        ports->port[i].vlan = want->vlan;
        memcpy(ports->port[i].mac, want->mac, sizeof want->mac);
        ports->port[i].peer = port_index(cfg, want->peer, i);
        ports->port[i].parent = port_index(cfg, want->parent, i);
    }
    return 0;
}

int ports_start(struct ports *ports, const struct cfg *cfg, unsigned workers, const struct log_hook *log)
{
    memset(ports, 0, sizeof *ports);
    int error = port_name(ports, cfg, log);

    for (uint16_t i = 0; i < ports->count && error == 0; i++)
        error = ports->port[i].sub ? 0 : port_probe(&ports->port[i], log);
    for (uint16_t i = 0; i < ports->count && error == 0; i++)
        if (!ports->port[i].sub)
            port_choose_queues(ports, &ports->port[i], workers);
    for (uint16_t i = 0; ports->route_alone && i < ports->count; i++)
        if (ports->port[i].routed)
            ports->port[i].queues = ports->port[i].tx_queues = 1;
    for (uint16_t i = 0; i < ports->count && error == 0; i++) {
        struct port *port = &ports->port[i];
        if (port->sub)
            continue;
        if ((error = port_configure(ports, port, log)) < 0 || (error = port_make_pool(ports, port, workers, log)) < 0 ||
            (error = port_setup_queues(ports, port, log)) < 0 || (error = port_run(port, log)) < 0)
            break;
        log_line(log, LOG_LEVEL_INFO, "port %s: %s, driver %s, %u queue%s, %s%s", port->name, port->device,
                 port->driver, port->queues, port->queues == 1 ? "" : "s", port->routed ? "routed" : "peer ",
                 port->routed ? "" : ports->port[port->peer].name);
    }
    for (uint16_t i = 0; i < ports->count && error == 0; i++) {
        if (ports->port[i].sub)
            sub_port_take(&ports->port[i], &ports->port[ports->port[i].parent]);
        error = port_check_mtu(&ports->port[i], cfg->ports[i].mtu, log);
    }
    return error;
}

void ports_stop(struct ports *ports)
{
    for (uint16_t i = ports->count; i-- > 0;) {
        struct port *port = &ports->port[i];
        if (port->started)
            rte_eth_dev_stop(port->dpdk_id);
        if (port->configured) /* its queues may hold buffers, though it never started */
            rte_eth_dev_close(port->dpdk_id);
        port->started = port->configured = false;
    }
    for (uint16_t i = ports->count; i-- > 0;) {
        rte_mempool_free(ports->port[i].pool);
        ports->port[i].pool = NULL;
    }
}

const struct port *ports_find(const struct ports *ports, const char *name)
{
    for (uint16_t i = 0; i < ports->count; i++)
        if (strcmp(ports->port[i].name, name) == 0)
            return &ports->port[i];
    return NULL;
}

bool port_link_up(const struct port *port)
{
    struct rte_eth_link link = {0};

    if (!port->started || rte_eth_link_get_nowait(port->dpdk_id, &link) < 0)
        return port->started;
    return link.link_status == RTE_ETH_LINK_UP && (!is_af_packet(port) || kernel_link_up(port->device));
}

void port_status_get(const struct port *port, struct port_status *out)
{
    struct rte_eth_link link = {0};
    struct rte_eth_stats stats = {0};

    *out = (struct port_status){0};
    if (!port->started && !port->sub)
        return;
    if (rte_eth_link_get_nowait(port->dpdk_id, &link) == 0) {
        out->link_up = link.link_status == RTE_ETH_LINK_UP && (!is_af_packet(port) || kernel_link_up(port->device));
        out->speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
    }
    if (rte_eth_stats_get(port->dpdk_id, &stats) == 0) {
        out->missed = stats.imissed + stats.rx_nombuf;
        out->errors = stats.ierrors + stats.oerrors;
    }
}
