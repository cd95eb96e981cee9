/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which packets can exist: kinds of upper layer, states of fragmentation, and the lengths that each combination can
 * have (RFC 791, RFC 8200 section 4.5, RFC 1858; what the router's parser takes for sound). Private to lib/policy.
 */
#ifndef POLICY_EXISTING_H
#define POLICY_EXISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of upper layer, by what Flowspec can see of them. */
enum pol_kind {
    POL_KIND_TCP,
    POL_KIND_UDP,
    POL_KIND_ICMP,      /* ICMP in IPv4, ICMPv6 in IPv6 */
    POL_KIND_OTHER,     /* nothing but its protocol number */
    POL_KIND_EXTENSION, /* IPv6: a header of the chain, and only a later fragment shows it as its protocol */
    POL_KIND_COUNT,
};

enum pol_kind pol_kind_of(unsigned family, unsigned protocol);

/* POL_HAS_* of a packet of that kind in that state of fragmentation. */
unsigned pol_kind_has(enum pol_kind kind, unsigned fragment);

/* Whether packets of that kind can be in that state of fragmentation (FS_FRAGMENT_*). */
bool pol_fragment_exists(unsigned family, enum pol_kind kind, unsigned fragment);

/* Lengths of such packets, in octets. */
struct pol_lengths {
    uint32_t least, most;
    bool blocks;         /* more fragments follow: the payload is a multiple of 8, so the length is one of 4 */
    uint32_t least_odd4; /* where `blocks`: the least length that is no multiple of 8 */
};

void pol_lengths_of(unsigned family, enum pol_kind kind, unsigned fragment, struct pol_lengths *out);

/* The least length of them within first..last; 0: none. */
uint32_t pol_length_within(const struct pol_lengths *lengths, uint32_t first, uint32_t last);

/* The longest packet of the family: IPv6 counts its payload without the header. */
uint32_t pol_length_most(unsigned family);

#endif
