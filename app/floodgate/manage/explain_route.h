/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of an explanation that is about ports of mode route: for whom a packet is, and where it goes. */
#ifndef FLOODGATE_EXPLAIN_ROUTE_H
#define FLOODGATE_EXPLAIN_ROUTE_H

#include <stdbool.h>

#include <jansson.h>

#include "action/action.h"
#include "manage/frame_hex.h"
#include "packet/key.h"
#include "ports/ports.h"

struct dataplane;

/* One packet that comes in by a routed port. */
struct explain_way {
    const struct dataplane *dp;
    const struct port *in;
    const struct pkt_key *key;
    const struct frame_head *head;
};

/* The port whose packets those of this frame are: a sub-port where the tag says so, else the device's own. */
const struct port *explain_port_of(const struct dataplane *dp, const struct port *named, const struct frame_head *head);

/* A header for a packet that was described in words: to the port's address, with its tag, TTL 64; sets the key's. */
void explain_head_make(const struct dataplane *dp, const struct port *in, struct pkt_key *key, struct frame_head *head);

/*
 * For whom the packet is: "transit" (somebody else: rules are asked and it is routed), "foreign" (no station of this
 * router: dropped), or what is handed to the router itself before any rule: a name of up_kind_name.
 */
const char *explain_local(const struct explain_way *way);

/*
 * Where a packet goes that the rules let pass: the verdict, an object as in docs/api.md. What it rests on (`route`,
 * `next_hop`, `redirect`) is set in `answer`, and `copy` where a copy goes elsewhere.
 */
json_t *explain_forward(const struct explain_way *way, const struct act_packet *collected, json_t *answer);

#endif
