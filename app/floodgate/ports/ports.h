/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports of the router: probing, configuring, starting and stopping DPDK's Ethernet devices, and who polls what.
 *
 * Queue i of a port is received by one worker and sent to by one worker only, so no queue is ever locked: in wire mode
 * the worker that polls receive queue i of a port sends to transmit queue i of its peer.
 */
#ifndef FLOODGATE_PORTS_H
#define FLOODGATE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct cfg;
struct rte_mempool;

#define PORTS_MAX       256 /* sub-ports included */
#define PORTS_BURST     32
#define PORTS_NOTE_SIZE 64 /* private area of each packet buffer of a routed port: see dataplane/route_plane.h */

struct port {
    const char *name; /* of the configuration, which outlives the ports */
    const char *device;
    uint16_t index; /* in struct ports, and in counters */
    uint16_t dpdk_id;
    uint16_t peer;      /* index of the other end of the wire; of a routed port: its own */
    uint16_t queues;    /* receive queues; as many transmit queues at the peer */
    uint16_t tx_queues; /* routed: one for each worker, or one alone (see route_alone) */
    bool routed;        /* mode route */
    bool sub;           /* a sub-port: frames of `parent` with tag `vlan`; no queues of its own */
    uint16_t parent;    /* index; of what is no sub-port: its own */
    uint16_t vlan;      /* 0: untagged */
    uint32_t max_frame; /* octets of the longest frame that it sends whole, FCS left out */
    int socket;         /* NUMA node, or -1 when it has none */
    bool flowspec;
    bool physical; /* a NIC, not a virtual device: never let a worker sleep */
    bool configured;
    bool started;
    uint8_t mac[6];
    char driver[32];
    struct rte_mempool *pool; /* its receive buffers, on its own node */
};

struct ports {
    struct port port[PORTS_MAX];
    uint16_t count;
    bool
        route_alone; /* a routed device has fewer transmit queues than there are workers: one worker does all of them */
};

/*
 * Probes and starts every port of the configuration for `workers` workers. 0, or -errno after one clear line in the
 * log that names the port; what was started stays for ports_stop. Links are not waited for.
 */
int ports_start(struct ports *ports, const struct cfg *cfg, unsigned workers, const struct log_hook *log);

/* Stops and closes every port: pcap ports write their files out here. No worker may poll any more. */
void ports_stop(struct ports *ports);

/* The port of that name, or NULL. */
const struct port *ports_find(const struct ports *ports, const char *name);

struct port_status {
    bool link_up;
    uint32_t speed_mbps; /* 0: unknown */
    uint64_t missed;     /* packets the device had no room for; they were never received, so not in rx */
    uint64_t errors;
};

/* Control thread. Whether a device's link is up; one that cannot tell counts as up. Of a sub-port ask the parent. */
bool port_link_up(const struct port *port);

/* Control thread. */
void port_status_get(const struct port *port, struct port_status *out);

#endif
