/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The blast radius of a rule: what it would take of the traffic that was seen lately, measured by the caller on a
 * window of sampled packets, and the limits that the guard sets to that.
 */
#ifndef POLICY_BLAST_H
#define POLICY_BLAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "policy/peer_policy.h"

#define POL_BLAST_TOP 3

/* The limits, in per cent; 0: none. */
struct pol_guard {
    double max_packets, max_bytes, max_protocol, max_destination;
    uint32_t window_s;
    uint32_t min_samples; /* fewer packets than that in the window say nothing */
    enum pol_breach on_breach;
};

/* A part of the window's packets, and how much of it the rule takes. */
struct pol_part {
    uint32_t seen, taken;
};

struct pol_blast_destination {
    struct ip_addr address;
    uint32_t taken;
};

struct pol_blast_port {
    uint8_t protocol;
    uint16_t port; /* destination port */
    uint32_t taken;
};

struct pol_blast {
    struct pol_part packets;
    uint64_t bytes_seen, bytes_taken;
    struct pol_part protocol; /* the part of one protocol's packets that is the largest */
    uint8_t protocol_number;
    struct pol_part destination; /* likewise of one destination address */
    struct ip_addr destination_address;
    /* where most of what it takes goes to; `taken` 0 ends them */
    struct pol_blast_destination top_destinations[POL_BLAST_TOP];
    struct pol_blast_port top_ports[POL_BLAST_TOP];
};

#endif
