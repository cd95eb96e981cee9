/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dynamic neighbours: an entry of the configuration with a `range` stands for as many peers as come from its addresses,
 * up to its `max-peers`. Each is a peer like any other, called ENTRY@ADDRESS, made when its first connection comes and
 * taken away when nothing is left to remember of it: no session, no rules that outlive it, no fault it is held off for,
 * no word of the operator's.
 *
 * An address belongs to the peer configured with it, else to the longest range.
 */
#ifndef FLOODGATE_DYNAMIC_H
#define FLOODGATE_DYNAMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/util.h>

#include "base/ip.h"

struct cfg;
struct cfg_peer;
struct control;
struct control_range;
struct dynamic;
struct peer;
struct peer_lines;

/* NULL: no memory. `control->cfg` is set. */
struct dynamic *dynamic_create(struct control *control);
void dynamic_free(struct dynamic *dynamic);

/* The peer for a connection from `address`, made now. NULL: no range has it, or there is no room; `why` says which. */
struct peer *dynamic_peer(struct dynamic *dynamic, const struct ip_addr *address, char *why, size_t size);

/*
 * A reload gives the peer's range another configuration: the peer by that one, in nobody's list yet, where the operator
 * has said something of the former that must not be lost with it. NULL: nothing was said (it comes back when it wants
 * to), or there is no memory.
 */
struct peer *dynamic_again(struct control *control, const struct cfg_peer *entry, const struct peer *former);

/* Connections from the ranges to this listener, of a family, need their passwords from now on. */
void dynamic_guard(struct dynamic *dynamic, evutil_socket_t listener, unsigned family);

/* What of `cfg` a peer was made from: its own entry, or the range that its address is in now; NULL: none any more. */
const struct cfg_peer *dynamic_conf(const struct cfg *cfg, const struct peer *peer);

/* A reload has put another configuration into `control->cfg`. */
void dynamic_reconfigure(struct dynamic *dynamic);

/* What limits the lines about its peers; NULL: there is no such range (any more). */
struct peer_lines *dynamic_lines(struct dynamic *dynamic, const char *range);

size_t dynamic_count(const struct dynamic *dynamic);
void dynamic_get(const struct dynamic *dynamic, size_t index, struct control_range *out);

#endif
