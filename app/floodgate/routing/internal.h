/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of routing share. Control thread. */
#ifndef FLOODGATE_ROUTING_INTERNAL_H
#define FLOODGATE_ROUTING_INTERNAL_H

#include "base/clock.h"
#include "conf/conf.h"
#include "dataplane/dataplane.h"
#include "dataplane/route_plane.h"
#include "routing/routing.h"

struct event;
struct exception;

struct routing {
    const struct log_hook *log;
    struct dataplane *dp;
    struct route_plane *route;
    struct fwd *fwd;
    struct event *timer;
    mono_ms_t now, neighbors_at;
    const struct port *ports; /* of the data plane, by index */
    uint16_t port_count;
    struct ip_prefix *addresses[PORTS_MAX]; /* of each port; the last is its link-local one */
    size_t address_count[PORTS_MAX];
    struct exception *exception; /* NULL: the kernel takes no part */
};

/* transmit.c */
/* A frame of the router's own out of `port` to `mac`: `ethertype` and `len` octets behind it. */
void transmit_frame(struct routing *routing, uint16_t port, const uint8_t *mac, uint16_t ethertype,
                    const uint8_t *payload, size_t len);
/* An IP packet of the router's own to wherever its destination is; resolved first where needed. */
void transmit_ip(struct routing *routing, uint16_t vrf, const uint8_t *packet, size_t len);
/*
 * What the kernel sends by the interface of `port`. False when it goes nowhere, or buffers are short; the kernel is
 * told why where there is a way to tell.
 */
bool transmit_from_kernel(struct routing *routing, uint16_t port, const uint8_t *packet, size_t len);
void transmit_released(void *ctx, void *packet, uint16_t port, const uint8_t *mac);
void transmit_dropped(void *ctx, void *packet);
/* With no worker running: every packet on its way ends and is counted. */
void transmit_end(struct routing *routing);

/* receive.c: takes what workers have handed up. */
void receive_all(struct routing *routing);
void receive_solicit(void *ctx, uint16_t port, const struct ip_addr *address, const uint8_t *mac);

/*
 * bgp_sources.c: tells workers what is BGP of configured peers, so that it has a limit of its own. `old` NULL at the
 * start. False when one was left out for lack of memory.
 */
bool bgp_sources_set(struct routing *routing, const struct cfg *old, const struct cfg *fresh);

/* An address of the port: this one, or (NULL) the first of the family that is no link-local one; NULL when none. */
const struct ip_prefix *routing_address(const struct routing *routing, uint16_t port, unsigned family,
                                        const uint8_t *octets);

#endif
